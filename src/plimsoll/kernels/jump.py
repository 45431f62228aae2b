"""How large was the last jump, once part of it has faded?"""

from typing import NamedTuple

import numpy as np
from numba import njit

from plimsoll.types import Matrix, Rows, Vector

__all__ = ["JumpTerms", "extremes", "extremes_definition", "jump_after", "jump_after_definition"]


def extremes_definition(first: Rows, low: Matrix, high: Matrix) -> tuple[Matrix, Matrix]:
    """Take the lowest low and the highest high of the rows from `first` to each row.

    Parameters
    ----------
    first : Rows [T]                Where the stretch that ends at each of the last T rows begins.
    low, high : Matrix [K + T, M]   NaN where a market has no bar.

    Returns
    -------
    lowest, highest : Matrix [T, M]   NaN where a stretch has no bar.
    """
    ahead = len(low) - len(first)
    lowest = np.full((len(first), low.shape[1]), np.nan)
    highest = lowest.copy()
    for t in range(len(first)):
        for m in range(low.shape[1]):
            for s in range(first[t], ahead + t + 1):
                lowest[t, m] = np.fmin(lowest[t, m], low[s, m])
                highest[t, m] = np.fmax(highest[t, m], high[s, m])
    return lowest, highest


class JumpTerms(NamedTuple):
    """What does not change between bars of one length.

    Attributes
    ----------
    hours : float        h, over which moves are measured.
    deviations : float   j, from which on a move is a jump; infinite for never.
    keep : float         k, the share of a jump that a bar leaves.
    """

    hours: float
    deviations: float
    keep: float


def jump_after_definition(
    moves: Matrix,
    volatility: Matrix,
    crossed: Matrix,
    waited: Matrix,
    opened: Matrix,
    terms: JumpTerms,
    jump: Vector,
) -> Vector:
    r"""Let the last jump fade, and a larger one take its place.

    .. math:: J_t = \max(k J_{t-1},\; R_t\, 1[R_t > j \sigma_t \sqrt h],\; D_t\, 1[D_t > j s_t \sqrt{w_t}])

    Parameters
    ----------
    moves : Matrix [T, M]        R, how far prices moved within h hours that end with each bar, as a log.
    volatility : Matrix [T, M]   What was forecast when those hours began, per square root of an hour.
    crossed, waited, opened : Matrix [T, M]   D, how far from the last known price a bar after a gap went, as
        a log; w, the hours since then; s, what was forecast when that bar opened. NaN where there is no gap.
    jump : Vector [M]            J before the first row.

    Returns
    -------
    Vector [M]   J after the last row.
    """
    after = jump.copy()
    for t in range(moves.shape[0]):
        for m in range(moves.shape[1]):
            after[m] *= terms.keep
            if moves[t, m] > terms.deviations * volatility[t, m] * np.sqrt(terms.hours):
                after[m] = max(after[m], moves[t, m])
            if crossed[t, m] > terms.deviations * opened[t, m] * np.sqrt(waited[t, m]):
                after[m] = max(after[m], crossed[t, m])
    return after


extremes = njit(cache=True)(extremes_definition)
"""`extremes_definition`, compiled."""

jump_after = njit(cache=True)(jump_after_definition)
"""`jump_after_definition`, compiled."""
