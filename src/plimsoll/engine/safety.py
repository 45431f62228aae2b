"""Which accounts cannot have fallen below the call level since they were valued, however the marks moved?"""

from dataclasses import dataclass, replace

import numpy as np

from plimsoll.domain.parameters import Level
from plimsoll.engine.book import Book
from plimsoll.engine.holders import LARGE_BOOK, Holders, after_trades, holders_of, less_what_moved
from plimsoll.kernels.holders import changed_lots
from plimsoll.kernels.valuation import NEAR_SHARE, NEAR_SLACK
from plimsoll.margin import MarginModel
from plimsoll.types import Flags, Quanta, Rows, Vector

__all__ = ["Safety", "carried", "changed_rows", "first_look", "noted", "spent"]

_UNKNOWN = -np.inf

_MANY = 4
"""Where more than one instrument in so many moved, a look at all is as quick as making an index."""


@dataclass(frozen=True, slots=True)
class Safety:
    r"""How much of each account's distance to the call level is left.

    An account that was valued at marks p with equity E and call level C is not below it at marks p' while

    .. math:: \sum_i |q_i| \, |u_i(p') - u_i(p)| \, (1 + c_i) \le E - C

    with u the quanta per lot and c the steepest that the requirement grows in each notional: equity falls by
    at most the first term, the requirement rises by at most the second. What is known here only spares work:
    it follows from the events, is in no snapshot, and changes no result.

    Attributes
    ----------
    model : MarginModel   That the accounts were valued by.
    steepest : Vector [I] Of the model, at the call level.
    unit : Vector [I]     Quanta per lot up to which distances were spent.
    left : Vector [A]     Quanta; below zero the account has to be valued again.
    holders : Holders or None   Of the book that distances are about; only large books are indexed.
    """

    model: MarginModel
    steepest: Vector
    unit: Vector
    left: Vector
    holders: Holders | None = None


def first_look(model: MarginModel, book: Book, unit: Vector) -> Safety:
    """Begin with what a quick look at every account says; whoever may be below has to be valued exactly."""
    left = model.room(book.cash, book.lots, unit, Level.CALL)
    return Safety(model, model.steepest(Level.CALL), unit, left)


def spent(safety: Safety, book: Book, unit: Vector) -> Safety:
    """Take what marks moved off every account that holds what moved."""
    moved = np.flatnonzero(unit != safety.unit)
    if len(moved) == 0:
        return safety
    holders = safety.holders
    few = len(moved) * _MANY <= len(unit)
    if holders is None and few and len(book.names) >= LARGE_BOOK:
        holders = holders_of(book.lots)
    cost = np.abs(unit - safety.unit)[moved] * (1.0 + safety.steepest[moved])
    left = less_what_moved(safety.left, book.lots, holders, moved, cost)
    return replace(safety, unit=unit, left=left, holders=holders)


def noted(safety: Safety, rows: Rows, equity: Quanta, call: Quanta, gross: Vector) -> Safety:
    """Note the distance of accounts that were valued exactly, at the marks that distances are spent up to."""
    left = safety.left.copy()
    left[rows] = (equity - call) - NEAR_SLACK - NEAR_SHARE * gross
    return replace(safety, left=left)


def carried(safety: Safety | None, before: Book, after: Book, model: MarginModel | None) -> Safety | None:
    """Forget the accounts whose cash or positions an event changed, and all of them under another model."""
    if safety is None or model is not safety.model:
        return None
    if before is after:
        return safety
    changed = changed_rows(before, after)
    more = np.full(len(after.names) - len(before.names), _UNKNOWN)
    left = np.concatenate([np.where(changed, _UNKNOWN, safety.left), more])
    holders = safety.holders
    if holders is not None and holders.lots is not after.lots:
        holders = after_trades(holders, after.lots, np.flatnonzero(changed))
    return replace(safety, left=left, holders=holders)


def changed_rows(before: Book, after: Book) -> Flags:
    """Say which of the rows that were there hold other cash or positions: Flags [A]."""
    changed: Flags = before.cash != after.cash[: len(before.names)]
    if before.lots is not after.lots:
        changed |= changed_lots(before.lots, after.lots)
    return changed
