"""How likely is a figure at least this extreme, by chance alone?

Closed forms and log-space sums on the standard library: the tests of coverage need no scientific package.
"""

import math

import numpy as np

from plimsoll.types import Array, Vector

__all__ = [
    "binomial_at_least",
    "binomial_at_most",
    "binomial_log_masses",
    "chi_square_tail",
    "normal_tail_both",
    "student_tail_both",
    "times_log",
]

_FRACTION_STEPS = 300
"""Terms of the continued fraction; it converges in fewer than 100 for any number of observations."""
_FRACTION_ACCURACY = 1e-15
_TINY = 1e-300
"""Stands for a zero denominator in the continued fraction (Lentz)."""


def times_log(weight: Array, ratio: Array) -> Array:
    """Return weight * ln(ratio), and 0 where the weight is 0, whatever the ratio."""
    weight, ratio = np.asarray(weight, dtype=np.float64), np.asarray(ratio, dtype=np.float64)
    known = weight > 0.0
    logs: Array = np.log(np.where(known, ratio, 1.0))
    return np.where(known, weight * logs, 0.0)


def chi_square_tail(statistic: float, freedom: int) -> float:
    r"""Return the chance that a chi-square variable exceeds the statistic.

    .. math:: Q(k) = Q(k - 2) + \frac{(x/2)^{k/2 - 1} e^{-x/2}}{\Gamma(k/2)}, \quad
              Q(1) = \mathrm{erfc}\sqrt{x/2}, \quad Q(2) = e^{-x/2}

    All terms are positive, so nothing cancels in the tail.
    """
    half = 0.5 * max(statistic, 0.0)
    if half == 0.0:
        return 1.0
    odd = freedom % 2
    tail = math.erfc(math.sqrt(half)) if odd else math.exp(-half)
    for lower in range(odd or 2, freedom, 2):
        tail += math.exp(0.5 * lower * math.log(half) - half - math.lgamma(0.5 * lower + 1.0))
    return min(1.0, tail)


def binomial_log_masses(observations: int, share: float) -> Vector:
    """Return the logarithm of the chance of 0, 1, ... breaches: Vector [observations + 1]."""
    factorials = np.concatenate(([0.0], np.cumsum(np.log(np.arange(1, observations + 1)))))
    counts = np.arange(observations + 1)
    masses: Vector = (
        factorials[-1]
        - factorials
        - factorials[::-1]
        + counts * math.log(share)
        + counts[::-1] * math.log1p(-share)
    )
    return masses


def binomial_at_most(breaches: int, observations: int, share: float) -> float:
    """Return the chance of so many breaches or fewer."""
    return float(np.exp(binomial_log_masses(observations, share)[: breaches + 1]).sum())


def binomial_at_least(breaches: int, observations: int, share: float) -> float:
    """Return the chance of so many breaches or more."""
    return float(np.exp(binomial_log_masses(observations, share)[breaches:]).sum())


def normal_tail_both(z: float) -> float:
    """Return the chance that a normal variable lies farther from 0 than z, on either side."""
    return math.erfc(abs(z) / math.sqrt(2.0))


def student_tail_both(t: float, freedom: float) -> float:
    r"""Return the chance that a Student t variable lies farther from 0 than t, on either side.

    .. math:: P(|T| > t) = I_x(\nu / 2, 1 / 2), \quad x = \nu / (\nu + t^2)

    with I the regularised incomplete beta function, by its continued fraction.
    """
    return _incomplete_beta(freedom / (freedom + t * t), 0.5 * freedom, 0.5)


def _incomplete_beta(x: float, a: float, b: float) -> float:
    if x <= 0.0 or x >= 1.0:
        return min(1.0, max(0.0, x))
    if x > (a + 1.0) / (a + b + 2.0):
        return 1.0 - _incomplete_beta(1.0 - x, b, a)
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(front) / a * _beta_fraction(x, a, b)


def _beta_fraction(x: float, a: float, b: float) -> float:
    """Evaluate 1 / (1 + d1 / (1 + d2 / ...)) from the front, by the modified Lentz method.

    Source: NIST Digital Library of Mathematical Functions 8.17.22 and 3.10.
    """
    above, below, value = 1.0, 0.0, 1.0
    for step in range(1, _FRACTION_STEPS):
        m = step // 2
        odd_term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        term = odd_term if step % 2 else m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        below = 1.0 / ((1.0 + term * below) or _TINY)
        above = (1.0 + term / above) or _TINY
        value *= above * below
        if abs(above * below - 1.0) < _FRACTION_ACCURACY:
            break
    return 1.0 / value
