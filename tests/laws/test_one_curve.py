"""Does everything that depends on size take it from one curve, and obey the laws of size?"""

import hashlib
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from plimsoll.clearing.feedback import Held
from plimsoll.domain.cost_curve import CostCurve
from plimsoll.domain.events import (
    Event,
    Funded,
    Liquidated,
    Listed,
    Opened,
    Published,
    Refused,
    Ticked,
    Traded,
)
from plimsoll.domain.market_liquidity import MarketLiquidity
from plimsoll.domain.parameters import Level, ParameterSet
from plimsoll.domain.profiles import CollateralTerms
from plimsoll.domain.settings import ClearingRules
from plimsoll.engine.machine import begin, step
from plimsoll.engine.market_curves import market_depth, present_curves
from plimsoll.engine.state import digest, restore, snapshot
from plimsoll.kernels.closing_cost import closing_costs
from plimsoll.margin import margin_model
from plimsoll.margin.calibrated import with_calibration
from plimsoll.margin.liquidity import collateral_haircut, dearest_cost
from plimsoll.margin.profiles import profile
from plimsoll.service.branching import branching
from plimsoll.sim.book_at_marks import BookAtMarks
from plimsoll.sim.impact import impact_of
from tests.support.venues import LIQUIDITY, LISTINGS, MARKETS, MARKS, cross_margin, parameter_set

COLUMNS = len(LISTINGS)
QUANTA = 1e6
ROUNDING = 1e-9
"""The same sums in another order."""
LOTS = 1e-6
"""A position is whole lots, each worth a few cents of a million."""

CURVES = st.builds(
    CostCurve,
    half_spread=st.floats(0.0, 0.001),
    slope=st.floats(1e-4, 0.05),
    reference=st.floats(1e5, 1e8),
    exponent=st.floats(0.3, 1.6),
    volatility=st.floats(1e-3, 0.05),
    volume=st.floats(1e6, 1e10),
    stressed_depth=st.floats(0.02, 1.0),
)


def charged(curve, *more):
    return (MarketLiquidity(market="BTC", curves=(curve, *more), charged=True),)


def notional_of(size, column=0):
    notional = np.zeros((1, COLUMNS))
    notional[0, column] = size * QUANTA
    return notional


@given(CURVES, st.floats(1e3, 1e9), st.sampled_from([-1.0, 1.0]))
def test_every_charge_for_a_size_is_the_same_number(curve, size, side):
    cost = curve.cost(size)
    rated = margin_model(cross_margin(), LISTINGS)
    model = margin_model(cross_margin(), LISTINGS, charged(curve))
    for column in (0, 4):
        notional = notional_of(side * size if column == 0 else size, column)
        added = model.requirement(notional, Level.MAINTENANCE) - rated.requirement(
            notional, Level.MAINTENANCE
        )
        assert added[0] / QUANTA == pytest.approx(size * cost, rel=LOTS)
    parameters = parameter_set(cross_margin(), liquidity=charged(curve))
    chosen = with_calibration(profile("plimsoll"), parameters)
    assert dearest_cost(chosen.liquidity[0].curves, size, initial=False) == cost
    terms = CollateralTerms(asset="BTC", haircut=0.0, curves=chosen.liquidity[0].curves)
    assert collateral_haircut(terms, size, initial=False) == pytest.approx(cost, rel=ROUNDING)


@settings(max_examples=30)
@given(CURVES, st.floats(1e4, 1e6))
def test_who_is_sold_at_once_under_stress_pays_what_the_size_was_charged(curve, size):
    flow = structs.replace(curve, half_life=None)
    state = holder(
        size, parameter_set(cross_margin(), liquidity=charged(flow)), ClearingRules(participation=1.0)
    )
    tick = Ticked(
        3_600_001,
        tuple(MARKS.tolist()),
        (max(curve.volume, 2.0 * size),) * COLUMNS,
        (curve.impact * curve.volatility * np.sqrt(max(curve.volume, 2.0 * size) / curve.volume),) * COLUMNS,
        (curve.stressed_depth,) * COLUMNS,
    )
    _, effects = step(drained(state), tick)
    sold = [effect for effect in effects if isinstance(effect, Liquidated)]
    assert len(sold) == 1
    traded = abs(sum(sold[0].lots)) * LISTINGS[0].lot * MARKS[0]
    assert traded == pytest.approx(size, rel=1e-3)
    paid = 1.0 - sold[0].price / MARKS[0]
    expected = min(curve.cost(traded), 1.0 / 3.0)
    assert paid == pytest.approx(expected, rel=1e-6, abs=1e-12)


def holder(size, parameters, rules):
    """Open a venue in which one account is long about so much of BTC, with plenty behind it."""
    state, _ = step(begin(), Listed(1, LISTINGS, rules))
    tick = Ticked(2, tuple(MARKS.tolist()), (1e9,) * COLUMNS, (0.01,) * COLUMNS)
    lots = (round(size / (LISTINGS[0].lot * MARKS[0])),) + (0,) * (COLUMNS - 1)
    events: tuple[Event, ...] = (
        Opened(1, ("holder",), (10**15,)),
        Funded(1, 10**12, 10**16),
        tick,
        Published(2, parameters),
        Traded(2, tick.marks, ("holder",), (lots,)),
    )
    for event in events:
        state, effects = step(state, event)
        assert not effects
    return state


def drained(state):
    """Leave the account a tenth of its maintenance."""
    notional = state.book.lots[5:6] * state.unit
    needed = state.model_in_force.requirement(notional, Level.MAINTENANCE)[0]
    cash = state.book.cash.copy()
    cash[5] = round(0.1 * needed - notional.sum())
    cash[0] -= cash.sum()
    return replace(state, book=replace(state.book, cash=cash), safety=None)


@given(st.floats(0.02, 1.0))
@settings(max_examples=10)
def test_branching_preview_caps_and_slices_see_one_depth(share):
    parameters = parameter_set(cross_margin(), liquidity=LIQUIDITY)
    state = holder(1e6, parameters, ClearingRules())
    depth = (share,) * COLUMNS
    state, _ = step(state, Ticked(3, tuple(MARKS.tolist()), (1e9,) * COLUMNS, (0.01,) * COLUMNS, depth))
    told = {entry.market: entry.depth for entry in branching(state)}
    columns = np.array([MARKETS.index(entry.underlying) for entry in LISTINGS])
    now = market_depth(state, columns, len(MARKETS), normal=False)
    normal = market_depth(state, columns, len(MARKETS), normal=True)
    for m, market in enumerate(MARKETS):
        curve = present_curves(state)[columns.tolist().index(m)]
        assert told[market] == now[m] == curve.depth(share)
        assert normal[m] == curve.depth()
        assert now[m] <= normal[m]
    held = Held(state.book.cash[5:], state.book.lots[5:], state.unit, state.model_in_force, state.rules)
    book = BookAtMarks(("holder",), LISTINGS, columns, MARKETS, held.cash, held.lots, held.unit)
    curves = tuple(present_curves(state)[columns.tolist().index(m)] for m in range(len(MARKETS)))
    found = impact_of(book, parameters, structs.replace(parameters, version=2), curves, state.rules)
    assert [entry.depth for entry in found.markets] == normal.tolist()


def test_a_thinner_book_is_sold_to_more_slowly_and_at_a_worse_price():
    thin = structs.replace(LIQUIDITY[0].curves[0], reference=5e5, half_life=None)
    parameters = parameter_set(cross_margin(), liquidity=charged(thin))
    taken = []
    for share in (1.0, 0.1):
        state = drained(holder(5e6, parameters, ClearingRules(slice_cost=0.002, participation=1.0)))
        tick = Ticked(60_002, tuple(MARKS.tolist()), (1e9,) * COLUMNS, (0.001,) * COLUMNS, (share,) * COLUMNS)
        _, effects = step(state, tick)
        (cut,) = (effect for effect in effects if isinstance(effect, Liquidated))
        assert 1.0 - cut.price / MARKS[0] <= 0.002 * (1.0 + ROUNDING)
        taken.append(-sum(cut.lots))
    assert 0 < taken[1] < 0.5 * taken[0]


@given(
    st.lists(CURVES, min_size=1, max_size=3),
    st.floats(-1e8, 1e8),
    st.floats(-1e8, 1e8),
    st.floats(1.0, 3.0),
    st.sampled_from(list(Level)),
)
def test_the_charge_grows_with_size_and_is_convex_and_a_dearer_curve_is_announced_first(
    curves, size, other, factor, level
):
    model = margin_model(cross_margin(), LISTINGS, charged(*curves))
    rated = margin_model(cross_margin(), LISTINGS)

    def charge(size):
        notional = notional_of(size)
        return float((model.requirement(notional, level) - rated.requirement(notional, level))[0])

    room = ROUNDING * (abs(size) + abs(other)) * QUANTA + 1.0
    assert charge(size * factor) >= charge(size) - room
    if max(curve.cost(max(abs(size), abs(other))) for curve in curves) < 1.0:
        assert charge(0.5 * (size + other)) <= 0.5 * (charge(size) + charge(other)) + room
    before = margin_model(cross_margin(), LISTINGS, charged(curves[0]))
    same = before.requirement(notional_of(size), Level.MAINTENANCE)
    assert model.requirement(notional_of(size), Level.MAINTENANCE) == pytest.approx(same)
    assert model.requirement(notional_of(size), Level.INITIAL)[0] >= same[0]


@given(CURVES, st.lists(st.floats(0.0, 1e10), min_size=1, max_size=20))
def test_the_fast_cost_is_the_definition(curve, sizes):
    thin = curve.stressed_depth**-curve.exponent
    fast = closing_costs(
        np.array(sizes),
        thin * curve.half_spread,
        thin * curve.slope,
        curve.reference,
        curve.exponent,
        curve.rooted(1.0),
    )
    assert fast == pytest.approx([curve.cost(size) for size in sizes], rel=ROUNDING)


@given(st.integers(0, 10_000), st.sampled_from(list(Level)))
@settings(max_examples=40)
def test_nobody_below_a_charged_level_is_passed_over(seed, level):
    generator = np.random.default_rng(seed)
    lots = generator.integers(-(10**9), 10**9, (30, COLUMNS)) * (generator.random((30, COLUMNS)) < 0.5)
    unit = np.array([entry.lot for entry in LISTINGS]) * MARKS * QUANTA
    model = margin_model(cross_margin(), LISTINGS, LIQUIDITY)
    needed = model.requirement(lots * unit, level)
    cash = np.rint(generator.uniform(0.9, 1.1, 30) * needed - lots @ unit).astype(np.int64)
    below = cash + lots @ unit < needed
    assert below.any()
    assert model.near(cash, lots, unit, level)[below].all()


def test_new_risk_pays_for_its_size_and_a_position_that_is_too_large_is_refused():
    state = holder(1e6, parameter_set(cross_margin(), liquidity=LIQUIDITY), ClearingRules())
    large = (round(5e9 / (LISTINGS[0].lot * MARKS[0])),) + (0,) * (COLUMNS - 1)
    event = Traded(3, tuple(MARKS.tolist()), ("holder",), (large,))
    assert [type(effect) for effect in step(state, event)[1]] == [Refused]
    free = holder(1e6, parameter_set(cross_margin()), ClearingRules())
    assert not step(free, event)[1]


def test_a_set_without_curves_is_named_as_before_there_were_any():
    plain = parameter_set(cross_margin())
    old = {name: getattr(plain, name) for name in plain.__struct_fields__ if name != "liquidity"}
    assert plain.digest == hashlib.sha256(msgspec.msgpack.encode(old | {"digest": ""})).hexdigest()
    told = parameter_set(cross_margin(), liquidity=LIQUIDITY)
    assert told.digest != plain.digest
    read = msgspec.json.decode(msgspec.json.encode(told), type=ParameterSet)
    assert read == told.verified("test")


def test_depth_is_in_journal_and_snapshot_only_where_it_was_told():
    plain = Ticked(3, tuple(MARKS.tolist()), (1e9,) * COLUMNS, (0.01,) * COLUMNS)
    assert b"depth" not in msgspec.msgpack.encode(plain)
    thin = structs.replace(plain, time=4, depth=(0.25,) * COLUMNS)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(thin), type=Ticked) == thin
    state = holder(1e6, parameter_set(cross_margin(), liquidity=LIQUIDITY), ClearingRules())
    normal, _ = step(state, plain)
    assert b"depth" not in snapshot(normal)[-20:]
    told, _ = step(normal, thin)
    back = restore(snapshot(told))
    assert back.market.depth.tolist() == [0.25] * COLUMNS
    assert digest(back) == digest(told) != digest(step(normal, structs.replace(plain, time=4))[0])
