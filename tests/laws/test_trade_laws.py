"""Does a trade leave nobody with less above maintenance, its price counted, unless initial margin is met?"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from plimsoll.domain.events import Deposited, Funded, Listed, Opened, Published, Refused, Ticked, Traded
from plimsoll.domain.money import QUANTA_PER_UNIT
from plimsoll.domain.parameters import Level
from plimsoll.domain.settings import ClearingRules
from plimsoll.engine.book import MAKERS
from plimsoll.engine.machine import begin, step
from plimsoll.errors import Code
from tests.laws import test_option_venue as options
from tests.support.venues import LISTINGS, MARKS, TIERS, cross_margin, parameter_set, per_position

COLUMNS = len(LISTINGS)
METHODS = (TIERS, per_position(), cross_margin(), cross_margin(dependence=(), gross_floor=0.0))
NAMES = ("hedger", "friend", "third")
PERPETUAL, FUTURE = 0, 3
UNIT = MARKS * np.array([entry.lot for entry in LISTINGS]) * QUANTA_PER_UNIT
MILLION = 10**6 * QUANTA_PER_UNIT


def venue(method, cash):
    state, _ = step(begin(), Listed(1, LISTINGS, ClearingRules()))
    for event in (
        Opened(1, NAMES, cash),
        Funded(1, 0, 10**15),
        Ticked(2, tuple(MARKS.tolist()), (1e9,) * COLUMNS, (0.01,) * COLUMNS),
        Published(2, parameter_set(method)),
    ):
        state, _ = step(state, event)
    return state


def traded(state, slip, **lots):
    """Trade so many lots by account, all at one share off the marks."""
    prices = tuple((state.market.marks * (1.0 + slip)).tolist())
    event = Traded(state.time, prices, tuple(lots), tuple(tuple(map(int, held)) for held in lots.values()))
    state, effects = step(state, event)
    return state, codes_of(effects)


def codes_of(effects):
    return {effect.account: effect.code for effect in effects if isinstance(effect, Refused)}


def lots_of(**notional):
    """Give lots of the perpetual and the future that are worth so many quanta at the mark."""
    held = np.zeros(COLUMNS, dtype=np.int64)
    held[PERPETUAL] = round(notional.get("perpetual", 0) / UNIT[PERPETUAL])
    held[FUTURE] = round(notional.get("future", 0) / UNIT[FUTURE])
    return held


def room(state, name, level=Level.MAINTENANCE):
    """Equity less the requirement, at the marks."""
    row = state.book.rows[name]
    notional = (state.book.lots[row] * state.unit)[None]
    return state.book.cash[row] + notional.sum() - state.model_in_force.requirement(notional, level)[0]


HEDGED = st.tuples(
    st.floats(0.2, 30.0), st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.5, 1.0]), min_size=4, max_size=4)
)
SLIPS = st.sampled_from([0.0, 0.0, 0.001, -0.001, 0.02, -0.02, -0.4, -0.99, 3.0])
PARTS = st.lists(st.sampled_from([0.0, 0.0, 0.3, 0.6, 1.0]), min_size=4, max_size=4)


@settings(max_examples=150, deadline=None)
@given(
    method=st.sampled_from(METHODS),
    book=HEDGED,
    fall=st.floats(0.97, 1.03),
    acts=st.lists(
        st.tuples(PARTS, SLIPS, st.sampled_from(["makers", "friend", "third"])), min_size=1, max_size=4
    ),
)
@example(METHODS[2], (9.0, [1.0, 0.0, 0.0, -1.0]), 1.0, [([0.0, 0.0, 0.0, 1.0], 0.0, "makers")])
@example(METHODS[2], (1.0, [1.0, 0.0, 0.0, 0.0]), 1.0, [([1.0, 0.0, 0.0, 0.0], -0.99, "friend")])
def test_nobodys_equity_above_maintenance_falls_unless_initial_margin_is_met_after_the_trade(
    method, book, fall, acts
):
    size, weights = book
    state = venue(method, (MILLION, 40 * MILLION, MILLION // 50))
    held = np.zeros(COLUMNS, dtype=np.int64)
    held[:4] = np.rint(np.array(weights) * size * MILLION / UNIT[:4])
    state, _ = traded(state, 0.0, hedger=held, friend=-held)
    marks = tuple((MARKS * np.where(np.arange(COLUMNS) % 2 == 0, fall, 1.0)).tolist())
    state, _ = step(state, Ticked(3, marks, (1e9,) * COLUMNS, (0.01,) * COLUMNS))
    for parts, slip, other in acts:
        mine = np.zeros(COLUMNS, dtype=np.int64)
        mine[:4] = -np.rint(np.array(parts) * state.book.lots[state.book.rows["hedger"]][:4])
        before = state
        legs = {"hedger": mine} if other == "makers" else {"hedger": mine, other: -mine}
        state, refused = traded(before, slip, **legs)
        assert set(refused) in (set(), set(legs)), "a trade among accounts stands or falls whole"
        for name in set(legs) - set(refused):
            kept = room(state, name) + np.count_nonzero(mine) + A_QUANTUM >= room(before, name)
            assert kept or room(state, name, Level.INITIAL) + A_QUANTUM >= 0.0
        if refused:
            assert (state.book.cash == before.book.cash).all()
            assert (state.book.lots == before.book.lots).all()


A_QUANTUM = 1.0
"""Equity and requirements are floats here, of amounts that the engine rounds to whole quanta."""


def test_a_hedge_is_not_taken_from_what_it_hedges():
    state = venue(cross_margin(), (MILLION // 1000, MILLION, MILLION))
    state, refused = traded(state, 0.0, hedger=lots_of(perpetual=MILLION, future=-MILLION))
    assert not refused
    naked, direct = lots_of(future=MILLION), lots_of(perpetual=2 * MILLION)
    for lots in (naked, direct):
        assert traded(state, 0.0, hedger=lots)[1] == {"hedger": Code.INSUFFICIENT_MARGIN}
    flat = lots_of(perpetual=-MILLION, future=MILLION)
    assert not traded(state, 0.0, hedger=flat)[1]
    assert not traded(state, 0.0, hedger=np.rint(flat / 2))[1]


def test_nobody_sells_to_its_own_second_account_at_a_price_that_leaves_the_venue_a_debt():
    state = venue(cross_margin(), (MILLION, MILLION, MILLION))
    lots = lots_of(perpetual=5 * MILLION)
    state, refused = traded(state, 0.0, hedger=lots, friend=-lots)
    assert not refused
    after, refused = traded(state, -0.99, hedger=-lots, friend=lots)
    assert refused == {"hedger": Code.INSUFFICIENT_MARGIN, "friend": Code.OTHER_SIDE_REFUSED}
    assert (after.book.lots[MAKERS] == 0).all(), "nor do the makers step in at that price"
    assert not traded(state, 0.0, hedger=-lots, friend=lots)[1]


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_whoever_is_below_initial_margin_may_reduce_all_positions_alike_at_a_fair_price(share):
    state = venue(cross_margin(), (MILLION, 100 * MILLION, MILLION))
    held = lots_of(perpetual=9 * MILLION, future=-2 * MILLION)
    state, refused = traded(state, 0.0, hedger=held, friend=-held)
    assert not refused
    state, _ = step(state, Deposited(3, ("hedger",), (-int(room(state, "hedger", Level.INITIAL)) + 9,)))
    marks = tuple((MARKS * 0.999).tolist())
    state, _ = step(state, Ticked(4, marks, (1e9,) * COLUMNS, (0.01,) * COLUMNS))
    assert room(state, "hedger", Level.INITIAL) < 0.0 < room(state, "hedger")
    assert not traded(state, -0.001 * share, hedger=-np.rint(held * share))[1]


def test_what_hedges_options_is_not_sold_from_under_them():
    """A conversion (long call, written put, short perpetual) may be taken apart whole, and not leg by leg."""
    state = options.opened(cash=20_000)
    call, put = (
        next(place for place, entry in enumerate(options.LISTINGS) if entry.name.endswith(f"60000-{right}"))
        for right in ("C", "P")
    )
    size = 5_000_000
    conversion = [0] * options.COLUMNS
    conversion[0], conversion[call], conversion[put] = -size, size, -size
    state, effects = step(state, options.traded(state, state.time, "desk", conversion))
    assert not effects
    for place in (0, call):
        leg = [0] * options.COLUMNS
        leg[place] = -conversion[place]
        _, effects = step(state, options.traded(state, state.time, "desk", leg))
        assert codes_of(effects) == {"desk": Code.INSUFFICIENT_MARGIN}
    for share in (2, 1):
        back = [-held // share for held in conversion]
        after, effects = step(state, options.traded(state, state.time, "desk", back))
        assert not effects
        assert (after.book.lots[after.book.rows["desk"]] == np.add(conversion, back)).all()


def test_a_listing_without_a_mark_keeps_nobody_from_reducing_the_others():
    state = venue(cross_margin(), (MILLION, 100 * MILLION, MILLION))
    held = lots_of(perpetual=5 * MILLION)
    state, _ = traded(state, 0.0, hedger=held, friend=-held)
    marks = state.market.marks.copy()
    marks[FUTURE] = np.nan
    unquoted = replace(state, market=replace(state.market, marks=marks))
    prices = tuple(MARKS.tolist())
    sold = Traded(state.time, prices, ("hedger",), (tuple((-held // 2).tolist()),))
    assert not step(unquoted, sold)[1]
    given_away = replace_prices(sold, 0.5)
    assert codes_of(step(unquoted, given_away)[1]) == {"hedger": Code.INSUFFICIENT_MARGIN}


def replace_prices(event, factor):
    return Traded(event.time, tuple(price * factor for price in event.prices), event.accounts, event.lots)
