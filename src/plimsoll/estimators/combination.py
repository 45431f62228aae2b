"""What do several forecasters say together, each trusted by its record?"""

from typing import Annotated, Any, NamedTuple

import numpy as np
from msgspec import Meta, Struct

from plimsoll.estimators.garch import Garch
from plimsoll.estimators.har import Har
from plimsoll.estimators.observed import Observed
from plimsoll.estimators.realised import Realised
from plimsoll.estimators.smoothed import Smoothed
from plimsoll.kernels.combination import combine_path
from plimsoll.types import Matrix, Vector

__all__ = ["Combination", "CombinationMemory"]


class CombinationMemory(NamedTuple):
    """The experts' memories, their discounted losses, and what each last said of the next bar."""

    experts: tuple[Any, ...]
    regret: Vector
    before: Vector


class Combination(Struct, tag=True, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Experts weighed by their QLIKE so far: `kernels.combination.combine_path_definition` has the equation.

    Attributes
    ----------
    experts : tuple of forecasters
    eta : float                Learning rate.
    memory_hours : hours       Time in which a loss loses 63 % of its weight.
    """

    experts: tuple[Smoothed | Realised | Garch | Har, ...] = (
        Smoothed(),
        Smoothed(decay_per_hour=0.94, reading="garman-klass"),
        Har(enriched=False),
        Har(),
    )
    eta: Annotated[float, Meta(gt=0.0)] = 0.05
    memory_hours: Annotated[float, Meta(gt=0.0)] = 2_000.0

    def begin(self, hours: float) -> CombinationMemory:
        """Start with no knowledge, and equal trust."""
        count = len(self.experts)
        memories = tuple(expert.begin(hours) for expert in self.experts)
        return CombinationMemory(memories, np.zeros(count), np.full(count, np.nan))

    def update(
        self, memory: CombinationMemory, observed: Observed, steps: int
    ) -> tuple[CombinationMemory, Matrix]:
        """Absorb T bars; see `estimators.forecasts.VarianceForecaster`."""
        pairs = [
            expert.update(known, observed, steps)
            for expert, known in zip(self.experts, memory.experts, strict=True)
        ]
        combined, regret, before = combine_path(
            np.column_stack([path[:, 0] for _, path in pairs]),
            np.column_stack([path[:, 1] for _, path in pairs]),
            observed.returns**2,
            self.eta,
            float(np.exp(-observed.hours / self.memory_hours)),
            memory.regret,
            memory.before,
        )
        return CombinationMemory(tuple(after for after, _ in pairs), regret, before), combined

    def estimate(self, memory: CombinationMemory, steps: int) -> Vector:
        """Forecast the variance of each of the next `steps` bars."""
        known = ~np.isnan(memory.before)
        total = np.zeros(steps)
        if not known.any():
            return np.full(steps, np.nan)
        behind = np.where(known, memory.regret - memory.regret[known].min(), np.inf)
        weights = np.exp(-self.eta * behind)
        for place in np.flatnonzero(known):
            path = self.experts[place].estimate(memory.experts[place], steps)
            total += weights[place] / weights.sum() * path
        return total
