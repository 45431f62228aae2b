"""What scale are excursions measured in, once past stress is blended in and the speed limits are kept?"""

from typing import NamedTuple

import numpy as np
from numba import njit

from plimsoll.kernels.rise import RiseLimit, limited_step
from plimsoll.types import Matrix, Vector

__all__ = ["ScaleMemory", "ScaleTerms", "scale_path", "scale_path_definition"]

_FAR = 16.0
"""Multiple of the scale from which on a bar counts for no more in the slow average: one print, right or
wrong, then moves an average over two years by one or two percent. The scale rises slowly, so that a second
wrong print counts for no more than the first; the hours of real crashes lie below, or little above.
"""


class ScaleMemory(NamedTuple):
    """What is remembered of M markets; arrays are changed in place.

    Attributes
    ----------
    slow : Matrix [2, M]        Numerator and denominator of the slow average of variance.
    volatility : Vector [M]     The last forecast, per square root of an hour; NaN before the first.
    target, scale : Vector [M]  Before and after the speed limits; NaN before the first.
    saved : Vector [M]          Rise that is saved up (`kernels.rise`).
    """

    slow: Matrix
    volatility: Vector
    target: Vector
    scale: Vector
    saved: Vector


class ScaleTerms(NamedTuple):
    """What does not change between bars of one length.

    Attributes
    ----------
    hours : float          Length of a bar.
    slow_decay : float     Weight of the past in the slow average, per bar.
    weight : float         w.
    keep : float           Share of an excess that a bar leaves.
    """

    hours: float
    slow_decay: float
    weight: float
    keep: float


def scale_path_definition(
    samples: Matrix,
    volatility: Matrix,
    terms: ScaleTerms,
    limit: RiseLimit,
    memory: ScaleMemory,
) -> Matrix:
    r"""Blend current with long-remembered volatility, and let the blend rise and fall at limited speed.

    .. math::
        slow_t &= \text{average of } \min(x_s, (16 G_{s-1})^2) \text{ over } s \le t \\
        target_t &= (1 - w)\, \sigma_t + w \sqrt{slow_t} \\
        G_t &= \text{limited rise from } G_{t-1} \text{ to } target_t \text{ (kernels.rise), or }
               target_t + (G_{t-1} - target_t)\, k \text{ if falling}

    Excursions are standardised by G, and the rate is their quantile times G: so blending and limiting change
    *when* margin is held, not how much is covered. Row t uses rows up to t only.

    Parameters
    ----------
    samples : Matrix [T, M]      Variance per hour seen in each bar; NaN in a gap.
    volatility : Matrix [T, M]   Forecast after each bar, per square root of an hour; NaN until known.

    Returns
    -------
    Matrix [T, M]   G, per square root of an hour.
    """
    path = np.full(samples.shape, np.nan)
    for t in range(samples.shape[0]):
        for m in range(samples.shape[1]):
            sample = samples[t, m]
            if not np.isnan(sample):
                sample = np.fmin(sample, (_FAR * memory.scale[m]) ** 2)
                memory.slow[0, m] = terms.slow_decay * memory.slow[0, m] + (1.0 - terms.slow_decay) * sample
                memory.slow[1, m] = terms.slow_decay * memory.slow[1, m] + (1.0 - terms.slow_decay)
            memory.volatility[m] = volatility[t, m]
            if memory.slow[1, m] == 0.0 or np.isnan(volatility[t, m]):
                continue
            slow = np.sqrt(memory.slow[0, m] / memory.slow[1, m])
            target = (1.0 - terms.weight) * volatility[t, m] + terms.weight * slow
            goal = (
                target + max(0.0, memory.scale[m] - target) * terms.keep
                if memory.scale[m] > target
                else target
            )
            memory.scale[m], memory.saved[m] = limited_step(
                memory.scale[m], goal, memory.saved[m], terms.hours, limit
            )
            memory.target[m] = target
            path[t, m] = memory.scale[m]
    return path


scale_path = njit(cache=True)(scale_path_definition)
"""`scale_path_definition`, compiled."""
