"""What would a policy have asked of one market, at every hour, knowing only what was known?"""

from statistics import NormalDist

import numpy as np

from plimsoll.calibration.policies import RatePolicy
from plimsoll.domain.bar_checks import check_bars
from plimsoll.domain.bars import HOUR, Bars
from plimsoll.domain.rates import RateSeries
from plimsoll.domain.settings import CalibrationSettings, GuardSettings, YoungMarketSettings
from plimsoll.errors import Code, PlimsollError
from plimsoll.estimators.excursions import begin_excursions, update_excursions
from plimsoll.estimators.observed import Observed, observe, variance_samples
from plimsoll.estimators.returns import nothing_heard
from plimsoll.estimators.scale import LEAST_VOLATILITY, Volatility, begin_scale, rates_of_moves, update_scale
from plimsoll.kernels.excursion import LONG, SHORT, STANDARD_LONG, STANDARD_SHORT
from plimsoll.kernels.rise import RiseLimit, limited_path
from plimsoll.kernels.rolling_tail import rolling_tail
from plimsoll.types import Flags, Matrix, Times, Vector

__all__ = ["rate_series"]


def rate_series(
    bars: Bars, policy: RatePolicy, *, horizon_hours: float = 4.0, level: float = 0.995
) -> RateSeries:
    """Run a policy over one market in one pass.

    On hourly bars the default gives what `calibrator.propose` publishes. On shorter ones it does so but for
    the forecast, which is made from the bars themselves and there from whole hours.

    Parameters
    ----------
    bars : Bars [T, 1]   One market; no longer than an hour each.
    policy : RatePolicy
    horizon_hours, level : what the rate is to cover: this share of the adverse excursions over the horizon.

    Returns
    -------
    RateSeries   A row at the end of every hour (the first bar that ends in it or later) from the moment on
                 that `young.windows` windows are known and the market has a price.

    Raises
    ------
    PlimsollError   `BAD_SETTING` for several markets, bars above an hour, or a horizon that is not a whole
                    number of bars; what `domain.bar_checks.check_bars` raises.
    """
    check_bars(bars)
    _refuse_unsuited(bars, horizon_hours)
    settings = CalibrationSettings(
        horizon_hours=horizon_hours, level=level, residual_windows=policy.windows, guard=policy.guard
    )
    (observed,), _ = observe(nothing_heard(1), bars)
    volatility, variance = _volatility(observed, policy, settings)
    scale = _scale(observed, settings, volatility)
    quantile, mean, floor = _tails(bars, observed, policy, settings, scale)
    root = np.sqrt(horizon_hours)
    moves = quantile if policy.tail == "historical" else quantile * (scale.scale * root)
    beyond = mean if policy.tail == "historical" else mean * (scale.scale * root)
    goals = np.maximum(rates_of_moves(np.maximum(moves, LEAST_VOLATILITY * root)), floor)
    asked = _hourly(bars) & ~np.isnan(goals).any(axis=1) & ~np.isnan(variance)
    limited = _limited(bars.ends[asked], np.minimum(goals[asked], 1.0), policy.guard)
    chosen = asked & ~np.isnan(bars.close[:, 0])
    times, rates = bars.ends[chosen], limited[chosen[asked]]
    shortfall = np.minimum(np.maximum(rates_of_moves(beyond[chosen]), rates), 1.0)
    return RateSeries(times, rates, shortfall, variance[chosen])


def _refuse_unsuited(bars: Bars, horizon_hours: float) -> None:
    if len(bars.markets) == 1 and bars.length <= HOUR and not (horizon_hours * HOUR) % bars.length:
        return
    raise PlimsollError(
        Code.BAD_SETTING,
        f"{len(bars.markets)} markets in bars of {bars.length / HOUR:g} h, horizon {horizon_hours:g} h",
        where="rate series",
        remedy="Give one market in bars of an hour at most, and a horizon of whole bars.",
    )


def _volatility(
    observed: Observed, policy: RatePolicy, settings: CalibrationSettings
) -> tuple[Vector, Vector]:
    """Forecast: Vector [T] per square root of an hour over the horizon, and variance of the next bar [T]."""
    steps = round(settings.horizon_hours / observed.hours)
    path = policy.forecaster.update(policy.forecaster.begin(observed.hours), observed, steps)[1]
    spare = policy.fallback.update(policy.fallback.begin(observed.hours), observed, steps)[1]
    path = np.where(np.isnan(path), spare, path)
    volatility = np.maximum(np.sqrt(path[:, 1] / settings.horizon_hours), LEAST_VOLATILITY)
    return volatility, np.maximum(path[:, 0], LEAST_VOLATILITY**2 * observed.hours)


def _scale(observed: Observed, settings: CalibrationSettings, volatility: Vector) -> Volatility:
    _, found = update_scale(
        begin_scale(1),
        settings,
        observed.hours,
        variance_samples(observed, "squared-return")[:, None],
        volatility[:, None],
    )
    return found


def _tails(
    bars: Bars, observed: Observed, policy: RatePolicy, settings: CalibrationSettings, scale: Volatility
) -> tuple[Matrix, Matrix, Matrix]:
    """Take quantile and mean beyond it of what the policy measures, and the floor; Matrix [T, 2] each."""
    log = update_excursions(begin_excursions(1), settings, bars, observed.missing[:, None], scale)
    moments, windows = log.matured
    horizon = max(round(settings.horizon_hours * HOUR), bars.length)
    known = np.searchsorted(moments + horizon, bars.ends, side="right")
    fields = (LONG, SHORT) if policy.tail == "historical" else (STANDARD_LONG, STANDARD_SHORT)
    least = YoungMarketSettings().windows

    def tail(field: int, count: int) -> tuple[Vector, Vector]:
        column = np.ascontiguousarray(windows[:, 0, field])
        return rolling_tail(column, known, count, least, settings.level)

    floor = np.zeros((len(bars), 2))
    if policy.guard.floor_share > 0.0:
        long_run = np.column_stack([tail(field, max(1, len(moments)))[0] for field in (LONG, SHORT)])
        floor = policy.guard.floor_share * rates_of_moves(long_run)
    if policy.tail == "normal":
        quantile, mean = _brownian(settings.level)
        old = (known >= least)[:, None] & np.ones((1, 2), dtype=np.bool_)
        return np.where(old, quantile, np.nan), np.where(old, mean, np.nan), floor
    pairs = [tail(field, policy.windows) for field in fields]
    return np.column_stack([q for q, _ in pairs]), np.column_stack([m for _, m in pairs]), floor


def _brownian(level: float) -> tuple[float, float]:
    """Take quantile and mean beyond it of the largest adverse excursion of a Brownian motion.

    By the reflection principle it is distributed as the size of a normal variable.
    """
    share = 1.0 - level
    normal = NormalDist()
    quantile = -normal.inv_cdf(0.5 * share)
    return quantile, 2.0 * normal.pdf(quantile) / share


def _hourly(bars: Bars) -> Flags:
    flags: Flags = bars.ends // HOUR > bars.times // HOUR
    return flags


def _limited(times: Times, goals: Matrix, guard: GuardSettings) -> Matrix:
    if not len(times):
        return goals
    limit = RiseLimit(guard.rise_speed, guard.rise_saved, guard.rise_base)
    return limited_path(times, goals, limit, int(times[0]), np.full(2, np.nan), np.zeros(2))
