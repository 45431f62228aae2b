"""Is forced selling measured as defined, capped as promised, and a rise paced within its budget?"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from plimsoll.clearing.feedback import (
    MOVES,
    Held,
    branching_profile,
    branching_ratio,
    forced_sales,
    forced_sales_definition,
)
from plimsoll.domain.account_books import AccountBook
from plimsoll.domain.instruments import Option, Perpetual, Spot
from plimsoll.domain.money import QUANTA_PER_UNIT
from plimsoll.domain.parameters import CrossMargin, Level, MarginMethod
from plimsoll.domain.settings import ClearingRules
from plimsoll.errors import Code, PlimsollError
from plimsoll.margin import margin_model
from plimsoll.sim.book_at_marks import book_at_marks
from plimsoll.sim.caps import LARGEST_RATIO, capped_lots
from plimsoll.sim.curves import flat_book
from plimsoll.sim.drawn_book import draw_book, markets_and_prices
from plimsoll.sim.impact import impact_of
from plimsoll.sim.pacing import blended, forced_by_change, largest_step, paced
from plimsoll.sim.settings import PopulationSettings
from tests.support.venues import LISTINGS, MARKS, TIERS, cross_margin, parameter_set, per_position

SUM_ORDER = 1e-9
"""Sales of many accounts are added up in another order, relative to gross notional."""
COLUMNS = np.array([0, 1, 2, 0, 0])
TRADED = np.array([True, True, True, True, False])
UNIT = np.array([entry.lot for entry in LISTINGS]) * MARKS * QUANTA_PER_UNIT
RULES = ClearingRules()
DEPTH = np.array([2e6, 1e6, 3e5]) * QUANTA_PER_UNIT
METHODS: dict[str, MarginMethod] = {"tiers": TIERS, "rates": per_position(), "netted": cross_margin()}


def drawn(seed, method, accounts=60):
    """Draw accounts of all kinds: long, short, hedged, with a coin as collateral, some under water."""
    generator = np.random.default_rng(seed)
    notional = generator.normal(0.0, 3e5, (accounts, 5)) * (generator.random((accounts, 5)) < 0.5)
    notional[:, 4] = np.abs(notional[:, 4]) * 0.1
    lots = np.rint(notional * QUANTA_PER_UNIT / UNIT).astype(np.int64)
    equity = np.abs(notional).sum(axis=1) * generator.uniform(-0.02, 0.4, accounts) * QUANTA_PER_UNIT
    cash = np.floor(equity - (lots * UNIT).sum(axis=1)).astype(np.int64)
    return Held(cash, lots, UNIT, margin_model(METHODS[method], LISTINGS), RULES)


@pytest.mark.parametrize("method", METHODS)
@given(seed=st.integers(0, 2**32 - 1), move=st.floats(-0.25, 0.25))
@settings(max_examples=15)
def test_forced_sales_are_those_of_the_definition(method, seed, move):
    held = drawn(seed, method)
    unit = np.where(COLUMNS == 0, UNIT * (1.0 + move), UNIT)
    gross = np.abs(held.lots * unit).sum()
    difference = np.abs(forced_sales(held, unit) - forced_sales_definition(held, unit))
    assert (difference <= SUM_ORDER * gross).all()


@pytest.mark.parametrize("method", METHODS)
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=8)
def test_the_profile_leaves_no_account_out(method, seed):
    held = drawn(seed, method)
    profile = branching_profile(held, COLUMNS, DEPTH)
    for market, place, side in ((0, 2, 0), (1, 5, 1), (2, 7, 0)):
        sign = (-1.0, 1.0)[side]
        own = market == COLUMNS
        unit = np.where(own, UNIT * (1.0 + sign * MOVES[place]), UNIT)
        traded = [
            max(sign * np.diff(forced_sales_definition(held, u)[:, own].sum(axis=1))[0], 0.0)
            for u in (UNIT, unit)
        ]
        slope = max(traded[1] - traded[0], 0.0) * 0.01 / MOVES[place] / DEPTH[market]
        assert np.isclose(profile[side, market, place], slope, rtol=1e-6, atol=1e-9)


def test_twice_the_depth_is_half_the_ratio():
    held = drawn(5, "rates", accounts=300)
    thin = branching_ratio(branching_profile(held, COLUMNS, DEPTH))
    deep = branching_ratio(branching_profile(held, COLUMNS, 2.0 * DEPTH))
    assert thin.min() > 0.0
    np.testing.assert_allclose(deep, thin / 2.0, rtol=1e-12)


def test_a_book_without_leverage_feeds_nothing():
    held = drawn(5, "rates", accounts=300)
    rich = replace(held, cash=held.cash + np.abs(held.lots * UNIT).sum(axis=1).astype(np.int64) * 2)
    assert branching_ratio(branching_profile(rich, COLUMNS, DEPTH)).max() == 0.0


@pytest.mark.parametrize("method", METHODS)
def test_caps_keep_the_ratio_and_only_shrink(method):
    held = drawn(11, method, accounts=300)
    equity = held.cash + (held.lots * UNIT).sum(axis=1)
    assert branching_ratio(branching_profile(held, COLUMNS, DEPTH)).max() > LARGEST_RATIO
    lots, shares = capped_lots(held, TRADED, COLUMNS, DEPTH)
    cash = np.floor(equity - (lots * UNIT).sum(axis=1)).astype(np.int64)
    capped = replace(held, lots=lots, cash=cash)
    assert branching_ratio(branching_profile(capped, COLUMNS, DEPTH)).max() <= LARGEST_RATIO
    assert (np.abs(lots) <= np.abs(held.lots)).all()
    assert (lots * held.lots >= 0).all()
    assert np.array_equal(lots[:, 4], held.lots[:, 4])
    assert ((shares > 0.0) & (shares <= 1.0)).all()
    assert shares.min() < 1.0


def test_a_book_below_the_cap_is_left_alone():
    held = drawn(11, "rates", accounts=40)
    lots, shares = capped_lots(held, TRADED, COLUMNS, 1e4 * DEPTH)
    assert lots is held.lots
    assert (shares == 1.0).all()


NETTED: CrossMargin = cross_margin()
OLD = parameter_set(NETTED)


def raised(factor):
    """Multiply every rate."""
    markets = tuple(
        structs.replace(entry, long=_times(entry.long, factor), short=_times(entry.short, factor))
        for entry in NETTED.markets
    )
    return structs.replace(OLD, version=2, method=structs.replace(NETTED, markets=markets)).sealed()


def _times(side, factor):
    return structs.replace(
        side,
        maintenance=side.maintenance * factor,
        call=side.call * factor,
        initial=side.initial * factor,
    )


def marked(accounts=150, seed=2):
    book = draw_book(OLD, PopulationSettings(accounts=accounts, median_leverage=20.0), seed)
    markets, prices = markets_and_prices(OLD)
    return book_at_marks(book, dict(zip(markets, prices.tolist(), strict=True)))


def test_a_book_at_its_entry_prices_has_the_equity_that_was_paid_in():
    book = draw_book(OLD, PopulationSettings(accounts=200), 6)
    at_marks = marked(200, 6)
    drawn_again = draw_book(OLD, PopulationSettings(accounts=200, median_leverage=20.0), 6)
    equity = (at_marks.cash + (at_marks.lots * at_marks.unit).sum(axis=1)) / QUANTA_PER_UNIT
    spots = np.array([isinstance(i, Spot) for i in drawn_again.instruments])[drawn_again.columns]
    worth = drawn_again.cash.copy()
    np.add.at(worth, drawn_again.owners, np.where(spots, drawn_again.sizes * drawn_again.prices, 0.0))
    np.testing.assert_allclose(equity, worth, atol=0.1)
    assert len(book.names) == len(drawn_again.names)


def curves(book):
    return tuple(flat_book(held, volume=held, impact=0.0) for held in (book.interest() * 0.01).tolist())


def test_a_change_to_itself_does_nothing():
    book = marked()
    found = impact_of(book, OLD, OLD, curves(book), RULES)
    assert found.called == found.breached == ()
    assert found.restored == 0
    assert all(each.sold == each.bought == 0.0 for each in found.markets)
    assert all(each.branching_before == each.branching_after for each in found.markets)


def test_impact_names_whom_the_rise_alone_brings_below():
    book, new = marked(), raised(2.2)
    found = impact_of(book, OLD, new, curves(book), RULES)
    called, breached = set(), set()
    for row, name in enumerate(book.names):
        notional = (book.lots[row] * book.unit)[None]
        equity = float(book.cash[row] + notional.sum())
        before, after = (margin_model(each.method, book.listings) for each in (OLD, new))
        if equity < after.requirement(notional, Level.MAINTENANCE)[0]:
            breached |= {name} if equity >= before.requirement(notional, Level.MAINTENANCE)[0] else set()
        elif (
            before.requirement(notional, Level.CALL)[0] <= equity < after.requirement(notional, Level.CALL)[0]
        ):
            called.add(name)
    assert breached
    assert called
    assert set(found.breached) == breached
    assert set(found.called) == called
    assert found.required_after > found.required_before
    assert sum(each.sold for each in found.markets) > 0.0
    back = impact_of(book, new, OLD, curves(book), RULES)
    assert back.restored >= len(breached)
    assert back.breached == ()


@given(st.floats(1.05, 4.0), st.floats(0.01, 1.0))
@settings(max_examples=10)
def test_a_step_stays_within_its_budget_and_takes_what_fits(factor, budget):
    book, new = marked(), raised(factor)
    depth = book.interest() * 0.01 * QUANTA_PER_UNIT
    held = book.held(margin_model(OLD.method, book.listings), RULES)
    share = largest_step(held, OLD, new, book.listings, book.columns, depth, budget)
    assert 0.0 <= share <= 1.0
    assert within(book, held, new, share, budget * depth)
    if share < 0.999:
        assert not within(book, held, new, min(share + 0.001, 1.0), budget * depth)


def within(book, held, new, share, most):
    after = replace(held, model=margin_model(blended(OLD, new, share).method, book.listings))
    total = np.zeros(len(book.markets))
    np.add.at(total, book.columns, forced_by_change(held, after).sum(axis=0))
    return bool((total <= most).all())


def test_a_paced_rise_climbs_to_the_whole():
    book = marked()
    steps = paced(book, OLD, raised(2.0), curves(book), RULES)
    assert len(steps) > 2
    assert steps[-1] == 1.0
    assert (np.diff(np.array(steps)) > 0.0).all()


def test_sets_of_two_kinds_have_nothing_between_them():
    with pytest.raises(PlimsollError) as caught:
        blended(OLD, parameter_set(per_position()), 0.5)
    assert caught.value.code is Code.BAD_SETTING


@pytest.mark.parametrize(
    ("instrument", "code"),
    [
        (Option("BTC", 1_900_000_000_000, 50_000.0, "C"), Code.UNSUPPORTED_INSTRUMENT),
        (Perpetual("XYZ"), Code.MISSING_PRICE),
    ],
)
def test_a_book_that_cannot_be_marked_is_refused(instrument, code):
    none = np.zeros(1, dtype=np.intp)
    book = AccountBook(("a",), (instrument,), np.zeros(1), none, none, np.ones(1), np.array([np.nan]))
    with pytest.raises(PlimsollError) as caught:
        book_at_marks(book, {"BTC": 60_000.0})
    assert caught.value.code is code
