"""How does a Python program ask the service?"""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from plimsoll.domain.parameters import JointScenarios, ParameterSet, SideEvidence
from plimsoll.errors import Code, PlimsollError
from plimsoll.feeds.reports import SignedReport
from plimsoll.margin.liquidation_price import LiquidationPrices
from plimsoll.margin.what_if import WhatIf
from plimsoll.service.account_margin import MarginAnswer
from plimsoll.service.accounts import AccountDetail, AccountPage
from plimsoll.service.auctions import AuctionLine, BidAnswer
from plimsoll.service.boards import Board
from plimsoll.service.branching import Branching
from plimsoll.service.live_feed import SourceLine
from plimsoll.service.markets import Announcement, HappenedPage, JournalPosition, Market, Overview
from plimsoll.service.openapi import ErrorBody
from plimsoll.service.operations import InstrumentLine
from plimsoll.service.reporters import AgreedLine, ReportsAnswer
from plimsoll.service.stress import StressResult
from plimsoll.service.view import Moment
from plimsoll.service.writes import AuditPage, WriteAnswer

__all__ = ["Client"]

_Answer = TypeVar("_Answer")
_PATIENCE = 30.0
_OK = 200
_NEWEST = 2**62


class Client:
    """Asks one service, with one token, over one pool of connections.

    Every method raises `PlimsollError` with the code that the service gave, and `NOT_READY` where it cannot
    be reached: a write may then have been carried out all the same, so send it again with the same key.

    Parameters
    ----------
    address : str   Such as ``http://127.0.0.1:8750``.
    token : str
    transport : httpx transport or None   Instead of a network, for tests.
    """

    def __init__(self, address: str, token: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._http = httpx.AsyncClient(
            base_url=address,
            headers={"authorization": f"Bearer {token}"},
            timeout=_PATIENCE,
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def overview(self) -> Overview:
        """Give the venue at a glance."""
        return await self._get("/v1/overview", Overview)

    async def markets(self) -> tuple[Market, ...]:
        """List the markets."""
        return await self._get("/v1/markets", tuple[Market, ...])

    async def instruments(self) -> tuple[InstrumentLine, ...]:
        """List what is traded and held, with lots and marks."""
        return await self._get("/v1/instruments", tuple[InstrumentLine, ...])

    async def sources(self) -> tuple[SourceLine, ...]:
        """Say how each source of prices does; none where ticks come through the API."""
        return await self._get("/v1/sources", tuple[SourceLine, ...])

    async def series(self, *, after: int = 0, points: int = 600) -> tuple[Moment, ...]:
        """Give the points of the charts after a time, thinned to at most so many."""
        return await self._get("/v1/series", tuple[Moment, ...], after=after, points=points)

    async def boards(self) -> tuple[Board, ...]:
        """List the boards of options, the next to expire first."""
        return await self._get("/v1/boards", tuple[Board, ...])

    async def list_board(
        self,
        *,
        forward: float,
        volatility: Mapping[str, float],
        volume: float,
        impact: float,
        future: bool = False,
        key: str,
    ) -> WriteAnswer:
        """List options of one market and expiry by their names, with the quotes that they begin with."""
        body = {
            "forward": forward,
            "volatility": dict(volatility),
            "volume": volume,
            "impact": impact,
            "future": future,
        }
        return await self._write("/v1/boards", body, key)

    async def parameters(self) -> ParameterSet:
        """Give the parameter set in force, without its joint scenarios."""
        return await self._get("/v1/parameters", ParameterSet)

    async def scenarios(self) -> tuple[JointScenarios, ...]:
        """Give the joint scenarios: those in force, then any that are announced."""
        return await self._get("/v1/parameters/scenarios", tuple[JointScenarios, ...])

    async def parameter_history(self, *, before: int = _NEWEST, limit: int = 100) -> tuple[ParameterSet, ...]:
        """List sets with versions below `before`, newest first, without their joint scenarios."""
        path = "/v1/parameters/history"
        return await self._get(path, tuple[ParameterSet, ...], before=before, limit=limit)

    async def evidence(self, market: str) -> tuple[SideEvidence, ...]:
        """Say where a market's rates come from."""
        return await self._get("/v1/parameters/evidence", tuple[SideEvidence, ...], market=market)

    async def announced(self) -> tuple[Announcement, ...]:
        """Give the notice board."""
        return await self._get("/v1/parameters/announced", tuple[Announcement, ...])

    async def accounts(self, *, offset: int = 0, limit: int = 100, order: str = "health") -> AccountPage:
        """List accounts, those nearest to liquidation first, or in another order."""
        return await self._get("/v1/accounts", AccountPage, offset=offset, limit=limit, order=order)

    async def account(self, name: str) -> AccountDetail:
        """Say what an account holds."""
        return await self._get(f"/v1/accounts/{quote(name, safe='')}", AccountDetail)

    async def margin(self, name: str) -> MarginAnswer:
        """Margin an account and say why."""
        return await self._get(f"/v1/accounts/{quote(name, safe='')}/margin", MarginAnswer)

    async def liquidation_price(self, name: str, market: str) -> LiquidationPrices:
        """Find the prices at which an account is liquidated."""
        path = f"/v1/accounts/{quote(name, safe='')}/liquidation-price"
        return await self._get(path, LiquidationPrices, market=market)

    async def what_if(self, name: str, trades: Mapping[str, str]) -> WhatIf:
        """Say what trades at the mark would change; quantities in base units, by instrument."""
        body = {"trades": [{"instrument": i, "quantity": q} for i, q in trades.items()]}
        return await self._post(f"/v1/accounts/{quote(name, safe='')}/what-if", body, WhatIf)

    async def stress(self) -> tuple[StressResult, ...]:
        """Give the library's stresses on the positions that are open."""
        return await self._get("/v1/stress", tuple[StressResult, ...])

    async def custom_stress(
        self, moves: Mapping[str, float], *, volatility: Mapping[str, float] = {}
    ) -> StressResult:
        """Stress the open positions with relative moves by market; others move as their mean."""
        body = {"moves": dict(moves), "volatility": dict(volatility)}
        return await self._post("/v1/stress", body, StressResult)

    async def branching(self) -> tuple[Branching, ...]:
        """Give the branching ratio of each market."""
        return await self._get("/v1/branching", tuple[Branching, ...])

    async def happened(self, *, before: int = _NEWEST, limit: int = 100) -> HappenedPage:
        """List what happened to accounts, newest first."""
        return await self._get("/v1/happened", HappenedPage, before=before, limit=limit)

    async def audit(self, *, before: int = _NEWEST, limit: int = 100) -> AuditPage:
        """List who asked for which write, newest first."""
        return await self._get("/v1/audit", AuditPage, before=before, limit=limit)

    async def journal(self) -> JournalPosition:
        """Say how far the journal has come."""
        return await self._get("/v1/journal", JournalPosition)

    async def open_account(self, name: str, *, amount: int, key: str) -> WriteAnswer:
        """Open an account with cash, quote quanta."""
        return await self._write("/v1/accounts", {"account": name, "amount": amount}, key)

    async def deposit(self, name: str, *, amount: int, key: str) -> WriteAnswer:
        """Pay cash in, quote quanta."""
        return await self._write(f"/v1/accounts/{quote(name, safe='')}/deposits", {"amount": amount}, key)

    async def withdraw(self, name: str, *, amount: int, key: str) -> WriteAnswer:
        """Pay cash out, quote quanta."""
        return await self._write(f"/v1/accounts/{quote(name, safe='')}/withdrawals", {"amount": amount}, key)

    async def fund(self, *, amount: int, into: str = "fund", key: str) -> WriteAnswer:
        """Pay the venue's own cash into the insurance fund, or the ``backstop``; quote quanta."""
        return await self._write("/v1/fund", {"amount": amount, "into": into}, key)

    async def auctions(self) -> tuple[AuctionLine, ...]:
        """List what is on the block, the longest there first."""
        return await self._get("/v1/auctions", tuple[AuctionLine, ...])

    async def bid(self, account: str, *, bidder: str, share: float, key: str) -> BidAnswer:
        """Take a share of an account on the block, at the price of the moment."""
        path, body = f"/v1/accounts/{quote(account, safe='')}/bids", {"bidder": bidder, "share": share}
        return await self._keyed(path, body, key, BidAnswer)

    async def fill(self, instrument: str, *, price: float, legs: Mapping[str, str], key: str) -> WriteAnswer:
        """Book a trade; quantities in base units, by account, negative where it sold."""
        parts = [{"account": name, "quantity": quantity} for name, quantity in legs.items()]
        return await self._write("/v1/fills", {"instrument": instrument, "price": price, "legs": parts}, key)

    async def reports(self) -> tuple[AgreedLine, ...]:
        """Say what reporters agree on, and what each of them says."""
        return await self._get("/v1/reports", tuple[AgreedLine, ...])

    async def report(self, reports: Sequence[SignedReport]) -> ReportsAnswer:
        """Send signed prices, made by `feeds.reports.sign_report`; the same report may be sent again."""
        return await self._post("/v1/reports", {"reports": reports}, ReportsAnswer)

    async def tick(
        self,
        time: int,
        *,
        marks: Mapping[str, float] = {},
        volume: Mapping[str, float] = {},
        impact: Mapping[str, float] = {},
        depth: Mapping[str, float] = {},
        forwards: Mapping[str, float] = {},
        volatility: Mapping[str, float] = {},
        key: str,
    ) -> WriteAnswer:
        """Move the market; by instrument or board, what is left out keeps its last figure."""
        told = {
            "marks": marks,
            "volume": volume,
            "impact": impact,
            "depth": depth,
            "forwards": forwards,
            "volatility": volatility,
        }
        body = {"time": time, **{name: dict(figures) for name, figures in told.items() if figures}}
        return await self._write("/v1/ticks", body, key)

    async def _get(self, path: str, kind: type[_Answer], **query: str | int) -> _Answer:
        return await self._asked("GET", path, kind, params=query)

    async def _post(self, path: str, body: object, kind: type[_Answer]) -> _Answer:
        return await self._asked("POST", path, kind, content=msgspec.json.encode(body))

    async def _write(self, path: str, body: object, key: str) -> WriteAnswer:
        return await self._keyed(path, body, key, WriteAnswer)

    async def _keyed(self, path: str, body: object, key: str, kind: type[_Answer]) -> _Answer:
        headers = {"idempotency-key": key}
        return await self._asked("POST", path, kind, content=msgspec.json.encode(body), headers=headers)

    async def _asked(self, method: str, path: str, kind: type[_Answer], **more: Any) -> _Answer:
        try:
            response = await self._http.request(method, path, **more)
        except httpx.TransportError as error:
            raise _unreachable(path, str(error) or type(error).__name__) from error
        try:
            if response.status_code == _OK:
                return msgspec.json.decode(response.content, type=kind)
            said = msgspec.json.decode(response.content, type=ErrorBody)
            code = Code(said.code)
        except (msgspec.DecodeError, ValueError) as error:
            raise _unreachable(path, f"status {response.status_code}, and no answer of this API") from error
        raise PlimsollError(code, said.message, where=said.where, remedy=said.remedy)


def _unreachable(path: str, what: str) -> PlimsollError:
    return PlimsollError(
        Code.NOT_READY,
        f"no answer: {what}",
        where=path,
        remedy="Send it again; a write with the same key.",
    )
