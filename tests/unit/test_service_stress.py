"""Does the service's stress of a running venue say what a stress of the same accounts' book says?"""

from dataclasses import replace

import numpy as np
import pytest

from plimsoll.domain.account_books import AccountBook
from plimsoll.domain.instruments import Spot
from plimsoll.domain.money import QUANTA_PER_UNIT
from plimsoll.domain.parameters import Level
from plimsoll.engine.book import FIRST_TRADER, FUND
from plimsoll.engine.runner import replayed
from plimsoll.margin.standing import Standing, priced_market
from plimsoll.margin.stress import stress_book
from plimsoll.scenarios.library import scenarios
from plimsoll.scenarios.stresses import stresses
from plimsoll.service.stress import library_stresses, stressed
from tests.support.stores import events

ROUNDING = 1e-9
"""Sums of floats in quanta, and in quote currency."""


def levered(state):
    """Leave accounts from a little to many times their maintenance margin, so that a stress divides them."""
    notional = state.book.lots * state.unit
    needed = state.model_in_force.requirement(notional, Level.MAINTENANCE)
    multiples = 1.05 + np.arange(len(needed)) % 7
    cash = np.rint(multiples * needed - notional.sum(axis=1)).astype(np.int64)
    return replace(state, book=replace(state.book, cash=cash))


STATE = levered(replayed(events(400)))


def as_book() -> AccountBook:
    """The traders of the state as a file of accounts would have them: entered at the mark."""
    lots = STATE.book.lots[FIRST_TRADER:]
    marks = STATE.market.marks
    owners, columns = np.nonzero(lots)
    listed = [listing.lot for listing in STATE.listings]
    outright = np.array([isinstance(listing.instrument, Spot) for listing in STATE.listings])
    equity = STATE.book.equity(STATE.unit)[FIRST_TRADER:] / QUANTA_PER_UNIT
    held = np.where(outright, lots * listed * marks, 0.0).sum(axis=1)
    return AccountBook(
        names=tuple(STATE.book.names[FIRST_TRADER:]),
        instruments=tuple(listing.instrument for listing in STATE.listings),
        cash=equity - held,
        owners=owners,
        columns=columns,
        sizes=lots[owners, columns] * np.array(listed)[columns],
        prices=marks[columns],
    )


def standing() -> Standing:
    book = as_book()
    prices = {
        listing.name: float(mark) for listing, mark in zip(STATE.listings, STATE.market.marks, strict=True)
    }
    prices |= {listing.underlying: prices[listing.name] for listing in STATE.listings[::-1]}
    needed = STATE.model_in_force.requirement(STATE.book.lots * STATE.unit, Level.MAINTENANCE)
    return Standing(
        book=book,
        market=priced_market(book, prices, STATE.time),
        equity=STATE.book.equity(STATE.unit)[FIRST_TRADER:] / QUANTA_PER_UNIT,
        maintenance=needed[FIRST_TRADER:] / QUANTA_PER_UNIT,
        refused=(),
    )


@pytest.mark.parametrize("entry", scenarios(), ids=lambda entry: entry.name)
def test_both_stresses_of_one_book_agree_on_every_figure_they_share(entry):
    for stress in stresses(entry.name):
        service = stressed(STATE, entry.title, stress)
        (book,) = stress_book(standing(), (stress,), top=0).outcomes
        assert service.below_maintenance == book.below_maintenance
        assert service.under_water == book.insolvent
        for quanta, quote in (
            (service.loss, book.lost),
            (service.beyond_margin, book.beyond_margin),
            (service.shortfall, book.shortfall),
        ):
            assert quanta == pytest.approx(quote * QUANTA_PER_UNIT, rel=ROUNDING, abs=len(STATE.book.names))


def test_the_library_is_told_the_costliest_first_with_what_the_fund_leaves():
    found = library_stresses(STATE)
    assert [each.shortfall for each in found] == sorted((each.shortfall for each in found), reverse=True)
    assert found[0].loss > 0
    assert found[0].under_water > 0
    assert any(each.below_maintenance > each.under_water for each in found)
    for each in found:
        assert each.fund == STATE.book.cash[FUND]
        assert each.uncovered == max(0, each.shortfall - each.fund)
        assert each.beyond_margin <= each.loss


def test_the_worst_account_is_the_one_that_would_owe_most():
    for each in library_stresses(STATE):
        if each.under_water:
            row = STATE.book.rows[each.worst_account]
            moves = np.array([each.moves[listing.underlying] for listing in STATE.listings])
            after = STATE.book.equity(STATE.unit) + STATE.book.lots @ (STATE.unit * moves)
            assert after[row] == after[FIRST_TRADER:].min() < 0.0
