"""Which accounts cannot have fallen below the call level since they were valued, however the marks moved?"""

from dataclasses import dataclass, replace

import numpy as np

from plimsoll.domain.parameters import Level
from plimsoll.engine.book import Book
from plimsoll.kernels.distance import adverse_moves
from plimsoll.kernels.valuation import NEAR_SLACK
from plimsoll.margin import MarginModel
from plimsoll.types import Flags, Quanta, Rows, Vector

__all__ = ["Safety", "carried", "changed_rows", "noted", "nothing_known", "spent"]

_SHARE = 1e-9
"""Share of gross value kept in reserve for the order in which floats are added, which errs far less."""

_UNKNOWN = -np.inf


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
    """

    model: MarginModel
    steepest: Vector
    unit: Vector
    left: Vector


def nothing_known(model: MarginModel, unit: Vector, accounts: int) -> Safety:
    """Begin with every account to be valued."""
    return Safety(model, model.steepest(Level.CALL), unit, np.full(accounts, _UNKNOWN))


def spent(safety: Safety, book: Book, unit: Vector) -> Safety:
    """Take what marks moved off every account that holds what moved."""
    moved = np.flatnonzero(unit != safety.unit)
    if len(moved) == 0:
        return safety
    cost = np.abs(unit - safety.unit)[moved] * (1.0 + safety.steepest[moved])
    return replace(safety, unit=unit, left=safety.left - adverse_moves(book.lots, moved, cost))


def noted(safety: Safety, rows: Rows, equity: Quanta, call: Quanta, gross: Vector) -> Safety:
    """Note the distance of accounts that were valued exactly, at the marks that distances are spent up to."""
    left = safety.left.copy()
    left[rows] = (equity - call) - NEAR_SLACK - _SHARE * gross
    return replace(safety, left=left)


def carried(safety: Safety | None, before: Book, after: Book, model: MarginModel | None) -> Safety | None:
    """Forget the accounts whose cash or positions an event changed, and all of them under another model."""
    if safety is None or model is not safety.model:
        return None
    if before is after:
        return safety
    more = np.full(len(after.names) - len(before.names), _UNKNOWN)
    return replace(
        safety, left=np.concatenate([np.where(changed_rows(before, after), _UNKNOWN, safety.left), more])
    )


def changed_rows(before: Book, after: Book) -> Flags:
    """Say which of the rows that were there hold other cash or positions: Flags [A]."""
    known = len(before.names)
    changed: Flags = before.cash != after.cash[:known]
    if before.lots is not after.lots:
        changed |= (before.lots != after.lots[:known]).any(axis=1)
    return changed
