r"""Which SVI smile lies closest to the quotes of one expiry, before arbitrage is considered?

With :math:`y = (k - m) / \sigma` an SVI smile is linear in three of its parameters,
:math:`w = a + d\,y + c \sqrt{y^2 + 1}`, where :math:`c = b \sigma` and :math:`d = \rho b \sigma`. So the best
a, d and c for a given m and sigma are a small quadratic programme, and only m and sigma are searched for.

Source: S. De Marco and C. Martini, "Quasi-explicit calibration of Gatheral's SVI model", Zeliade (2009).
"""

import math

import numpy as np
from numba import njit

from plimsoll.kernels.elimination import solve_in_place
from plimsoll.kernels.svi import PARAMETERS
from plimsoll.types import Matrix, Vector

__all__ = ["best_linear", "best_linear_definition", "closest_svi"]

UNKNOWNS = 3
LIMITS = 5
FIRST_GRID = 21
"""Values of m, and of ln sigma, that the search starts from."""
ZOOM_GRID = 5
ZOOMS = 30
ZOOM = 0.6
"""Each round looks around the best point on a grid this much narrower: 30 rounds divide the step by 4e6."""
WIDEST_SIGMA = 4.0
"""Sigma is sought up to this many times the width of the quoted strikes; a smile is then a parabola."""
NARROWEST_SIGMA = 0.005
RIDGE = 1e-13
"""Share of the largest diagonal added to it, so that collinear columns (a large sigma) can be solved."""
SLACK = 1e-12
"""Rounding allowed when a candidate is tested against the limits."""


def best_linear_definition(k: Vector, w: Vector, weight: Vector, m: float, sigma: float) -> Vector:
    r"""Minimise the weighted squares over a, d, c by trying every set of active limits.

    .. math:: \min \sum_i \bigl( \omega_i (a + d y_i + c \sqrt{y_i^2 + 1} - w_i) \bigr)^2
              \quad \text{with} \quad a + c \ge 0, \; |d| \le c, \; c + |d| \le 2 \sigma

    The limits say: variance at m is not negative, the smile is convex, no wing rises faster than 2 (Lee). Of
    all points that are stationary on some face of the limits, the feasible one with the least objective is
    the solution.

    Returns
    -------
    Vector [4]   Objective, a, d, c.
    """
    y = (k - m) / sigma
    columns = weight[:, None] * np.column_stack([np.ones_like(y), y, np.sqrt(y * y + 1.0)])
    goal = weight * w
    sides, bounds = _limits(sigma)
    best = np.array([np.inf, 0.0, 0.0, 0.0])
    for chosen in range(1 << LIMITS):
        active = np.array([i for i in range(LIMITS) if chosen >> i & 1], dtype=np.intp)
        if len(active) > UNKNOWNS or np.linalg.matrix_rank(sides[active]) < len(active):
            continue
        size = UNKNOWNS + len(active)
        system, right = np.zeros((size, size)), np.zeros(size)
        system[:UNKNOWNS, :UNKNOWNS] = columns.T @ columns
        system[:UNKNOWNS, UNKNOWNS:], system[UNKNOWNS:, :UNKNOWNS] = sides[active].T, sides[active]
        right[:UNKNOWNS], right[UNKNOWNS:] = columns.T @ goal, bounds[active]
        point = np.linalg.lstsq(system, right)[0][:UNKNOWNS]
        value = float(np.sum((columns @ point - goal) ** 2))
        if (sides @ point <= bounds + SLACK).all() and value < best[0]:
            best = np.array([value, *point])
    return best


@njit(cache=True, error_model="numpy")
def _limits(sigma: float) -> tuple[Matrix, Vector]:
    """Return the limits on (a, d, c) as rows that must not exceed their bounds."""
    sides = np.array(
        [[-1.0, 0.0, -1.0], [0.0, 1.0, -1.0], [0.0, -1.0, -1.0], [0.0, 1.0, 1.0], [0.0, -1.0, 1.0]]
    )
    return sides, np.array([0.0, 0.0, 0.0, 2.0 * sigma, 2.0 * sigma])


@njit(cache=True, error_model="numpy")
def _normal_equations(
    k: Vector, w: Vector, weight: Vector, m: float, sigma: float
) -> tuple[Matrix, Vector, float]:
    squares, right, total = np.zeros((UNKNOWNS, UNKNOWNS)), np.zeros(UNKNOWNS), 0.0
    column = np.ones(UNKNOWNS)
    for i in range(len(k)):
        y = (k[i] - m) / sigma
        column[1], column[2] = y, math.sqrt(y * y + 1.0)
        square = weight[i] * weight[i]
        for r in range(UNKNOWNS):
            right[r] += square * column[r] * w[i]
            for c in range(UNKNOWNS):
                squares[r, c] += square * column[r] * column[c]
        total += square * w[i] * w[i]
    ridge = RIDGE * max(squares[0, 0], squares[1, 1], squares[2, 2])
    for r in range(UNKNOWNS):
        squares[r, r] += ridge
    return squares, right, total


@njit(cache=True, error_model="numpy")
def best_linear(k: Vector, w: Vector, weight: Vector, m: float, sigma: float) -> Vector:
    """`best_linear_definition`, compiled, through the normal equations."""
    squares, goal, total = _normal_equations(k, w, weight, m, sigma)
    sides, bounds = _limits(sigma)
    best = np.array([np.inf, 0.0, 0.0, 0.0])
    system, right = np.empty((2 * UNKNOWNS, 2 * UNKNOWNS)), np.empty(2 * UNKNOWNS)
    for chosen in range(1 << LIMITS):
        size = _stationary(squares, goal, sides, bounds, chosen, system, right)
        if size == 0:
            continue
        solve_in_place(system, right, size)
        value = total
        for r in range(UNKNOWNS):
            value -= 2.0 * goal[r] * right[r]
            for c in range(UNKNOWNS):
                value += squares[r, c] * right[r] * right[c]
        if value < best[0] and _is_feasible(sides, bounds, right):
            best[0], best[1], best[2], best[3] = value, right[0], right[1], right[2]
    return best


@njit(cache=True, error_model="numpy")
def _stationary(
    squares: Matrix, goal: Vector, sides: Matrix, bounds: Vector, chosen: int, system: Matrix, right: Vector
) -> int:
    """Write the conditions for a minimum with the chosen limits active; 0 where these are too many."""
    size = UNKNOWNS
    for r in range(UNKNOWNS):
        right[r] = goal[r]
        for c in range(UNKNOWNS):
            system[r, c] = squares[r, c]
            system[UNKNOWNS + r, UNKNOWNS + c] = 0.0
    for i in range(LIMITS):
        if chosen >> i & 1:
            if size == 2 * UNKNOWNS:
                return 0
            for c in range(UNKNOWNS):
                system[size, c] = sides[i, c]
                system[c, size] = sides[i, c]
            right[size] = bounds[i]
            size += 1
    return size


@njit(cache=True, error_model="numpy")
def _is_feasible(sides: Matrix, bounds: Vector, point: Vector) -> bool:
    for i in range(LIMITS):
        reached = sides[i, 0] * point[0] + sides[i, 1] * point[1] + sides[i, 2] * point[2]
        if not reached <= bounds[i] + SLACK:
            return False
    return True


@njit(cache=True, error_model="numpy")
def closest_svi(k: Vector, w: Vector, weight: Vector) -> Vector:
    """Search m and sigma on a grid that narrows around its best point.

    Parameters
    ----------
    k, w : Vector [N]      Log-moneyness, increasing, and quoted total variance.
    weight : Vector [N]    What a residual of total variance is multiplied by before it is squared.

    Returns
    -------
    Vector [5]   a, b, rho, m, sigma. Deterministic; a narrow minimum between grid points can be missed.
    """
    width = k[-1] - k[0]
    half = np.array([0.75 * width, 0.5 * math.log(WIDEST_SIGMA / NARROWEST_SIGMA)])
    centre = np.array([0.5 * (k[0] + k[-1]), math.log(NARROWEST_SIGMA * width) + half[1]])
    best = np.array([np.inf, 0.0, 0.0, 0.0])
    place = centre.copy()
    for zoom in range(ZOOMS + 1):
        points = FIRST_GRID if zoom == 0 else ZOOM_GRID
        for i in range(points * points):
            m = centre[0] + half[0] * (2.0 * (i // points) / (points - 1) - 1.0)
            log_sigma = centre[1] + half[1] * (2.0 * (i % points) / (points - 1) - 1.0)
            found = best_linear(k, w, weight, m, math.exp(log_sigma))
            if found[0] < best[0]:
                best[:] = found
                place[0], place[1] = m, log_sigma
        centre[:] = place
        half *= 4.0 / FIRST_GRID if zoom == 0 else ZOOM
    return _raw(best, place[0], math.exp(place[1]))


@njit(cache=True, error_model="numpy")
def _raw(linear: Vector, m: float, sigma: float) -> Vector:
    """Turn a, d, c into a, b, rho; a flat smile has rho 0."""
    parameters = np.empty(PARAMETERS)
    parameters[0] = linear[1]
    parameters[1] = max(linear[3], 0.0) / sigma
    rho = linear[2] / linear[3] if linear[3] > 0.0 else 0.0
    parameters[2] = min(max(rho, -1.0), 1.0)
    parameters[3], parameters[4] = m, sigma
    return parameters
