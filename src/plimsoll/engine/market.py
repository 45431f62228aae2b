"""What did the last tick say about the market?"""

from dataclasses import dataclass

import numpy as np

from plimsoll.types import Vector

__all__ = ["Market", "market_of", "unknown_market"]


@dataclass(frozen=True, slots=True)
class Market:
    """What the last tick said; Vector [I] each.

    Attributes
    ----------
    marks : Vector    Quote currency per base unit; NaN before the first tick.
    volume : Vector   Quote volume per hour.
    impact : Vector   Relative price move from trading one hour's volume at once.
    depth : Vector    Share of normal depth that is left.
    forwards : Vector     What instruments are priced from: the mark, or an option's forward.
    volatility : Vector   That options are marked at; 0 for the rest.
    """

    marks: Vector
    volume: Vector
    impact: Vector
    depth: Vector
    forwards: Vector
    volatility: Vector

    @property
    def columns(self) -> tuple[Vector, ...]:
        """Give what is known, in the order of the attributes."""
        return self.marks, self.volume, self.impact, self.depth, self.forwards, self.volatility


def market_of(marks: Vector, volume: Vector, impact: Vector, depth: Vector) -> Market:
    """Give what a tick says where nothing listed is an option: everything is priced from its mark."""
    return Market(marks, volume, impact, depth, marks, np.zeros(len(marks)))


def unknown_market(instruments: int) -> Market:
    """Start before the first tick."""
    nothing = np.zeros(instruments)
    return market_of(np.full(instruments, np.nan), nothing, nothing, np.ones(instruments))
