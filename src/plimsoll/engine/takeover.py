"""What does the backstop take over at a tick?"""

from dataclasses import replace

import numpy as np

from plimsoll.clearing.backstop import accompanying_equity, overtaken_lots, room
from plimsoll.clearing.statuses import Signal, Status
from plimsoll.domain.events import TakenOver
from plimsoll.domain.money import quanta_up
from plimsoll.engine.book import BACKSTOP
from plimsoll.engine.state import State
from plimsoll.engine.watch import Effects, Watched, moved

__all__ = ["take_over"]


def take_over(state: State, watched: Watched, time: int) -> tuple[State, Effects]:
    """Pass positions of accounts in full liquidation to the backstop, as far as its cap reaches."""
    book, rules, unit = state.book, state.rules.backstop, state.unit
    worth = float(book.cash[BACKSTOP] + book.lots[BACKSTOP] @ unit)
    free = room(worth, float(np.abs(book.lots[BACKSTOP]) @ unit), rules.cap)
    level = np.ceil(rules.level * watched.maintenance)
    deep = (book.status[watched.rows] == Status.FULL) & (watched.equity < level)
    chosen = watched.only(np.flatnonzero(deep))
    gross = np.abs(chosen.notional).sum(axis=1)
    taken = overtaken_lots(book.lots[chosen.rows], gross, free, rules.share)
    some = np.flatnonzero(taken.any(axis=1))
    if len(some) == 0:
        return state, ()
    chosen, taken, gross = chosen.only(some), taken[some], gross[some]
    overtaken = np.abs(taken * unit).sum(axis=1)
    equity = accompanying_equity(chosen.equity, overtaken, gross)
    book = book.traded(chosen.rows, -taken, quanta_up(-taken * unit), against=BACKSTOP)
    book = book.paid(chosen.rows, BACKSTOP, equity)
    names = tuple(book.names[row] for row in chosen.rows)
    effect = TakenOver(
        time,
        names,
        tuple(map(tuple, taken.tolist())),
        int(overtaken.sum()),
        tuple(equity.tolist()),
    )
    state, changes = moved(replace(state, book=book), chosen.rows, Signal.TAKEN, time)
    return state, (effect, *changes)
