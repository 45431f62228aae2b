"""What solves a small dense system inside a kernel?

Numba's own solver needs SciPy, which the project does without.
"""

from numba import njit

from plimsoll.types import Matrix, Vector

__all__ = ["solve_in_place"]


@njit(cache=True, error_model="numpy")
def _exchange_rows(system: Matrix, right: Vector, column: int, size: int) -> None:
    """Bring the largest entry of a column, at or below the diagonal, onto the diagonal."""
    pivot = column
    for row in range(column + 1, size):
        if abs(system[row, column]) > abs(system[pivot, column]):
            pivot = row
    for j in range(size):
        system[column, j], system[pivot, j] = system[pivot, j], system[column, j]
    right[column], right[pivot] = right[pivot], right[column]


@njit(cache=True, error_model="numpy")
def solve_in_place(system: Matrix, right: Vector, size: int) -> None:
    """Solve in place by elimination; a singular system leaves no finite number, which no limit accepts."""
    for column in range(size):
        _exchange_rows(system, right, column, size)
        for row in range(size):
            if row != column:
                factor = system[row, column] / system[column, column]
                for j in range(column, size):
                    system[row, j] -= factor * system[column, j]
                right[row] -= factor * right[column]
    for row in range(size):
        right[row] /= system[row, row]
