r"""What is the worst of a quadratic over a range, and how far do gamma and vega stray within it?

The ranges of gamma and vega are exact, not searched for. With :math:`k = \ln(F / K)` and total deviation s,

.. math:: K \Gamma = \varphi(k/s + s/2)\, e^{-k} / s, \qquad vega = K \varphi(k/s - s/2) \sqrt\tau

The logarithm of the first is a concave parabola in k with its top at :math:`-3 s^2 / 2`, so that over an
interval of k the largest value is at the top or at the end nearest it, the smallest at an end. The second
falls with the distance of :math:`d_2 = k/s - s/2` from 0, and :math:`d_2` grows with k and has, in s, no turn
but a top at :math:`s^2 = -2k`.
"""

import math

import numpy as np
from numba import njit

from plimsoll.types import Matrix, Vector

__all__ = ["gamma_ranges", "vega_ranges", "worst_quadratic", "worst_quadratics"]

_ROOT_TWO_PI = math.sqrt(2.0 * math.pi)


def worst_quadratic(slope: float, curvature: float, low: float, high: float) -> float:
    r"""Find the largest loss of :math:`P(x) = slope\, x + \tfrac12 curvature\, x^2` for x from low to high.

    A parabola is lowest at an end or, where it opens upwards, at :math:`-slope / curvature` if that lies
    between.

    Parameters
    ----------
    slope, curvature : float   Money per unit of x, and per unit squared.
    low, high : float          low <= high.

    Returns
    -------
    float   -min P; negative where P is a gain on the whole range.
    """
    candidates = [low, high]
    if curvature > 0.0 and low < -slope / curvature < high:
        candidates.append(-slope / curvature)
    return max(-(slope * x + 0.5 * curvature * x * x) for x in candidates)


@njit(cache=True, error_model="numpy")
def worst_quadratics(slope: Vector, curvature: Vector, low: Vector, high: Vector) -> Vector:
    """`worst_quadratic` of many parabolas, all Vector [A]."""
    worst = np.empty(len(slope))
    for a in range(len(slope)):
        b, c = slope[a], curvature[a]
        worst[a] = max(
            -(b * low[a] + 0.5 * c * low[a] * low[a]), -(b * high[a] + 0.5 * c * high[a] * high[a])
        )
        if c > 0.0 and low[a] < -b / c < high[a]:
            x = -b / c
            worst[a] = max(worst[a], -(b * x + 0.5 * c * x * x))
    return worst


@njit(cache=True, error_model="numpy")
def gamma_ranges(k: Vector, deviation: Vector, start: Vector, stop: Vector) -> tuple[Matrix, Matrix]:
    r"""Give the least and largest of :math:`F_0^2 \Gamma / F_0` as the forward moves through cells.

    Parameters
    ----------
    k : Vector [I]             ln(F / K) today.
    deviation : Vector [I]     s > 0; it does not move.
    start, stop : Vector [C]   Relative moves at the two ends of each cell, above -1, in either order.

    Returns
    -------
    least, largest : Matrix [I, C]   Gamma times today's forward, dimensionless.
    """
    least, largest = np.empty((len(k), len(start))), np.empty((len(k), len(start)))
    for i in range(len(k)):
        s = deviation[i]
        for c in range(len(start)):
            first, last = math.log1p(start[c]), math.log1p(stop[c])
            low, high = k[i] + min(first, last), k[i] + max(first, last)
            top = min(max(-1.5 * s * s, low), high)
            ends = (_log_gamma(low, s, k[i]), _log_gamma(high, s, k[i]))
            least[i, c] = math.exp(min(ends[0], ends[1]))
            largest[i, c] = math.exp(_log_gamma(top, s, k[i]))
    return least, largest


@njit(cache=True, error_model="numpy")
def _log_gamma(k: float, s: float, today: float) -> float:
    """Return the logarithm of F0 Gamma at ln(F / K) = k, where today it is another."""
    d1 = k / s + 0.5 * s
    return -0.5 * d1 * d1 - (k - today) - math.log(s * _ROOT_TWO_PI)


@njit(cache=True, error_model="numpy")
def vega_ranges(
    k: Vector, shortest: Vector, longest: Vector, start: Vector, stop: Vector
) -> tuple[Matrix, Matrix]:
    r"""Give the least and largest of :math:`vega / (K \sqrt\tau) = \varphi(d_2)` over cells of forward and s.

    Parameters
    ----------
    k : Vector [I]                 ln(F / K) today.
    shortest, longest : Vector [I]   Ends of the deviation, 0 <= shortest <= longest, longest > 0.
    start, stop : Vector [C]       Relative moves at the two ends of each cell, above -1, in either order.
    """
    least, largest = np.empty((len(k), len(start))), np.empty((len(k), len(start)))
    for i in range(len(k)):
        near, far = shortest[i], longest[i]
        for c in range(len(start)):
            first, last = math.log1p(start[c]), math.log1p(stop[c])
            low, high = k[i] + min(first, last), k[i] + max(first, last)
            bottom = min(_d2(low, near), _d2(low, far))
            top = max(_d2(high, near), _d2(high, far))
            if high < 0.0 and near < math.sqrt(-2.0 * high) < far:
                top = max(top, -math.sqrt(-2.0 * high))
            if bottom <= 0.0 <= top:
                largest[i, c] = 1.0 / _ROOT_TWO_PI
            else:
                largest[i, c] = _density(min(abs(bottom), abs(top)))
            least[i, c] = _density(max(abs(bottom), abs(top)))
    return least, largest


@njit(cache=True, error_model="numpy")
def _d2(k: float, s: float) -> float:
    if s == 0.0:
        return 0.0 if k == 0.0 else math.copysign(math.inf, k)
    return k / s - 0.5 * s


@njit(cache=True, error_model="numpy")
def _density(z: float) -> float:
    return math.exp(-0.5 * z * z) / _ROOT_TWO_PI
