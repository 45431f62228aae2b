"""How much variance did the last returns realise, with and without their jumps?"""

import numpy as np
from numba import njit

from plimsoll.types import Vector

__all__ = ["realised_path", "realised_path_definition"]


def realised_path_definition(returns: Vector, window: int, *, jumps: bool) -> Vector:
    r"""Average over a flat window, of squares or of products of neighbours.

    .. math:: RV_t = \frac1n \sum_{i<n} r_{t-i}^2, \qquad
              BV_t = \frac{\pi}{2} \frac1{m} \sum_{i<n-1} |r_{t-i}|\,|r_{t-i-1}|

    Parameters
    ----------
    returns : Vector [window - 1 + T]   The returns before the first row, then T; NaN is left out, with the
                                        products it takes part in.
    jumps : bool                        Whether a single jump counts (RV) or not (BV).

    Returns
    -------
    Vector [T]   Squared log return per bar; NaN where less than half of the window is known.

    Source: Barndorff-Nielsen and Shephard (2004), Power and bipower variation with stochastic volatility and
    jumps.
    """
    path = np.full(len(returns) - window + 1, np.nan)
    for t in range(len(path)):
        last = returns[t : t + window]
        terms = last**2 if jumps else 0.5 * np.pi * np.abs(last[1:]) * np.abs(last[:-1])
        known = terms[~np.isnan(terms)]
        if 2 * len(known) >= len(terms):
            path[t] = np.sum(known) / len(known)
    return path


@njit(cache=True)
def realised_path(returns: Vector, window: int, jumps: bool) -> Vector:  # noqa: FBT001  (numba takes no keyword)
    """`realised_path_definition`, compiled."""
    path = np.full(len(returns) - window + 1, np.nan)
    for t in range(len(path)):
        total, known, terms = 0.0, 0, 0
        for i in range(t if jumps else t + 1, t + window):
            term = returns[i] ** 2 if jumps else 0.5 * np.pi * abs(returns[i]) * abs(returns[i - 1])
            terms += 1
            if not np.isnan(term):
                total += term
                known += 1
        if 2 * known >= terms:
            path[t] = total / known
    return path
