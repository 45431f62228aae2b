"""What is seen of a market's orders and trades, and how is it to be measured?"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from msgspec import Meta, Struct

from plimsoll.errors import Code, PlimsollError
from plimsoll.types import Array, Flags, Times, Vector

__all__ = ["LiquiditySettings", "OrderBooks", "Recording", "RecordingSettings", "Trades"]

Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Size = Annotated[float, Meta(gt=0.0, le=1e15)]
Seconds = Annotated[float, Meta(gt=0.0, le=86_400.0 * 30)]


class LiquiditySettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How books and trades become estimates.

    Attributes
    ----------
    bands : shares            Distances from the mid within which depth is added up.
    sizes : quote             For which the book is walked, ascending.
    memory_seconds : seconds  Weight of a sample falls by e in this time.
    stuck_seconds : seconds   A book that has not changed for longer is stale and no longer counted.
    least_coverage : share    Of books that must show enough depth for a size to be used in a fit.
    window_seconds : seconds  Windows over which trades and moves are set against each other.
    """

    bands: Annotated[tuple[Share, ...], Meta(min_length=1)] = (0.001, 0.0025, 0.005, 0.01)
    sizes: Annotated[tuple[Size, ...], Meta(min_length=1)] = (1e3, 3e3, 1e4, 3e4, 1e5, 3e5, 1e6, 3e6, 1e7)
    memory_seconds: Seconds = 3_600.0
    stuck_seconds: Seconds = 30.0
    least_coverage: Share = 0.9
    window_seconds: Seconds = 10.0


class RecordingSettings(LiquiditySettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a recording becomes a published cost curve: as any estimate, but by what was recorded all the same.

    Attributes
    ----------
    memory_seconds : seconds  A week: books of a day or two count about alike.
    stressed_depth : share    Of normal depth, that charges count on.
    impact : factor           Y of the square-root law, at the end of an order.
    detect_hours, floor_hours : hours   Until selling begins, and the least time that is allowed for it.
    volume_days : days        Of bars, over which volume is averaged where no trades are recorded.
    """

    memory_seconds: Seconds = 7 * 86_400.0
    stressed_depth: Annotated[float, Meta(gt=0.0, le=1.0)] = 0.05
    impact: Annotated[float, Meta(ge=0.0, le=10.0)] = 0.7
    detect_hours: Annotated[float, Meta(ge=0.0, le=168.0)] = 0.05
    floor_hours: Annotated[float, Meta(ge=0.0, le=168.0)] = 1.0
    volume_days: Annotated[int, Meta(ge=1, le=3650)] = 30


@dataclass(frozen=True, slots=True)
class OrderBooks:
    """Snapshots of one market's book as its feed gave them, unchecked.

    Attributes
    ----------
    times : Times [T]          Milliseconds UTC.
    bids, asks : array [T, L, 2]   Price and size, best first; NaN or 0 where there is no level.
    """

    times: Times
    bids: Array
    asks: Array

    def __post_init__(self) -> None:
        shape = (len(self.times), self.bids.shape[1] if self.bids.ndim == _AXES else -1, 2)
        if self.bids.shape != shape or self.asks.shape != shape:
            raise PlimsollError(
                Code.BAD_PRICE,
                f"books of {self.bids.shape} bids and {self.asks.shape} asks at {len(self.times)} times",
                where="order books",
                remedy="Give price and size of the same number of levels per time and side.",
            )

    def __len__(self) -> int:
        return len(self.times)

    def rows(self, chosen: slice | Flags) -> "OrderBooks":
        """Take some of the snapshots."""
        return OrderBooks(self.times[chosen], self.bids[chosen], self.asks[chosen])


@dataclass(frozen=True, slots=True)
class Trades:
    """Trades of one market as its feed gave them, unchecked.

    Attributes
    ----------
    times : Times [T]     Milliseconds UTC.
    price : Vector [T]    Quote per base unit.
    size : Vector [T]     Base units, positive.
    sign : Vector [T]     1 where the buyer came to the book, -1 where the seller did.
    """

    times: Times
    price: Vector
    size: Vector
    sign: Vector

    def __post_init__(self) -> None:
        lengths = {len(self.times), len(self.price), len(self.size), len(self.sign)}
        if len(lengths) != 1:
            raise PlimsollError(
                Code.BAD_PRICE,
                f"trades of unequal columns: {sorted(lengths)}",
                where="trades",
                remedy="Give one price, size and sign per time.",
            )

    def __len__(self) -> int:
        return len(self.times)

    def rows(self, chosen: slice | Flags) -> "Trades":
        """Take some of the trades."""
        return Trades(self.times[chosen], self.price[chosen], self.size[chosen], self.sign[chosen])

    @property
    def sound(self) -> Flags:
        """Which trades have a positive price and size and a side: Flags [T]."""
        known = np.isfinite(self.price) & np.isfinite(self.size) & (np.abs(self.sign) == 1.0)
        sound: Flags = known & (self.price > 0.0) & (self.size > 0.0)
        return sound


@dataclass(frozen=True, slots=True)
class Recording:
    """What was recorded of one market; trades are None where only books were."""

    books: OrderBooks
    trades: Trades | None = None

    def until(self, time: int) -> "Recording":
        """Keep what was known at a moment."""
        trades = None if self.trades is None else self.trades.rows(self.trades.times <= time)
        return Recording(self.books.rows(self.books.times <= time), trades)


_AXES = 3
