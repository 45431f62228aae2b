"""What volatility does a surface give at a strike and a time between its expiries?

Between two expiries total variance is linear in time at constant log-moneyness ``k = ln(K / F)``, F being
the forward of the option's own expiry: if no expiry holds less variance than an earlier one, no time between
does. Before the first and after the last expiry volatility stays that of the nearest.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import ArrayLike

from plimsoll.kernels.svi import svi_variance, svi_variance_definition
from plimsoll.types import Array, Matrix, Vector

__all__ = [
    "grid_surface_volatility",
    "svi_surface_volatility",
    "svi_surface_volatility_definition",
]


def svi_surface_volatility_definition(k: float, tau: float, tenors: Vector, parameters: Matrix) -> float:
    r"""Interpolate total variance of one point.

    .. math:: \sigma^2 \tau = w_i(k) + \frac{\tau - \tau_i}{\tau_{i+1} - \tau_i} (w_{i+1}(k) - w_i(k))

    Parameters
    ----------
    k, tau : float           Log-moneyness; years left.
    tenors : Vector [E]      Years to each expiry, increasing.
    parameters : Matrix [E, 5]   a, b, rho, m, sigma of each.
    """
    variances = [svi_variance_definition(k, *row) for row in parameters.tolist()]
    if tau <= tenors[0] or tau >= tenors[-1]:
        nearest = 0 if tau <= tenors[0] else -1
        return math.sqrt(variances[nearest] / tenors[nearest])
    return math.sqrt(float(np.interp(tau, tenors, variances)) / tau)


def svi_surface_volatility(k: ArrayLike, tau: ArrayLike, tenors: Vector, parameters: Matrix) -> Array:
    """`svi_surface_volatility_definition`, compiled; k and tau broadcast."""
    points = np.broadcast_arrays(np.asarray(k, dtype=np.float64), np.asarray(tau, dtype=np.float64))
    out = np.empty(points[0].shape)
    _svi_volatilities(np.ravel(points[0]), np.ravel(points[1]), tenors, parameters, out.ravel())
    return out


def grid_surface_volatility(
    k: ArrayLike, tau: ArrayLike, tenors: Vector, grids: tuple[tuple[Vector, Vector], ...]
) -> Array:
    """Interpolate a plain strike grid: linear in volatility over k, flat beyond the outermost strikes.

    Parameters
    ----------
    k, tau : arrays            Log-moneyness; years left. They broadcast.
    tenors : Vector [E]        Years to each expiry, increasing.
    grids : E pairs of Vector  Log-moneyness, increasing, and volatility of each expiry's strikes.
    """
    points = np.broadcast_arrays(np.asarray(k, dtype=np.float64), np.asarray(tau, dtype=np.float64))
    smiles = np.stack([np.interp(points[0], *grid) for grid in grids])
    years = np.clip(points[1], tenors[0], tenors[-1])
    left = np.clip(np.searchsorted(tenors, years, side="right") - 1, 0, max(len(tenors) - 2, 0))
    right = np.minimum(left + 1, len(tenors) - 1)
    near, far = (
        np.take_along_axis(smiles, side[None], axis=0)[0] ** 2 * tenors[side] for side in (left, right)
    )
    share = np.divide(
        years - tenors[left], tenors[right] - tenors[left], out=np.zeros(years.shape), where=right > left
    )
    volatility: Array = np.sqrt((near + share * (far - near)) / years)
    return volatility


@njit(cache=True, error_model="numpy")
def _svi_volatilities(k: Vector, tau: Vector, tenors: Vector, parameters: Matrix, out: Vector) -> None:
    last = len(tenors) - 1
    for i in range(len(out)):
        years = min(max(tau[i], tenors[0]), tenors[last])
        left = min(max(np.searchsorted(tenors, years, side="right") - 1, 0), max(last - 1, 0))
        right = min(left + 1, last)
        near, far = parameters[left], parameters[right]
        w = svi_variance(k[i], near[0], near[1], near[2], near[3], near[4])
        if right > left:
            after = svi_variance(k[i], far[0], far[1], far[2], far[3], far[4])
            w += (years - tenors[left]) / (tenors[right] - tenors[left]) * (after - w)
        out[i] = math.sqrt(w / years)
