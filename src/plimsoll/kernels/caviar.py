"""How does a quantile follow its own past and the last loss, without a variance in between?"""

from typing import Literal

import numpy as np
from numba import njit

from plimsoll.types import Vector

__all__ = ["CAVIAR_KINDS", "CaviarKind", "caviar_path", "caviar_path_definition"]

CaviarKind = Literal["symmetric", "asymmetric", "indirect-garch", "adaptive"]

CAVIAR_KINDS: tuple[CaviarKind, ...] = ("symmetric", "asymmetric", "indirect-garch", "adaptive")
"""In the order of the numbers that the compiled recursion knows them by."""

_STEEPNESS = 50.0
"""Of the smooth step of the adaptive kind, in units of one over the first quantile. A gentler one counts near
misses as breaches: at 10 a 95 % quantile was breached by 3 %."""


def caviar_path_definition(losses: Vector, kind: int, weights: Vector, share: float, first: float) -> Vector:
    r"""Carry the quantile through T losses.

    .. math::
        \text{symmetric} \quad & q_{t+1} = b_0 + b_1 q_t + b_2 |y_t| \\
        \text{asymmetric} \quad & q_{t+1} = b_0 + b_1 q_t + b_2 y_t^+ + b_3 y_t^- \\
        \text{indirect GARCH} \quad & q_{t+1} = \sqrt{b_0 + b_1 q_t^2 + b_2 y_t^2} \\
        \text{adaptive} \quad & q_{t+1} = q_t + b_0 \left[ (1 + e^{-g (y_t - q_t)})^{-1} - p \right]

    Parameters
    ----------
    losses : Vector [T]    Positive where money is lost; NaN leaves the quantile as it was.
    kind : int             Place in `CAVIAR_KINDS`.
    weights : Vector [4]   b; unused places are not read.
    share : float          p, the promised share of breaches.
    first : float          Quantile before the first loss, above zero.

    Returns
    -------
    Vector [T]   After each loss, of the next; never below zero.

    Source: Engle and Manganelli (2004), CAViaR: conditional autoregressive value at risk by regression
    quantiles.
    """
    path = np.empty(len(losses))
    steepness = _STEEPNESS / first
    quantile = first
    for t in range(len(losses)):
        loss = losses[t]
        if not np.isnan(loss):
            if kind == 0:
                quantile = weights[0] + weights[1] * quantile + weights[2] * abs(loss)
            elif kind == 1:
                rising, falling = max(loss, 0.0), max(-loss, 0.0)
                quantile = weights[0] + weights[1] * quantile + weights[2] * rising + weights[3] * falling
            elif kind == 2:
                quantile = np.sqrt(max(weights[0] + weights[1] * quantile**2 + weights[2] * loss**2, 0.0))
            else:
                far = min(max(steepness * (loss - quantile), -500.0), 500.0)
                quantile = quantile + weights[0] * (1.0 / (1.0 + np.exp(-far)) - share)
            quantile = max(quantile, 0.0)
        path[t] = quantile
    return path


caviar_path = njit(cache=True)(caviar_path_definition)
"""`caviar_path_definition`, compiled."""
