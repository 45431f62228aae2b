"""What do groups of an account's positions lose together, each group in its own worst end?"""

import numpy as np
from numba import njit

from plimsoll.kernels.book_losses import PositionRows
from plimsoll.types import Matrix, Rows, Vector

__all__ = ["grouped_losses"]


@njit(cache=True, nogil=True)
def grouped_losses(held: PositionRows, group: Rows, loss: Matrix, scale: Vector) -> Vector:
    r"""Add up, account by account, what each group loses in the end that costs it most.

    .. math:: L_a = \sum_g c_g \max\Big(0, \max_j \sum_{p \in a,\, g_{i_p} = g} q_p\, l_{i_p, j}\Big)

    Parameters
    ----------
    held : PositionRows
    group : Rows [I]     Of each instrument; below zero for one that is in none.
    loss : Matrix [I, J] Per unit of each instrument in each end.
    scale : Vector [G]   c.

    Returns
    -------
    Vector [A]
    """
    found = np.zeros(len(held.first))
    sums = np.zeros((len(scale), loss.shape[1]))
    for a in range(len(found)):
        for p in range(held.first[a], held.last[a]):
            i = held.columns[p]
            if group[i] >= 0:
                for j in range(loss.shape[1]):
                    sums[group[i], j] += held.quantity[p] * loss[i, j]
        for p in range(held.first[a], held.last[a]):
            g = group[held.columns[p]]
            if g >= 0:
                worst = 0.0
                for j in range(loss.shape[1]):
                    worst = max(worst, sums[g, j])
                    sums[g, j] = 0.0
                found[a] += scale[g] * worst
    return found
