"""What does every account hold and need right now, kept up to date by what was touched?"""

from dataclasses import dataclass

import numpy as np

from plimsoll.domain.parameters import Level
from plimsoll.engine.book import FIRST_TRADER
from plimsoll.engine.holders import LARGE_BOOK
from plimsoll.engine.state import State
from plimsoll.margin import OptionMargin
from plimsoll.margin.portfolio import PortfolioMargin
from plimsoll.types import Matrix, Rows, Vector

__all__ = ["Margins", "look_again", "margins_of", "needed", "refreshed", "room_for", "unknown_margins"]


@dataclass(frozen=True, slots=True)
class Margins:
    """Equity and requirement of every row of the book; NaN before the first tick and parameter set.

    Attributes
    ----------
    figures : Matrix [2, A]   Quote quanta: equity rounded down, and maintenance rounded up, which is zero for
                              the system's accounts.
    """

    figures: Matrix

    @property
    def equity(self) -> Vector:
        """Vector [A]."""
        equity: Vector = self.figures[0]
        return equity

    @property
    def maintenance(self) -> Vector:
        """Vector [A]."""
        maintenance: Vector = self.figures[1]
        return maintenance

    @property
    def health(self) -> Vector:
        """Equity over maintenance [A]; infinite where nothing is needed."""
        with np.errstate(divide="ignore", invalid="ignore"):
            share: Vector = np.where(self.maintenance > 0.0, self.equity / self.maintenance, np.inf)
        return share


def unknown_margins(accounts: int) -> Margins:
    """Begin with nothing known of so many rows."""
    return Margins(np.full((2, accounts), np.nan))


def margins_of(state: State) -> Margins:
    """Margin every account anew."""
    margins = unknown_margins(len(state.book.names))
    return refreshed(margins, state, np.arange(len(state.book.names)))


def refreshed(margins: Margins, state: State, rows: Rows) -> Margins:
    """Margin some accounts anew and keep the others; `rows` may reach beyond the accounts known before."""
    figures = room_for(margins, len(state.book.names))
    look_again(figures, state, rows)
    return Margins(figures)


def room_for(margins: Margins, accounts: int) -> Matrix:
    """Copy the figures, with room for accounts that were not known yet: Matrix [2, A]."""
    known = margins.figures.shape[1]
    figures = np.empty((2, accounts))
    figures[:, :known] = margins.figures
    figures[:, known:] = np.nan
    return figures


def look_again(figures: Matrix, state: State, rows: Rows) -> None:
    """Margin some accounts anew, in place."""
    figures[0, rows], figures[1, rows] = _valued(state, rows)
    figures[1, :FIRST_TRADER] = 0.0


def _valued(state: State, rows: Rows) -> tuple[Vector, Vector]:
    """Give equity and maintenance of some rows, by the compiled way where the book is large."""
    book, unit = state.book, state.unit
    if isinstance(state.model, OptionMargin) and not np.isnan(unit).any():
        everybody = len(rows) == len(book.names)
        lots = book.lots if everybody else book.lots[rows]
        return state.model.valued(book.cash[rows], lots, unit)
    large = len(book.names) >= LARGE_BOOK and not np.isnan(unit).any()
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
