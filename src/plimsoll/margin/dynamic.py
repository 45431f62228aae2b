"""What do calibrated rates ask for, each position by itself?"""

import numpy as np

from plimsoll.domain.instruments import Listing
from plimsoll.domain.parameters import Level, PerPosition
from plimsoll.kernels.valuation import below_lone_requirements
from plimsoll.margin.model import MarginModel, market_columns, side_rates
from plimsoll.types import Flags, Lots, Matrix, Quanta, Vector

__all__ = ["DynamicMargin"]


class DynamicMargin(MarginModel):
    r"""Second generation: :math:`R = \sum_i r_{side(i), i} |N_i|`, rates from calibration, no netting at all."""

    def __init__(self, method: PerPosition, listings: tuple[Listing, ...]) -> None:
        columns = market_columns(listings, tuple(market.market for market in method.markets))
        self._rates = np.stack([side_rates(method.markets, level)[columns] for level in Level])

    def requirement(self, notional: Matrix, level: Level) -> Vector:
        rates = self._rates[level]
        return np.maximum(notional, 0.0) @ rates[:, 0] + np.maximum(-notional, 0.0) @ rates[:, 1]

    def near(self, cash: Quanta, lots: Lots, unit: Vector, level: Level) -> Flags:
        return below_lone_requirements(cash, lots, unit, self._rates[level])

    def standalone(self, level: Level) -> Matrix:
        rates: Matrix = self._rates[level]
        return rates
