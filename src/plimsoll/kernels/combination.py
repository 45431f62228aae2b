"""How much is each expert's forecast trusted, bar by bar?"""

import numpy as np
from numba import njit

from plimsoll.types import Matrix, Vector

__all__ = ["combine_path", "combine_path_definition"]


def combine_path_definition(
    path: Matrix, ahead: Matrix, squares: Vector, eta: float, keep: float, regret: Vector, before: Vector
) -> tuple[Matrix, Vector, Vector]:
    r"""Average experts with weights that fall exponentially with their discounted QLIKE.

    .. math:: L_i \leftarrow \lambda L_i + \ln v_i + r^2 / v_i, \quad w_i \propto e^{-\eta L_i}, \quad
              v = \sum_i w_i v_i

    The loss of a bar is counted when it has closed, against what each expert had said before it. An expert
    that says nothing (NaN) has no weight, and is charged the worst loss of the others.

    Parameters
    ----------
    path, ahead : Matrix [T, N]   Forecasts of the next bar and of the horizon, per expert.
    squares : Vector [T]          Squared returns; NaN counts for nothing.
    eta, keep : float             Learning rate, and weight that a loss keeps per bar.
    regret, before : Vector [N]   L, and the last forecasts; state before the first row.

    Returns
    -------
    combined : Matrix [T, 2]
    regret, before : Vector [N]   State after the last row.

    Source: Vovk (1990), Aggregating strategies; Patton (2011) for the loss.
    """
    regret, before = regret.copy(), before.copy()
    combined = np.full((len(path), 2), np.nan)
    for t in range(len(path)):
        judged = ~np.isnan(before)
        if not np.isnan(squares[t]) and judged.any():
            losses = np.full(len(before), -np.inf)
            losses[judged] = np.log(before[judged]) + squares[t] / before[judged]
            losses[~judged] = losses.max()
            regret = keep * regret + losses
        before = path[t].copy()
        known = ~np.isnan(before) & (before > 0.0)
        before[~known] = np.nan
        if known.any():
            weights = np.exp(-eta * np.where(known, regret - regret[known].min(), np.inf))
            weights /= weights.sum()
            combined[t, 0] = (weights[known] * before[known]).sum()
            combined[t, 1] = (weights[known] * ahead[t][known]).sum()
    return combined, regret, before


combine_path = njit(cache=True)(combine_path_definition)
"""`combine_path_definition`, compiled."""
