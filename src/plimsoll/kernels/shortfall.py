"""What does a portfolio lose in the worst joint scenarios, with hedges credited?"""

import numpy as np
from numba import njit

from plimsoll.types import Matrix, Rows, Vector

__all__ = [
    "expected_shortfall",
    "expected_shortfall_definition",
    "scenario_moves",
    "worst_rows",
]


def scenario_moves(rows: Matrix, tail: int, rates: Matrix, credit: Matrix) -> Matrix:
    r"""Scale standardised rows so that a lone position pays exactly its calibrated rate.

    For a long position a scenario with :math:`z < 0` is a loss of :math:`r_l |z| / \zeta_l`, where
    :math:`\zeta_l` is the mean of the `tail` largest falls; one with :math:`z > 0` is a gain credited at
    :math:`c_s z / \zeta_s`, the size that the short side's credit gives to a rise. Short positions mirror it.
    Losses grow with rates and gains do not, so the requirement never falls when a rate rises.

    Parameters
    ----------
    rows : Matrix [S, M]      Standardised joint returns.
    tail : int                Rows that the expected shortfall averages over.
    rates, credit : Matrix [M, 2]   Long and short.

    Returns
    -------
    array [2, M, S]   Loss per unit of notional held long (0) and short (1); negative is a gain.
    """
    falls = np.maximum(-rows, 0.0)
    rises = np.maximum(rows, 0.0)
    fall = falls / _tail_mean(falls, tail)
    rise = rises / _tail_mean(rises, tail)
    long = rates[:, 0] * fall - credit[:, 1] * rise
    short = rates[:, 1] * rise - credit[:, 0] * fall
    return np.ascontiguousarray(np.stack([long.T, short.T]))


def expected_shortfall_definition(notional: Vector, moves: Matrix, tail: int) -> float:
    r"""Average the `tail` largest losses of one portfolio.

    .. math:: ES = \frac{1}{k} \sum_{i=1}^{k} L_{(i)}, \quad
              L_s = \sum_m |N_m| \, x_{side(m), m, s}

    with :math:`L_{(i)}` the i-th largest loss. Expected shortfall over fixed scenarios is sub-additive: a
    portfolio never needs more than its parts.

    Parameters
    ----------
    notional : Vector [M]    Signed, any unit of money.
    moves : array [2, M, S]  From `scenario_moves`.
    tail : int               k.
    """
    side = (notional < 0.0).astype(np.intp)
    losses = np.abs(notional) @ moves[side, np.arange(len(notional))]
    return float(np.sort(losses)[-tail:].mean())


@njit(cache=True, nogil=True)
def expected_shortfall(notional: Matrix, moves: Matrix, tail: int) -> Vector:
    """`expected_shortfall_definition` for every account.

    Parameters
    ----------
    notional : Matrix [A, M]

    Returns
    -------
    Vector [A]   Equal to the definition up to the order in which floats are added.
    """
    accounts, markets = notional.shape
    scenarios = moves.shape[2]
    shortfall = np.zeros(accounts)
    for a in range(accounts):
        losses = np.zeros(scenarios)
        for m in range(markets):
            size = notional[a, m]
            if size == 0.0:
                continue
            row = moves[1 if size < 0.0 else 0, m]
            size = abs(size)
            for s in range(scenarios):
                losses[s] += size * row[s]
        shortfall[a] = _mean_of_largest(losses, tail)
    return shortfall


@njit(cache=True, nogil=True)
def _mean_of_largest(losses: Vector, tail: int) -> float:
    """Keep the `tail` largest in ascending order while passing through the losses once."""
    kept = np.full(tail, -np.inf)
    for loss in losses:
        if loss > kept[0]:
            place = 0
            while place + 1 < tail and kept[place + 1] < loss:
                kept[place] = kept[place + 1]
                place += 1
            kept[place] = loss
    total = 0.0
    for loss in kept:
        total += loss
    return total / tail


def worst_rows(notional: Vector, moves: Matrix, tail: int) -> tuple[Rows, Vector]:
    """Name the rows behind one portfolio's expected shortfall, worst first, and its loss in every row.

    Returns
    -------
    worst : Rows [k]
    losses : Vector [S]
    """
    side = (notional < 0.0).astype(np.intp)
    losses = np.abs(notional) @ moves[side, np.arange(len(notional))]
    return np.argsort(losses)[::-1][:tail], losses


def _tail_mean(sizes: Matrix, tail: int) -> Vector:
    mean: Vector = np.sort(sizes, axis=0)[-tail:].mean(axis=0)
    return mean
