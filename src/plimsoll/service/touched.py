"""Which accounts did the events since the last view touch, and what are all margins now?"""

import numpy as np

from plimsoll.domain.events import (
    Allocated,
    Closed,
    Deposited,
    Effect,
    Event,
    Liquidated,
    Listed,
    Opened,
    Published,
    Traded,
)
from plimsoll.engine.book import FIRST_TRADER
from plimsoll.engine.state import State
from plimsoll.service.margins import Holders, Margins, holders_of, margins_of, refreshed
from plimsoll.types import Rows, Vector

__all__ = ["Touched"]

_MOST_TRADED = 4096
"""Accounts that traded since the index of holders was made; beyond it the index is made anew."""


class Touched:
    """Keeps margins up to date by looking again only at accounts whose cash, positions or marks changed."""

    def __init__(self) -> None:
        self._margins: Margins | None = None
        self._holders: Holders | None = None
        self._marks: Vector = np.zeros(0)
        self._all = True
        self._names: set[str] = set()
        self._traded: set[str] = set()

    def note(self, event: Event, effects: tuple[Effect, ...]) -> None:
        """Take note of one event that was applied."""
        if isinstance(event, Listed | Published):
            self._all = True
        elif isinstance(event, Opened | Deposited):
            self._names.update(event.accounts)
        elif isinstance(event, Traded):
            self._names.update(event.accounts)
            self._traded.update(event.accounts)
        for effect in effects:
            if isinstance(effect, Liquidated | Allocated | Closed):
                self._names.update(effect.accounts)

    def margins(self, state: State) -> Margins:
        """Give the margins in this state."""
        if self._all or self._margins is None or self._holders is None or len(self._traded) > _MOST_TRADED:
            self._margins = margins_of(state)
            self._holders = holders_of(state.book)
            self._traded = set()
        else:
            rows = self._rows(state, self._holders)
            if len(rows) > 0:
                self._margins = refreshed(self._margins, state, rows)
        self._marks, self._all, self._names = state.market.marks, False, set()
        return self._margins

    def _rows(self, state: State, holders: Holders) -> Rows:
        moved = np.flatnonzero(state.market.marks != self._marks)
        named = [state.book.rows[name] for name in self._names]
        if len(moved) > 0:
            named.extend(state.book.rows[name] for name in self._traded)
        system = np.arange(FIRST_TRADER)
        return np.unique(
            np.concatenate([holders.of(moved), np.array(named, dtype=np.intp), system]).astype(np.intp)
        )
