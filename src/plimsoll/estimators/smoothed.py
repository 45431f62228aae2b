"""What does an average over the last bars forecast, whichever way their variance is read?"""

from typing import Annotated, NamedTuple

import numpy as np
from msgspec import Meta, Struct

from plimsoll.estimators.observed import Observed, Reading, variance_samples
from plimsoll.kernels.ewma import KNOWN_WEIGHT, ewma_variance
from plimsoll.types import Matrix, Vector

__all__ = ["Smoothed", "SmoothedMemory"]


class SmoothedMemory(NamedTuple):
    """Weighted sum of samples and of weights; Matrix [2, 1]."""

    sums: Matrix


class Smoothed(Struct, tag=True, frozen=True, kw_only=True, forbid_unknown_fields=True):
    r"""Exponentially weighted average of what the bars show; flat ahead.

    Samples of falling bars count :math:`1 + g` times, of rising ones :math:`1 - g`: the variance forecast
    rises more after a fall. With g = 0 and squared returns it is RiskMetrics' EWMA.

    Attributes
    ----------
    decay_per_hour : share   Weight of the past per hour.
    reading : how the variance of a bar is read.
    asymmetry : share        g.
    """

    decay_per_hour: Annotated[float, Meta(gt=0.0, lt=1.0)] = 0.97
    reading: Reading = "squared-return"
    asymmetry: Annotated[float, Meta(ge=0.0, le=1.0)] = 0.0

    def begin(self, hours: float) -> SmoothedMemory:  # noqa: ARG002
        """Start with no knowledge."""
        return SmoothedMemory(np.zeros((2, 1)))

    def update(self, memory: SmoothedMemory, observed: Observed, steps: int) -> tuple[SmoothedMemory, Matrix]:
        """Absorb T bars; see `estimators.forecasts.VarianceForecaster`."""
        samples = variance_samples(observed, self.reading)
        if self.asymmetry > 0.0:
            fallen = np.where(observed.body < 0.0, 1.0 + self.asymmetry, 1.0 - self.asymmetry)
            samples = samples * np.where(observed.body == 0.0, 1.0, fallen)
        decay = self.decay_per_hour**observed.hours
        variance, numerator, denominator = ewma_variance(samples[:, None], decay, *memory.sums)
        path = np.column_stack([variance[:, 0], steps * variance[:, 0]])
        return SmoothedMemory(np.vstack([numerator, denominator])), path

    def estimate(self, memory: SmoothedMemory, steps: int) -> Vector:
        """Forecast the variance of each of the next `steps` bars."""
        known = memory.sums[1, 0] >= KNOWN_WEIGHT
        return np.full(steps, memory.sums[0, 0] / memory.sums[1, 0] if known else np.nan)
