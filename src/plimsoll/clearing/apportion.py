"""How is a whole amount divided in proportion, exactly?"""

import numpy as np

from plimsoll.domain.money import exact_sum
from plimsoll.types import Lots, Quanta

__all__ = ["apportion", "parts_down"]

_LARGEST = 2**63 - 1
"""Beyond it the products are taken with Python's integers, which do not overflow."""


def apportion(amount: int, weights: Quanta) -> Quanta:
    """Divide `amount` in proportion to `weights` by largest remainder.

    Parameters
    ----------
    amount : int           Not negative.
    weights : Quanta [B]   Not negative.

    Returns
    -------
    Quanta [B]   Sums to `amount` exactly; a zero weight gets nothing. Where `amount` is at most the sum of
                 the weights no share exceeds its weight; at n times that, none exceeds n times its weight.
                 Equal remainders are served in order of the weights' size and then of their place, so that
                 identical weights differ by at most one.
    """
    total = exact_sum(weights)
    if amount == 0 or total == 0:
        return np.zeros(len(weights), dtype=np.int64)
    some = np.flatnonzero(weights)
    if len(some) < len(weights):
        spread = np.zeros(len(weights), dtype=np.int64)
        spread[some] = apportion(amount, weights[some])
        return spread
    fits = max(total, amount * int(weights.max())) <= _LARGEST
    products = amount * weights.astype(np.int64 if fits else object)
    shares: Quanta = (products // total).astype(np.int64)
    remainders = products % total
    ranks = np.unique(remainders, return_inverse=True)[1]
    places = np.arange(len(weights))
    order = np.lexsort((places, -weights, -ranks))
    shares[order[: amount - exact_sum(shares)]] += 1
    return shares


def parts_down(amounts: Quanta, parts: Lots, wholes: Lots) -> Quanta:
    """Take from each amount what belongs to a part of a whole, rounded down; products do not overflow.

    Parameters
    ----------
    amounts : Quanta [B]
    parts, wholes : Lots [B]   Sizes; where the whole is nothing, so is the result.
    """
    shares = [
        int(amount) * int(part) // int(whole) if whole else 0
        for amount, part, whole in zip(amounts, parts, wholes, strict=True)
    ]
    return np.array(shares, dtype=np.int64)
