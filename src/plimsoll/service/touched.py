"""Which accounts did the events since the last view touch, and what are all margins now?"""

from dataclasses import dataclass

import numpy as np

from plimsoll.engine.book import FIRST_TRADER, Book
from plimsoll.engine.holders import LARGE_BOOK, Holders, after_trades, holders_of
from plimsoll.engine.safety import changed_rows
from plimsoll.engine.state import State
from plimsoll.kernels.holders import distinct_holders
from plimsoll.kernels.lasting_tails import (
    Known,
    Positions,
    Terms,
    nothing_known,
    positions_by_account,
    refresh,
)
from plimsoll.margin import OptionMargin
from plimsoll.margin.portfolio import PortfolioMargin
from plimsoll.service.margins import Margins, look_again, margins_of, refreshed, room_for, unknown_margins
from plimsoll.types import Flags, Rows

__all__ = ["Touched"]


@dataclass(frozen=True, slots=True)
class _Followed:
    """A large book whose accounts are followed from mark to mark; `known` changes in place."""

    terms: Terms
    positions: Positions
    known: Known


class Touched:
    """Keeps margins up to date by looking again only at accounts whose cash, positions or marks changed."""

    def __init__(self) -> None:
        self._before: State | None = None
        self._margins: Margins | None = None
        self._holders: Holders | None = None
        self._followed: _Followed | None = None

    def margins(self, state: State) -> Margins:
        """Give the margins in this state."""
        before, self._before = self._before, state
        margins, holders = self._margins, self._holders
        if before is None or margins is None or state.model is not before.model:
            return self._anew(state)
        changed = _changed(before.book, state.book)
        if holders is None:
            system = np.arange(FIRST_TRADER)
            self._margins = refreshed(margins, state, np.union1d(system, changed))
            return self._margins
        if state.book.lots is not holders.lots:
            self._holders = holders = after_trades(holders, state.book.lots, changed)
            if holders is None:
                return self._anew(state)
        moved = np.flatnonzero(state.market.marks != before.market.marks)
        self._margins = self._looked_at(margins, state, holders, moved, changed)
        return self._margins

    def _anew(self, state: State) -> Margins:
        book = state.book
        if isinstance(state.model, OptionMargin):  # of one tick alone: what moved is never asked for
            self._holders, self._followed, self._margins = None, None, margins_of(state)
            return self._margins
        self._holders, self._followed = holders_of(book.lots), _followed(state)
        if self._followed is None:
            self._margins = margins_of(state)
        else:
            system, traders = np.split(np.arange(len(book.names)), [FIRST_TRADER])
            unknown = unknown_margins(len(book.names))
            self._margins = _brought_forward(unknown, state, self._followed, traders, system)
        return self._margins

    def _looked_at(
        self, margins: Margins, state: State, holders: Holders, moved: Rows, changed: Rows
    ) -> Margins:
        """Look again at who holds what moved, at whose cash or positions changed, and at the system's."""
        apart: Flags = np.zeros(len(state.book.names), dtype=np.bool_)
        apart[holders.traded] = True
        apart[:FIRST_TRADER] = True
        hold = distinct_holders(holders.began, holders.rows, moved, apart)
        others = np.flatnonzero(apart) if len(moved) > 0 else changed[apart[changed]]
        steady = changed[~apart[changed]]
        if self._followed is None:
            return refreshed(margins, state, np.unique(np.concatenate([hold, others, steady])))
        forward = np.concatenate([hold, steady])
        return _brought_forward(margins, state, self._followed, forward, others)


def _changed(before: Book, after: Book) -> Rows:
    """List whose cash or positions are others than before, new accounts among them."""
    if before is after:
        return np.zeros(0, dtype=np.intp)
    more = np.ones(len(after.names) - len(before.names), dtype=np.bool_)
    return np.flatnonzero(np.concatenate([changed_rows(before, after), more]))


def _followed(state: State) -> _Followed | None:
    """Begin to follow a book where that is worth it: a large one, margined over joint scenarios."""
    model, book = state.model, state.book
    large = len(book.names) >= LARGE_BOOK and not np.isnan(state.market.marks).any()
    terms = model.terms if large and isinstance(model, PortfolioMargin) else None
    if terms is None:
        return None
    positions = positions_by_account(book.lots, terms.columns, FIRST_TRADER)
    return _Followed(terms, positions, nothing_known(positions))


def _brought_forward(
    margins: Margins, state: State, followed: _Followed, steady: Rows, others: Rows
) -> Margins:
    """Bring to new marks those that hold what they held when they began to be followed, and others."""
    figures = room_for(margins, len(state.book.names))
    terms, positions, known = followed.terms, followed.positions, followed.known
    refresh(steady, state.book.cash, state.unit, terms, positions, known, figures)
    if len(others) > 0:
        look_again(figures, state, others)
    return Margins(figures)
