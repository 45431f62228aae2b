"""Who holds what moved, found without looking at everybody?"""

from dataclasses import dataclass, replace

import numpy as np

from plimsoll.kernels.distance import adverse_moves
from plimsoll.kernels.holders import holders_by_instrument, spent_by_holders
from plimsoll.types import Lots, Rows, Vector

__all__ = ["Holders", "after_trades", "holders_of", "less_what_moved"]

LARGE_BOOK = 20_000
"""Accounts from which on an index is worth what making it costs; a smaller book is looked through whole."""

_MOST_TRADED = 1_024
"""Accounts that traded since an index was made; beyond it the index is made anew."""


@dataclass(frozen=True, slots=True)
class Holders:
    """An index of a book's positions by instrument; it follows from the book and is in no snapshot.

    Attributes
    ----------
    lots : Lots [A, I]     Of the book that it is about.
    began, rows, sizes :   `kernels.holders`, of the book when the index was made.
    traded : Rows [B]      Accounts that traded since, in order: the index no longer tells what they hold.
    """

    lots: Lots
    began: Rows
    rows: Rows
    sizes: Vector
    traded: Rows

    def of(self, instruments: Rows) -> list[Rows]:
        """List the rows that held each of some instruments when the index was made."""
        return [self.rows[self.began[i] : self.began[i + 1]] for i in instruments]


def holders_of(lots: Lots) -> Holders:
    """Index a whole book."""
    return Holders(lots, *holders_by_instrument(lots), np.zeros(0, dtype=np.intp))


def after_trades(holders: Holders, lots: Lots, rows: Rows) -> Holders | None:
    """Go on with an index after some rows traded; None where so many did that it should be made anew."""
    traded = np.union1d(holders.traded, rows)
    return replace(holders, lots=lots, traded=traded) if len(traded) <= _MOST_TRADED else None


def less_what_moved(left: Vector, lots: Lots, holders: Holders | None, moved: Rows, cost: Vector) -> Vector:
    """Take what some instruments cost off their holders, by the index where there is one.

    Where an account traded since the index was made, what it held then is taken off as well: `left` is then
    below what it could be, which is on the safe side.
    """
    if holders is None:
        return left - adverse_moves(lots, moved, cost)
    less = spent_by_holders(left, holders.began, holders.rows, holders.sizes, moved, cost)
    if len(holders.traded) > 0:
        less[holders.traded] -= adverse_moves(lots[holders.traded], moved, cost)
    return less
