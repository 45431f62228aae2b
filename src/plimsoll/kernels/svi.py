"""What total variance, slope and density does an SVI smile give?

Everything is in total variance ``w = volatility^2 tau`` over log-moneyness ``k = ln(K / F)``. The columns of
a parameter row are a, b, rho, m, sigma.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from plimsoll.kernels.elementary import inlined
from plimsoll.types import Array, Vector

__all__ = [
    "PARAMETERS",
    "butterfly",
    "butterfly_definition",
    "svi_variance",
    "svi_variance_definition",
    "svi_volatility",
    "wing_slopes",
]

PARAMETERS = 5


def svi_variance_definition(k: float, a: float, b: float, rho: float, m: float, sigma: float) -> float:
    r"""Return the raw SVI total variance.

    .. math:: w(k) = a + b \bigl( \rho (k - m) + \sqrt{(k - m)^2 + \sigma^2} \bigr)

    Source: J. Gatheral, "A parsimonious arbitrage-free implied volatility parameterization", Madrid (2004).
    """
    return a + b * (rho * (k - m) + math.sqrt((k - m) ** 2 + sigma**2))


@inlined
def svi_variance(k: float, a: float, b: float, rho: float, m: float, sigma: float) -> float:
    """`svi_variance_definition`, compiled."""
    y = k - m
    return a + b * (rho * y + math.sqrt(y * y + sigma * sigma))


def butterfly_definition(k: float, a: float, b: float, rho: float, m: float, sigma: float) -> float:
    r"""Return the factor whose sign is that of the implied density of the price at expiry.

    .. math:: g(k) = \Bigl(1 - \frac{k w'}{2 w}\Bigr)^2 - \frac{w'^2}{4} \Bigl(\frac1w + \frac14\Bigr)
                     + \frac{w''}{2}

    A smile is free of butterfly arbitrage where g is not negative and :math:`d_1 \to -\infty` as k grows.

    Source: J. Gatheral and A. Jacquier, "Arbitrage-free SVI volatility surfaces", Quantitative Finance 14
    (2014).
    """
    w = svi_variance_definition(k, a, b, rho, m, sigma)
    root = math.sqrt((k - m) ** 2 + sigma**2)
    first = b * (rho + (k - m) / root)
    second = b * sigma**2 / root**3
    return (1 - k * first / (2 * w)) ** 2 - first**2 / 4 * (1 / w + 1 / 4) + second / 2


@inlined
def butterfly(k: float, a: float, b: float, rho: float, m: float, sigma: float) -> float:
    """`butterfly_definition`, compiled; minus infinity where the variance is not above 0."""
    y = k - m
    root = math.sqrt(y * y + sigma * sigma)
    w = a + b * (rho * y + root)
    first = b * (rho + y / root)
    second = b * sigma * sigma / (root * root * root)
    bent = 1.0 - 0.5 * k * first / w
    g = bent * bent - 0.25 * first * first * (1.0 / w + 0.25) + 0.5 * second
    return g if w > 0.0 else -math.inf


def svi_volatility(k: ArrayLike, tau: ArrayLike, parameters: Vector) -> Array:
    r"""Return :math:`\sqrt{w(k) / \tau}`; log-moneyness and years broadcast, the parameters are one row."""
    a, b, rho, m, sigma = (float(parameter) for parameter in parameters)
    y = np.asarray(k, dtype=np.float64) - m
    volatility: Array = np.sqrt((a + b * (rho * y + np.sqrt(y * y + sigma * sigma))) / np.asarray(tau))
    return volatility


def wing_slopes(b: float, rho: float) -> tuple[float, float]:
    r"""Return how fast total variance rises far left and far right: :math:`b(1 \mp \rho)`.

    More than 2 on either side would price a moment of the forward below zero.

    Source: R. Lee, "The moment formula for implied volatility at extreme strikes", Mathematical Finance 14
    (2004).
    """
    return b * (1.0 - rho), b * (1.0 + rho)
