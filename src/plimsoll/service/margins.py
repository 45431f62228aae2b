"""What does every account hold and need right now, kept up to date by what was touched?"""

from dataclasses import dataclass

import numpy as np

from plimsoll.domain.parameters import Level
from plimsoll.engine.book import FIRST_TRADER, Book
from plimsoll.engine.state import State
from plimsoll.margin.portfolio import PortfolioMargin
from plimsoll.types import Rows, Vector

__all__ = ["Holders", "Margins", "holders_of", "margins_of", "needed", "refreshed"]


_LARGE_BOOK = 20_000
"""Accounts from which on the compiled way is worth the seconds that compiling it takes, once per machine."""


@dataclass(frozen=True, slots=True)
class Margins:
    """Equity and requirement of every row of the book; NaN before the first tick and parameter set.

    Attributes
    ----------
    equity : Vector [A]        Quote quanta, rounded down.
    maintenance : Vector [A]   Quote quanta, rounded up; zero for the system's accounts.
    """

    equity: Vector
    maintenance: Vector

    @property
    def health(self) -> Vector:
        """Equity over maintenance [A]; infinite where nothing is needed."""
        with np.errstate(divide="ignore", invalid="ignore"):
            share: Vector = np.where(self.maintenance > 0.0, self.equity / self.maintenance, np.inf)
        return share


@dataclass(frozen=True, slots=True)
class Holders:
    """Which rows hold each instrument: those of instrument i are ``rows[began[i]:began[i + 1]]``."""

    began: Rows
    rows: Rows

    def of(self, instruments: Rows) -> list[Rows]:
        """List the rows that hold each of some instruments."""
        return [self.rows[self.began[i] : self.began[i + 1]] for i in instruments]


def holders_of(book: Book) -> Holders:
    """Index a whole book."""
    columns, rows = np.nonzero(book.lots.T)
    counts = np.bincount(columns, minlength=book.lots.shape[1])
    return Holders(np.concatenate([[0], np.cumsum(counts)]).astype(np.intp), rows)


def margins_of(state: State) -> Margins:
    """Margin every account anew."""
    unknown = np.full(len(state.book.names), np.nan)
    return refreshed(Margins(unknown, unknown), state, np.arange(len(state.book.names)))


def refreshed(margins: Margins, state: State, rows: Rows) -> Margins:
    """Margin some accounts anew and keep the others; `rows` may reach beyond the accounts known before."""
    more = len(state.book.names) - len(margins.equity)
    equity = np.concatenate([margins.equity, np.full(more, np.nan)])
    maintenance = np.concatenate([margins.maintenance, np.full(more, np.nan)])
    equity[rows], maintenance[rows] = _valued(state, rows)
    maintenance[:FIRST_TRADER] = 0.0
    return Margins(equity, maintenance)


def _valued(state: State, rows: Rows) -> tuple[Vector, Vector]:
    """Give equity and maintenance of some rows, by the compiled way where the book is large."""
    book, unit = state.book, state.unit
    large = len(book.names) >= _LARGE_BOOK and not np.isnan(unit).any()
    if large and isinstance(state.model, PortfolioMargin):
        found = state.model.valued(rows, book.cash, book.lots, unit)
        if found is not None:
            return found[0], found[1]
    flat = ~book.lots[rows].any(axis=1)
    worth = np.where(flat, 0.0, (book.lots[rows] * unit).sum(axis=1))
    return np.floor(book.cash[rows] + worth), needed(state, rows, Level.MAINTENANCE)


def needed(state: State, rows: Rows, level: Level) -> Vector:
    """Ask for the requirement of some rows, quote quanta rounded up; zero for accounts without positions."""
    asked = np.zeros(len(rows))
    held = np.flatnonzero(state.book.lots[rows].any(axis=1))
    if len(held) == 0:
        return asked
    if state.model is None or np.isnan(state.market.marks).any():
        asked[held] = np.nan
        return asked
    asked[held] = np.ceil(state.model.requirement(state.book.lots[rows[held]] * state.unit, level))
    return asked
