"""How volatile is each market now, and on which scale are its excursions to be judged?"""

from dataclasses import dataclass

import numpy as np

from plimsoll.domain.bars import HOUR, Bars
from plimsoll.domain.settings import CalibrationSettings
from plimsoll.kernels.ewma import KNOWN_WEIGHT, ewma_variance
from plimsoll.kernels.scale import scale_path
from plimsoll.types import Matrix, Vector

__all__ = ["Volatility", "VolatilityState", "begin_volatility", "parkinson_variance", "update_volatility"]

_RANGE_BARS = 2 * HOUR
"""From this bar length on the range is used: five times as informative as one return (Parkinson 1980), and
the high and low of a long bar are seen on many trades, so that its downward bias from sparse trading is
small."""


@dataclass(frozen=True, slots=True)
class VolatilityState:
    """What the estimate remembers; see `ewma_variance_definition` and `scale_path_definition`.

    Attributes
    ----------
    fast : Matrix [2, M]     Weighted sum of variance samples and of weights.
    slow : Matrix [2, M]     The same with a memory of `stress_days`.
    worst : Vector [M]       Largest slow variance so far, per hour; NaN before the first.
    target, scale : Vector [M]   Scale before and after the speed limits.
    """

    fast: Matrix
    slow: Matrix
    worst: Vector
    target: Vector
    scale: Vector

    @property
    def volatility(self) -> Vector:
        """Volatility now [M], log return per square root of an hour; NaN until it is known."""
        return _root_mean(self.fast, KNOWN_WEIGHT)

    @property
    def stressed(self) -> Vector:
        """Volatility of the worst known period [M]; the long-run one where no period is complete."""
        return np.where(np.isnan(self.worst), _root_mean(self.slow, 0.0), np.sqrt(self.worst))


@dataclass(frozen=True, slots=True)
class Volatility:
    """The path over a piece of bars, Matrix [T, M] each, log return per square root of an hour."""

    volatility: Matrix
    scale: Matrix


def begin_volatility(markets: int) -> VolatilityState:
    """Start without any assumption."""
    unknown = np.full(markets, np.nan)
    return VolatilityState(np.zeros((2, markets)), np.zeros((2, markets)), unknown, unknown, unknown)


def update_volatility(
    state: VolatilityState, settings: CalibrationSettings, bars: Bars, returns: Matrix
) -> tuple[VolatilityState, Volatility]:
    """Absorb T bars.

    The past keeps `decay_per_hour` of its weight per hour, but at least `decay_per_bar` per bar: an estimate
    from daily bars rests on more than a day.

    Parameters
    ----------
    returns : Matrix [T, M]   From `returns.join`: NaN marks a gap, and such a bar is skipped.
    """
    hours = bars.length / HOUR
    guard = settings.guard
    samples = _variance_samples(bars, returns) / hours
    decay = max(settings.decay_per_hour**hours, settings.decay_per_bar)
    variance, numerator, denominator = ewma_variance(samples, decay, state.fast[0], state.fast[1])
    volatility = np.sqrt(variance)
    slow, worst, scale = state.slow.copy(), state.worst.copy(), state.scale.copy()
    target, path = scale_path(
        samples,
        volatility,
        np.exp(-hours / (24.0 * guard.stress_days)),
        guard.stress_weight,
        guard.rise_over(hours),
        guard.keep_over(hours),
        slow,
        worst,
        scale,
    )
    after = VolatilityState(np.vstack([numerator, denominator]), slow, worst, target[-1].copy(), scale)
    return after, Volatility(volatility, path)


def parkinson_variance(bars: Bars) -> Matrix:
    r"""Estimate the variance of each bar from its range: :math:`\ln(H / L)^2 / (4 \ln 2)`.

    Returns
    -------
    Matrix [T, M]   Squared log return over the bar; NaN where a market has no bar.

    Source: Parkinson (1980), The extreme value method for estimating the variance of the rate of return.
    """
    variance: Matrix = np.log(bars.high / bars.low) ** 2 / (4.0 * np.log(2.0))
    return variance


def _variance_samples(bars: Bars, returns: Matrix) -> Matrix:
    if bars.length < _RANGE_BARS:
        return returns**2
    return np.where(np.isnan(returns), np.nan, parkinson_variance(bars))


def _root_mean(sums: Matrix, least_weight: float) -> Vector:
    known = (sums[1] > 0.0) & (sums[1] >= least_weight)
    mean: Vector = np.divide(sums[0], sums[1], out=np.full(sums.shape[1], np.nan), where=known)
    return np.sqrt(mean)
