"""What follows when the market moves: who is called, what is sold, and who pays what is missing?"""

import numpy as np

from plimsoll.clearing.statuses import Signal, Status, in_hand
from plimsoll.engine.allocation import close, deleverage, repay
from plimsoll.engine.auctions import end_auctions
from plimsoll.engine.selling import sell, unwind
from plimsoll.engine.state import State
from plimsoll.engine.takeover import take_over
from plimsoll.engine.watch import Effects, Watched, moved, valued, watch

__all__ = ["settle_tick"]


def settle_tick(state: State, time: int, hours: float) -> tuple[State, Effects]:
    """Value the accounts at new marks and do what their statuses ask for, layer by layer.

    Signals; the backstop; the queue, where it is the rule; the book, or an auction where the book would take
    too long; the fund and the winners for who is flat and owes; and last the backstop's own inventory, from
    the depth that nobody else used.

    Parameters
    ----------
    state : State    With the new marks in it.
    hours : float    Since the last tick: forced selling is a share of the volume traded in that time.
    """
    if state.model is None:
        return state, ()
    state, watched = watch(state, state.model)
    state, effects = _judge(state, watched, time)
    state, ended = end_auctions(state, time)
    effects = (*effects, *ended)
    hand = watched.rows[in_hand(state.book.status[watched.rows])]
    used = np.zeros((2, len(state.listings)), dtype=np.int64)
    if len(hand) > 0:
        state, overtaken = take_over(state, watched, time)
        state, queued = deleverage(state, hand, time)
        fresh = valued(state, hand) if overtaken or queued else watched.only(np.isin(watched.rows, hand))
        state, sold, used = sell(state, fresh, time, hours)
        effects = (*effects, *overtaken, *queued, *sold)
    state, unwound = unwind(state, used, time, hours)
    state, closed = close(state, hand, time)
    state, repaid = repay(state, time)
    return state, (*effects, *unwound, *closed, *repaid)


def _judge(state: State, watched: Watched, time: int) -> tuple[State, Effects]:
    """Turn values into signals and signals into statuses."""
    if len(watched.rows) == 0:
        return state, ()
    rules = state.rules
    equity, maintenance, call = watched.equity, watched.maintenance, watched.call
    status = state.book.status[watched.rows]
    flat = ~state.book.lots[watched.rows].any(axis=1)
    hand = in_hand(status)
    sunk = equity < np.ceil(rules.full_share * maintenance)
    auctioned = status == Status.AUCTION
    target = np.where(auctioned, 1.0 + rules.auction.buffer / 2.0, rules.health_target)
    mended = equity >= np.ceil(target * maintenance)
    moves = (
        (Signal.SUNK, sunk & (status <= Status.PARTIAL)),
        (Signal.BREACHED, ~flat & ~sunk & ~hand & (equity < maintenance)),
        (Signal.SHORT, ~flat & (status == Status.HEALTHY) & (equity >= maintenance) & (equity < call)),
        (Signal.RESTORED, (status == Status.CALLED) & (equity >= call)),
        (Signal.MENDED, ~flat & hand & ~sunk & mended),
    )
    effects: Effects = ()
    for signal, flags in moves:
        state, changes = moved(state, watched.rows[flags], signal, time)
        effects = (*effects, *changes)
    return state, effects
