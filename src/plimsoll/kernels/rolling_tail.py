"""Which excursion did only a given share of the last windows exceed, at every moment?"""

import numpy as np
from numba import njit

from plimsoll.kernels.order import RANK_SLACK
from plimsoll.types import Rows, Vector

__all__ = ["rolling_tail", "rolling_tail_definition"]


def rolling_tail_definition(
    excursions: Vector, known: Rows, window: int, least: int, level: float
) -> tuple[Vector, Vector]:
    """Take the conformal quantile, and the mean from it on, of the last `window` excursions that are known.

    Parameters
    ----------
    excursions : Vector [W]   In the order in which they became known; NaN is skipped.
    known : Rows [T]          How many of them are known at each moment; never falls.
    window, least : int       Excursions that count, and without which there is no answer.
    level : float             As in `kernels.order.upper_quantile`.

    Returns
    -------
    quantile, mean : Vector [T]   NaN below `least`.
    """
    quantile, mean = np.full(len(known), np.nan), np.full(len(known), np.nan)
    for t, count in enumerate(known):
        seen = excursions[:count]
        last = np.sort(seen[~np.isnan(seen)][-window:])
        if len(last) >= least:
            rank = max(1, int((len(last) + 1) * (1.0 - level) + RANK_SLACK))
            quantile[t] = last[len(last) - rank]
            mean[t] = np.mean(last[len(last) - rank :])
    return quantile, mean


@njit(cache=True)
def _place(ordered: Vector, count: int, value: float) -> int:
    return int(np.searchsorted(ordered[:count], value))


@njit(cache=True)
def rolling_tail(
    excursions: Vector, known: Rows, window: int, least: int, level: float
) -> tuple[Vector, Vector]:
    """`rolling_tail_definition` on a sorted list that each excursion enters and leaves once."""
    quantile, mean = np.full(len(known), np.nan), np.full(len(known), np.nan)
    ring, ordered = np.empty(window), np.empty(window)
    count, place, taken = 0, 0, 0
    for t in range(len(known)):
        while taken < known[t]:
            value = excursions[taken]
            taken += 1
            if np.isnan(value):
                continue
            if count == window:
                at = _place(ordered, count, ring[place])
                ordered[at : count - 1] = ordered[at + 1 : count].copy()
                count -= 1
            ring[place] = value
            place = (place + 1) % window
            at = _place(ordered, count, value)
            ordered[at + 1 : count + 1] = ordered[at:count].copy()
            ordered[at] = value
            count += 1
        if count >= least:
            rank = max(1, int((count + 1) * (1.0 - level) + RANK_SLACK))
            quantile[t] = ordered[count - rank]
            mean[t] = np.mean(ordered[count - rank : count])
    return quantile, mean
