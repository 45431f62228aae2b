"""How does a heterogeneous autoregression forecast variance, an hour to a day ahead?"""

from typing import Annotated

import numpy as np
from msgspec import Meta, Struct

from plimsoll.estimators.forecasts import spread_over
from plimsoll.estimators.observed import Observed, Reading, variance_samples
from plimsoll.kernels.har import AGES, CALENDAR, HarMemory, HarTerms, advance_har
from plimsoll.types import Matrix, Vector

__all__ = ["Har"]

_AGES_HOURS = (1.0, 6.0, 24.0, 168.0, 720.0)
_VOLUME_HOURS = 168.0
_HORIZONS = (1, 4, 24)
"""Hours ahead with a regression each; the path between them is even, and flat beyond."""

_LEAST_VARIANCE_PER_HOUR = 1e-10
"""A deviation of a thousandth of a percent: the log of less, of a bar that stood still, says nothing."""


class Har(Struct, tag=True, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Heterogeneous autoregression: `kernels.har.advance_har` has the equation.

    Attributes
    ----------
    reading : how the variance of a bar is read.
    logarithmic : bool       Regress logs of variances (log-HAR); otherwise variances (HAR).
    enriched : bool          With hour of day, signed surprise and volume (HAR+).
    regressors : count       Columns of `Observed.regressors` that are used too.
    forgetting_hours : hours   Time in which an outcome loses 63 % of its weight.
    refit_hours : hours      Time between two solutions of the normal equations.
    least_hours : hours      Outcomes before the first forecast.
    """

    reading: Reading = "garman-klass"
    logarithmic: bool = True
    enriched: bool = True
    regressors: Annotated[int, Meta(ge=0, le=20)] = 0
    forgetting_hours: Annotated[float, Meta(ge=100.0)] = 10_000.0
    refit_hours: Annotated[float, Meta(gt=0.0)] = 24.0
    least_hours: Annotated[float, Meta(ge=48.0)] = 720.0

    def begin(self, hours: float) -> HarMemory:
        """Start with no knowledge; `hours` is the length of a bar."""
        ring = self._terms(hours).horizons[-1] + 1
        count = AGES + (3 + CALENDAR if self.enriched else 1) + self.regressors
        kinds = len(_HORIZONS)
        return HarMemory(
            averages=np.zeros((2, AGES + 1)),
            rows=np.zeros((ring, count)),
            fits=np.full((ring, kinds), np.nan),
            trail=np.zeros((ring, 3)),
            normal=np.zeros((kinds, count, count)),
            right=np.zeros((kinds, count)),
            weights=np.zeros((kinds, count)),
            bias=np.zeros((2, kinds)),
            latest=np.full(kinds, np.nan),
            counts=np.zeros(3 + kinds, dtype=np.int64),
        )

    def update(self, memory: HarMemory, observed: Observed, steps: int) -> tuple[HarMemory, Matrix]:
        """Absorb T bars; see `estimators.forecasts.VarianceForecaster`."""
        after = HarMemory._make(part.copy() for part in memory)
        means = advance_har(
            after,
            self._terms(observed.hours),
            observed.ends,
            observed.contiguous,
            variance_samples(observed, self.reading),
            observed.returns,
            observed.volume,
            np.ascontiguousarray(observed.regressors[:, : self.regressors]),
        )
        horizons = self._terms(observed.hours).horizons
        path = spread_over(means, horizons, steps)
        ahead = path.sum(axis=1)
        return after, np.column_stack([np.where(np.isnan(ahead), np.nan, path[:, 0]), ahead])

    def estimate(self, memory: HarMemory, steps: int) -> Vector:
        """Forecast the variance of each of the next `steps` bars."""
        bars = (len(memory.rows) - 1) // _HORIZONS[-1]
        horizons = np.array([h * bars for h in _HORIZONS], dtype=np.int64)
        path: Vector = spread_over(memory.latest[None, :], horizons, steps)[0]
        return path

    def _terms(self, hours: float) -> HarTerms:
        per_hour = 1.0 / hours
        ages = np.maximum(np.array([*_AGES_HOURS, _VOLUME_HOURS]) * per_hour, 1.0)
        return HarTerms(
            keeps=(ages - 1.0) / (ages + 1.0),
            horizons=np.array([round(h * per_hour) for h in _HORIZONS], dtype=np.int64),
            forgetting=float(np.exp(-hours / self.forgetting_hours)),
            refit=max(1, round(self.refit_hours * per_hour)),
            least=round(self.least_hours * per_hour),
            floor=_LEAST_VARIANCE_PER_HOUR * hours,
            logarithmic=self.logarithmic,
            enriched=self.enriched,
        )
