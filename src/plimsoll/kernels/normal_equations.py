"""How is a regression learnt one outcome at a time, and forgotten slowly?"""

import numpy as np
from numba import njit

from plimsoll.types import Matrix, Vector

__all__ = ["learn_outcome", "solve_normal"]


@njit(cache=True)
def learn_outcome(matrix: Matrix, right: Vector, row: Vector, outcome: float, keep: float) -> None:
    r"""Add one outcome to the normal equations, in place.

    .. math:: A \leftarrow \lambda A + x x^\top, \quad b \leftarrow \lambda b + x y

    Parameters
    ----------
    matrix : Matrix [P, P]   A; only the lower half is kept.
    right, row : Vector [P]  b and x.
    keep : float             Weight that older outcomes keep, in (0, 1].
    """
    for i in range(len(right)):
        right[i] = keep * right[i] + row[i] * outcome
        for j in range(i + 1):
            matrix[i, j] = keep * matrix[i, j] + row[i] * row[j]


@njit(cache=True)
def solve_normal(matrix: Matrix, right: Vector, ridge: float) -> Vector:
    """Solve a symmetric positive system by Cholesky's factors; only the lower half is read.

    Returns
    -------
    Vector [P]   x of (matrix + ridge I) x = right.
    """
    size = len(right)
    factor = np.zeros((size, size))
    solution = np.zeros(size)
    for i in range(size):
        for j in range(i + 1):
            total = matrix[i, j] + (ridge if i == j else 0.0)
            for k in range(j):
                total -= factor[i, k] * factor[j, k]
            factor[i, j] = np.sqrt(total) if i == j else total / factor[j, j]
        total = right[i]
        for k in range(i):
            total -= factor[i, k] * solution[k]
        solution[i] = total / factor[i, i]
    for i in range(size - 1, -1, -1):
        total = solution[i]
        for k in range(i + 1, size):
            total -= factor[k, i] * solution[k]
        solution[i] = total / factor[i, i]
    return solution
