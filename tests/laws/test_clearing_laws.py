"""Is a loss divided exactly, and is no more sold than must and can be?"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.clearing.apportion import apportion
from plimsoll.clearing.liquidation import (
    Liquidity,
    expected_cost,
    hours_to_sell,
    reduction,
    slices,
    wanted_lots,
)
from plimsoll.clearing.statuses import Status
from plimsoll.clearing.waterfall import pay_shortfall
from plimsoll.domain.cost_curve import flow_alone
from plimsoll.domain.events import Funded, Liquidated, Listed, Opened, Published, Ticked, Traded
from plimsoll.domain.parameters import Level
from plimsoll.domain.settings import ClearingRules
from plimsoll.engine.machine import begin, step
from tests.support.venues import LISTINGS, MARKS, cross_margin, parameter_set

COLUMNS = len(LISTINGS)
WEIGHTS = st.lists(
    st.one_of(st.integers(0, 9), st.integers(0, 2**40), st.integers(0, 2**62)), min_size=1, max_size=30
)


def within(weights, data):
    most = min(sum(weights), 2**63 - 1)
    return data.draw(st.one_of(st.integers(0, min(most, 5)), st.integers(0, most)))


@given(WEIGHTS, st.data())
def test_shares_are_exact_capped_and_within_one_of_proportional(weights, data):
    amount = within(weights, data)
    shares = [int(share) for share in apportion(amount, np.array(weights, dtype=np.int64))]
    assert sum(shares) == (amount if sum(weights) > 0 else 0)
    for share, weight in zip(shares, weights, strict=True):
        assert 0 <= share <= weight
        if sum(weights) > 0:
            assert abs(share - Fraction(amount * weight, sum(weights))) < 1


@given(
    st.sampled_from([40, 2**62]).flatmap(
        lambda largest: st.lists(st.integers(0, largest), min_size=1, max_size=20, unique=True)
    ),
    st.data(),
)
def test_the_order_of_distinct_weights_changes_no_share(weights, data):
    amount = within(weights, data)
    order = data.draw(st.permutations(range(len(weights))))
    shares = apportion(amount, np.array(weights, dtype=np.int64))
    shuffled = apportion(amount, np.array([weights[place] for place in order], dtype=np.int64))
    assert [int(shares[place]) for place in order] == [int(share) for share in shuffled]


@pytest.mark.parametrize(
    ("amount", "weights", "shares"),
    [
        (2, [1, 3], [0, 2]),
        (2, [3, 1], [2, 0]),
        (1, [2**62] * 4, [1, 0, 0, 0]),
        (2**62 + 1, [2**62, 2**62, 2**62 - 1], None),
        (7, [0, 0], [0, 0]),
    ],
)
def test_ties_go_to_the_larger_and_sums_beyond_64_bits_are_exact(amount, weights, shares):
    found = [int(share) for share in apportion(amount, np.array(weights))]
    if shares is None:
        assert sum(found) == amount
        assert max(found) - min(found) <= 1
    else:
        assert found == shares


@given(st.integers(1, 2**40), st.integers(1, 12), st.data())
def test_equal_weights_pay_alike_to_within_one(weight, count, data):
    shares = apportion(data.draw(st.integers(0, weight * count)), np.full(count, weight))
    assert shares.max() - shares.min() <= 1


@given(
    st.integers(0, 2**50),
    st.integers(-5, 2**50),
    st.lists(st.tuples(st.integers(-(2**50), 2**50), st.integers(-(2**50), 2**50)), min_size=1, max_size=20),
)
def test_the_parts_of_a_waterfall_sum_to_the_shortfall(shortfall, fund, winners):
    profit, equity = (np.array(figures, dtype=np.int64) for figures in zip(*winners, strict=True))
    paid = pay_shortfall(shortfall, fund, profit, equity)
    assert paid.fund + int(paid.winners.sum()) + paid.uncovered == shortfall
    assert 0 <= paid.fund <= max(fund, 0)
    assert (paid.winners >= 0).all()
    assert (paid.winners <= np.maximum(np.minimum(profit, equity), 0)).all()
    if paid.winners.any():
        assert paid.fund == max(fund, 0)
    if paid.uncovered > 0:
        assert (paid.winners == np.maximum(np.minimum(profit, equity), 0)).all()


LOTS: st.SearchStrategy[np.ndarray] = st.lists(
    st.tuples(*[st.integers(-(10**12), 10**12)] * 3), min_size=1, max_size=12
).map(np.array)


def taking(volume, impact, budget):
    """Describe markets of which no book is known."""
    curves = tuple(flow_alone(float(v), float(i)) for v, i in zip(volume, impact, strict=True))
    return Liquidity(curves, np.ones(len(curves)), 0.0, budget)


@given(LOTS, st.data())
def test_slices_exceed_neither_the_budget_nor_any_position(held, data):
    share = np.array([data.draw(st.floats(0.0, 1.0)) for _ in held])
    volume = np.array([data.draw(st.sampled_from([0.0, 3.0, 1e9, 1e15])) for _ in range(3)])
    impact = np.array([data.draw(st.sampled_from([0.0, 0.03, 40.0])) for _ in range(3)])
    liquidity = taking(volume, impact, np.floor(0.3 * volume))
    wanted = wanted_lots(held, share)
    assert (np.abs(wanted) <= np.abs(held)).all()
    assert (np.abs(wanted) >= np.floor(np.abs(held) * share[:, None])).all()
    assert (np.sign(wanted) * np.sign(held) <= 0).all()
    for cut in slices(wanted, liquidity):
        assert 0 < np.abs(cut.lots).sum() <= liquidity.budget[cut.column]
        assert (np.abs(cut.lots) <= np.abs(wanted[:, cut.column])).all()
        assert (np.sign(cut.lots) * np.sign(held[:, cut.column]) <= 0).all()
        assert np.sign(cut.displacement) in (0.0, np.sign(cut.lots.sum()))
        assert abs(cut.displacement) <= 0.5
        assert 0.6 < cut.price_factor < 1.4


@given(LOTS, st.permutations(range(12)))
def test_no_liquidated_account_gains_from_its_place(held, order):
    held = held[np.unique(held, axis=0, return_index=True)[1]]
    places = np.array([place for place in order if place < len(held)])
    liquidity = taking(np.full(3, 1e9), np.full(3, 0.03), np.full(3, 1e8))
    plain, mixed = slices(-held, liquidity), slices(-held[places], liquidity)
    for one, other in zip(plain, mixed, strict=True):
        assert one.price_factor == other.price_factor
        assert (np.abs(one.lots[places] - other.lots) <= 1).all()


@given(
    maintenance=st.floats(1.0, 1e12),
    cover=st.floats(-2.0, 1.25),
    cost=st.floats(0.0, 0.05),
    gross=st.floats(1.0, 100.0),
    target=st.floats(1.0, 2.0),
)
def test_the_reduction_restores_the_health_target_or_sells_all(maintenance, cover, cost, gross, target):
    one = np.ones(1)
    equity, held = cover * maintenance * one, gross * maintenance * one
    share = reduction(equity, maintenance * one, held, cost * one, one < 0.0, target)
    assert 0.0 <= share[0] <= 1.0
    if 0.0 < share[0] < 1.0:
        after = equity - share * cost * held
        assert np.isclose(
            after[0], target * (1.0 - share[0]) * maintenance, rtol=1e-6, atol=1e-6 * maintenance
        )


def crowd(*, cover, fee, volume, impact, selling="proportional", slice_cost=None):
    """Trade one hedged and one plain account to a given multiple of maintenance, among healthy others."""
    names = ("plain", "hedged", "healthy", "winner")
    lots = np.zeros((4, COLUMNS), dtype=np.int64)
    lots[0, 0] = 9 * 10**8
    lots[1, :3] = 7 * 10**8, -(10**9), 5 * 10**8
    lots[2, 0] = 10**6
    lots[3, 0] = -(9 * 10**8)
    rules = ClearingRules(fee=fee, reduction=selling, slice_cost=slice_cost)
    state, _ = step(begin(), Listed(1, LISTINGS, rules))
    state, _ = step(state, Opened(1, names, (10**14,) * 4))
    tick = Ticked(3_600_001, tuple(MARKS.tolist()), (volume,) * COLUMNS, (impact,) * COLUMNS)
    state, _ = step(state, Funded(1, 10**12, 10**15))
    state, _ = step(state, Ticked(2, tick.marks, tick.volume, tick.impact))
    state, _ = step(state, Published(2, parameter_set(cross_margin())))
    state, refused = step(state, Traded(2, tick.marks, names, tuple(map(tuple, lots.tolist()))))
    assert not refused
    notional = state.book.lots * state.unit
    maintenance = state.model_in_force.requirement(notional, Level.MAINTENANCE)
    cash = state.book.cash.copy()
    for row in (5, 6):
        cash[row] = round(cover * maintenance[row] - notional[row].sum())
    cash[0] -= cash.sum()
    object.__setattr__(state.book, "cash", cash)
    return state, step(state, tick)


def health(state):
    notional = state.book.lots[5:] * state.unit
    equity = state.book.cash[5:] + notional.sum(axis=1)
    return equity, state.model_in_force.requirement(notional, Level.MAINTENANCE)


@settings(max_examples=25)
@given(
    cover=st.floats(0.6, 0.98),
    fee=st.sampled_from([0.0, 0.005, 0.01]),
    impact=st.sampled_from([0.0, 0.002]),
    selling=st.sampled_from(["proportional", "relief"]),
)
def test_a_partial_liquidation_reaches_its_target_where_the_market_can_take_it(cover, fee, impact, selling):
    _, (state, effects) = crowd(cover=cover, fee=fee, volume=1e12, impact=impact, selling=selling)
    equity, maintenance = health(state)
    assert (state.book.status[5:7] == Status.PARTIAL).all()
    assert state.book.lots[5:7].any(axis=1).all()
    assert (equity[:2] >= 1.25 * maintenance[:2] - 2.0 * COLUMNS).all()
    assert {name for e in effects if isinstance(e, Liquidated) for name in e.accounts} == {"plain", "hedged"}


@settings(max_examples=25)
@given(cover=st.floats(-0.5, 0.98), volume=st.sampled_from([1e3, 1e5, 1e6]))
def test_a_thin_market_takes_no_more_than_its_share_and_the_healthy_are_left_alone(cover, volume):
    before, (state, effects) = crowd(cover=cover, fee=0.005, volume=volume, impact=0.02)
    rules = before.rules
    for effect in effects:
        if isinstance(effect, Liquidated):
            place = [entry.name for entry in LISTINGS].index(effect.instrument)
            sold = sum(map(abs, effect.lots)) * LISTINGS[place].lot * MARKS[place]
            assert sold <= rules.participation * volume * (1.0 + 1e-9)
    assert (state.book.lots[7:] == before.book.lots[7:]).all()
    assert (state.book.cash[7:] == before.book.cash[7:]).all()


def test_the_expected_cost_is_that_of_using_the_whole_budget():
    liquidity = taking(np.array([100.0, 0.0]), np.array([0.06, 0.06]), np.array([25.0, 0.0]))
    assert np.allclose(expected_cost(liquidity), [0.06 * 0.5 * 2.0 / 3.0, 0.0])


def test_relief_in_the_engine_sells_less_than_the_same_share_of_everything():
    """For the account that holds a hedge: 3.75 instead of 3.85 million."""
    sold = {}
    for selling in ("proportional", "relief"):
        before, (state, _) = crowd(cover=0.8, fee=0.005, volume=1e12, impact=0.002, selling=selling)
        traded = np.abs(state.book.lots[6] - before.book.lots[6]) * before.unit
        sold[selling] = traded.sum()
    assert sold["relief"] < sold["proportional"]


@given(LOTS, st.floats(1e-4, 0.2), st.sampled_from([0.003, 0.05, 4.0]), st.sampled_from([0.0, 1e7, 1e13]))
def test_a_slice_that_is_bounded_by_cost_costs_no_more(held, cost, impact, volume):
    volumes, impacts = np.full(3, volume), np.array([impact, impact, 0.0])
    largest = [flow_alone(volume, moved).largest_size(cost, 1.0) for moved in impacts.tolist()]
    budget = np.floor(np.minimum(largest, 1e18))
    for cut in slices(-held, taking(volumes, impacts, budget)):
        assert abs(cut.price_factor - 1.0) <= cost * (1.0 + 1e-9)


def test_a_venue_that_bounds_the_cost_of_slices_sells_a_thin_market_more_slowly():
    _, (_, effects) = crowd(cover=0.9, fee=0.0, volume=1e6, impact=0.05)
    _, (_, bounded) = crowd(cover=0.9, fee=0.0, volume=1e6, impact=0.05, slice_cost=0.001)
    for effect in bounded:
        if isinstance(effect, Liquidated):
            place = [entry.name for entry in LISTINGS].index(effect.instrument)
            assert abs(effect.price / MARKS[place] - 1.0) <= 0.001 * (1.0 + 1e-9)
    assert 0 < sold(bounded) < 0.1 * sold(effects)


def sold(effects):
    return sum(abs(lots) for effect in effects if isinstance(effect, Liquidated) for lots in effect.lots)


def test_the_time_to_sell_is_that_of_the_slowest_position_with_what_others_sell_too():
    wanted = np.array([[-10, 0, 4], [-30, 0, 0], [5, 0, 0], [0, 1, 0]])
    hours = hours_to_sell(wanted, np.array([20.0, 0.0, 1.0]))
    assert hours.tolist() == [4.0, 2.0, 0.25, np.inf]
