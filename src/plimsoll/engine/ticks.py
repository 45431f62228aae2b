"""What follows when the market moves: who is called, what is sold, and who pays what is missing?"""

from dataclasses import dataclass, replace

import numpy as np

from plimsoll.clearing.liquidation import Liquidity, Slice, expected_cost, reduction, slices, wanted_lots
from plimsoll.clearing.statuses import Signal, Status, advance
from plimsoll.clearing.waterfall import pay_shortfall
from plimsoll.domain.events import Allocated, Closed, Covered, Effect, Liquidated, StatusChanged
from plimsoll.domain.instruments import Spot
from plimsoll.domain.money import QUANTA_PER_UNIT, quanta_down, quanta_up
from plimsoll.domain.parameters import Level
from plimsoll.engine.book import FIRST_TRADER, FUND, VENUE, Book
from plimsoll.engine.safety import Safety, nothing_known, spent, valued
from plimsoll.engine.state import State
from plimsoll.margin import MarginModel
from plimsoll.types import Flags, Matrix, Quanta, Rows, Vector

__all__ = ["settle_tick"]

Effects = tuple[Effect, ...]


@dataclass(frozen=True, slots=True)
class _Watched:
    """The accounts that a tick may concern, valued exactly.

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


def settle_tick(state: State, time: int, hours: float) -> tuple[State, Effects]:
    """Value the accounts at new marks and do what their statuses ask for.

    Parameters
    ----------
    state : State    With the new marks in it.
    hours : float    Since the last tick: forced selling is a share of the volume traded in that time.
    """
    if state.model is None:
        return state, ()
    watched, safety = _watch(state, state.model)
    state = replace(state, safety=safety)
    if len(watched.rows) == 0:
        return state, ()
    book, changes = _judge(state.book, watched, state, time)
    state = replace(state, book=book)
    state, sold = _liquidate(state, watched, time, hours)
    state, closed = _close(state, watched.rows, time)
    return state, (*changes, *sold, *closed)


def _watch(state: State, model: MarginModel) -> tuple[_Watched, Safety]:
    """Pick the accounts below the call level or not healthy, looking closely only at those that may be."""
    book, unit = state.book, state.unit
    known = state.safety or nothing_known(model, unit, len(book.names))
    safety = spent(known, book, unit)
    attention = (safety.left < 0.0) | (book.status != Status.HEALTHY)
    attention &= book.status != Status.CLOSED
    attention[:FIRST_TRADER] = False
    rows = np.flatnonzero(attention)
    notional = book.lots[rows] * unit
    equity = quanta_down(book.cash[rows] + notional.sum(axis=1))
    call = quanta_up(model.requirement(notional, Level.CALL))
    safety = valued(safety, rows, equity, call, np.abs(notional).sum(axis=1))
    below = (equity < call) | (book.status[rows] != Status.HEALTHY)
    rows, notional = rows[below], notional[below]
    maintenance = quanta_up(model.requirement(notional, Level.MAINTENANCE))
    return _Watched(rows, notional, equity[below], maintenance, call[below]), safety


def _judge(book: Book, watched: _Watched, state: State, time: int) -> tuple[Book, Effects]:
    """Turn values into signals and signals into statuses."""
    equity, maintenance, call = watched.equity, watched.maintenance, watched.call
    status = book.status[watched.rows]
    in_hand = (status == Status.PARTIAL) | (status == Status.FULL)
    flat = ~book.lots[watched.rows].any(axis=1)
    sunk = equity < np.ceil(state.rules.full_share * maintenance)
    mended = equity >= np.ceil(state.rules.health_target * maintenance)
    moves = (
        (Signal.SUNK, sunk & (status != Status.FULL)),
        (Signal.BREACHED, ~flat & ~sunk & ~in_hand & (equity < maintenance)),
        (Signal.SHORT, ~flat & (status == Status.HEALTHY) & (equity >= maintenance) & (equity < call)),
        (Signal.RESTORED, (status == Status.CALLED) & (equity >= call)),
        (Signal.MENDED, ~flat & in_hand & ~sunk & mended),
    )
    statuses = book.status
    changes: list[Effect] = []
    for signal, flags in moves:
        rows = watched.rows[flags]
        if len(rows) > 0:
            after = advance(statuses, rows, signal)
            changes.extend(_status_changes(book, rows, statuses[rows], after[rows], signal, time))
            statuses = after
    return replace(book, status=statuses), tuple(changes)


def _status_changes(
    book: Book, rows: Rows, before: Quanta, after: Quanta, signal: Signal, time: int
) -> Effects:
    changes: list[Effect] = []
    for pair in sorted(set(zip(before.tolist(), after.tolist(), strict=True))):
        chosen = rows[(before == pair[0]) & (after == pair[1])]
        names = tuple(book.names[row] for row in chosen)
        changes.append(StatusChanged(time, Status(pair[0]).name, Status(pair[1]).name, signal.name, names))
    return tuple(changes)


def _liquidate(state: State, watched: _Watched, time: int, hours: float) -> tuple[State, Effects]:
    """Sell one slice per instrument and direction for all accounts in liquidation together."""
    status = state.book.status[watched.rows]
    chosen = np.flatnonzero((status == Status.PARTIAL) | (status == Status.FULL))
    if len(chosen) == 0 or hours <= 0.0:
        return state, ()
    rows = watched.rows[chosen]
    gross = np.abs(watched.notional[chosen])
    liquidity = _liquidity(state, hours)
    cost = gross @ (expected_cost(liquidity) + state.rules.fee)
    share = reduction(
        watched.equity[chosen].astype(np.float64),
        watched.maintenance[chosen].astype(np.float64),
        gross.sum(axis=1),
        np.divide(cost, gross.sum(axis=1), out=np.zeros(len(rows)), where=gross.any(axis=1)),
        status[chosen] == Status.FULL,
        state.rules.health_target,
    )
    effects: list[Effect] = []
    for cut in slices(wanted_lots(state.book.lots[rows], share), liquidity):
        state, effect = _sold(state, rows, cut, time)
        effects.append(effect)
    return state, tuple(effects)


def _liquidity(state: State, hours: float) -> Liquidity:
    market = state.market
    value = state.lot_sizes * market.marks
    volume = market.volume / value
    return Liquidity(volume, market.impact, np.floor(volume * hours * state.rules.participation))


def _sold(state: State, rows: Rows, cut: Slice, time: int) -> tuple[State, Effect]:
    """Book one slice: cash rounds against the account, and the fund takes its fee where equity allows."""
    took = np.flatnonzero(cut.lots)
    rows, traded = rows[took], cut.lots[took]
    price = float(state.market.marks[cut.column]) * cut.price_factor
    unit = state.listings[cut.column].lot * price * QUANTA_PER_UNIT
    lots = np.zeros((len(rows), len(state.listings)), dtype=np.int64)
    lots[:, cut.column] = traded
    paid = np.zeros_like(lots)
    paid[:, cut.column] = quanta_up(traded.astype(np.float64) * unit)
    book = state.book.traded(rows, lots, paid)
    equity = quanta_down(book.cash[rows] + book.lots[rows] @ state.unit)
    fee: Vector = np.abs(paid[:, cut.column]) * state.rules.fee
    book = book.paid(rows, FUND, np.clip(equity, 0, quanta_up(fee)))
    names = tuple(book.names[row] for row in rows)
    effect = Liquidated(
        time, state.listings[cut.column].name, names, tuple(traded.tolist()), price, cut.displacement
    )
    return replace(state, book=book), effect


def _close(state: State, rows: Rows, time: int) -> tuple[State, Effects]:
    """Close accounts in liquidation that have nothing left, and find the money for what they still owe."""
    book = state.book
    status = book.status[rows]
    in_hand = (status == Status.PARTIAL) | (status == Status.FULL)
    flat = rows[in_hand & ~book.lots[rows].any(axis=1)]
    if len(flat) == 0:
        return state, ()
    before = book.status[flat]
    statuses = advance(book.status, flat, Signal.FLAT)
    effects = _status_changes(book, flat, before, statuses[flat], Signal.FLAT, time)
    state = replace(state, book=replace(book, status=statuses))
    owing = flat[book.cash[flat] < 0]
    if len(owing) == 0:
        return state, effects
    state, paid = _pay(state, owing, time)
    return state, (*effects, *paid)


def _pay(state: State, owing: Rows, time: int) -> tuple[State, Effects]:
    book = state.book
    shortfalls = -book.cash[owing]
    notional = book.lots * state.unit
    traded = [not isinstance(listing.instrument, Spot) for listing in state.listings]
    profit = quanta_down((notional - book.cost)[:, traded].sum(axis=1))
    equity = quanta_down(book.cash + notional.sum(axis=1))
    asked = _may_be_asked(book)
    payments = pay_shortfall(
        sum(map(int, shortfalls)), int(book.cash[FUND]), np.where(asked, profit, 0), equity
    )
    payers = np.flatnonzero(payments.winners)
    book = book.paid(payers, VENUE, payments.winners[payers])
    book = book.paid(FUND, VENUE, payments.fund)
    book = book.paid(VENUE, owing, shortfalls)
    names = tuple(book.names[row] for row in owing)
    effects: list[Effect] = [Closed(time, names, tuple(shortfalls.tolist()))]
    if payments.fund > 0:
        effects.append(Covered(time, payments.fund))
    if len(payers) > 0 or payments.uncovered > 0:
        winners = tuple(book.names[row] for row in payers)
        amounts = tuple(payments.winners[payers].tolist())
        effects.append(Allocated(time, winners, amounts, payments.uncovered))
    return replace(state, book=book), tuple(effects)


def _may_be_asked(book: Book) -> Flags:
    """Traders and makers share losses; the outside world, the venue and the fund do not."""
    asked: Flags = np.ones(len(book.names), dtype=np.bool_)
    asked[: FUND + 1] = False
    return asked
