"""What holds of a venue that lists options, from the first trade to expiry?

Events are drawn: trades, deposits, withdrawals, ticks that move forwards and volatilities, new parameters;
and in the end comes a tick past each expiry.
"""

from dataclasses import replace

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from plimsoll.clearing.statuses import Status
from plimsoll.domain.events import (
    Deposited,
    Expired,
    Funded,
    Introduced,
    Liquidated,
    Listed,
    Opened,
    Published,
    Refused,
    StatusChanged,
    Ticked,
    Traded,
)
from plimsoll.domain.instruments import Future, Listing, Option, Perpetual, Spot
from plimsoll.domain.money import QUANTA_PER_UNIT, quanta_up
from plimsoll.domain.parameters import Level
from plimsoll.domain.portfolios import Holding, Portfolio
from plimsoll.domain.settings import ClearingRules
from plimsoll.engine.book import FIRST_TRADER
from plimsoll.engine.machine import begin, step
from plimsoll.engine.options import quoted
from plimsoll.engine.state import digest, restore, snapshot
from plimsoll.errors import Code, PlimsollError
from plimsoll.margin.calibrated import with_calibration
from plimsoll.margin.profiles import profile
from plimsoll.margin.venue import requirement
from tests.support.venues import cross_margin, joint_rows, market, parameter_set, side, with_implied

HOUR = 3_600_000
NOW = 1_774_598_400_000
NEAR, FAR = NOW + 7 * 24 * HOUR, NOW + 60 * 24 * HOUR
LISTINGS = (
    Listing(Perpetual("BTC"), 1e-6),
    Listing(Perpetual("ETH"), 1e-5),
    Listing(Spot("BTC"), 1e-6),
    Listing(Future("BTC", FAR), 1e-6),
    Listing(Option("BTC", NEAR, 60_000.0, "C"), 1e-6),
    Listing(Option("BTC", NEAR, 60_000.0, "P"), 1e-6),
    Listing(Option("BTC", FAR, 50_000.0, "P"), 1e-6),
    Listing(Option("ETH", FAR, 3_300.0, "C"), 1e-5),
)
COLUMNS = len(LISTINGS)
FORWARDS = np.array([61_234.5, 2_987.6, 61_230.0, 62_000.0, 61_300.0, 61_300.0, 62_000.0, 3_010.0])
VOLATILITY = np.array([0.0, 0.0, 0.0, 0.0, 0.55, 0.56, 0.61, 0.7])
NEXT_TO = np.array([0, 1, 0, 0, 0, 0, 0, 1])
"""Which market's move each listing follows."""
NAMES = ("BTC", "ETH")
ACCOUNTS = ("desk", "maker", "writer")
TABLE = with_implied(joint_rows(5, NAMES), 6)


def parameters(version=1, *, growth=1.0):
    """Maintenance grows; initial margin reaches 1.49 times the first, as the guard has it."""
    markets = tuple(
        market(
            name,
            replace_side(side(rate, steps=(1.2, 1.49)), growth),
            replace_side(side(0.9 * rate, steps=(1.2, 1.49)), growth),
        )
        for name, rate in zip(NAMES, (0.05, 0.07), strict=True)
    )
    return parameter_set(cross_margin(markets, dependence=(TABLE,)), version=version)


def replace_side(one, growth):
    grown = one.maintenance * growth
    return type(one)(
        maintenance=grown,
        call=max(one.call, grown),
        initial=one.initial * growth,
        credit=one.credit,
        initial_credit=one.initial_credit,
    )


def ticked(time, move=(1.0, 1.0), wilder=1.0):
    marks = FORWARDS * np.array(move)[NEXT_TO]
    volume, impact = (1e9,) * COLUMNS, (0.01,) * COLUMNS
    wild = tuple((VOLATILITY * wilder).tolist())
    return Ticked(time, tuple(marks.tolist()), volume, impact, volatility=wild)


def traded(state, time, account, lots):
    prices = tuple(np.where(np.isnan(state.market.marks), 1.0, state.market.marks).tolist())
    return Traded(time, prices, (account,), (tuple(lots),))


def opened(cash=200_000, rules=None):
    events = (
        Listed(NOW, LISTINGS, rules or ClearingRules()),
        Opened(NOW, ACCOUNTS, (cash * QUANTA_PER_UNIT,) * len(ACCOUNTS)),
        Funded(NOW, 10**11, 10**14),
        Published(NOW, parameters()),
        ticked(NOW),
    )
    state = begin()
    for event in events:
        state, _ = step(state, event)
    return state


lots = st.lists(st.integers(-2_000_000, 2_000_000), min_size=COLUMNS, max_size=COLUMNS)
acts = st.one_of(
    st.tuples(st.just("trade"), st.sampled_from(ACCOUNTS), lots),
    st.tuples(st.just("tick"), st.tuples(st.floats(0.8, 1.25), st.floats(0.75, 1.3)), st.floats(0.6, 1.8)),
    st.tuples(st.just("cash"), st.sampled_from(ACCOUNTS), st.integers(-(10**11), 10**11)),
    st.tuples(st.just("rates"), st.just(""), st.floats(1.0, 1.4)),
)


def event_of(state, act, time):
    kind, who, what = act
    if kind == "trade":
        return traded(state, time, who, what)
    if kind == "tick":
        return ticked(time, who, what)
    if kind == "cash":
        return Deposited(time, (who,), (what,))
    return Published(time, parameters(state.parameters.version + 1, growth=what))


def balanced(state):
    assert int(state.book.cash.sum()) == 0
    assert not state.book.lots.sum(axis=0).any()


@given(
    drawn=st.lists(acts, max_size=6),
    rules=st.sampled_from([ClearingRules(), ClearingRules(reduction="relief")]),
)
@settings(max_examples=5)
def test_books_balance_after_every_event_and_a_restored_state_goes_on_as_the_original(drawn, rules):
    state = opened(rules=rules)
    for number, act in enumerate(drawn):
        event = event_of(state, act, NOW + (number + 1) * HOUR)
        again, told = step(restore(snapshot(state)), event)
        state, effects = step(state, event)
        assert (digest(again), told) == (digest(state), effects)
        balanced(state)
    for expiry in (NEAR, FAR):
        state, effects = step(state, ticked(expiry, (1.07, 0.9)))
        balanced(state)
        over = [
            i for i, one in enumerate(LISTINGS) if getattr(one.instrument, "expiry", expiry + 1) <= expiry
        ]
        assert not state.book.lots[:, over].any()


@given(held=lots)
@settings(max_examples=6)
def test_an_account_is_asked_for_what_the_portfolio_engine_asks_for(held):
    state = opened()
    notional = np.array(held)[None] * state.unit
    chosen = with_calibration(profile("plimsoll"), parameters())
    quantities = zip(LISTINGS, held, strict=True)
    portfolio = Portfolio(holdings=tuple(Holding(one.instrument, one.lot * n) for one, n in quantities if n))
    market_now = quoted(LISTINGS, state.market, NOW)
    for level in Level:
        asked = state.model.requirement(notional, level)[0] / QUANTA_PER_UNIT
        expected = requirement(portfolio, market_now, chosen, level).required
        assert asked == pytest.approx(expected, rel=1e-9, abs=1e-6)


@given(held=lots, growth=st.floats(1.0, 1.49))
@settings(max_examples=12)
def test_who_may_trade_is_not_liquidated_by_a_rise_alone_within_the_notice(held, growth):
    state = opened(cash=2_000_000)
    state, refused = step(state, traded(state, NOW, "desk", held))
    assert not refused
    row = state.book.rows["desk"]
    needed = quanta_up(state.model_in_force.requirement(state.book.lots[[row]] * state.unit, Level.INITIAL))
    spare = int(np.floor(state.book.cash[row] + state.book.lots[row] @ state.unit)) - int(needed[0])
    state, refused = step(state, Deposited(NOW, ("desk",), (-spare,)))
    assert not refused
    state, _ = step(state, Published(NOW, parameters(2, growth=growth)))
    state, effects = step(state, ticked(NOW))
    statuses = {effect.after for effect in effects if isinstance(effect, StatusChanged)}
    assert statuses <= {Status.CALLED.name}


def test_a_long_call_is_paid_out_at_expiry_and_the_writer_pays():
    state = opened()
    bought = [0, 0, 0, 0, 1_000_000, 0, 0, 0]
    state, refused = step(state, traded(state, NOW, "desk", bought))
    assert not refused
    sold = [-n for n in bought]
    state, refused = step(state, traded(state, NOW, "writer", sold))
    assert not refused
    desk, writer = (state.book.rows[name] for name in ("desk", "writer"))
    before = state.book.cash.copy()
    state, effects = step(state, ticked(NEAR, (1.1, 1.0)))
    settled = next(effect for effect in effects if isinstance(effect, Expired))
    payoff = 61_300.0 * 1.1 - 60_000.0
    assert settled.instrument == LISTINGS[4].name
    assert settled.payoff == pytest.approx(payoff)
    assert dict(zip(settled.accounts, settled.lots, strict=True)) == {"desk": 1_000_000, "writer": -1_000_000}
    assert (state.book.cash - before)[desk] == pytest.approx(payoff * QUANTA_PER_UNIT, abs=1.0)
    assert (state.book.cash - before)[writer] == pytest.approx(-payoff * QUANTA_PER_UNIT, abs=1.0)
    balanced(state)


def test_a_worthless_option_leaves_nothing_and_cannot_be_traded_any_more():
    state = opened()
    state, _ = step(state, traded(state, NOW, "desk", [0, 0, 0, 0, 0, -1_000_000, 0, 0]))
    cash = int(state.book.cash[FIRST_TRADER])
    state, _ = step(state, ticked(NEAR, (1.1, 1.0)))
    assert int(state.book.cash[FIRST_TRADER]) == cash
    with pytest.raises(PlimsollError) as raised:
        step(state, traded(state, NEAR, "desk", [0, 0, 0, 0, 0, -1, 0, 0]))
    assert raised.value.code is Code.EXPIRED_INSTRUMENT


def test_a_hedged_writer_needs_less_than_a_naked_one():
    naked, hedged = [0, 0, 0, 0, -1_000_000, 0, 0, 0], [550_000, 0, 0, 0, -1_000_000, 0, 0, 0]
    state = opened()
    needed = state.model.requirement(np.array([naked, hedged]) * state.unit, Level.MAINTENANCE)
    assert needed[1] < 0.8 * needed[0]


def test_a_writer_who_cannot_meet_initial_margin_is_refused_and_one_who_loses_is_liquidated():
    state = opened(cash=9_000)
    short = [0, 0, 0, 0, -1_000_000, 0, 0, 0]
    _, effects = step(state, traded(state, NOW, "writer", [10 * n for n in short]))
    assert [type(effect) for effect in effects] == [Refused]
    state, effects = step(state, traded(state, NOW, "writer", short))
    assert effects == ()
    row = state.book.rows["writer"]
    state, effects = step(state, ticked(NOW + HOUR, (1.12, 1.0)))
    assert -1_000_000 < int(state.book.lots[row, 4]) < 0
    bought = next(effect for effect in effects if isinstance(effect, Liquidated))
    assert bought.instrument == LISTINGS[4].name
    assert bought.price > state.market.marks[4]
    equity = state.book.cash[row] + state.book.lots[row] @ state.unit
    held = state.book.lots[[row]] * state.unit
    assert equity >= state.model_in_force.requirement(held, Level.MAINTENANCE)[0]
    balanced(state)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda event: {"volatility": ()}, Code.MISSING_VOLATILITY),
        (
            lambda event: {"volatility": (*event.volatility[:4], 0.0, *event.volatility[5:])},
            Code.MISSING_VOLATILITY,
        ),
        (lambda event: {"volatility": (*event.volatility[:-1], float("nan"))}, Code.MISSING_VOLATILITY),
        (lambda event: {"marks": (*event.marks[:5], 60_000.0, *event.marks[6:])}, Code.BAD_PRICE),
    ],
)
def test_a_tick_that_cannot_price_an_option_is_refused_whole(spoil, code):
    state = opened()
    event = ticked(NOW + HOUR)
    with pytest.raises(PlimsollError) as raised:
        step(state, structs.replace(event, **spoil(event)))
    assert raised.value.code is code


def test_a_market_that_the_set_does_not_know_is_refused_with_its_remedy():
    state = opened()
    lone = parameter_set(cross_margin((parameters().method.markets[0],), dependence=()), version=2)
    with pytest.raises(PlimsollError, match="no market ETH"):
        step(state, Published(NOW, lone))


def test_without_options_a_tick_is_written_as_before():
    plain = Ticked(1, (2.0,), (3.0,), (4.0,))
    assert b"volatility" not in msgspec.msgpack.encode(plain)
    state = replace(begin(), listings=LISTINGS[:1])
    assert b"options" not in snapshot(state)


def test_a_new_expiry_is_listed_while_the_venue_runs():
    state = opened()
    state, _ = step(state, traded(state, NOW, "writer", [0, 0, 0, 0, -1_000_000, 0, 0, 0]))
    fresh = Listing(Option("BTC", FAR, 70_000.0, "C"), 1e-6)
    before = state
    state, effects = step(state, Introduced(NOW + 1, (fresh,)))
    assert effects == ()
    assert digest(restore(snapshot(state))) == digest(state)
    wide = (*[0] * COLUMNS, 500_000)
    _, refused = step(state, traded(state, NOW + 2, "desk", wide))
    assert [type(effect) for effect in refused] == [Refused]
    plain = ticked(NOW + HOUR)
    tick = structs.replace(
        plain,
        marks=(*plain.marks, plain.marks[3]),
        volume=(*plain.volume, 1e9),
        impact=(*plain.impact, 0.01),
        volatility=(*plain.volatility, 0.6),
    )
    state, _ = step(state, tick)
    priced, _ = step(before, plain)
    assert state.book.cash.tolist() == priced.book.cash.tolist()
    state, refused = step(state, traded(state, NOW + HOUR, "desk", wide))
    assert not refused
    assert state.book.lots[state.book.rows["desk"]].tolist() == list(wide)
    balanced(state)


@pytest.mark.parametrize(
    "listing",
    [LISTINGS[4], Listing(Option("BTC", NOW - HOUR, 60_000.0, "C"), 1e-6)],
    ids=["twice", "expired"],
)
def test_what_is_listed_already_or_has_expired_is_not_introduced(listing):
    with pytest.raises(PlimsollError) as raised:
        step(opened(), Introduced(NOW, (listing,)))
    assert raised.value.code is Code.OUT_OF_ORDER
