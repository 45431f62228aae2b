"""What happens on a real chain when a market crashes: who is margined, liquidated and charged, at what gas?

`python -m tools.chain_demo` starts anvil, deploys the protocol, publishes a signed calibration and options,
opens accounts, crashes a market, clears up and settles what expires. The twins do what each transaction does;
both must end alike, to the unit.
"""

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console

from plimsoll.calibration import calibrate
from plimsoll.chain.compilation import CONTRACTS, compile_contract
from plimsoll.chain.connection import Connection
from plimsoll.chain.deployment import (
    Deployment,
    FeedPlan,
    MarketPlan,
    OptionPlan,
    Plan,
    deploy,
)
from plimsoll.chain.hashing import signed
from plimsoll.chain.mirror import mirrored
from plimsoll.chain.option_publisher import BoardOutcome, BoardPlan, list_options, publish_options
from plimsoll.chain.option_terms import listing_of
from plimsoll.chain.projection import market_name
from plimsoll.chain.publisher import publish
from plimsoll.chain.standing import standing
from plimsoll.chain.twin.clearing_house import ClearingHouse, Order
from plimsoll.chain.twin.quorum import domain_of
from plimsoll.chain.twin.rates import ONE
from plimsoll.chain.twin.reverts import Message
from plimsoll.chain.verification import verify
from plimsoll.domain.parameters import ParameterSet, Provenance
from plimsoll.domain.quotes import Quotes, market_of
from plimsoll.domain.settings import CalibrationSettings
from plimsoll.report.chain import show_standing, show_verification
from plimsoll.scenarios.library import daily_history
from tools.anvil import running

__all__ = ["main"]

_ROOT = Path(__file__).resolve().parents[1]
_MOCKS = _ROOT / "tests" / "chain" / "mocks"
_CACHE = _ROOT / ".cache" / "contracts"
_EVE = datetime(2020, 3, 12, tzinfo=UTC)
_UNIT, _E8 = 10**6, 10**8
_FORTUNE = 10**24
_BREACH = 6_050.0
"""Price of bitcoin at which the long is put up for auction."""
_NAMES = ("deployer", "reporter one", "reporter two", "reporter three", "long", "short", "keeper", "hedger")
_KEYS = {name: bytes([0x50 + place]) * 32 for place, name in enumerate(_NAMES)}
"""Keys of a chain that lives for a minute; they guard nothing."""
_BTC, _CALL, _PUT, _ETH = 0, 1, 2, 1 << 13
_TRADED = {_BTC: "BTC", _CALL: "BTC 9,000 call", _PUT: "BTC 7,000 put", _ETH: "ETH"}
_EXPIRY = "BTC-13MAR20"
_BOARD = ("BTC-PERP", f"{_EXPIRY}-9000-C", f"{_EXPIRY}-7000-P")
_OPTIONS = OptionPlan()
_LOTS = 1_000
"""Lots of a coin."""


def main() -> int:
    """Run the demonstration; 0 where chain and twins end alike."""
    console = Console(width=120, highlight=False)
    with tempfile.TemporaryDirectory() as folder, running(int(_EVE.timestamp())) as rpc:
        return _Demonstration(console, rpc, Path(folder)).run()


class _Demonstration:
    def __init__(self, console: Console, rpc: str, folder: Path) -> None:
        self._console, self._rpc, self._folder = console, rpc, folder
        self._lines = {name: Connection(rpc, key, _CACHE) for name, key in _KEYS.items()}
        self._deployer = self._lines["deployer"]
        self._prices = {"BTC": 7_900.0, "ETH": 195.0}
        self._gas = 0
        for line in self._lines.values():
            self._node("anvil_setBalance", line.sender, hex(_FORTUNE))

    def run(self) -> int:
        parameters = self._calibrated()
        self._mocks()
        deployment = self._deployed(parameters)
        self._publish(deployment, parameters)
        self._list_options(deployment)
        house = _Both(self._deployer, deployment, self._told)
        self._open(house)
        self._crash(house)
        agreed = self._verify(deployment)
        self._expire(house)
        return self._compare(house, agreed=agreed)

    def _calibrated(self) -> ParameterSet:
        self._head("Calibrate on the daily history known on the eve of 12 March 2020")
        origin = Provenance(program="tools/chain_demo.py", settings="", inputs=("daily history",))
        made = calibrate(daily_history(round(_EVE.timestamp() * 1_000)), CalibrationSettings(), origin)
        self._console.print(f"version {made.version}, digest {made.digest}")
        return made

    def _mocks(self) -> None:
        self._head("Deploy a quote token and three feeds a market, as a chain would have them")
        roots = (CONTRACTS, _MOCKS)
        token = compile_contract("token_mock", roots=roots, cache=_CACHE)
        feed = compile_contract("chainlink_mock", roots=roots, cache=_CACHE)
        self._quote, receipt = self._deployer.deploy(token, 6)
        self._told("quote token", receipt)
        self._feeds = {
            market: [self._deployer.deploy(feed, 8)[0] for _ in range(3)] for market in self._prices
        }
        self._tick()

    def _deployed(self, parameters: ParameterSet) -> Deployment:
        self._head("Deploy the protocol")
        markets = tuple(
            MarketPlan(
                name=name,
                feeds=tuple(FeedPlan(source=feed.address) for feed in feeds),
                options=_OPTIONS if name == "BTC" else None,
            )
            for name, feeds in self._feeds.items()
        )
        reporters = tuple(self._lines[name].sender for name in _NAMES[1:4])
        plan = Plan(
            quote=self._quote.address,
            guardian=self._deployer.sender,
            reporters=reporters,
            threshold=2,
            markets=markets,
        )
        made = deploy(self._deployer, plan, parameters)
        for part, gas in made.gas.items():
            self._console.print(f"{part:<44}{gas:>12,} gas")
        return made

    def _publish(self, deployment: Deployment, parameters: ParameterSet) -> None:
        self._head("Publish the calibration, each reporter by itself")
        self._node("evm_increaseTime", 60)
        now = self._deployer.block()[1] + 60
        again = msgspec.structs.replace(parameters, version=2, effective=now * 1_000).sealed()
        for name in _NAMES[1:4]:
            key = _KEYS[name]
            found = publish(self._lines[name], deployment, again, [key], self._folder)
            said = f"{found.outcome.value}, {len(found.signers)} of {found.threshold} signatures"
            self._console.print(
                f"{name:<16}{said:<44}{found.gas:>12,} gas" if found.gas else f"{name:<16}{said}"
            )

    def _list_options(self, deployment: Deployment) -> None:
        self._head(
            "List a call and a put for tomorrow and publish their volatilities, each reporter by itself"
        )
        spot = self._prices["BTC"]
        board = BoardPlan(market="BTC", instruments=_BOARD)
        moment = datetime.fromtimestamp(self._deployer.block()[1], tz=UTC)
        prices = {"BTC": spot, _EXPIRY: 1.001 * spot}
        quotes = market_of(
            Quotes(time=moment, prices=prices, volatilities=dict(zip(_BOARD[1:], (0.9, 1.1), strict=True))),
            "quotes",
        )
        for name in _NAMES[1:3]:
            line, keys = self._lines[name], [_KEYS[name]]
            self._said(name, "list", list_options(line, deployment, board, keys, self._folder))
        for name in _NAMES[1:3]:
            line, keys = self._lines[name], [_KEYS[name]]
            found = publish_options(line, deployment, ("BTC", 0), quotes, keys, self._folder)
            self._said(name, "publish", found)

    def _said(self, name: str, what: str, found: BoardOutcome) -> None:
        told = f"{name}: {what}, {found.outcome.value}, {len(found.signers)} of {found.threshold} signatures"
        if found.gas:
            self._told(told, {"gasUsed": found.gas})
        else:
            self._console.print(told)

    def _open(self, house: "_Both") -> None:
        self._head("Open accounts and trade at the mark")
        for name, dollars in (
            ("long", self._thin(house.deployment)),
            ("short", 60_000),
            ("keeper", 500_000),
            ("hedger", 40_000),
        ):
            self._quote.send("mint", self._lines[name].sender, dollars * _UNIT)
            house.send(self._lines[name], "deposit", dollars * _UNIT, told=f"{name} deposits {dollars:,}")
        self._quote.send("mint", self._deployer.sender, 1_000 * _UNIT)
        house.send(self._deployer, "give_fund", 1_000 * _UNIT, told="the fund is given 1,000")
        self._trade(house, "long", "short", _BTC, 6_000)
        self._trade(house, "hedger", "keeper", _BTC, -3_000)
        self._trade(house, "hedger", "keeper", _ETH, 20_000)
        self._trade(house, "hedger", "keeper", _PUT, -2_000, dollars=120)
        self._trade(house, "short", "keeper", _CALL, 1_000, dollars=25)
        standing_now = standing(self._deployer, house.deployment)
        show_standing(standing_now, self._console)

    def _thin(self, deployment: Deployment) -> int:
        """Give the dollars with which six bitcoin fall below maintenance at the third step of the crash."""
        rate = standing(self._deployer, deployment).markets[0].maintenance[0]
        return round(6 * (self._prices["BTC"] - _BREACH) + rate / 2 * 6 * _BREACH)

    def _crash(self, house: "_Both") -> None:
        self._head("Bitcoin falls by 32 % within minutes")
        long, keeper = self._lines["long"].sender, self._lines["keeper"]
        for price in (7_300.0, 6_700.0, _BREACH):
            self._fall(house, price)
        house.send(keeper, "start_auction", long, told="the long is put up for auction")
        self._node("evm_increaseTime", 240)
        self._tick()
        house.send(keeper, "bid", long, ONE // 4, told="the keeper bids for a quarter")
        self._fall(house, 5_400.0)
        house.send(keeper, "bid", long, ONE, told="the keeper bids for all that is left")
        if house.owes(long):
            house.send(keeper, "absorb", long, told="the fund absorbs what the long owes")
        if house.shortfall():
            winner = self._lines["short"].sender
            house.send(keeper, "begin_allocation", winner, told="winners are to pay the rest")
            house.send(keeper, "weigh", 256, told="their gains are weighed")
            house.send(keeper, "charge", 256, told="and charged")

    def _fall(self, house: "_Both", price: float) -> None:
        self._node("evm_increaseTime", 300)
        self._prices["BTC"] = price
        self._tick()
        oracle = house.deployment.bound(self._deployer, "oracle")
        self._told(f"observe: bitcoin at {price:,.0f}", oracle.send("observe", market_name("BTC")))

    def _verify(self, deployment: Deployment) -> bool:
        self._head("plimsoll chain verify: contract, twin and the engine that runs off chain, in dollars")
        found = verify(self._deployer, deployment)
        names = self._names()
        named = tuple(
            msgspec.structs.replace(check, account=names[check.account]) for check in found.accounts
        )
        show_verification(msgspec.structs.replace(found, accounts=named), self._console)
        return found.agrees

    def _names(self) -> dict[str, str]:
        return {line.sender: name for name, line in self._lines.items()}

    def _expire(self, house: "_Both") -> None:
        self._head("A day later the options expire")
        expiry = listing_of(_BOARD[_CALL], "BTC").expiry
        self._node("evm_increaseTime", max(expiry - self._deployer.block()[1], 0))
        self._tick()
        keeper = self._lines["keeper"]
        for option, holders in ((_PUT, ("hedger", "keeper")), (_CALL, ("short", "keeper"))):
            house.send(keeper, "fix_settlement", option, told=f"what the {_TRADED[option]} pays is fixed")
            for name in holders:
                account = self._lines[name].sender
                house.send(keeper, "settle", account, option, told=f"{name} is settled")

    def _compare(self, house: "_Both", *, agreed: bool) -> int:
        self._head("The final ledger in dollars and coins, on chain and in the twins")
        same = house.show(self._console, self._names())
        found = verify(self._deployer, house.deployment)
        verdict = "equal to the unit" if same else "DIFFER"
        self._console.print(f"\nledger on chain and in the twins: {verdict}")
        verdict = "agree on every account" if agreed and found.agrees else "DIFFER"
        self._console.print(f"contract, twin and off-chain engine, before and after expiry: {verdict}")
        self._console.print(f"all transactions shown: {self._gas:,} gas")
        return 0 if same and agreed and found.agrees else 1

    def _trade(
        self,
        house: "_Both",
        maker: str,
        taker: str,
        instrument: int,
        lots: int,
        dollars: float | None = None,
    ) -> None:
        mark = self._prices["ETH" if instrument == _ETH else "BTC"]
        price = round((mark if dollars is None else dollars) * _UNIT) // _LOTS
        deadline = self._deployer.block()[1] + 3_600
        order = Order(self._lines[maker].sender, instrument, lots, price, 0, deadline)
        signature = signed(order.name(house.domain), _KEYS[maker])
        does = "buys" if lots > 0 else "sells"
        told = f"{maker} {does} {abs(lots) / _LOTS:g} {_TRADED[instrument]}, {taker} takes it"
        house.send(self._lines[taker], "fill", order, signature, lots, told=told)

    def _tick(self) -> None:
        """Let every feed answer the prices, as of the block that carries the answer."""
        self._node("evm_mine")
        now = self._deployer.block()[1]
        for market, feeds in self._feeds.items():
            for feed in feeds:
                feed.send("set_round", 1, round(self._prices[market] * _E8), now)

    def _node(self, method: str, *arguments: Any) -> None:
        answer = self._deployer.node.provider.make_request(method, list(arguments))
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")

    def _told(self, what: str, receipt: dict[str, Any]) -> None:
        self._gas += receipt["gasUsed"]
        self._console.print(f"{what:<60}{receipt['gasUsed']:>12,} gas")

    def _head(self, title: str) -> None:
        self._console.print(f"\n[bold]{title}[/bold]")


class _Both:
    """The clearing house on chain and its twin: what is sent to one is done by the other in its second."""

    def __init__(self, line: Connection, deployment: Deployment, tell: Any) -> None:
        self.deployment = deployment
        self._line, self._tell = line, tell
        self._house = deployment.bound(line, "house")
        self.domain = domain_of(line.chain_id, self._house.address)
        margin = mirrored(line, deployment).margin
        self._twin = ClearingHouse(margin, self.domain, guardian="", lister="")

    def send(self, line: Connection, name: str, *arguments: Any, told: str) -> None:
        """Send to the contract as somebody, then do the same in the twin, as of the block that mined it."""
        receipt = self.deployment.bound(line, "house").send(name, *arguments)
        second = self._line.node.eth.get_block(receipt["blockNumber"])["timestamp"]
        self._twin.margin = mirrored(self._line, self.deployment).margin
        getattr(self._twin, name)(Message(line.sender, second), *arguments)
        self._tell(told, receipt)

    def owes(self, account: str) -> bool:
        """Say whether an account owes without a position."""
        return self._twin.ledger.owes(account)

    def shortfall(self) -> int:
        """Say what winners are to pay."""
        return self._twin.ledger.shortfall

    def show(self, console: Console, names: dict[str, str]) -> bool:
        """Print both ledgers side by side; say whether they are equal."""
        ledger, rows = self._twin.ledger, []
        for account, name in names.items():
            rows.append((name, "cash", self._house.read("cash", account), ledger.cash_of(account)))
            for instrument, coin in _TRADED.items():
                lots = self._house.read("lots", account, instrument)
                rows.append((name, coin, lots, ledger.book(account).get(instrument, 0)))
        whole = ("fund", "shortfall")
        rows += [(each, "cash", self._house.read(each), getattr(ledger, each)) for each in whole]
        console.print(f"{'':<30}{'on chain':>20}{'twin':>20}")
        for name, of, chain, twin in rows:
            if chain or twin or name == "shortfall":
                unit, digits = (_UNIT, 6) if of == "cash" else (_LOTS, 3)
                figures = "".join(f"{each / unit:>20,.{digits}f}" for each in (chain, twin))
                console.print(f"{f'{name}, {of}':<30}{figures}{'' if chain == twin else '  DIFFERS'}")
        return all(chain == twin for _, _, chain, twin in rows)


if __name__ == "__main__":
    raise SystemExit(main())
