"""What scale are excursions measured in, once stress is blended in and the speed limits are kept?"""

import numpy as np
from numba import njit

from plimsoll.kernels.ewma import KNOWN_WEIGHT
from plimsoll.types import Matrix, Vector

__all__ = ["scale_path", "scale_path_definition"]


def scale_path_definition(
    samples: Matrix,
    volatility: Matrix,
    slow_decay: float,
    stress_weight: float,
    rise: float,
    keep: float,
    slow: Matrix,
    worst: Vector,
    scale: Vector,
) -> tuple[Matrix, Matrix]:
    r"""Blend current with stressed volatility, and let the blend rise and fall at limited speed.

    .. math::
        stressed_t &= \max_{s \le t} \sqrt{slow_s} \\
        target_t &= (1 - w)\, \sigma_t + w\, stressed_t \\
        G_t &= \min(target_t, G_{t-1} u) \text{ if rising, else } target_t + (G_{t-1} - target_t) k

    with slow the exponentially weighted variance of about `stress_days`, u the factor by which the scale may
    rise in a bar and k the share of an excess that a bar leaves. Excursions are standardised by G, and the
    rate is their quantile times G: so blending and limiting change *when* margin is held, not how much is
    covered. Row t uses rows up to t only.

    Parameters
    ----------
    samples : Matrix [T, M]      Variance per hour seen in each bar; NaN in a gap.
    volatility : Matrix [T, M]   Forecast after each bar, log return per square root of an hour.
    slow_decay, stress_weight, rise, keep : float
    slow : Matrix [2, M]         Numerator and denominator of the slow average. Changed in place, as are
    worst : Vector [M]           the largest slow variance (NaN if none) and
    scale : Vector [M]           the last G (NaN before the first).

    Returns
    -------
    target, path : Matrix [T, M]   Before and after the speed limits; per square root of an hour.
    """
    target = np.full(samples.shape, np.nan)
    path = np.full(samples.shape, np.nan)
    for t in range(samples.shape[0]):
        for m in range(samples.shape[1]):
            if not np.isnan(samples[t, m]):
                slow[0, m] = slow_decay * slow[0, m] + (1.0 - slow_decay) * samples[t, m]
                slow[1, m] = slow_decay * slow[1, m] + (1.0 - slow_decay)
            if slow[1, m] == 0.0:
                continue
            average = slow[0, m] / slow[1, m]
            if slow[1, m] >= KNOWN_WEIGHT and not average <= worst[m]:
                worst[m] = average
            stressed = np.sqrt(average if np.isnan(worst[m]) else worst[m])
            blend = (1.0 - stress_weight) * volatility[t, m] + stress_weight * stressed
            if np.isnan(scale[m]):
                scale[m] = blend
            elif blend > scale[m]:
                scale[m] = min(blend, scale[m] * rise)
            else:
                scale[m] = blend + (scale[m] - blend) * keep
            target[t, m] = blend
            path[t, m] = scale[m]
    return target, path


scale_path = njit(cache=True)(scale_path_definition)
"""`scale_path_definition`, compiled."""
