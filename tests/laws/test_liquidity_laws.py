"""Do liquidity estimates look back only, survive broken feeds, and lead to one sound cost curve?"""

from dataclasses import astuple, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from plimsoll.domain.cost_curve import CostCurve
from plimsoll.domain.liquidity import LiquiditySettings, OrderBooks, Trades
from plimsoll.errors import Code, PlimsollError
from plimsoll.estimators.cost_curve import fit_cost_curve
from plimsoll.estimators.flow import begin_flow, estimate_flow, update_flow
from plimsoll.estimators.liquidity import begin_liquidity, estimate_liquidity, update_liquidity
from plimsoll.kernels.decay import decayed_sums, decayed_sums_definition
from plimsoll.kernels.order_book import (
    CROSSED,
    ONE_SIDED,
    SOUND,
    book_measures,
    book_measures_definition,
    walked_costs,
    walked_costs_definition,
)
from plimsoll.kernels.trade_flow import trade_flow, trade_flow_definition
from tests.support.order_books import drawn_books, drawn_trades

SETTINGS = LiquiditySettings(sizes=(1e3, 3e3, 1e4, 2e4, 4e4, 1e5), memory_seconds=200.0)
ROUNDING = 1e-11
"""Sums in another order: relative differences of floating point, far below any figure's meaning."""


def estimate(books):
    return estimate_liquidity(update_liquidity(begin_liquidity(SETTINGS), SETTINGS, books), SETTINGS)


def alike(one, other):
    for left, right in zip(astuple(one), astuple(other), strict=True):
        np.testing.assert_allclose(left, right, rtol=ROUNDING, atol=0.0)


def broken(books, seed):
    """Put in what real feeds do: crossed, empty, one-sided, repeated, late, stuck and unreadable books."""
    generator = np.random.default_rng(seed)
    times, bids, asks = books.times.copy(), books.bids.copy(), books.asks.copy()
    for row in generator.choice(len(books) - 1, len(books) // 2, replace=False) + 1:
        kind = generator.integers(7)
        if kind == 0:
            asks[row, 0, 0] = bids[row, 0, 0] * 0.99
        elif kind == 1:
            bids[row] = np.nan
        elif kind == 2:
            bids[row], asks[row] = 0.0, np.nan
        elif kind == 3:
            times[row] = times[row - 1]
        elif kind == 4:
            times[row] -= 5_000
        elif kind == 5:
            bids[row, 3] = np.nan, -2.0
        else:
            times[row:] += 40_000
            bids[row], asks[row] = bids[row - 1], asks[row - 1]
    return OrderBooks(times, bids, asks)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.lists(st.integers(0, 60), max_size=6))
def test_books_one_by_one_or_at_once_give_the_same_whatever_the_feed_does(seed, cuts):
    books = broken(drawn_books(60, seed=seed), seed)
    state = begin_liquidity(SETTINGS)
    edges = [0, *sorted(cuts), len(books)]
    for first, last in pairwise(edges):
        state = update_liquidity(state, SETTINGS, books.rows(slice(first, last)))
    alike(estimate_liquidity(state, SETTINGS), estimate(books))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.lists(st.integers(0, 90), max_size=6))
def test_trades_one_by_one_or_at_once_give_the_same_whatever_the_feed_does(seed, cuts):
    generator = np.random.default_rng(seed)
    trades = drawn_trades(90, impact=0.7, seed=seed)
    price, times, sign = trades.price.copy(), trades.times.copy(), trades.sign.copy()
    price[generator.integers(0, 90, 3)] = np.nan
    sign[generator.integers(0, 90, 3)] = 0.0
    times[generator.integers(0, 90, 3)] -= 60_000
    times[generator.integers(0, 90) :] += 200_000
    trades = Trades(times, price, trades.size, sign)
    edges, state = [0, *sorted(cuts), 90], begin_flow()
    for first, last in pairwise(edges):
        state = update_flow(state, SETTINGS, trades.rows(slice(first, last)))
    alike(
        estimate_flow(state, SETTINGS), estimate_flow(update_flow(begin_flow(), SETTINGS, trades), SETTINGS)
    )
    assert state.refused >= 2


def test_broken_books_are_counted_and_change_no_estimate():
    books = drawn_books(80)
    crossed, late = books.rows(slice(40, 41)), books.rows(slice(20, 21))
    crossed = OrderBooks(books.times[39:40] + 1, crossed.bids, crossed.bids)
    parts = (books.rows(slice(0, 40)), crossed, late, books.rows(slice(40, 80)), books.rows(slice(79, 80)))
    mixed = OrderBooks(*(np.concatenate([getattr(part, name) for part in parts])
                         for name in ("times", "bids", "asks")))  # fmt: skip
    found, plain = estimate(mixed), estimate(books)
    assert (found.crossed, found.disordered, found.doubled, found.stuck) == (1, 1, 1, 0)
    np.testing.assert_allclose(found.cost, plain.cost, rtol=ROUNDING)
    np.testing.assert_allclose(found.depth, plain.depth, rtol=ROUNDING)


def test_a_stuck_book_turns_stale_and_is_no_longer_counted():
    books = drawn_books(60)
    still = books.rows(slice(59, 60))
    stuck = OrderBooks(
        books.times[-1] + 20_000 * np.arange(1, 6), np.repeat(still.bids, 5, 0), np.repeat(still.asks, 5, 0)
    )
    state = update_liquidity(begin_liquidity(SETTINGS), SETTINGS, books)
    found = estimate_liquidity(update_liquidity(state, SETTINGS, stuck), SETTINGS)
    assert found.stale
    assert found.stuck == 4
    assert not estimate(books).stale


def test_an_empty_side_is_a_lack_of_depth_and_no_spread():
    books = drawn_books(80)
    books.bids[40:] = 0.0
    found, plain = estimate(books), estimate(drawn_books(80))
    assert found.depth[0, 0] < 0.6 * plain.depth[0, 0]
    np.testing.assert_allclose(found.depth[1], plain.depth[1], rtol=0.2)
    assert found.lean < 0.0 < plain.lean
    mid, spread, depth, quality = book_measures(books.bids[40:41], books.asks[40:41], np.array([0.01]))
    assert quality[0] == ONE_SIDED
    assert np.isnan(mid[0])
    assert np.isnan(spread[0])
    assert depth[0, 0, 0] == 0.0 < depth[0, 1, 0]


def test_no_books_at_all_are_not_known_rather_than_nothing():
    found = estimate(drawn_books(3).rows(slice(0, 0)))
    assert np.isnan(found.spread)
    assert np.isnan(found.half_life)
    with pytest.raises(PlimsollError) as refusal:
        fit_cost_curve(found, SETTINGS, volatility=0.01, volume=1e6)
    assert refusal.value.code is Code.TOO_LITTLE_HISTORY


def test_depth_that_returns_fast_has_the_half_life_it_was_drawn_with():
    generator, count, kept = np.random.default_rng(8), 8_000, 0.8
    books = drawn_books(count, levels=6)
    level = np.zeros(count)
    for row in range(1, count):
        level[row] = kept * level[row - 1] + 0.2 * generator.standard_normal()
    size = np.exp(level)[:, None]
    times = 1_765_400_000_000 + 500 * np.arange(count)
    bids, asks = books.bids.copy(), books.asks.copy()
    bids[:, :, 1], asks[:, :, 1] = 2.0 * size, 3.0 * size
    found = estimate(OrderBooks(times, bids, asks))
    assert found.half_life == pytest.approx(-np.log(2.0) * 0.5 / np.log(kept), rel=SAMPLING)


SAMPLING = 0.15
"""Of an autocorrelation of 0.8 from 8,000 draws: three standard errors of it move the half-life by 10 %."""


@settings(deadline=None)
@given(st.integers(0, 10**6))
def test_compiled_kernels_agree_with_their_definitions(seed):
    books = broken(drawn_books(8, seed=seed, levels=5), seed)
    bands, sizes = np.array([1e-4, 3e-4]), np.array([1e3, 8e3, 3e4])
    fast, slow = (
        kernel(books.bids, books.asks, bands) for kernel in (book_measures, book_measures_definition)
    )
    for left, right in zip(fast, slow, strict=True):
        np.testing.assert_allclose(left, right, rtol=ROUNDING)
    assert set(fast[3]) <= {SOUND, ONE_SIDED, CROSSED}
    for levels in (books.bids, books.asks):
        walks = walked_costs(levels, fast[0], sizes), walked_costs_definition(levels, fast[0], sizes)
        np.testing.assert_allclose(*walks, rtol=ROUNDING)
    samples, elapsed = np.nan_to_num(books.bids[:, :, 1], nan=np.nan), np.arange(8.0)
    sums = np.ones((2, 5))
    np.testing.assert_allclose(
        decayed_sums(samples, elapsed, 3.0, sums),
        decayed_sums_definition(samples, elapsed, 3.0, sums),
        rtol=ROUNDING,
    )
    trades = drawn_trades(30, impact=0.7, seed=seed)
    volume = trades.sign * trades.size
    arguments = (trades.times / 1000.0, trades.price, volume, 10.0, 60.0, begin_flow().slots)
    np.testing.assert_allclose(trade_flow(*arguments), trade_flow_definition(*arguments), rtol=1e-9)


def test_a_walk_pays_level_by_level():
    levels = np.array([[[99.0, 10.0], [np.nan, 5.0], [98.0, 10.0], [97.0, 0.0], [90.0, 10.0]]])
    costs = walked_costs(levels, np.array([100.0]), np.array([500.0, 1000.0, 1500.0, 3000.0, 3001.0]))
    expected = [0.01, 0.01, (10 * 0.01 + 5 * 0.02) / 15, (0.01 + 0.02 + 0.1) / 3, np.nan]
    np.testing.assert_allclose(costs[0], expected, rtol=1e-12)


def test_the_root_law_is_found_in_trades_that_follow_it():
    trades = drawn_trades(3_000, impact=0.7)
    patient = LiquiditySettings(memory_seconds=86_400.0 * 30)
    found = estimate_flow(update_flow(begin_flow(), patient, trades), patient)
    assert found.windows == 2_998
    quote = (trades.price * trades.size)[1:-1]
    assert found.imbalance == pytest.approx(quote @ trades.sign[1:-1] / quote.sum(), abs=0.01)
    assert found.volume == pytest.approx(quote.mean() * 360.0, rel=0.01)
    regressed = found.impact * found.volatility / np.sqrt(found.volume)
    moves = np.diff(np.log(trades.price))
    roots = np.sign(trades.sign[1:]) * np.sqrt(trades.price[1:] * trades.size[1:])
    assert regressed == pytest.approx(float(moves @ roots / (roots @ roots)), rel=1e-3)


CURVES = st.builds(
    CostCurve,
    half_spread=st.floats(0.0, 0.01),
    slope=st.floats(1e-5, 0.1),
    reference=st.floats(1e3, 1e7),
    exponent=st.floats(0.2, 2.0),
    volatility=st.floats(1e-4, 0.1),
    volume=st.floats(1e4, 1e10),
    impact=st.floats(0.3, 1.0),
    stressed_depth=st.floats(0.02, 1.0),
    half_life=st.none() | st.floats(0.1, 600.0),
)


def changed(curve, **fields):
    return structs.replace(curve, **fields)


@given(CURVES, st.floats(1.0, 1e9), st.floats(1.0, 4.0))
def test_closing_costs_more_for_more_size_or_risk_and_less_for_more_liquidity(curve, size, factor):
    cost = curve.cost(size)
    assert 0.0 <= cost <= 1.0
    assert curve.cost(size * factor) >= cost
    assert curve.add_on(size * factor) >= curve.add_on(size)
    assert curve.horizon_hours(size * factor, 0.1) >= curve.horizon_hours(size, 0.1)
    assert curve.paid(size, 1.0, factor) <= curve.paid(size, 1.0) <= curve.paid(size, 1.0 / factor)
    assert curve.move(size, 1.0, factor) >= curve.paid(size, 1.0, factor)
    assert changed(curve, volatility=curve.volatility * factor).cost(size) >= cost
    assert changed(curve, slope=curve.slope * factor).cost(size) >= cost
    assert changed(curve, volume=curve.volume * factor).cost(size) <= cost
    assert changed(curve, stressed_depth=min(1.0, curve.stressed_depth * factor)).cost(size) <= cost


@given(CURVES, st.floats(1.0, 1e9), st.floats(0.0, 1.0), st.floats(1.01, 10.0))
def test_the_add_on_is_convex_in_size_up_to_where_closing_costs_everything(curve, size, share, factor):
    other = size * factor
    between = share * size + (1.0 - share) * other
    if curve.cost(other) < 1.0:
        chord = share * curve.add_on(size) + (1.0 - share) * curve.add_on(other)
        assert curve.add_on(between) <= chord * (1.0 + ROUNDING)


@given(CURVES, st.floats(1e-4, 0.5), st.floats(0.01, 10.0), st.floats(0.02, 1.0))
def test_the_largest_size_at_a_cost_costs_that_and_paces_selling(curve, cost, hours, depth):
    size = curve.largest_size(cost, depth, hours)
    if size > 0.0:
        assert curve.paid(size, depth, hours) == pytest.approx(cost, rel=1e-6)
        assert curve.paid(size * 1.01, depth, hours) > cost
    else:
        assert curve.walk(1e-9, depth) >= cost
    assert curve.pace(hours, 0.1, cost, depth) == min(size, curve.volume * hours * 0.1)
    assert curve.pace(hours, 0.1, cost, 0.5 * depth) <= curve.pace(hours, 0.1, cost, depth)


@given(CURVES, st.floats(0.02, 1.0))
def test_depth_moves_the_price_by_one_per_cent(curve, share):
    book = structs.replace(curve, volatility=0.0)
    if book.depth(share) > 0.0:
        assert book.move(book.depth(share), share) == pytest.approx(0.01, rel=1e-6)
    flow = structs.replace(curve, slope=0.0, half_spread=0.0)
    assert flow.move(flow.depth(share), share) == pytest.approx(0.01, rel=1e-6)


def test_a_horizon_grows_with_size_from_its_floor():
    curve = CostCurve(
        half_spread=0.0, slope=0.1, reference=1e3, exponent=1.0, volatility=0.01, volume=1000.0,
        detect_hours=0.5, floor_hours=1.0,
    )  # fmt: skip
    assert curve.horizon_hours(0.0, 0.1) == curve.horizon_hours(1.0, 0.1) == 1.5
    assert curve.horizon_hours(300.0, 0.1) == pytest.approx(3.5)


def test_what_is_sold_slowly_empties_a_book_that_refills_by_less():
    flat = CostCurve(
        half_spread=0.0, slope=0.005, reference=1e6, exponent=1.0, volatility=0.0, volume=1e9, half_life=36.0
    )
    assert flat.used(0.01 * 1e-9) == pytest.approx(1.0)
    assert flat.used(0.01) == pytest.approx((1.0 - 0.5) / np.log(2.0))
    assert flat.paid(1e6, 1.0, 0.01) == pytest.approx(0.005 * flat.used(0.01))
    assert flat.used(1.0) == pytest.approx(36.0 / 3600.0 / np.log(2.0))


def test_a_curve_is_found_again_in_books_that_follow_it():
    sizes = np.array(SETTINGS.sizes)
    true = CostCurve(half_spread=4e-5, slope=3e-4, reference=1e5, exponent=0.55, volatility=0.01, volume=1e7)
    found = estimate(drawn_books(40))
    told = replace(found, cost=np.array([true.walk(size) for size in sizes]), coverage=np.ones(len(sizes)))
    fitted = fit_cost_curve(told, SETTINGS, volatility=0.01, volume=1e7)
    assert fitted.exponent == pytest.approx(0.55, abs=1e-9)
    assert [fitted.walk(size) for size in sizes] == pytest.approx(list(told.cost), rel=1e-9)
