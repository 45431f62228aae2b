"""How is a whole amount divided in proportion, exactly?"""

import numpy as np

from plimsoll.types import Quanta

__all__ = ["apportion"]

_LARGEST = 2**63 - 1
"""Beyond it the products are taken with Python's integers, which do not overflow."""


def apportion(amount: int, weights: Quanta) -> Quanta:
    """Divide `amount` in proportion to `weights` by largest remainder.

    Parameters
    ----------
    amount : int           Not negative and not above the sum of the weights.
    weights : Quanta [B]   Not negative.

    Returns
    -------
    Quanta [B]   Sums to `amount` exactly; no share exceeds its weight; a zero weight gets nothing. Equal
    remainders
                 are served in order of the weights' size and then of their place, so that identical weights
                 differ by at most one.
    """
    total = sum(map(int, weights))
    if amount == 0 or total == 0:
        return np.zeros(len(weights), dtype=np.int64)
    fits = max(total, amount * int(weights.max())) <= _LARGEST
    products = amount * weights.astype(np.int64 if fits else object)
    shares: Quanta = (products // total).astype(np.int64)
    remainders = products % total
    ranks = np.unique(remainders, return_inverse=True)[1]
    places = np.arange(len(weights))
    order = np.lexsort((places, -weights, -ranks))
    shares[order[: amount - sum(map(int, shares))]] += 1
    return shares
