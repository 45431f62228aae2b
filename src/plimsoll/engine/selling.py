"""What is sold into the book at a tick, and what would take the book too long?"""

from dataclasses import replace

import numpy as np

from plimsoll.clearing.liquidation import (
    Liquidity,
    Slice,
    expected_cost,
    hours_to_sell,
    reduction,
    slices,
    wanted_lots,
)
from plimsoll.clearing.relief import ReliefTerms, choose_reductions
from plimsoll.clearing.statuses import Status
from plimsoll.domain.events import Effect, Liquidated, Unwound
from plimsoll.domain.money import QUANTA_PER_UNIT, quanta_down, quanta_up
from plimsoll.domain.parameters import Level
from plimsoll.engine.auctions import begin_auctions
from plimsoll.engine.book import BACKSTOP, FIRST_TRADER, FUND
from plimsoll.engine.market_curves import present_curves
from plimsoll.engine.state import State
from plimsoll.engine.watch import Effects, Watched
from plimsoll.types import Flags, Lots, Quanta, Vector

__all__ = ["sell", "unwind"]

_LEAST_COST = 1e-6
"""Where selling costs nothing, relief is judged by notional."""

_BY_BOOK = (Status.PARTIAL, Status.FULL, Status.BACKSTOP)
"""In these statuses the book is sold to; in an auction whoever bids takes positions over."""


def sell(state: State, watched: Watched, time: int, hours: float) -> tuple[State, Effects, Lots]:
    """Sell one slice per instrument and direction for all accounts in liquidation together.

    Returns
    -------
    State, Effects
    Lots [2, I]   Lots that were sold, and bought: what this used of the market's depth.
    """
    used = np.zeros((2, len(state.listings)), dtype=np.int64)
    status = state.book.status[watched.rows]
    watched = watched.only(np.isin(status, _BY_BOOK))
    if len(watched.rows) == 0 or hours <= 0.0:
        return state, (), used
    liquidity = _liquidity(state, hours)
    wanted = _wanted(state, watched, liquidity)
    stuck = _stuck(state, watched, wanted, liquidity)
    state, began = begin_auctions(state, watched.only(stuck), time)
    rows, effects = watched.rows[~stuck], list(began)
    sellers = replace(state, book=state.book.part(rows))
    for cut in slices(wanted[~stuck], liquidity):
        used[int(cut.lots.sum() > 0), cut.column] += int(np.abs(cut.lots).sum())
        sellers, effect = _sold(sellers, cut, time)
        effects.append(effect)
    return replace(state, book=state.book.with_part(rows, sellers.book)), tuple(effects), used


def unwind(state: State, used: Lots, time: int, hours: float) -> tuple[State, Effects]:
    """Sell the backstop's inventory into what the accounts in liquidation left of the market's depth.

    Parameters
    ----------
    used : Lots [2, I]   From `sell`.
    """
    held = state.book.lots[BACKSTOP]
    if not held.any() or hours <= 0.0:
        return state, ()
    liquidity = _liquidity(state, hours)
    taken = np.where(held > 0, used[0], used[1])
    left = replace(liquidity, budget=np.maximum(liquidity.budget - taken, 0.0))
    effects: list[Effect] = []
    for cut in slices(-held[None], left):
        price, lots, paid = _priced(state, cut, cut.lots)
        book = state.book.traded(np.array([BACKSTOP]), lots, paid)
        state = replace(state, book=book)
        name = state.listings[cut.column].name
        effects.append(Unwound(time, name, int(cut.lots[0]), price, cut.displacement))
    return state, tuple(effects)


def _wanted(state: State, watched: Watched, liquidity: Liquidity) -> Lots:
    """Say what each account should trade, whatever the market can take."""
    status = state.book.status[watched.rows]
    gross = np.abs(watched.notional)
    total = gross.sum(axis=1)
    cost = gross @ (expected_cost(liquidity) + state.rules.fee)
    share = reduction(
        watched.equity.astype(np.float64),
        watched.maintenance.astype(np.float64),
        total,
        np.divide(cost, total, out=np.zeros(len(total)), where=total > 0.0),
        status != Status.PARTIAL,
        state.rules.health_target,
    )
    lots = state.book.lots[watched.rows]
    wanted = wanted_lots(lots, share)
    several = (status == Status.PARTIAL) & (np.count_nonzero(lots, axis=1) > 1)
    if state.rules.reduction == "relief" and several.any():
        chosen = np.flatnonzero(several)
        relief = choose_reductions(
            lots[chosen], watched.equity[chosen].astype(np.float64), _relief_terms(state, liquidity)
        )
        wanted[chosen[relief.enough]] = relief.trades[relief.enough]
    return wanted


def _relief_terms(state: State, liquidity: Liquidity) -> ReliefTerms:
    """Judge reductions by the model in force; ruin by each market's own adverse move, and by all at once."""
    model, unit = state.model_in_force, state.unit
    rates = model.standalone(Level.MAINTENANCE)
    columns = len(unit)
    falls = np.concatenate([-np.diag(rates[:, 0]), np.diag(rates[:, 1]), [-rates[:, 0], rates[:, 1]]])
    cost = np.maximum(expected_cost(liquidity) + state.rules.fee, _LEAST_COST)
    return ReliefTerms(
        margin=lambda lots: model.requirement(lots * unit, Level.MAINTENANCE),
        cost=cost * unit,
        profit=falls.reshape(2 * columns + 2, columns) * unit,
        target=state.rules.health_target,
    )


def _stuck(state: State, watched: Watched, wanted: Lots, liquidity: Liquidity) -> Flags:
    """Find accounts that own something and that the book would take too long to sell."""
    limit = state.rules.auction.after_hours
    if limit is None:
        return np.zeros(len(watched.rows), dtype=np.bool_)
    free = state.book.status[watched.rows] != Status.BACKSTOP
    slow = hours_to_sell(wanted, liquidity.volume * state.rules.participation) > limit
    stuck: Flags = free & slow & (watched.equity > 0)
    return stuck


def _liquidity(state: State, hours: float) -> Liquidity:
    rules, depth = state.rules, state.market.depth
    values = state.lot_sizes * state.market.marks
    curves = tuple(c.per(value) for c, value in zip(present_curves(state), values.tolist(), strict=True))
    paced = [
        curve.pace(hours, rules.participation, rules.slice_cost, share)
        for curve, share in zip(curves, depth.tolist(), strict=True)
    ]
    return Liquidity(curves, depth, hours, np.floor(paced))


def _priced(state: State, cut: Slice, traded: Lots) -> tuple[float, Lots, Quanta]:
    """Price the lots that some accounts trade in a slice: price, Lots [B, I] and cash paid [B, I]."""
    price = float(state.market.marks[cut.column]) * cut.price_factor
    unit = state.listings[cut.column].lot * price * QUANTA_PER_UNIT
    lots = np.zeros((len(traded), len(state.listings)), dtype=np.int64)
    lots[:, cut.column] = traded
    paid = np.zeros_like(lots)
    paid[:, cut.column] = quanta_up(traded.astype(np.float64) * unit)
    return price, lots, paid


def _sold(sellers: State, cut: Slice, time: int) -> tuple[State, Effect]:
    """Book one slice: cash rounds against the account, and the fund takes its fee where equity allows.

    Parameters
    ----------
    sellers : State   The traders in its book are those whose lots the slice lists, in that order.
    """
    took = np.flatnonzero(cut.lots)
    rows, traded = FIRST_TRADER + took, cut.lots[took]
    price, lots, paid = _priced(sellers, cut, traded)
    book = sellers.book.traded(rows, lots, paid)
    equity = quanta_down(book.cash[rows] + book.lots[rows] @ sellers.unit)
    fee: Vector = np.abs(paid[:, cut.column]) * sellers.rules.fee
    book = book.paid(rows, FUND, np.clip(equity, 0, quanta_up(fee)))
    names = tuple(book.names[row] for row in rows)
    effect = Liquidated(
        time, sellers.listings[cut.column].name, names, tuple(traded.tolist()), price, cut.displacement
    )
    return replace(sellers, book=book), effect
