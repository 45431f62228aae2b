"""Which SVI smile near a start fits best, and at what price for arbitrage?

Damped least squares over all five parameters. At price 0 it polishes a fit; where a fit breaks a condition,
the violations are added to the misfit at a price that the caller raises until they are gone.
"""

import math

import numpy as np
from numba import njit

from plimsoll.kernels.elimination import solve_in_place
from plimsoll.kernels.svi import PARAMETERS, butterfly, svi_variance
from plimsoll.types import Matrix, Vector

__all__ = ["least_butterfly", "refined_svi", "violations"]

ROUNDS = 60
MARGIN = 1e-3
"""The search aims this far inside the conditions, so that its result satisfies them."""
FIRST_DAMPING = 1e-3
LARGEST_DAMPING = 1e12
DIFFERENCE = 1e-7
"""Step of the numerical slopes: the root of the rounding error, for numbers of order one."""
ENOUGH = 1e-9
"""Relative gain at which the search ends."""
TINY = 1e-30
"""Keeps the system regular where a parameter has no effect."""


@njit(cache=True, error_model="numpy")
def least_butterfly(k: Vector, parameters: Vector) -> tuple[float, float]:
    """Return the smallest butterfly factor on the points, and where it lies."""
    least, place = math.inf, math.nan
    a, b, rho, m, sigma = parameters
    for point in k:
        g = butterfly(point, a, b, rho, m, sigma)
        if g < least:
            least, place = g, point
    return least, place


@njit(cache=True, error_model="numpy")
def violations(k: Vector, ceiling: Vector, parameters: Vector, margin: float, out: Vector) -> None:
    r"""Write how far a smile breaks each condition, 0 where it keeps it with the margin.

    .. math:: \frac{(\epsilon - g_j)_+}{\sqrt G}, \quad
              \frac{((1 + \epsilon) w_j / u_j - 1)_+}{\sqrt G}, \quad (b (1 + |\rho|) - 2 (1 - \epsilon))_+

    Parameters
    ----------
    k, ceiling : Vector [G]   Points, and total variance u of the expiry after (infinite where there is none).
    out : Vector [2 G + 1]    Butterfly and calendar at each point in turn, then the wings.
    """
    a, b, rho, m, sigma = parameters
    share = 1.0 / math.sqrt(len(k))
    for j in range(len(k)):
        g = max(butterfly(k[j], a, b, rho, m, sigma), -1e3)
        out[2 * j] = share * max(margin - g, 0.0)
        w = svi_variance(k[j], a, b, rho, m, sigma)
        out[2 * j + 1] = share * max((1.0 + margin) * w / ceiling[j] - 1.0, 0.0)
    out[2 * len(k)] = max(b * (1.0 + abs(rho)) - 2.0 * (1.0 - margin), 0.0)


@njit(cache=True, error_model="numpy")
def _from_free(free: Vector) -> Vector:
    """Map five free numbers to a smile with variance above 0: ln w_min, ln b, artanh rho, m, ln sigma."""
    b, rho, sigma = math.exp(free[1]), math.tanh(free[2]), math.exp(free[4])
    a = math.exp(free[0]) - b * sigma * math.sqrt(1.0 - rho * rho)
    return np.array([a, b, rho, free[3], sigma])


@njit(cache=True, error_model="numpy")
def _to_free(parameters: Vector) -> Vector:
    a, b, rho, m, sigma = parameters
    rho = min(max(rho, -0.999), 0.999)
    least = a + b * sigma * math.sqrt(1.0 - rho * rho)
    return np.array([math.log(max(least, 1e-8)), math.log(max(b, 1e-8)), math.atanh(rho), m, math.log(sigma)])


@njit(cache=True, error_model="numpy")
def _residuals(
    free: Vector,
    k: Vector,
    w: Vector,
    weight: Vector,
    points: Vector,
    ceiling: Vector,
    price: float,
    out: Vector,
) -> float:
    """Write what the search squares: misfits, then violations; return the sum of their squares."""
    parameters = _from_free(free)
    a, b, rho, m, sigma = parameters
    share = 1.0 / math.sqrt(len(k))
    for i in range(len(k)):
        out[i] = share * weight[i] * (svi_variance(k[i], a, b, rho, m, sigma) - w[i])
    violations(points, ceiling, parameters, MARGIN, out[len(k) :])
    total, root = 0.0, math.sqrt(price)
    for i in range(len(out)):
        out[i] *= root if i >= len(k) else 1.0
        total += out[i] * out[i]
    return total


@njit(cache=True, error_model="numpy")
def refined_svi(
    start: Vector, k: Vector, w: Vector, weight: Vector, points: Vector, ceiling: Vector, price: float
) -> Vector:
    """Minimise mean squared weighted misfit plus `price` times squared violations, from a start.

    Parameters
    ----------
    start : Vector [5]          a, b, rho, m, sigma.
    k, w, weight : Vector [N]   Quotes, as for `closest_svi`.
    points, ceiling : Vector [G]   Where the conditions are tested, and variance of the expiry after.

    Source: D. Marquardt, "An algorithm for least-squares estimation of nonlinear parameters", SIAM 11 (1963).
    """
    size = len(k) + 2 * len(points) + 1
    now, trial, jacobian = np.empty(size), np.empty(size), np.empty((PARAMETERS, size))
    free, damping = _to_free(start), FIRST_DAMPING
    cost = _residuals(free, k, w, weight, points, ceiling, price, now)
    for _ in range(ROUNDS):
        for i in range(PARAMETERS):
            moved = free.copy()
            moved[i] += DIFFERENCE
            _residuals(moved, k, w, weight, points, ceiling, price, jacobian[i])
            for r in range(size):
                jacobian[i, r] = (jacobian[i, r] - now[r]) / DIFFERENCE
        candidate, found = free, math.inf
        while not found < cost and damping < LARGEST_DAMPING:
            candidate = free + _damped_step(jacobian, now, damping)
            found = _residuals(candidate, k, w, weight, points, ceiling, price, trial)
            damping *= 4.0
        if not found < cost * (1.0 - ENOUGH):
            break
        free, cost, damping = candidate, found, damping / 32.0
        now[:] = trial
    return _from_free(free)


@njit(cache=True, error_model="numpy")
def _dot(left: Vector, right: Vector) -> float:
    """Sum the products; numba's own needs SciPy."""
    total = 0.0
    for i in range(len(left)):
        total += left[i] * right[i]
    return total


@njit(cache=True, error_model="numpy")
def _damped_step(jacobian: Matrix, residuals: Vector, damping: float) -> Vector:
    system, right = np.empty((PARAMETERS, PARAMETERS)), np.empty(PARAMETERS)
    for i in range(PARAMETERS):
        right[i] = -_dot(jacobian[i], residuals)
        for j in range(PARAMETERS):
            system[i, j] = _dot(jacobian[i], jacobian[j])
        system[i, i] = (1.0 + damping) * system[i, i] + TINY
    solve_in_place(system, right, PARAMETERS)
    return right
