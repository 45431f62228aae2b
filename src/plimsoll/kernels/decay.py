"""What is the mean of samples that come at uneven times, the recent ones weighing more?"""

import numpy as np
from numba import njit

from plimsoll.types import Matrix, Vector

__all__ = ["decayed_sums", "decayed_sums_definition"]


def decayed_sums_definition(samples: Matrix, elapsed: Vector, memory: float, sums: Matrix) -> Matrix:
    r"""Carry weighted sums of samples and of weights through time.

    .. math:: S_t = e^{-\Delta_t / \tau} S_{t-1} + x_t, \qquad W_t = e^{-\Delta_t / \tau} W_{t-1} + 1

    The mean is S / W. A sample that is NaN ages the sums of its column and adds nothing.

    Parameters
    ----------
    samples : Matrix [T, K]
    elapsed : Vector [T]     Since the sample before, in the unit of the memory; never negative.
    memory : float           tau, above 0.
    sums : Matrix [2, K]     S and W before the first sample.

    Returns
    -------
    Matrix [2, K]   S and W after the last.
    """
    after = sums.copy()
    for t in range(samples.shape[0]):
        kept = np.exp(-elapsed[t] / memory)
        for k in range(samples.shape[1]):
            after[0, k] *= kept
            after[1, k] *= kept
            if not np.isnan(samples[t, k]):
                after[0, k] += samples[t, k]
                after[1, k] += 1.0
    return after


decayed_sums = njit(cache=True)(decayed_sums_definition)
"""`decayed_sums_definition`, compiled."""
