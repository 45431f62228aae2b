"""Does a forecaster and a margin model of one's own keep the laws that Plimsoll's keep?

Run: python examples/check_ones_own_model.py
"""

from typing import Any

import numpy as np

from plimsoll.domain.instruments import Listing, Perpetual, lot_for
from plimsoll.domain.parameters import Level
from plimsoll.estimators.observed import Observed
from plimsoll.margin.model import MarginModel
from plimsoll.testing import BrokenLawError, check_estimator, check_margin_model
from plimsoll.types import Lots, Matrix, Quanta, Vector


class Fading:
    """Forecasts a mean of squared returns in which an hour keeps 0.97 of the weight of the next."""

    def begin(self, hours: float) -> tuple[float, float, float]:
        """Start with no sum and no weight."""
        return 0.97**hours, 0.0, 0.0

    def update(self, memory: Any, observed: Observed, steps: int) -> tuple[Any, Matrix]:
        """Add up what is known, bar by bar."""
        (decay, total, weight), path = memory, np.empty((len(observed.ends), 2))
        for t, move in enumerate(observed.returns):
            if np.isfinite(move):
                total, weight = decay * total + move * move, decay * weight + 1.0
            mean = total / weight if weight else np.nan
            path[t] = mean, steps * mean
        return (decay, total, weight), path

    def estimate(self, memory: Any, steps: int) -> Vector:
        """Expect the same of every step."""
        _, total, weight = memory
        return np.full(steps, total / weight if weight else np.nan)


class OneRate(MarginModel):
    """Asks for the same share of every position."""

    def __init__(self, rate: float, listings: tuple[Listing, ...]) -> None:
        self.rate, self.listings = rate, listings

    def over(self, listings: tuple[Listing, ...]) -> "OneRate":
        """Ask for that share of other listings."""
        return OneRate(self.rate, listings)

    def requirement(self, notional: Matrix, level: Level) -> Vector:
        """Charge the gross."""
        gross: Vector = np.abs(notional).sum(axis=1)
        return self._at(level) * gross

    def room(self, cash: Quanta, lots: Lots, unit: Vector, level: Level) -> Vector:
        """Compare worth with what is asked, rounded as the engine's ledger does."""
        notional = lots * unit
        above: Vector = np.floor(cash + notional.sum(axis=1)) - np.ceil(self.requirement(notional, level))
        return above

    def steepest(self, level: Level) -> Vector:
        """Grow by the share."""
        return np.full(len(self.listings), self._at(level))

    def standalone(self, level: Level) -> Matrix:
        """Ask for the same of long and short."""
        return np.full((len(self.listings), 2), self._at(level))

    def _at(self, level: Level) -> float:
        return self.rate * (1.0, 1.1, 2.0)[level]


class Hasty(OneRate):
    """Forgets that a ledger holds whole quanta."""

    def over(self, listings: tuple[Listing, ...]) -> "Hasty":
        """Ask for that share of other listings."""
        return Hasty(self.rate, listings)

    def room(self, cash: Quanta, lots: Lots, unit: Vector, level: Level) -> Vector:
        """Compare worth with what is asked, before either is rounded."""
        notional = lots * unit
        above: Vector = cash + notional.sum(axis=1) - self.requirement(notional, level)
        return above


def main() -> None:
    """Check them, and see what is said where a law is broken."""
    check_estimator(Fading(), seeds=range(2))
    print("the forecaster keeps its laws")

    marks = np.array([61_000.0, 2_900.0])
    listings = tuple(
        Listing(Perpetual(name), lot_for(mark)) for name, mark in zip(("BTC", "ETH"), marks, strict=True)
    )
    check_margin_model(OneRate(0.02, listings), listings, marks)
    print("the margin model keeps its laws")
    try:
        check_margin_model(Hasty(0.02, listings), listings, marks)
    except BrokenLawError as broken:
        print(f"the hasty one does not: {broken}")


if __name__ == "__main__":
    main()
