"""What do calibrated rates ask for, each position by itself?"""

from copy import copy

import numpy as np

from plimsoll.domain.instruments import Listing
from plimsoll.domain.parameters import Level, PerPosition
from plimsoll.kernels.valuation import room_above_lone
from plimsoll.margin.model import MarginModel, market_columns, side_rates
from plimsoll.types import Lots, Matrix, Quanta, Vector

__all__ = ["DynamicMargin"]


class DynamicMargin(MarginModel):
    r"""Second generation: :math:`R = \sum_i r_{side(i), i} |N_i|` at calibrated rates, nothing netted."""

    def __init__(self, method: PerPosition, listings: tuple[Listing, ...]) -> None:
        self._markets = tuple(market.market for market in method.markets)
        self._by_market = np.stack([side_rates(method.markets, level) for level in Level])
        self.rates = self._by_market[:, market_columns(listings, self._markets)]

    def over(self, listings: tuple[Listing, ...]) -> "DynamicMargin":
        """Charge the same rates in other columns."""
        other = copy(self)
        other.rates = self._by_market[:, market_columns(listings, self._markets)]
        return other

    def requirement(self, notional: Matrix, level: Level) -> Vector:
        """Sum the rates over the positions."""
        rates = self.rates[level]
        needed: Vector = np.maximum(notional, 0.0) @ rates[:, 0] + np.maximum(-notional, 0.0) @ rates[:, 1]
        return needed

    def room(self, cash: Quanta, lots: Lots, unit: Vector, level: Level) -> Vector:
        """Compare equity with the requirement, in one pass."""
        return room_above_lone(cash, lots, unit, self.rates[level])

    def steepest(self, level: Level) -> Vector:
        """Give the higher of each column's rates."""
        highest: Vector = self.rates[level].max(axis=1)
        return highest

    def standalone(self, level: Level) -> Matrix:
        """Give the calibrated rates."""
        rates: Matrix = self.rates[level]
        return rates
