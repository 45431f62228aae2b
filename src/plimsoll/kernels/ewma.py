"""What is the exponentially weighted variance after each bar?"""

import numpy as np
from numba import njit

from plimsoll.types import Matrix, Vector

__all__ = ["KNOWN_WEIGHT", "ewma_variance", "ewma_variance_definition"]

KNOWN_WEIGHT = 0.5
"""An average counts as known once half of its weight rests on data: an excursion judged by an estimate from
two or three bars would look enormous."""


def ewma_variance_definition(
    samples: Matrix, decay: float, numerator: Vector, denominator: Vector
) -> tuple[Matrix, Vector, Vector]:
    r"""Weight each variance sample by `decay` to the power of its age, in one pass.

    .. math:: v_t = \frac{n_t}{d_t}, \quad n_t = \lambda n_{t-1} + (1-\lambda) x_t,
              \quad d_t = \lambda d_{t-1} + (1-\lambda)

    The division makes the weights sum to one from the first sample on, so no starting value has to be
    assumed. ``v[t]`` uses ``samples[:t + 1]`` only.

    Parameters
    ----------
    samples : Matrix [T, M]     Variance per hour seen in each bar; NaN (a gap) leaves the estimate as it was.
    decay : float               Weight of the past per bar, in (0, 1).
    numerator, denominator : Vector [M]   State before the first row; zeros at the start.

    Returns
    -------
    variance : Matrix [T, M]    Per hour; NaN before the first sample.
    numerator, denominator : Vector [M]   State after the last row.

    Source: RiskMetrics Technical Document (1996), with the weights normalised.
    """
    numerator, denominator = numerator.copy(), denominator.copy()
    variance = np.full(samples.shape, np.nan)
    for t, row in enumerate(samples):
        for m, sample in enumerate(row):
            if not np.isnan(sample):
                numerator[m] = decay * numerator[m] + (1.0 - decay) * sample
                denominator[m] = decay * denominator[m] + (1.0 - decay)
            if denominator[m] >= KNOWN_WEIGHT:
                variance[t, m] = numerator[m] / denominator[m]
    return variance, numerator, denominator


ewma_variance = njit(cache=True)(ewma_variance_definition)
"""`ewma_variance_definition`, compiled."""
