"""How does GARCH carry the variance from bar to bar, and where does it expect it to go?"""

import numpy as np
from numba import njit

from plimsoll.types import Vector

__all__ = ["garch_filter", "garch_filter_definition", "garch_path"]


def garch_filter_definition(
    returns: Vector, omega: float, alpha: float, gamma: float, beta: float, mean: float, variance: float
) -> tuple[Vector, float]:
    r"""Filter the variance of the next bar through T returns.

    .. math:: \epsilon_t = r_t - \mu, \quad
              \sigma^2_{t+1} = \omega + (\alpha + \gamma\, 1[\epsilon_t < 0])\, \epsilon_t^2 + \beta
              \sigma^2_t

    Parameters
    ----------
    returns : Vector [T]   NaN leaves the variance as it was.
    omega, alpha, gamma, beta, mean : float   gamma = 0 is GARCH(1,1).
    variance : float       Forecast of the first bar.

    Returns
    -------
    path : Vector [T]      Forecast after each bar, of the next; uses returns up to that bar only.
    variance : float       The last of them.

    Source: Bollerslev (1986); Glosten, Jagannathan and Runkle (1993).
    """
    path = np.empty(len(returns))
    for t, ret in enumerate(returns):
        if not np.isnan(ret):
            shock = ret - mean
            weight = alpha + (gamma if shock < 0.0 else 0.0)
            variance = omega + weight * shock * shock + beta * variance
        path[t] = variance
    return path, variance


garch_filter = njit(cache=True)(garch_filter_definition)
"""`garch_filter_definition`, compiled."""


def garch_path(variance: float, long_run: float, persistence: float, steps: int) -> Vector:
    r"""Forecast the variance of each of the next bars: it reverts to its mean.

    .. math:: v_s = \bar v + p^{s-1} (v_1 - \bar v)

    Parameters
    ----------
    variance, long_run : float   v_1 and the unconditional variance.
    persistence : float          p = alpha + beta + gamma / 2, below 1.

    Returns
    -------
    Vector [steps]
    """
    shares: Vector = np.power(persistence, np.arange(steps, dtype=np.float64))
    return long_run + shares * (variance - long_run)
