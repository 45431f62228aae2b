"""Which accounts did the events since the last view touch, and what are all margins now?"""

import numpy as np

from plimsoll.engine.book import FIRST_TRADER
from plimsoll.engine.safety import changed_rows
from plimsoll.engine.state import State
from plimsoll.service.margins import Holders, Margins, holders_of, margins_of, refreshed
from plimsoll.types import Flags

__all__ = ["Touched"]

_MOST_TRADED = 4096
"""Accounts that traded since the index of holders was made; beyond it the index is made anew."""


class Touched:
    """Keeps margins up to date by looking again only at accounts whose cash, positions or marks changed."""

    def __init__(self) -> None:
        self._margins: Margins | None = None
        self._holders: Holders | None = None
        self._before: State | None = None
        self._traded: Flags = np.zeros(0, dtype=np.bool_)

    def margins(self, state: State) -> Margins:
        """Give the margins in this state."""
        before, margins, holders = self._before, self._margins, self._holders
        self._before = state
        if before is None or margins is None or holders is None or state.model is not before.model:
            return self._anew(state)
        self._note_traded(before, state)
        if np.count_nonzero(self._traded) > _MOST_TRADED:
            return self._anew(state)
        self._margins = refreshed(margins, state, np.flatnonzero(self._touched(before, state, holders)))
        return self._margins

    def _anew(self, state: State) -> Margins:
        self._margins, self._holders = margins_of(state), holders_of(state.book)
        self._traded = np.zeros(len(state.book.names), dtype=np.bool_)
        return self._margins

    def _note_traded(self, before: State, state: State) -> None:
        """Note accounts whose positions may be others than those in the index, new accounts among them."""
        more = np.ones(len(state.book.names) - len(before.book.names), dtype=np.bool_)
        if before.book.lots is not state.book.lots:
            self._traded = np.concatenate([self._traded | changed_rows(before.book, state.book), more])

    def _touched(self, before: State, state: State, holders: Holders) -> Flags:
        more = np.ones(len(state.book.names) - len(before.book.names), dtype=np.bool_)
        touched: Flags = np.concatenate([changed_rows(before.book, state.book), more])
        touched[:FIRST_TRADER] = True
        moved = np.flatnonzero(state.market.marks != before.market.marks)
        if len(moved) > 0:
            touched |= self._traded
        for rows in holders.of(moved):
            touched[rows] = True
        return touched
