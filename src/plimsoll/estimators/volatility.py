"""How volatile is each market now, from bars of any length?"""

from dataclasses import dataclass

import numpy as np

from plimsoll.domain.bars import HOUR, Bars
from plimsoll.domain.settings import CalibrationSettings
from plimsoll.estimators.har import Har
from plimsoll.estimators.jumps import JumpState, begin_jumps, update_jumps
from plimsoll.estimators.observed import Observed
from plimsoll.estimators.returns import Joined
from plimsoll.estimators.scale import LEAST_VOLATILITY, Volatility, begin_scale, update_scale
from plimsoll.kernels.bar_variance import across_gap, parkinson, squared_return
from plimsoll.kernels.clock_hours import HOUR_FIELDS, HourMemory, begin_hours, gather_hours
from plimsoll.kernels.ewma import KNOWN_WEIGHT, ewma_variance
from plimsoll.kernels.har import HarMemory
from plimsoll.kernels.scale import ScaleMemory
from plimsoll.types import Array, Matrix, Rows, Times, Vector

__all__ = ["VolatilityState", "begin_volatility", "parkinson_variance", "update_volatility"]

_RANGE_BARS = 2 * HOUR
"""From this bar length on the range is used: five times as informative as one return (Parkinson 1980), and
the high and low of a long bar are seen on many trades, so that its downward bias from sparse trading is
small."""

_HAR = Har()


@dataclass(frozen=True, slots=True)
class VolatilityState:
    """What the estimate remembers of M markets.

    Attributes
    ----------
    fast : Matrix [2, M]     Weighted sum of variance samples and of weights.
    hours : HourMemory       The hour under way.
    regressions : tuple [M]     What each market's regressions remember.
    hourly : Matrix [2, M]   Of the last whole hour: the forecast variance per hour over the horizon, NaN
                             until known, and the average `fast` then.
    scale : ScaleMemory      See `kernels.scale.scale_path_definition`.
    jumps : JumpState        See `jumps.update_jumps`.
    """

    fast: Matrix
    hours: HourMemory
    regressions: tuple[HarMemory, ...]
    hourly: Matrix
    scale: ScaleMemory
    jumps: JumpState

    @property
    def volatility(self) -> Vector:
        """Forecast now [M], log return per square root of an hour; NaN until it is known."""
        return self.scale.volatility

    @property
    def stressed(self) -> Vector:
        """Long-remembered volatility [M], per square root of an hour; NaN before the first bar."""
        slow = self.scale.slow
        mean: Vector = np.divide(slow[0], slow[1], out=np.full(slow.shape[1], np.nan), where=slow[1] > 0.0)
        return np.sqrt(mean)

    @property
    def forecasters(self) -> tuple[str, ...]:
        """Name what each market's volatility was forecast with: ``har-plus`` or ``ewma``."""
        return tuple("ewma" if np.isnan(known) else "har-plus" for known in self.hourly[0])


def begin_volatility(markets: int) -> VolatilityState:
    """Start without any assumption."""
    return VolatilityState(
        fast=np.zeros((2, markets)),
        hours=begin_hours(markets),
        regressions=tuple(_HAR.begin(1.0) for _ in range(markets)),
        hourly=np.full((2, markets), np.nan),
        scale=begin_scale(markets),
        jumps=begin_jumps(markets),
    )


def update_volatility(
    state: VolatilityState, settings: CalibrationSettings, bars: Bars, joined: Joined
) -> tuple[VolatilityState, Volatility]:
    r"""Absorb T bars.

    .. math:: \sigma^2_t = C_h\, \frac{E_t}{E_h}, \quad \text{or } E_t \text{ while } C \text{ is unknown}

    with C_h what the regression forecast when the last whole hour h closed, and E an exponentially weighted
    average over bars of any length: within the hour the forecast moves as the average does. The past keeps
    `decay_per_hour` of its weight in E per hour, but at least `decay_per_bar` per bar.

    Parameters
    ----------
    joined : Joined   From `returns.join`; in the first bar after a gap the move across it counts.
    """
    hours = bars.length / HOUR
    samples = _variance_samples(bars, joined) / hours
    decay = max(settings.decay_per_hour**hours, settings.decay_per_bar)
    average, numerator, denominator = ewma_variance(samples, decay, state.fast[0], state.fast[1])
    gathered = HourMemory._make(part.copy() for part in state.hours)
    ends, shown, found = gather_hours(
        gathered, bars.times, bars.length, bars.open, bars.high, bars.low, bars.close, bars.volume
    )
    regressions, forecasts = _har_forecasts(state.regressions, settings, ends, found)
    variance, hourly = _between_hours(
        state.hourly, np.vstack([_average(state.fast), average]), bars.ends, ends, shown, forecasts
    )
    volatility = np.maximum(np.sqrt(variance), LEAST_VOLATILITY)
    scale, path = update_scale(state.scale, settings, hours, samples * hours, volatility)
    known = np.vstack([state.volatility, volatility[:-1]])
    jumps = update_jumps(state.jumps, settings.guard, bars, joined, known)
    after = VolatilityState(np.vstack([numerator, denominator]), gathered, regressions, hourly, scale, jumps)
    return after, path


def _average(fast: Matrix) -> Vector:
    known = fast[1] >= KNOWN_WEIGHT
    mean: Vector = np.divide(fast[0], fast[1], out=np.full(fast.shape[1], np.nan), where=known)
    return mean


def _har_forecasts(
    regressions: tuple[HarMemory, ...], settings: CalibrationSettings, ends: Times, found: Array
) -> tuple[tuple[HarMemory, ...], Matrix]:
    """Show N whole hours to every regression; Matrix [N, M] of variance per hour over the horizon."""
    if not len(ends) or settings.forecaster == "ewma":
        return regressions, np.full(found.shape[:2], np.nan)
    steps = max(1, round(settings.horizon_hours))
    after, forecasts = [], np.empty(found.shape[:2])
    for m, memory in enumerate(regressions):
        known, path = _HAR.update(memory, _hours_of(ends, found[:, m]), steps)
        after.append(known)
        forecasts[:, m] = path[:, 1] / steps
    return tuple(after), forecasts


def _hours_of(ends: Times, found: Matrix) -> Observed:
    returns, *rest, joined = (np.ascontiguousarray(found[:, k]) for k in range(HOUR_FIELDS))
    upper, lower, body, volume, crossed, waited = rest
    nothing = np.zeros((len(ends), 0))
    missing = np.where(joined == 1.0, 0.0, (waited - 1.0) * HOUR)
    return Observed(
        ends, 1.0, joined == 1.0, returns, upper, lower, body, volume, crossed, waited, missing, nothing
    )


def _between_hours(
    hourly: Matrix, averages: Matrix, bar_ends: Times, ends: Times, shown: Rows, forecasts: Matrix
) -> tuple[Matrix, Matrix]:
    """Let the last whole hour's forecast move as the average does since: Matrix [T, M], and `hourly`.

    `averages` [T + 1, M] begin before the first bar; `shown` [N] are the bars at which hours were known. One
    known later than it ended moves from the average before that bar.
    """
    average = averages[1:]
    then_rows = np.where(bar_ends[shown] == ends, shown + 1, shown)
    known = np.vstack([hourly[0], forecasts])
    then = np.vstack([hourly[1], averages[then_rows]])
    last = np.searchsorted(shown, np.arange(len(bar_ends)), side="right")
    ratio = np.divide(average, then[last], out=np.ones_like(average), where=then[last] > 0.0)
    variance = np.where(np.isnan(known[last]), average, known[last] * ratio)
    return variance, np.vstack([known[-1], then[-1]])


def parkinson_variance(bars: Bars) -> Matrix:
    """Estimate the variance of each bar from its range (`kernels.bar_variance.parkinson`).

    Returns
    -------
    Matrix [T, M]   Squared log return over the bar; NaN where a market has no bar.
    """
    return parkinson(np.log(bars.high), np.log(bars.low))


def _variance_samples(bars: Bars, joined: Joined) -> Matrix:
    """Read squared log returns over the bars; NaN where there is none, and before anything is known."""
    waited = joined.waited * HOUR / bars.length
    if bars.length < _RANGE_BARS:
        return squared_return(joined.returns, joined.crossed, np.log(bars.close / bars.open), waited)
    known = ~np.isnan(joined.returns) | ~np.isnan(joined.crossed)
    return np.where(known, across_gap(parkinson_variance(bars), joined.crossed, waited), np.nan)
