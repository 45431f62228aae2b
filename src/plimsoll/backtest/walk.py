"""What did a policy ask of one market, and what did the market then do?"""

from dataclasses import dataclass

import numpy as np
from msgspec import Struct

from plimsoll.backtest.realised import excursions_after, next_variance
from plimsoll.domain.bars import HOUR, Bars
from plimsoll.domain.rates import RateSeries
from plimsoll.types import Flags, Matrix, Rows, Times, Vector

__all__ = ["SIDES", "Target", "Walk", "judge", "phases_of"]

SIDES = ("long", "short")


class Target(Struct, frozen=True, kw_only=True):
    """What a rate is to cover.

    Attributes
    ----------
    horizon_hours : hours   Time over which the adverse excursion is taken.
    level : share           Share of excursions that the rate covers.
    """

    horizon_hours: float = 4.0
    level: float = 0.995

    @property
    def horizon(self) -> int:
        """Milliseconds."""
        return round(self.horizon_hours * HOUR)

    @property
    def share(self) -> float:
        """Promised share of breaches."""
        return 1.0 - self.level


@dataclass(frozen=True, slots=True)
class Walk:
    """One policy on one market, row by row: what was asked with what was known, and what came of it.

    Attributes
    ----------
    length : int               Length of a bar, milliseconds.
    series : RateSeries [T]
    excursions : Matrix [T, 2]   Of the horizon that began at each row; NaN where it is not complete.
    realised : Vector [T]        Range-based variance of the next bar; NaN where unknown.
    """

    market: str
    policy: str
    target: Target
    length: int
    series: RateSeries
    excursions: Matrix
    realised: Vector

    @property
    def judged(self) -> Flags:
        """Rows whose horizon is complete."""
        return ~np.isnan(self.excursions[:, 0])

    @property
    def breaches(self) -> Flags:
        """Rows and sides, [T, 2], whose excursion went beyond the rate; False where it is not known."""
        return self.excursions > self.series.rates

    def between(self, first: int | None, last: int | None) -> "Walk":
        """Keep the rows decided from `first` on and before `last`, milliseconds UTC; None sets no limit."""
        times = self.series.times
        keep = np.ones(len(times), dtype=np.bool_)
        if first is not None:
            keep &= times >= first
        if last is not None:
            keep &= times < last
        return self.rows(keep)

    def rows(self, keep: Flags | Rows) -> "Walk":
        """Keep these rows."""
        series = RateSeries(
            self.series.times[keep],
            self.series.rates[keep],
            self.series.shortfall[keep],
            self.series.variance[keep],
        )
        excursions, realised = self.excursions[keep], self.realised[keep]
        return Walk(self.market, self.policy, self.target, self.length, series, excursions, realised)


def judge(bars: Bars, market: str, policy: str, target: Target, series: RateSeries) -> Walk:
    """Set beside each rate what happened after it.

    Parameters
    ----------
    bars : Bars [T, 1]   Of the market.
    """
    return Walk(
        market=market,
        policy=policy,
        target=target,
        length=bars.length,
        series=series,
        excursions=excursions_after(bars, series.times, target.horizon),
        realised=next_variance(bars, series.times),
    )


def phases_of(times: Times, length: int, horizon: int) -> tuple[Rows, ...]:
    """Split moments into phases within which horizons do not overlap.

    Phase k holds the moments that lie k steps after a multiple of the horizon, counted in hours, or in bars
    where these are longer; moments between are in no phase. A test that supposes independent observations is
    made on each phase apart.

    Returns
    -------
    tuple of Rows   One per phase that has moments.
    """
    step = max(HOUR, length) if horizon >= HOUR else length
    places = np.where(times % step == 0, times % max(horizon, step) // step, -1)
    phases = (np.flatnonzero(places == place) for place in range(max(1, horizon // step)))
    return tuple(rows for rows in phases if len(rows))
