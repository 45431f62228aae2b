"""What do constants by size ask for?"""

from copy import copy

import numpy as np

from plimsoll.domain.instruments import Listing
from plimsoll.domain.money import QUANTA_PER_UNIT
from plimsoll.domain.parameters import Level, StaticTiers
from plimsoll.errors import Code, PlimsollError
from plimsoll.kernels.valuation import room_above_tiered, tiered_requirements
from plimsoll.margin.model import MarginModel, refuse_options
from plimsoll.types import Lots, Matrix, Quanta, Vector

__all__ = ["StaticMargin"]


class StaticMargin(MarginModel):
    r"""First generation: each position by itself, at marginal rates that grow with its size.

    .. math:: R(N) = \sum_j r_j \, \min(\max(|N| - b_{j-1}, 0), b_j - b_{j-1})

    with :math:`b_j` the upper bounds of the tiers; the last one has no end. Collateral held as an asset is a
    long position in it and is charged like one, which is its haircut.

    Source: leverage brackets as published by Binance, OKX and Bybit.
    """

    def __init__(self, method: StaticTiers, listings: tuple[Listing, ...]) -> None:
        refuse_options(listings)
        bounds = np.array([0.0, *(tier.up_to for tier in method.tiers[:-1]), np.inf]) * QUANTA_PER_UNIT
        if not method.tiers or np.any(np.diff(bounds) <= 0.0):
            raise PlimsollError(
                Code.BAD_SETTING,
                "tiers are missing, or do not rise in size",
                where="static tiers",
                remedy="Give at least one tier, and each an up_to above that of the one before.",
            )
        self._lower, self._upper = bounds[:-1], bounds[1:]
        maintenance = np.array([tier.maintenance for tier in method.tiers])
        call = maintenance * method.call_buffer
        initial = np.maximum(np.array([tier.initial for tier in method.tiers]), call)
        self._rates = np.stack([maintenance, call, initial])
        self.columns = len(listings)

    def over(self, listings: tuple[Listing, ...]) -> "StaticMargin":
        """Charge the same tiers in other columns."""
        refuse_options(listings)
        other = copy(self)
        other.columns = len(listings)
        return other

    def requirement(self, notional: Matrix, level: Level) -> Vector:
        """Sum the marginal rates over each position."""
        return tiered_requirements(notional, self._lower, self._upper, self._rates[level])

    def room(self, cash: Quanta, lots: Lots, unit: Vector, level: Level) -> Vector:
        """Compare equity with the requirement itself, in one pass."""
        return room_above_tiered(cash, lots, unit, self._lower, self._upper, self._rates[level])

    def steepest(self, level: Level) -> Vector:
        """Give the highest marginal rate."""
        return np.full(self.columns, self._rates[level].max())

    def standalone(self, level: Level) -> Matrix:
        """Give the rates of the first tier."""
        return np.full((self.columns, 2), self._rates[level, 0])
