"""How much exposure may a venue open in each market before its liquidations feed each other?"""

from dataclasses import replace
from enum import Enum

import numpy as np

from plimsoll.clearing.feedback import Held, branching_profile, branching_ratio
from plimsoll.types import Flags, Lots, Rows, Vector

__all__ = ["LARGEST_RATIO", "Exposure", "capped_lots", "shrunk_lots"]

LARGEST_RATIO = 0.5
"""A push from outside is then at most doubled by forced selling."""


class Exposure(Enum):
    """How much of what accounts want and can margin a venue lets in."""

    FREE = "all of it"
    CAPPED = "each market until its branching ratio is low enough"
    SHRUNK = "one share of every position, as much in all as caps would let in"


_ROUNDS = 24
"""Each round brings a market above the cap down in proportion; markets depend on each other only through
accounts that hold several, so a few rounds do."""


def capped_lots(
    held: Held, traded: Flags, columns: Rows, depth: Vector, largest: float = LARGEST_RATIO
) -> tuple[Lots, Vector]:
    """Scale all positions of a market by one share until its branching ratio is at most `largest`.

    An account's collateral stays what it is, so smaller positions are also safer ones, and the ratio falls
    faster than the share. In the last round whatever is still above is scaled by the share that is needed if
    it falls no faster.

    Parameters
    ----------
    traded : Flags [I]   Instruments that are positions; the others are collateral.
    depth : Vector [M]   Quote quanta per 1 % move.

    Returns
    -------
    lots : Lots [A, I]
    shares : Vector [M]   What is left of each market; 1 where nothing is capped.
    """
    shares = np.ones(len(depth))
    lots = held.lots
    for _ in range(_ROUNDS):
        cash = held.cash + np.floor((held.lots - lots) * held.unit).astype(np.int64).sum(axis=1)
        scaled = replace(held, cash=cash, lots=lots)
        ratio = branching_ratio(branching_profile(scaled, columns, depth))
        if (ratio <= largest).all():
            break
        over = np.maximum(ratio / largest, 1.0)
        shares = shares / np.sqrt(over) * np.where(over > 1.0, _STEP, 1.0)
        factor = np.where(traded, shares[columns], 1.0)
        lots = np.trunc(held.lots * factor).astype(np.int64)
    return lots, shares


def shrunk_lots(held: Held, traded: Flags, capped: Lots) -> Lots:
    """Scale every position by one share, so that as much notional is left as in `capped`.

    Blind to where liquidations would feed each other: what caps do beyond letting less in shows beside it.

    Returns
    -------
    Lots [A, I]
    """
    wanted, left = (float((np.abs(lots) @ (held.unit * traded)).sum()) for lots in (held.lots, capped))
    factor = np.where(traded, left / wanted if wanted > 0.0 else 1.0, 1.0)
    return np.trunc(held.lots * factor).astype(np.int64)


_STEP = 0.98
"""A little beyond what the square root asks, so that the last hundredth is not approached for ever."""
