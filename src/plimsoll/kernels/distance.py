"""How far can marks that moved have brought each account nearer to a line, at most?"""

import numpy as np
from numba import njit

from plimsoll.types import Lots, Rows, Vector

__all__ = ["adverse_moves", "adverse_moves_definition"]


def adverse_moves_definition(lots: Lots, moved: Rows, cost: Vector) -> Vector:
    r"""Add up what each account's positions lose at worst, whichever side they are on.

    .. math:: s_a = \sum_k |q_{a, m_k}| \, c_k

    Parameters
    ----------
    lots : Lots [A, I]
    moved : Rows [K]     Columns of the instruments whose mark moved.
    cost : Vector [K]    Quote quanta per lot, at least 0.

    Returns
    -------
    Vector [A]   Quote quanta.
    """
    total: Vector = np.abs(lots[:, moved]) @ cost
    return total


@njit(cache=True, nogil=True)
def adverse_moves(lots: Lots, moved: Rows, cost: Vector) -> Vector:
    """`adverse_moves_definition` in one pass, without a matrix of absolute lots."""
    total = np.zeros(len(lots))
    for a in range(len(lots)):
        for k in range(len(moved)):
            total[a] += abs(lots[a, moved[k]]) * cost[k]
    return total
