"""Did the rates hold through a crash, hour by hour?"""

from dataclasses import dataclass

import numpy as np

from plimsoll.backtest.walk import Walk
from plimsoll.domain.bars import HOUR

__all__ = ["CrashHour", "hour_by_hour", "worst_moment"]


@dataclass(frozen=True, slots=True)
class CrashHour:
    """The windows that began within one hour, over the markets given, of one policy and side.

    Attributes
    ----------
    start : int               Milliseconds UTC.
    windows, breaches : int
    rate : float              Mean rate asked at their start.
    worst : float             Largest excursion, share of the price.
    largest_excess : float    Largest excursion less its rate; negative where all were covered.
    """

    start: int
    windows: int
    breaches: int
    rate: float
    worst: float
    largest_excess: float


def worst_moment(walks: tuple[Walk, ...]) -> int:
    """Find the start of the horizon with the largest excursion of any side and market, milliseconds UTC."""
    found = [
        (float(walk.excursions[row, side]), int(walk.series.times[row]))
        for walk in walks
        for row, side in [np.unravel_index(np.nanargmax(walk.excursions), walk.excursions.shape)]
    ]
    return max(found)[1]


def hour_by_hour(walks: tuple[Walk, ...], side: int, first: int, last: int) -> tuple[CrashHour, ...]:
    """Count windows and breaches by the hour in which windows begin, from `first` on and before `last`.

    Parameters
    ----------
    walks : tuple of Walk   Of one policy; all markets are counted together.
    side : int              0 long, 1 short.
    """
    parts = [walk.rows(walk.judged).between(first, last) for walk in walks]
    times = np.concatenate([part.series.times for part in parts])
    rates = np.concatenate([part.series.rates[:, side] for part in parts])
    worst = np.concatenate([part.excursions[:, side] for part in parts])
    hours = times // HOUR
    return tuple(
        CrashHour(
            start=int(hour) * HOUR,
            windows=int(inside.sum()),
            breaches=int((worst > rates)[inside].sum()),
            rate=float(rates[inside].mean()),
            worst=float(worst[inside].max()),
            largest_excess=float((worst - rates)[inside].max()),
        )
        for hour in np.unique(hours)
        for inside in [hours == hour]
    )
