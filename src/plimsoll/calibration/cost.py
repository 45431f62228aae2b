"""What did each part of the guard do over a market's history, and what did it cost?"""

from dataclasses import dataclass

import numpy as np
from msgspec import structs

from plimsoll.calibration.policies import DEFAULT, RATE_POLICIES, UNGUARDED
from plimsoll.calibration.series import rate_series
from plimsoll.domain.bars import HOUR, Bars
from plimsoll.domain.rates import RateSeries
from plimsoll.domain.settings import CalibrationSettings, GuardSettings
from plimsoll.estimators.excursions import begin_excursions, update_excursions
from plimsoll.estimators.observed import observe
from plimsoll.estimators.returns import LastClose
from plimsoll.estimators.scale import Volatility, rates_of_moves
from plimsoll.estimators.smoothed import Smoothed
from plimsoll.kernels.excursion import LONG, SHORT
from plimsoll.types import Matrix

__all__ = ["GuardCost", "guard_costs"]

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
    guard = settings.guard
    kinds = {
        "as set": guard,
        "without the stress blend": structs.replace(guard, stress_weight=0.0),
        "without the floor": structs.replace(guard, floor_share=0.0),
        "without the rise limit": structs.replace(guard, rise_per_hour=None),
        "without the slow fall": structs.replace(guard, fall_half_life=0.0),
        "no guard": UNGUARDED,
    }
    realised = _realised(bars, settings)
    found = (_cost(name, _series(bars, settings, kind), realised) for name, kind in kinds.items())
    return tuple(cost for cost in found if cost is not None)


def _series(bars: Bars, settings: CalibrationSettings, guard: GuardSettings) -> RateSeries:
    policy = RATE_POLICIES[DEFAULT]
    if settings.forecaster == "ewma":
        policy = structs.replace(policy, forecaster=Smoothed(decay_per_hour=settings.decay_per_hour))
    policy = structs.replace(policy, guard=guard, windows=settings.residual_windows)
    return rate_series(bars, policy, horizon_hours=settings.horizon_hours, level=settings.level)


def _realised(bars: Bars, settings: CalibrationSettings) -> dict[int, Matrix]:
    """Measure the excursions of every window as shares of the price, by the moment it opened."""
    (observed,), _ = observe(LastClose(0, np.full(1, np.nan)), bars)
    even = np.ones((len(bars), 1))
    log = update_excursions(
        begin_excursions(1), settings, bars, observed.contiguous[:, None], Volatility(even, even)
    )
    moments, windows = log.matured
    return dict(zip(moments.tolist(), rates_of_moves(windows[:, 0, [LONG, SHORT]]), strict=True))


def _cost(name: str, series: RateSeries, realised: dict[int, Matrix]) -> GuardCost | None:
    unknown = np.full(2, np.nan)
    after = np.array([realised.get(int(time), unknown) for time in series.times]).reshape(-1, 2)
    judged = ~np.isnan(after).any(axis=1)
    if not judged.any():
        return None
    high, low = np.quantile(series.rates, (0.99, 0.01), axis=0)
    worst = 0.0
    for lag in range(1, min(_DAY, len(series.times) - 1) + 1):
        near = series.times[lag:] - series.times[:-lag] <= _DAY * HOUR
        rises = (series.rates[lag:] / series.rates[:-lag])[near]
        worst = max(worst, float(rises.max(initial=1.0)) - 1.0)
    return GuardCost(
        guard=name,
        hours=int(judged.sum()),
        covered=float((after[judged] <= series.rates[judged]).mean()),
        mean=float(series.rates.mean()),
        spread=float((high / low).mean()),
        worst_rise=worst,
    )
