"""Is a book that is margined at once asked for what each of its accounts is asked for alone?"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from plimsoll.domain.cost_curve import CostCurve
from plimsoll.domain.events import Introduced, Published, Traded
from plimsoll.domain.instruments import Future, Listing, Option
from plimsoll.domain.market_liquidity import MarketLiquidity, OptionLiquidity
from plimsoll.domain.money import QUANTA_PER_UNIT
from plimsoll.domain.parameters import Level
from plimsoll.engine.machine import step
from plimsoll.engine.state import digest, restore, snapshot
from plimsoll.errors import Code, PlimsollError
from plimsoll.margin.many_portfolios import ManyPortfolios
from plimsoll.margin.profiles import profile
from plimsoll.margin.venue import VenueMargin
from tests.laws.test_option_venue import (
    COLUMNS,
    FAR,
    HOUR,
    LISTINGS,
    NOW,
    opened,
    parameters,
    ticked,
)

ROUNDING = 1e-12
"""Relative: sums of floats in another order."""
CURVE = CostCurve(half_spread=2e-4, slope=1e-3, reference=1e6, exponent=1.2, volatility=0.006, volume=5e7)
CLOSING = OptionLiquidity(
    band=0.0004,
    curve=CostCurve(half_spread=0.004, slope=0.01, reference=1e5, exponent=1.0, volatility=0.1, volume=1e6),
)


def charged_venue():
    """The venue of the other laws, with closing costs charged in BTC and its options."""
    state = opened()
    liquidity = (MarketLiquidity(market="BTC", curves=(CURVE,), charged=True, options=CLOSING),)
    charging = structs.replace(parameters(2), liquidity=liquidity).sealed()
    return step(state, Published(NOW, charging))[0]


MODELS = {"plain": opened().model_in_force, "charged": charged_venue().model_in_force}
rows = st.lists(st.integers(-3_000_000, 3_000_000), min_size=COLUMNS, max_size=COLUMNS)
held = st.lists(st.one_of(rows, st.just([0] * COLUMNS)), min_size=1, max_size=6)


@given(lots=held, level=st.sampled_from(Level), kind=st.sampled_from([*MODELS]), only=st.integers(0, COLUMNS))
@settings(max_examples=30)
def test_a_book_is_asked_for_what_its_accounts_are_asked_for_alone(lots, level, kind, only):
    model = MODELS[kind]
    lots = np.array(lots)
    lots[:, only:] *= np.arange(len(lots))[:, None] % 2
    notional = lots * opened_unit()
    asked = model.requirement(notional, level)
    for row, found in zip(notional, asked, strict=True):
        alone = model.venue.requirement(model.portfolio(row), level).required * QUANTA_PER_UNIT
        assert found == pytest.approx(alone, rel=ROUNDING, abs=1e-6)


@given(lots=held, level=st.sampled_from(Level), kind=st.sampled_from([*MODELS]), spare=st.integers(-5, 5))
@settings(max_examples=20)
def test_room_is_negative_for_whoever_is_below_and_values_are_those_of_the_ledger(lots, level, kind, spare):
    model, lots, unit = MODELS[kind], np.array(lots), opened_unit()
    needed = np.ceil(model.requirement(lots * unit, level))
    worth = (lots * unit).sum(axis=1)
    cash = np.ceil(needed - worth).astype(np.int64) + spare
    room = model.room(cash, lots, unit, level)
    below = np.floor(cash + worth) < needed
    assert np.all(room[below] < 0.0)
    assert np.all(room <= cash + worth - needed + 1.0)
    assert np.all(model.room(cash + 10**9, lots, unit, level) > 0.0)
    equity, maintenance = model.valued(cash, lots, unit)
    assert equity == pytest.approx(np.floor(cash + worth), abs=1.0)
    asked = model.requirement(lots * unit, Level.MAINTENANCE)
    assert maintenance == pytest.approx(np.ceil(asked), abs=1.0)


def opened_unit():
    lot = np.array([listing.lot for listing in LISTINGS])
    return lot * MODELS["plain"].marks * QUANTA_PER_UNIT


@pytest.mark.parametrize("name", ["derive-pmrm2", "deribit-pm"])
def test_a_profile_with_other_parts_is_refused(name):
    venue = MODELS["plain"].venue
    other = VenueMargin(venue.chain.instruments, venue.market, profile("plimsoll"))
    other.profile = profile(name)
    with pytest.raises(PlimsollError) as raised:
        ManyPortfolios(other)
    assert raised.value.code is Code.BAD_SETTING


FRESH = (
    Listing(Option("BTC", FAR, 70_000.0, "C"), 1e-6),
    Listing(Option("BTC", FAR, 70_000.0, "P"), 1e-6),
    Listing(Future("ETH", FAR), 1e-5),
)
QUOTED = Introduced(
    NOW,
    FRESH,
    marks=(62_000.0, 62_000.0, 3_010.0),
    volume=(1e9,) * 3,
    impact=(0.01,) * 3,
    volatility=(0.6, 0.61, 0.0),
)


def test_what_is_introduced_with_quotes_is_traded_and_margined_at_once():
    state, effects = step(opened(), QUOTED)
    assert effects == ()
    assert digest(restore(snapshot(state))) == digest(state)
    bought = (0,) * COLUMNS + (1_000_000, 0, 0)
    prices = tuple(state.market.marks.tolist())
    state, refused = step(state, Traded(NOW, prices, ("desk",), (bought,)))
    assert refused == ()
    row = state.book.rows["desk"]
    assert state.model_in_force.requirement(state.book.lots[[row]] * state.unit, Level.MAINTENANCE)[0] > 0.0
    before = digest(state)
    plain = ticked(NOW + HOUR)
    tick = structs.replace(
        plain,
        marks=(*plain.marks, 62_000.0, 62_000.0, 3_010.0),
        volume=(*plain.volume, *QUOTED.volume),
        impact=(*plain.impact, *QUOTED.impact),
        volatility=(*plain.volatility, *QUOTED.volatility),
    )
    again, _ = step(restore(snapshot(state)), tick)
    state, _ = step(state, tick)
    assert digest(again) == digest(state) != before


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        ({"volatility": (0.6, 0.0, 0.0)}, Code.MISSING_VOLATILITY),
        ({"volatility": (0.6, float("nan"), 0.0)}, Code.MISSING_VOLATILITY),
        ({"volatility": (0.6,)}, Code.MISSING_VOLATILITY),
        ({"marks": (62_000.0, 62_000.0)}, Code.BAD_PRICE),
        ({"marks": (62_000.0, float("nan"), 3_010.0)}, Code.BAD_PRICE),
        ({"marks": (62_000.0, 62_000.0, 3_011.0)}, Code.BAD_PRICE),
        ({"marks": (61_999.0, 61_999.0, 3_010.0)}, Code.BAD_PRICE),
        ({"volume": (1e9, -1.0, 1e9)}, Code.BAD_PRICE),
    ],
)
def test_what_cannot_be_priced_is_not_introduced(spoil, code):
    state = opened()
    with pytest.raises(PlimsollError) as raised:
        step(state, structs.replace(QUOTED, **spoil))
    assert raised.value.code is code


def test_before_the_first_tick_quotes_wait_for_it():
    state = opened()
    young = replace(state, ticked=0, market=replace(state.market, marks=np.full(COLUMNS, np.nan)))
    fresh, _ = step(young, QUOTED)
    assert fresh.model is None
    assert fresh.market.forwards[COLUMNS:].tolist() == [62_000.0, 62_000.0, 3_010.0]
