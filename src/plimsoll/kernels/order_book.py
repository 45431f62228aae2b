"""What does a book of orders hold near the mid, and what would it cost to walk it?

A side is an array of levels, price and size; a level whose price or size is not a positive number is not
there. Distances and costs are shares of the mid, sizes quote units.
"""

import numpy as np
from numba import njit

from plimsoll.types import Array, Matrix, Vector

__all__ = [
    "CROSSED",
    "ONE_SIDED",
    "SOUND",
    "book_measures",
    "book_measures_definition",
    "walked_costs",
    "walked_costs_definition",
]

SOUND, ONE_SIDED, CROSSED = 0, 1, 2
"""What a book is: sound; without a bid or an ask; or with a bid at or above an ask."""


def book_measures_definition(bids: Array, asks: Array, bands: Vector) -> tuple[Vector, Vector, Array, Vector]:
    r"""Measure each book.

    .. math:: mid = \tfrac{1}{2}(b_1 + a_1), \quad spread = \frac{a_1 - b_1}{mid}, \quad
        depth_k = \sum_{|p - mid| \le k\, mid} p\, q

    Parameters
    ----------
    bids, asks : array [T, L, 2]   Price and size per level, in any order.
    bands : Vector [K]             Distances from the mid.

    Returns
    -------
    mid : Vector [T]       NaN unless the book is sound.
    spread : Vector [T]    NaN unless the book is sound.
    depth : array [T, 2, K]   Bids, asks; 0 where a side is empty, NaN unless the book is sound or one-sided.
        Of a one-sided book distances are taken from its best price.
    quality : Vector [T]   `SOUND`, `ONE_SIDED` (also when both are empty) or `CROSSED`.
    """
    count = bids.shape[0]
    mid, spread = np.full(count, np.nan), np.full(count, np.nan)
    depth, quality = np.zeros((count, 2, len(bands))), np.full(count, float(SOUND))
    for t in range(count):
        bid, ask = -_best(bids[t], -1.0), _best(asks[t], 1.0)
        if bid >= ask:
            quality[t], depth[t] = CROSSED, np.nan
            continue
        centre = 0.5 * (bid + ask)
        if np.isfinite(centre):
            mid[t], spread[t] = centre, (ask - bid) / centre
        else:
            quality[t], centre = ONE_SIDED, bid if np.isfinite(bid) else ask
        for k in range(len(bands)):
            depth[t, 0, k] = _within(bids[t], centre, bands[k])
            depth[t, 1, k] = _within(asks[t], centre, bands[k])
    return mid, spread, depth, quality


@njit(cache=True)
def _there(level: Vector) -> bool:
    """Say whether a level holds anything."""
    return bool(0.0 < level[0] < np.inf and 0.0 < level[1] < np.inf)


@njit(cache=True)
def _best(levels: Matrix, sign: float) -> float:
    """Find the least of the signed prices; infinite where there is none."""
    best = np.inf
    for level in levels:
        if _there(level):
            best = min(best, sign * level[0])
    return best


@njit(cache=True)
def _within(levels: Matrix, centre: float, band: float) -> float:
    """Add up the value of the levels no farther from the centre than the band."""
    total = 0.0
    for level in levels:
        if _there(level) and abs(level[0] - centre) <= band * centre:
            total += level[0] * level[1]
    return total


book_measures = njit(cache=True)(book_measures_definition)
"""`book_measures_definition`, compiled."""


def walked_costs_definition(levels: Array, mid: Vector, sizes: Vector) -> Matrix:
    r"""Walk one side of each book, best price first, until each size is filled.

    .. math:: cost(Q) = \frac{1}{Q} \sum_l \frac{|p_l - mid|}{mid} v_l, \qquad \sum_l v_l = Q,\;
        v_l \le q_l\, mid

    Parameters
    ----------
    levels : array [T, L, 2]   Price and size, best first.
    mid : Vector [T]           NaN for books that are not to be walked.
    sizes : Vector [G]         Quote units at the mid, ascending.

    Returns
    -------
    Matrix [T, G]   Mean cost as a share of the mid; NaN where what is seen of the book does not suffice.
    """
    costs = np.full((levels.shape[0], len(sizes)), np.nan)
    for t in range(levels.shape[0]):
        if np.isnan(mid[t]):
            continue
        taken, paid, g = 0.0, 0.0, 0
        for level in range(levels.shape[1]):
            if not _there(levels[t, level]):
                continue
            held, away = levels[t, level, 1] * mid[t], abs(levels[t, level, 0] - mid[t]) / mid[t]
            while g < len(sizes) and taken + held >= sizes[g]:
                costs[t, g] = (paid + away * (sizes[g] - taken)) / sizes[g]
                g += 1
            taken, paid = taken + held, paid + away * held
    return costs


walked_costs = njit(cache=True)(walked_costs_definition)
"""`walked_costs_definition`, compiled."""
