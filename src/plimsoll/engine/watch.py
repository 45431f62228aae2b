"""Which accounts does a tick concern, what are they worth, and what became of their status?"""

from dataclasses import dataclass, replace

import numpy as np

from plimsoll.clearing.statuses import Signal, Status, advance
from plimsoll.domain.events import Effect, StatusChanged
from plimsoll.domain.money import quanta_down, quanta_up
from plimsoll.domain.parameters import Level
from plimsoll.engine.book import BACKSTOP, FIRST_TRADER
from plimsoll.engine.safety import Safety, first_look, noted, spent
from plimsoll.engine.state import State
from plimsoll.margin import MarginModel
from plimsoll.types import Flags, Matrix, Quanta, Rows

__all__ = ["Effects", "Watched", "insolvent", "moved", "valued", "watch"]

Effects = tuple[Effect, ...]


@dataclass(frozen=True, slots=True)
class Watched:
    """Accounts valued exactly.

    Attributes
    ----------
    rows : Rows [B]
    notional : Matrix [B, I]
    equity, maintenance, call : Quanta [B]   Equity rounded down, requirements rounded up.
    """

    rows: Rows
    notional: Matrix
    equity: Quanta
    maintenance: Quanta
    call: Quanta

    def only(self, chosen: Flags | Rows) -> "Watched":
        """Keep some of them."""
        return Watched(
            self.rows[chosen],
            self.notional[chosen],
            self.equity[chosen],
            self.maintenance[chosen],
            self.call[chosen],
        )


def watch(state: State, model: MarginModel) -> tuple[State, Watched]:
    """Pick the accounts below the call level or not healthy, looking closely only at those that may be.

    Returns
    -------
    State     Remembers how far the accounts looked at are above the call level.
    Watched
    """
    state, safety, rows = _looked(state, model)
    book, unit = state.book, state.unit
    if len(rows) == 0:
        return state, _nobody(len(unit))
    notional = book.lots[rows] * unit
    equity = quanta_down(book.cash[rows] + notional.sum(axis=1))
    call = quanta_up(model.requirement(notional, Level.CALL))
    safety = noted(safety, rows, equity, call, np.abs(notional).sum(axis=1))
    below = (equity < call) | (book.status[rows] != Status.HEALTHY)
    rows, notional = rows[below], notional[below]
    maintenance = quanta_up(model.requirement(notional, Level.MAINTENANCE))
    return replace(state, safety=safety), Watched(rows, notional, equity[below], maintenance, call[below])


def insolvent(state: State) -> tuple[State, float]:
    """Add up by how much the equity of traders and of the backstop is below zero, at the marks.

    Whoever is surely above the call level has equity and is not looked at; the sum is that of the whole book.

    Returns
    -------
    State   Remembers who may be below the call level.
    float   Quote quanta, zero or more.
    """
    if state.model is None or np.isnan(state.market.marks).any():
        rows = np.arange(BACKSTOP, len(state.book.names))
    else:
        state, _, rows = _looked(state, state.model)
        rows = np.append(rows, BACKSTOP)
    marked = np.nan_to_num(state.unit)  # nobody holds what has no mark yet
    worth = state.book.cash[rows] + state.book.lots[rows] @ marked
    return state, -float(np.minimum(worth, 0.0).sum())


def _looked(state: State, model: MarginModel) -> tuple[State, Safety, Rows]:
    """Pick whoever may be below the call level or is not healthy; closed accounts neither have nor owe."""
    book, unit = state.book, state.unit
    safety = spent(state.safety or first_look(model, book, unit), book, unit)
    attention = (safety.left < 0.0) | (book.status != Status.HEALTHY)
    attention &= book.status != Status.CLOSED
    attention[:FIRST_TRADER] = False
    return replace(state, safety=safety), safety, np.flatnonzero(attention)


def _nobody(instruments: int) -> Watched:
    none = np.zeros(0, dtype=np.int64)
    return Watched(none.astype(np.intp), np.zeros((0, instruments)), none, none, none)


def valued(state: State, rows: Rows) -> Watched:
    """Value some accounts as the state now stands."""
    model = state.model_in_force
    notional = state.book.lots[rows] * state.unit
    equity = quanta_down(state.book.cash[rows] + notional.sum(axis=1))
    maintenance = quanta_up(model.requirement(notional, Level.MAINTENANCE))
    return Watched(rows, notional, equity, maintenance, quanta_up(model.requirement(notional, Level.CALL)))


def moved(state: State, rows: Rows, signal: Signal, time: int) -> tuple[State, Effects]:
    """Give some accounts one signal, and say what each pair of statuses means for whom."""
    if len(rows) == 0:
        return state, ()
    book = state.book
    before, statuses = book.status[rows], advance(book.status, rows, signal)
    after = statuses[rows]
    changes: list[Effect] = []
    for old, new in sorted(set(zip(before.tolist(), after.tolist(), strict=True))):
        chosen = rows[(before == old) & (after == new)]
        names = tuple(book.names[row] for row in chosen)
        changes.append(StatusChanged(time, Status(old).name, Status(new).name, signal.name, names))
    return replace(state, book=replace(book, status=statuses)), tuple(changes)
