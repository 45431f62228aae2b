"""Who pays at a tick what bankrupt accounts cannot: the fund, the queue, all who are in profit?"""

from dataclasses import dataclass, replace

import numpy as np

from plimsoll.clearing.apportion import apportion, parts_down
from plimsoll.clearing.deleveraging import Match, Winners, deficit_by_position, match, queue_scores
from plimsoll.clearing.statuses import Signal, Status, in_hand
from plimsoll.clearing.waterfall import pay_shortfall
from plimsoll.domain.events import Allocated, Bankrupt, Closed, Covered, Deleveraged, Effect, Repaid
from plimsoll.domain.instruments import Spot
from plimsoll.domain.money import quanta_down, quanta_up
from plimsoll.engine.book import BACKSTOP, FUND, MAKERS, VENUE, Book
from plimsoll.engine.state import State
from plimsoll.engine.watch import Effects, insolvent, moved
from plimsoll.types import Flags, Quanta, Rows

__all__ = ["close", "deleverage", "is_short", "repay"]


@dataclass(frozen=True, slots=True)
class _Debtors:
    """Accounts that are bankrupt with positions open.

    Attributes
    ----------
    rows : Rows [B]
    deficit : Quanta [B, I]    What the queue is asked for, by position.
    from_fund : Quanta [B, I]  What the fund pays, by position.
    """

    rows: Rows
    deficit: Quanta
    from_fund: Quanta


def deleverage(state: State, hand: Rows, time: int) -> tuple[State, Effects]:
    """Close bankrupt accounts' contracts against the queue: where that is the rule and the fund too small.

    Parameters
    ----------
    hand : Rows [B]   Accounts in liquidation.
    """
    debtors = _debtors(state, hand) if state.rules.allocation == "queue" else None
    if debtors is None:
        return state, ()
    met, drawn, capacity = np.zeros(len(debtors.rows), dtype=np.int64), 0, _capacity(state)
    effects: list[Effect] = []
    for column in np.flatnonzero(_contracts(state)):
        for sign in (-1, 1):
            closing = -state.book.lots[debtors.rows, column]
            closing = np.where(np.sign(closing) == sign, closing, 0)
            if not closing.any():
                continue
            found = match(closing, debtors.deficit[:, column], _winners(state, int(column), capacity))
            if not found.lots.any():
                continue
            paid = parts_down(debtors.from_fund[:, column], np.abs(found.lots), np.abs(closing))
            state, effect = _crossed(state, debtors.rows, int(column), found, paid, time)
            met, drawn = met + found.spared + paid, drawn + int(paid.sum())
            capacity = capacity - found.given_up
            effects.append(effect)
    return state, _met(state.book, debtors.rows, met, drawn, time) + tuple(effects)


def close(state: State, hand: Rows, time: int) -> tuple[State, Effects]:
    """Close accounts in liquidation that have nothing left, and find the money for what they still owe."""
    broke = state.book.cash[BACKSTOP] < 0 and not state.book.lots[BACKSTOP].any()
    if len(hand) == 0 and not broke:
        return state, ()
    rows = hand[in_hand(state.book.status[hand])]
    flat = rows[~state.book.lots[rows].any(axis=1)]
    owes = state.book.cash[flat] < 0
    state, closed = moved(state, flat[~owes], Signal.FLAT, time)
    state, asked = moved(state, flat[owes], Signal.OWING, time)
    owing = flat[owes]
    if broke:
        owing = np.append(owing, BACKSTOP)
    if len(owing) == 0:
        return state, closed
    state, paid = _pay(state, owing, time)
    return state, (*closed, *asked, *paid)


def repay(state: State, time: int) -> tuple[State, Effects]:
    """Let the fund pay back what earlier losses left the venue owing."""
    amount = min(-int(state.book.cash[VENUE]), int(state.book.cash[FUND]))
    if amount <= 0:
        return state, ()
    return replace(state, book=state.book.paid(FUND, VENUE, amount)), (Repaid(time, amount),)


def is_short(state: State) -> tuple[State, bool]:
    """Say whether the venue owes: something was left unpaid, or more equity is below zero than the fund has.

    While it is, nobody may withdraw: whoever is first at the door would be paid by who is last.
    """
    if state.book.cash[VENUE] < 0:
        return state, True
    state, lacking = insolvent(state)
    return state, lacking > float(state.book.cash[FUND])


def _debtors(state: State, hand: Rows) -> _Debtors | None:
    """Find who is bankrupt, and what of it the fund does not reach; nobody where it reaches for all."""
    book, contracts = state.book, _contracts(state)
    rows = hand[np.isin(book.status[hand], (Status.FULL, Status.BACKSTOP))]
    rows = rows[book.lots[rows][:, contracts].any(axis=1)]
    worth = book.cash[rows] - quanta_up(-book.lots[rows] * state.unit).sum(axis=1)
    rows, lacking = rows[worth < 0], -worth[worth < 0]
    fund = max(int(book.cash[FUND]), 0)
    if sum(map(int, lacking)) <= fund:
        return None
    paid = apportion(fund, lacking)
    notional = book.lots[rows] * state.unit * contracts
    return _Debtors(rows, deficit_by_position(lacking - paid, notional), deficit_by_position(paid, notional))


def _capacity(state: State) -> Quanta:
    """Count what each account can give in all matches of a tick: the lesser of its profit and its equity.

    Taken once, before the first of them: what is given in one is neither in the profit nor in the equity that
    is left after it, so what is left is this less what was given, and not those less what was given.
    """
    notional = state.book.lots * state.unit
    profit = (notional - state.book.cost)[:, _contracts(state)].sum(axis=1)
    return quanta_down(np.minimum(profit, state.book.cash + notional.sum(axis=1)))


def _winners(state: State, column: int, capacity: Quanta) -> Winners:
    """Describe everybody who can be asked in one instrument, for no more than it can still give."""
    book, contracts = state.book, _contracts(state)
    notional = book.lots * state.unit
    profit = notional[:, column] - book.cost[:, column]
    score = queue_scores(
        profit,
        book.cost[:, column].astype(np.float64),
        np.abs(notional[:, contracts]).sum(axis=1),
        book.cash + notional.sum(axis=1),
    )
    return Winners(
        book.lots[:, column], quanta_down(profit), capacity, np.where(_may_be_asked(book), score, 0.0)
    )


def _crossed(
    state: State, rows: Rows, column: int, found: Match, from_fund: Quanta, time: int
) -> tuple[State, Effect]:
    """Book one match: both sides trade at the mark, less what the winners give up and the fund adds."""
    book, unit = state.book, float(state.unit[column])
    losers = np.flatnonzero(found.lots)
    winners = np.flatnonzero(found.winner_lots)
    others = winners[winners != MAKERS]
    traders = np.append(rows[losers], others)
    lots = np.zeros((len(traders), len(state.listings)), dtype=np.int64)
    lots[:, column] = np.append(found.lots[losers], found.winner_lots[others])
    paid = quanta_up(lots.astype(np.float64) * unit)
    paid[:, column] += np.append(-found.spared[losers], found.given_up[others])
    book = book.traded(traders, lots, paid).paid(FUND, rows, from_fund)
    effect = Deleveraged(
        time,
        state.listings[column].name,
        tuple(book.names[row] for row in rows[losers]),
        tuple(found.lots[losers].tolist()),
        tuple(book.names[row] for row in winners),
        tuple(found.winner_lots[winners].tolist()),
        tuple(found.given_up[winners].tolist()),
        int(np.abs(found.lots).sum() * unit),
    )
    return replace(state, book=book), effect


def _met(book: Book, rows: Rows, met: Quanta, drawn: int, time: int) -> Effects:
    some = met > 0
    if not some.any():
        return ()
    names = tuple(book.names[row] for row in rows[some])
    effect = Bankrupt(time, names, tuple(met[some].tolist()))
    return (effect, Covered(time, drawn)) if drawn > 0 else (effect,)


def _pay(state: State, owing: Rows, time: int) -> tuple[State, Effects]:
    book = state.book
    shortfalls = -book.cash[owing]
    notional = book.lots * state.unit
    profit = quanta_down((notional - book.cost)[:, _contracts(state)].sum(axis=1))
    equity = quanta_down(book.cash + notional.sum(axis=1))
    payments = pay_shortfall(
        sum(map(int, shortfalls)), int(book.cash[FUND]), np.where(_may_be_asked(book), profit, 0), equity
    )
    payers = np.flatnonzero(payments.winners)
    book = book.paid(payers, VENUE, payments.winners[payers])
    book = book.paid(FUND, VENUE, payments.fund)
    book = book.paid(VENUE, owing, shortfalls)
    names = tuple(book.names[row] for row in owing)
    effects: list[Effect] = [Closed(time, names, tuple(shortfalls.tolist()))]
    if payments.fund > 0:
        effects.append(Covered(time, payments.fund))
    traders = owing[owing != BACKSTOP]
    state = replace(state, book=book)
    if len(payers) > 0 or payments.uncovered > 0:
        winners = tuple(book.names[row] for row in payers)
        amounts = tuple(payments.winners[payers].tolist())
        effects.append(Allocated(time, winners, amounts, payments.uncovered))
        state, exhausted = moved(state, traders, Signal.EXHAUSTED, time)
        effects.extend(exhausted)
    state, settled = moved(state, traders, Signal.PAID, time)
    return state, (*effects, *settled)


def _contracts(state: State) -> Flags:
    """Say which instruments are contracts; assets held as collateral are not."""
    return np.array([not isinstance(listing.instrument, Spot) for listing in state.listings], dtype=np.bool_)


def _may_be_asked(book: Book) -> Flags:
    """Traders and makers share losses; the outside world, the venue, the fund and the backstop do not."""
    asked: Flags = np.ones(len(book.names), dtype=np.bool_)
    asked[[*range(FUND + 1), BACKSTOP]] = False
    return asked
