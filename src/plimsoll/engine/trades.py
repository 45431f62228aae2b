"""Whose part of a trade is carried out?"""

import numpy as np

from plimsoll.clearing.statuses import Status
from plimsoll.domain.money import quanta_up
from plimsoll.domain.parameters import Level
from plimsoll.engine.book import Book
from plimsoll.engine.state import State
from plimsoll.types import Flags, Lots, Rows, Vector

__all__ = ["carried_out", "meets_initial"]


def carried_out(state: State, tried: Book, rows: Rows, lots: Lots) -> tuple[Flags, Flags]:
    r"""Say who may do its part of a trade, and who does: where all lots net, all or nobody.

    Whoever is not in liquidation may, if initial margin is met afterwards, or if no position grows or changes
    sides and equity above maintenance does not fall, both at the marks:

    .. math:: E' - M' \ge E - M

    E' has paid the price of the trade, so that a position given away below the mark counts as lost; M' is the
    requirement of what is left, so that a hedge is not taken from what it hedges.

    Parameters
    ----------
    state : State        Before the trade.
    tried : Book         After it, if all did their parts.
    rows : Rows [B]
    lots : Lots [B, I]   Signed lots bought.

    Returns
    -------
    Flags [B]   Who may.
    Flags [B]   Who does. A trade that nets is one among its accounts: where one of them may not, none does,
                since the makers, who have no part in it, would have to be the other side, at a price that is
                not theirs.
    """
    free: Flags = tried.status[rows] <= Status.CALLED
    may = free & meets_initial(state, tried, rows)
    reducing = np.flatnonzero(free & ~may & _only_reduces(state.book, rows, lots))
    may[reducing] = _keeps_excess(state, tried, rows[reducing], lots[reducing])
    if lots.sum(axis=0).any():
        return may, may
    return may, np.full(len(rows), bool(may.all()))


def meets_initial(state: State, book: Book, rows: Rows) -> Flags:
    """Say which accounts of a book hold initial margin; without parameters, only those without positions."""
    flat = ~book.lots[rows].any(axis=1)
    if state.model is None or np.isnan(state.market.marks).any():
        return flat & (book.cash[rows] >= 0)
    notional = book.lots[rows] * state.unit
    equity: Vector = np.floor(book.cash[rows] + notional.sum(axis=1))
    needed = quanta_up(state.model.requirement(notional, Level.INITIAL))
    enough: Flags = equity >= needed
    return enough


def _only_reduces(book: Book, rows: Rows, lots: Lots) -> Flags:
    held = book.lots[rows]
    shrinks: Flags = (np.sign(held) * np.sign(lots) <= 0) & (np.abs(lots) <= np.abs(held))
    return np.asarray(shrinks.all(axis=1), dtype=np.bool_)


def _keeps_excess(state: State, tried: Book, rows: Rows, lots: Lots) -> Flags:
    """Say whose equity above maintenance does not fall, but for the quantum per price that cash rounds by.

    Options listed without quotes leave nothing to judge by until the next tick: nobody's is known to stay.
    """
    if len(rows) == 0 or state.model is None:
        return np.zeros(len(rows), dtype=np.bool_)
    rounding = np.count_nonzero(lots, axis=1)
    kept: Flags = _excess(state, tried, rows) + rounding >= _excess(state, state.book, rows)
    return kept


def _excess(state: State, book: Book, rows: Rows) -> Vector:
    """Equity less maintenance [B], quanta; listings that nobody holds may be without a mark yet."""
    held = book.lots[rows]
    marked: Vector = np.where(held.any(axis=0), state.unit, 0.0)
    notional = held * marked
    needed = state.model_in_force.requirement(notional, Level.MAINTENANCE)
    excess: Vector = book.cash[rows] + notional.sum(axis=1) - needed
    return excess
