"""Which rates hold on chain now, how old are they, and what stands behind prices and losses?"""

from collections.abc import Iterator

from msgspec import Struct

from plimsoll.chain.connection import Connection
from plimsoll.chain.deployment import Deployment
from plimsoll.chain.engine_state import board_of
from plimsoll.chain.projection import market_name
from plimsoll.chain.twin.boards import Board
from plimsoll.chain.twin.constants import constants
from plimsoll.chain.twin.rates import ONE
from plimsoll.chain.twin.reverts import ZERO_ADDRESS

__all__ = ["BoardStanding", "MarketStanding", "Standing", "standing"]

_UNIT = 10**18
_BOARDS, _MAX_AGE = constants("MarginEngine")["BOARDS"], constants("packed_rows")["MAX_AGE"]
_LISTED = ("oracle", "parameters", "desk", "requirements", "house")
"""Parts whose lists deployment closes; the engine's only governor is the desk."""


class MarketStanding(Struct, frozen=True, kw_only=True):
    """One market; rates are shares of notional, long and short.

    Attributes
    ----------
    market : str
    price, doubt : float        Quote currency per base unit.
    live : bool                 Whether a quorum of feeds stands behind the price.
    volatility : float          Log return per square root of an hour, learnt on chain.
    age : int                   Seconds since the moment that the rates speak of.
    stale : bool                Whether silence is raising them.
    maintenance, initial : (float, float)   In force.
    """

    market: str
    price: float
    doubt: float
    live: bool
    volatility: float
    age: int
    stale: bool
    maintenance: tuple[float, float]
    initial: tuple[float, float]


class BoardStanding(Struct, frozen=True, kw_only=True):
    """A board of options that is listed.

    Attributes
    ----------
    market : str
    board, instruments : int   Number, and how many.
    age : int or None          Seconds since the moment that its quotes speak of; none before the first.
    state : str                Whether packed rows count, and why not; the exact path goes on without them.
    """

    market: str
    board: int
    instruments: int
    age: int | None
    state: str


class Standing(Struct, frozen=True, kw_only=True):
    """The whole protocol at one block; money in quanta. `listing`: where somebody still may list."""

    block: int
    version: int
    digest: str
    nonce: int
    paused: bool
    winding_down: bool
    allocating: bool
    listing: tuple[str, ...]
    accounts: int
    fund: int
    shortfall: int
    markets: tuple[MarketStanding, ...]
    boards: tuple[BoardStanding, ...] = ()


def standing(connection: Connection, deployment: Deployment) -> Standing:
    """Read how things stand at the latest block."""
    block, now = connection.block()
    rates, house = (deployment.bound(connection, part) for part in ("parameters", "house"))
    return Standing(
        block=block,
        version=rates.read("version", block=block),
        digest=rates.read("digest", block=block).hex(),
        nonce=rates.read("nonce", block=block),
        paused=rates.read("paused", block=block),
        winding_down=house.read("winding_down", block=block),
        allocating=house.read("allocating", block=block),
        listing=tuple(
            part
            for part in _LISTED
            if deployment.bound(connection, part).read("lister", block=block) != ZERO_ADDRESS
        ),
        accounts=house.read("account_count", block=block),
        fund=house.read("fund", block=block),
        shortfall=house.read("shortfall", block=block),
        markets=tuple(_market(connection, deployment, name, (block, now)) for name in deployment.markets),
        boards=tuple(_boards(connection, deployment, (block, now))),
    )


def _boards(connection: Connection, deployment: Deployment, at: tuple[int, int]) -> Iterator[BoardStanding]:
    block, now = at
    engine = deployment.bound(connection, "engine")
    for number, name in enumerate(deployment.markets):
        is_open = engine.read("market_words", number, block=block) != 0
        for place in range(_BOARDS if is_open else 0):
            board = board_of(connection, engine, number << 3 | place, block)
            if board is not None:
                yield BoardStanding(
                    market=name,
                    board=place,
                    instruments=len(board.listings),
                    age=max(now - board.as_of, 0) if board.as_of else None,
                    state=_state(board, now),
                )


def _state(board: Board, now: int) -> str:
    if board.as_of == 0:
        return "not published"
    if board.refuted:
        return "rows refuted"
    if board.superseded:
        return "rows superseded"
    return "rows too old" if now - board.as_of > _MAX_AGE else "rows count"


def _market(connection: Connection, deployment: Deployment, name: str, at: tuple[int, int]) -> MarketStanding:
    block, now = at
    oracle, rates = (deployment.bound(connection, part) for part in ("oracle", "parameters"))
    market = market_name(name)
    price, doubt, _, live = oracle.read("reading", market, block=block)
    _, long, short = rates.read("rates", market, block=block)
    effective = rates.read("record", market, block=block)[1]
    age = max(now - effective, 0)
    return MarketStanding(
        market=name,
        price=price / _UNIT,
        doubt=doubt / _UNIT,
        live=live,
        volatility=oracle.read("volatility", market, block=block)[0] / ONE,
        age=age,
        stale=age > rates.read("bounds", market, block=block)[4],
        maintenance=(long[1] / ONE, short[1] / ONE),
        initial=(long[3] / ONE, short[3] / ONE),
    )
