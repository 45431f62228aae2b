"""What did each part of the guard do over a market's history, and what did it cost?"""

from dataclasses import dataclass

import numpy as np
from msgspec import structs

from plimsoll.calibration.policies import UNGUARDED, own_policy
from plimsoll.calibration.series import rate_series
from plimsoll.domain.bars import HOUR, Bars
from plimsoll.domain.rates import RateSeries
from plimsoll.domain.settings import CalibrationSettings, GuardSettings
from plimsoll.estimators.excursions import begin_excursions, update_excursions
from plimsoll.estimators.observed import observe
from plimsoll.estimators.returns import nothing_heard
from plimsoll.estimators.scale import Volatility, rates_of_moves
from plimsoll.kernels.excursion import LONG, SHORT
from plimsoll.types import Matrix

__all__ = ["GuardCost", "guard_cost", "guard_costs", "guard_kinds"]

_DAY = 24


@dataclass(frozen=True, slots=True)
class GuardCost:
    """One guard over one market's history, every hour judged with what was known then.

    Attributes
    ----------
    guard : str         Which parts were on.
    hours : int         Hours judged.
    covered : share     Of excursions over the horizon that stayed within the rate, both sides.
    mean : rate         Mean maintenance of the two sides.
    spread : factor     99 % quantile of the rate over time, over its 1 % quantile; mean of the sides.
    worst_rise : share  Largest relative rise within 24 hours.
    """

    guard: str
    hours: int
    covered: float
    mean: float
    spread: float
    worst_rise: float


def guard_costs(bars: Bars, settings: CalibrationSettings) -> tuple[GuardCost, ...]:
    """Run the policy with the guard as set, with each part off, and with none.

    Parameters
    ----------
    bars : Bars [T, 1]   One market, in bars of an hour at most; two months at least.
    """
    found = (guard_cost(name, bars, settings, kind) for name, kind in guard_kinds(settings.guard).items())
    return tuple(cost for cost in found if cost is not None)


def guard_kinds(guard: GuardSettings) -> dict[str, GuardSettings]:
    """Name the guard as set, with each part off, and none."""
    return {
        "as set": guard,
        "without the stress blend": structs.replace(guard, stress_weight=0.0),
        "without the floor": structs.replace(guard, floor_share=0.0),
        "without the rise limit": structs.replace(guard, rise_per_hour=None),
        "without the slow fall": structs.replace(guard, fall_half_life=0.0),
        "no guard": UNGUARDED,
    }


def guard_cost(
    name: str, bars: Bars, settings: CalibrationSettings, guard: GuardSettings, *, since: int = 0
) -> GuardCost | None:
    """Run the policy under one guard and judge the hours from `since` on; None where there are none."""
    return _judged(name, _series(bars, settings, guard), _realised(bars, settings), since)


def _series(bars: Bars, settings: CalibrationSettings, guard: GuardSettings) -> RateSeries:
    policy = structs.replace(own_policy(settings, bars.length / HOUR), guard=guard)
    return rate_series(bars, policy, horizon_hours=settings.horizon_hours, level=settings.level)


def _realised(bars: Bars, settings: CalibrationSettings) -> dict[int, Matrix]:
    """Measure the excursions of every window as shares of the price, by the moment it opened."""
    (observed,), _ = observe(nothing_heard(1), bars)
    even = np.ones((len(bars), 1))
    log = update_excursions(
        begin_excursions(1), settings, bars, observed.missing[:, None], Volatility(even, even)
    )
    moments, windows = log.matured
    return dict(zip(moments.tolist(), rates_of_moves(windows[:, 0, [LONG, SHORT]]), strict=True))


def _judged(name: str, series: RateSeries, realised: dict[int, Matrix], since: int) -> GuardCost | None:
    late = series.times >= since
    times, rates = series.times[late], series.rates[late]
    unknown = np.full(2, np.nan)
    after = np.array([realised.get(int(time), unknown) for time in times]).reshape(-1, 2)
    judged = ~np.isnan(after).any(axis=1)
    if not judged.any():
        return None
    high, low = np.quantile(rates, (0.99, 0.01), axis=0)
    worst = 0.0
    for lag in range(1, min(_DAY, len(times) - 1) + 1):
        near = times[lag:] - times[:-lag] <= _DAY * HOUR
        rises = (rates[lag:] / rates[:-lag])[near]
        worst = max(worst, float(rises.max(initial=1.0)) - 1.0)
    return GuardCost(
        guard=name,
        hours=int(judged.sum()),
        covered=float((after[judged] <= rates[judged]).mean()),
        mean=float(rates.mean()),
        spread=float((high / low).mean()),
        worst_rise=worst,
    )
