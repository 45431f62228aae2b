"""What may a feed say about a market, and with which codes is what it says refused?

Every adapter gives these values and no others. `time` is the source's own, `received` that of this machine,
both milliseconds UTC; prices are quote currency per base unit, sizes base units.
"""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from typing import Literal, TypeAlias

from msgspec import Struct

__all__ = [
    "Depth",
    "Fault",
    "Observation",
    "OraclePrice",
    "Refusal",
    "Ticker",
    "Trade",
    "count_refusals",
    "price_of",
]

Level: TypeAlias = tuple[float, float]
"""Price and size."""


class Trade(Struct, frozen=True, tag="trade"):
    """A trade.

    Attributes
    ----------
    side : buy, sell or None   Of who took; None where the source does not say.
    identity : str or None     The source's own number of the trade, by which repetitions are known.
    """

    source: str
    market: str
    time: int
    received: int
    price: float
    size: float
    side: Literal["buy", "sell"] | None = None
    identity: str | None = None


class Depth(Struct, frozen=True, tag="depth"):
    """An order book, best levels first on both sides, each side with at least one.

    Attributes
    ----------
    sequence : int or None   The source's own number of this state of the book; it rises.
    """

    source: str
    market: str
    time: int
    received: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    sequence: int | None = None


class Ticker(Struct, frozen=True, tag="ticker"):
    """The last price, and the best bid and ask where the source gives them."""

    source: str
    market: str
    time: int
    received: int
    last: float
    bid: float | None = None
    ask: float | None = None


class OraclePrice(Struct, frozen=True, tag="oracle-price"):
    """What an oracle reports.

    Attributes
    ----------
    confidence : float       Half-width that the oracle states, quote currency; 0 where it states none.
    identity : str or None   The oracle's own number of this price (round, slot).
    """

    source: str
    market: str
    time: int
    received: int
    price: float
    confidence: float = 0.0
    identity: str | None = None


Observation: TypeAlias = Trade | Depth | Ticker | OraclePrice


def price_of(said: Observation) -> float:
    """Give the one price that it stands for: the middle of a book, the last of a ticker, else its price."""
    match said:
        case Depth():
            return (said.bids[0][0] + said.asks[0][0]) / 2.0
        case Ticker():
            return said.last
        case _:
            return said.price


class Fault(StrEnum):
    """Why something that came was not used; docs/reference/feeds.md says what each means."""

    UNREADABLE = "unreadable"
    UNKNOWN_MARKET = "unknown-market"
    BAD_PRICE = "bad-price"
    BAD_TIME = "bad-time"
    DUPLICATE = "duplicate"
    LATE = "late"
    GAP = "gap"
    STALE = "stale"
    AHEAD = "ahead"
    CROSSED = "crossed"
    STUCK = "stuck"
    OUTLIER = "outlier"
    OVERFLOW = "overflow"
    SILENT = "silent"
    DISCONNECTED = "disconnected"
    BAD_SIGNATURE = "bad-signature"
    UNKNOWN_REPORTER = "unknown-reporter"
    EQUIVOCAL = "equivocal"
    DEVIATING = "deviating"


class Refusal(Struct, frozen=True, tag="refusal"):
    """Something that was not used, or an interruption; a value like any other, to be counted and shown.

    Attributes
    ----------
    market : str or None   None where it could not be read, or concerns the whole source.
    what : str             In words, without the message itself.
    """

    source: str
    market: str | None
    received: int
    fault: Fault
    what: str


def count_refusals(refusals: Iterable[Refusal]) -> Counter[tuple[str, Fault]]:
    """Count refusals by source and fault."""
    return Counter((refusal.source, refusal.fault) for refusal in refusals)
