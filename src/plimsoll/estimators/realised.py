"""What do the returns of a flat window forecast?"""

from typing import Annotated, NamedTuple

import numpy as np
from msgspec import Meta, Struct

from plimsoll.estimators.observed import Observed
from plimsoll.kernels.realised import realised_path
from plimsoll.types import Matrix, Vector

__all__ = ["Realised", "RealisedMemory"]


class RealisedMemory(NamedTuple):
    """The returns of the window, the oldest first; Vector [n], NaN where unknown."""

    returns: Vector


class Realised(Struct, tag=True, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Realised variance of the last hours, flat ahead; without `jumps` it is the bipower variation.

    Attributes
    ----------
    window_hours : hours
    jumps : bool   Whether single jumps count: bipower variation leaves them out, and forecasts calmer.
    """

    window_hours: Annotated[float, Meta(gt=0.0, le=2_000.0)] = 24.0
    jumps: bool = True

    def begin(self, hours: float) -> RealisedMemory:
        """Start with no knowledge."""
        return RealisedMemory(np.full(max(3, round(self.window_hours / hours)), np.nan))

    def update(self, memory: RealisedMemory, observed: Observed, steps: int) -> tuple[RealisedMemory, Matrix]:
        """Absorb T bars; see `estimators.forecasts.VarianceForecaster`."""
        window = len(memory.returns)
        known = np.concatenate([memory.returns, observed.returns])
        path = realised_path(known[1:], window, self.jumps)
        return RealisedMemory(known[len(known) - window :].copy()), np.column_stack([path, steps * path])

    def estimate(self, memory: RealisedMemory, steps: int) -> Vector:
        """Forecast the variance of each of the next `steps` bars."""
        return np.full(steps, realised_path(memory.returns, len(memory.returns), self.jumps)[-1])
