"""What does closing cost in a simulated market, and how do its accounts learn of it?"""

import numpy as np
from msgspec import UNSET, structs

from plimsoll.calibration.liquidity import market_liquidity
from plimsoll.domain.bars import Bars
from plimsoll.domain.cost_curve import PER_CENT, CostCurve
from plimsoll.domain.market_liquidity import MarketLiquidity
from plimsoll.domain.parameters import ParameterSet, StaticTiers
from plimsoll.domain.settings import CalibrationSettings
from plimsoll.sim.cascade_settings import MakerSettings
from plimsoll.sim.market_makers import flow_at
from plimsoll.sim.publishing import Publisher
from plimsoll.sim.settings import MarketSettings
from plimsoll.types import Vector

__all__ = ["WithLiquidity", "assumed_liquidity", "flat_book", "quoted_liquidity", "with_liquidity"]


def flat_book(depth: float, *, volume: float, impact: float, half_life: float | None = None) -> CostCurve:
    """Give the curve of a book as deep at every price, without a spread.

    Parameters
    ----------
    depth : quote     That moves the price by 1 %: half of it is what selling that much costs on average.
    volume : quote    Per hour.
    impact : share    Move from trading an hour's volume at once.
    half_life : seconds or None   In which the book refills.
    """
    return CostCurve(
        half_spread=0.0,
        slope=0.5 * PER_CENT,
        reference=depth,
        exponent=1.0,
        volatility=impact,
        volume=volume,
        impact=1.0,
        half_life=half_life,
    )


def assumed_liquidity(
    markets: tuple[str, ...],
    interest: Vector,
    impact: Vector,
    settings: MarketSettings,
    calibration: CalibrationSettings,
) -> tuple[MarketLiquidity, ...]:
    """Take depth and volume as shares of open interest, where nothing better is known.

    Parameters
    ----------
    interest : Vector [M]   Open interest, quote units.
    impact : Vector [M]     Move from trading an hour's volume at once.
    calibration : CalibrationSettings   Whether positions must hold what closing them would cost.
    """
    return tuple(
        market_liquidity(
            market,
            flat_book(
                settings.depth * held,
                volume=settings.turnover_per_hour * held,
                impact=moved,
                half_life=settings.resilience_half_life,
            ),
            calibration,
        )
        for market, held, moved in zip(markets, interest.tolist(), impact.tolist(), strict=True)
    )


def quoted_liquidity(
    markets: tuple[str, ...], interest: Vector, makers: MakerSettings, calibration: CalibrationSettings
) -> tuple[MarketLiquidity, ...]:
    """Describe what simulated makers quote in normal times; see `assumed_liquidity`."""
    volume, impact = flow_at(interest, np.ones(len(interest)), makers)
    return tuple(
        market_liquidity(
            market,
            flat_book(
                makers.depth * held,
                volume=float(volume[m]),
                impact=float(impact[m]),
                half_life=makers.resilience_half_life,
            ),
            calibration,
        )
        for m, (market, held) in enumerate(zip(markets, interest.tolist(), strict=True))
    )


def with_liquidity(parameters: ParameterSet, liquidity: tuple[MarketLiquidity, ...]) -> ParameterSet:
    """Put the curves into a set; constants by size charge size already, and nothing for it twice."""
    if isinstance(parameters.method, StaticTiers):
        liquidity = tuple(structs.replace(entry, charged=False, closing=UNSET) for entry in liquidity)
    return structs.replace(parameters, liquidity=liquidity).sealed()


class WithLiquidity(Publisher):
    """Any publisher, with the curves of its markets in every set."""

    def __init__(self, rates: Publisher, liquidity: tuple[MarketLiquidity, ...]) -> None:
        self._rates = rates
        self._liquidity = liquidity

    def absorb(self, bar: Bars) -> None:
        """Show the bar to whoever sets the rates."""
        self._rates.absorb(bar)

    def published(self, time: int) -> ParameterSet | None:
        """Give the set that is due, with the curves in it."""
        due = self._rates.published(time)
        return None if due is None else with_liquidity(due, self._liquidity)
