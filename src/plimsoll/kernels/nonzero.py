"""Which entries of a table of accounts and instruments are there at all?"""

import numpy as np
from numba import njit

from plimsoll.kernels.book_losses import PositionRows
from plimsoll.types import Lots, Matrix

__all__ = ["nonzero_rows"]


@njit(cache=True, nogil=True)
def nonzero_rows(values: Matrix | Lots) -> PositionRows:
    """List what is not zero, account by account, in the order of the instruments.

    Parameters
    ----------
    values : Matrix or Lots [A, I]
    """
    accounts, instruments = values.shape
    first, last = np.empty(accounts, dtype=np.intp), np.empty(accounts, dtype=np.intp)
    count = 0
    for a in range(accounts):
        first[a] = count
        for i in range(instruments):
            count += values[a, i] != 0.0
        last[a] = count
    columns, found = np.empty(count, dtype=np.int32), np.empty(count)
    place = 0
    for a in range(accounts):
        if first[a] == last[a]:
            continue
        for i in range(instruments):
            if values[a, i] != 0.0:
                columns[place], found[place] = i, values[a, i]
                place += 1
    return PositionRows(first, last, columns, found)
