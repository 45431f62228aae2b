"""How likely is a quadratic function of normal variables to fall below a level, and below which rarely?"""

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from plimsoll.types import Matrix, Vector

__all__ = ["NEGATIVE_SLACK", "principal_terms", "quadratic_probability", "quadratic_quantile"]

_Complex: TypeAlias = NDArray[np.complex128]
"""Complex numbers of one axis."""
POINTS = 1 << 14
"""Points of the inversion. For a lone square, the slowest case, the rest is near 1e-5 of probability, save at
the end of what it can be, where its density has no bound."""
WINDOW = 80.0
"""Standard deviations, centred on the level, beyond which nothing is left: the odds of a lone square to go 40
beyond its mean are 4e-14."""
HALVINGS = 60
"""Bisections of the window: the quantile is then exact to the rounding of floats."""
NEGATIVE_SLACK = 1e-10
"""Of the largest eigenvalue: a covariance estimated in floats can miss zero by so much."""


def principal_terms(linear: Vector, square: Matrix, covariance: Matrix) -> tuple[Vector, Vector]:
    r"""Turn a quadratic of normal moves into independent terms.

    .. math:: b^T f + \tfrac12 f^T G f = \sum_j c_j z_j + \lambda_j z_j^2

    With :math:`\Sigma = L L^T` and :math:`\tfrac12 L^T G L = Q \Lambda Q^T`, c is :math:`Q^T L^T b`.

    Parameters
    ----------
    linear : Vector [N]; square : Matrix [N, N]   Money per unit move, and per unit squared; symmetric.
    covariance : Matrix [N, N]                    Of the moves; mean 0, no eigenvalue below 0.

    Returns
    -------
    slope, curvature : Vector [N]   c and lambda, money.
    """
    variances, axes = np.linalg.eigh(covariance)
    root = axes * np.sqrt(np.maximum(variances, 0.0))
    curvature, rotation = np.linalg.eigh(0.5 * root.T @ square @ root)
    return rotation.T @ (root.T @ linear), curvature


def quadratic_probability(level: float, slope: Vector, curvature: Vector) -> float:
    r"""Invert the characteristic function at one level.

    .. math::
        \phi(t) &= \prod_j (1 - 2 i \lambda_j t)^{-1/2}
                   \exp\Big(-\frac{t^2 c_j^2}{2 (1 - 2 i \lambda_j t)}\Big) \\
        P(X < x) &= \frac12 - \sum_{k \ge 0} \frac{\Im\, \phi(t_k) e^{-i t_k x}}{\pi (k + 1/2)},
                   \qquad t_k = (k + \tfrac12) \Delta

    The sum is off by at most the probability beyond :math:`2 \pi / \Delta` from the level, which `WINDOW`
    makes nothing, and by what is cut off after `POINTS`.

    Source: R. B. Davies, "Numerical inversion of a characteristic function", Biometrika 60 (1973).
    """
    spread = math.sqrt(float((slope**2 + 2.0 * curvature**2).sum()))
    if spread == 0.0:
        return 1.0 if level > 0.0 else 0.0
    return _probability(level / spread - float(curvature.sum()) / spread, *_inverse(slope, curvature, spread))


def quadratic_quantile(share: float, slope: Vector, curvature: Vector) -> float:
    r"""Find the level that :math:`X = \sum_j c_j z_j + \lambda_j z_j^2` is below with probability `share`."""
    spread = math.sqrt(float((slope**2 + 2.0 * curvature**2).sum()))
    if spread == 0.0:
        return 0.0
    nodes, weights = _inverse(slope, curvature, spread)
    low, high = -0.5 * WINDOW, 0.5 * WINDOW
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        if _probability(middle, nodes, weights) < share:
            low = middle
        else:
            high = middle
    return float(curvature.sum()) + spread * high


def _inverse(slope: Vector, curvature: Vector, spread: float) -> tuple[Vector, _Complex]:
    """Give nodes, and the characteristic function over them, of the form centred and standardised."""
    half = np.arange(POINTS) + 0.5
    nodes: Vector = np.multiply(2.0 * math.pi / WINDOW, half)
    turned = 1.0 - 2.0j * np.multiply.outer(nodes, curvature / spread)
    exponent = -0.5 * np.log(turned) - 0.5 * np.multiply.outer(nodes**2, (slope / spread) ** 2) / turned
    centred = exponent.sum(axis=1) - 1j * nodes * float(curvature.sum()) / spread
    weights: _Complex = np.exp(centred) / (math.pi * half)
    return nodes, weights


def _probability(level: float, nodes: Vector, weights: _Complex) -> float:
    return 0.5 - float((weights * np.exp(-1j * nodes * level)).imag.sum())
