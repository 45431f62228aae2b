"""Which rows of a book hold each instrument, and what do they lose when its mark moves?

Compressed by instrument: the rows that hold instrument i are ``rows[began[i]:began[i + 1]]``, in order.
"""

import numpy as np
from numba import njit

from plimsoll.types import Flags, Lots, Rows, Vector

__all__ = [
    "changed_lots",
    "distinct_holders",
    "holders_by_instrument",
    "spent_by_holders",
]


@njit(cache=True, nogil=True)
def holders_by_instrument(lots: Lots) -> tuple[Rows, Rows, Vector]:
    """Index a book.

    Parameters
    ----------
    lots : Lots [A, I]

    Returns
    -------
    began : Rows [I + 1]
    rows : Rows [P]
    sizes : Vector [P]   Lots held, without their sign.
    """
    accounts, instruments = lots.shape
    began = np.zeros(instruments + 1, dtype=np.intp)
    for a in range(accounts):
        for i in range(instruments):
            if lots[a, i] != 0:
                began[i + 1] += 1
    began = np.cumsum(began)
    place = began[:-1].copy()
    rows, sizes = np.empty(began[-1], dtype=np.intp), np.empty(began[-1])
    for a in range(accounts):
        for i in range(instruments):
            if lots[a, i] != 0:
                rows[place[i]], sizes[place[i]] = a, abs(float(lots[a, i]))
                place[i] += 1
    return began, rows, sizes


@njit(cache=True, nogil=True)
def spent_by_holders(
    left: Vector, began: Rows, rows: Rows, sizes: Vector, moved: Rows, cost: Vector
) -> Vector:
    """Take `kernels.distance.adverse_moves` off what is left, looking only at holders of what moved.

    Parameters
    ----------
    left : Vector [A]
    began, rows, sizes :   From `holders_by_instrument`.
    moved : Rows [K]       Instruments.
    cost : Vector [K]      Per lot.
    """
    less = left.copy()
    for k in range(len(moved)):
        for place in range(began[moved[k]], began[moved[k] + 1]):
            less[rows[place]] -= sizes[place] * cost[k]
    return less


@njit(cache=True, nogil=True)
def distinct_holders(began: Rows, rows: Rows, chosen: Rows, left_out: Flags) -> Rows:
    """List who holds any of some instruments, each row once; those in `left_out`, Flags [A], not at all."""
    seen = left_out.copy()
    found, count = np.empty(len(left_out), dtype=np.intp), 0
    for i in chosen:
        for place in range(began[i], began[i + 1]):
            if not seen[rows[place]]:
                seen[rows[place]] = True
                found[count] = rows[place]
                count += 1
    return found[:count]


@njit(cache=True, nogil=True)
def changed_lots(before: Lots, after: Lots) -> Flags:
    """Say which of the rows of an earlier book hold something else now: Flags [A]."""
    changed = np.zeros(len(before), dtype=np.bool_)
    for a in range(len(before)):
        for i in range(before.shape[1]):
            if before[a, i] != after[a, i]:
                changed[a] = True
                break
    return changed
