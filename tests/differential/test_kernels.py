"""Do the compiled kernels give what their definitions give?

Recursions must agree to the last bit, for they do the same operations in the same order; sums over scenarios
may be added in another order.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.domain.bars import HOUR, MINUTE
from plimsoll.domain.settings import CalibrationSettings
from plimsoll.estimators.excursions import begin_excursions, update_excursions
from plimsoll.estimators.returns import join, nothing_heard
from plimsoll.estimators.scale import begin_scale
from plimsoll.estimators.volatility import begin_volatility, update_volatility
from plimsoll.kernels.clock_hours import MISSING_SHARE
from plimsoll.kernels.distance import adverse_moves, adverse_moves_definition
from plimsoll.kernels.ewma import ewma_variance, ewma_variance_definition
from plimsoll.kernels.excursion import window_definition
from plimsoll.kernels.jump import JumpTerms, extremes, extremes_definition, jump_after, jump_after_definition
from plimsoll.kernels.order import upper_quantile, upper_quantile_definition
from plimsoll.kernels.rise import RiseLimit
from plimsoll.kernels.scale import ScaleTerms, scale_path, scale_path_definition
from plimsoll.kernels.shortfall import expected_shortfall, expected_shortfall_definition, scenario_moves
from plimsoll.kernels.valuation import (
    room_above_lone,
    room_above_lone_definition,
    room_above_tiered,
    room_above_tiered_definition,
    tiered_requirements,
    tiered_requirements_definition,
    worth,
    worth_definition,
)
from plimsoll.testing.bars import holed, wild_bars
from tests.support.venues import joint_rows

SUM_ORDER = 1e-12
"""Losses are added over markets in another order, each sum relative to gross value."""
LOGARITHM = 1e-12
"""The compiler's square roots and logarithms may differ from NumPy's in the last places."""

seeds = st.integers(0, 2**32 - 1)


def samples_of(generator, count=300, markets=3):
    samples = generator.standard_t(3, (count, markets)) ** 2 * 1e-4
    samples[generator.random(samples.shape) < 0.15] = np.nan
    return samples


@given(seeds, st.floats(0.5, 0.999))
@settings(max_examples=30)
def test_the_compiled_ewma_equals_its_definition(seed, decay):
    generator = np.random.default_rng(seed)
    state = generator.random(3) * 1e-4, generator.random(3)
    arguments = samples_of(generator), decay, *state
    for fast, slow in zip(ewma_variance(*arguments), ewma_variance_definition(*arguments), strict=True):
        assert np.allclose(fast, slow, rtol=LOGARITHM, atol=0.0, equal_nan=True)


@given(seeds, st.floats(0.0, 1.0), st.floats(1.0, 1.2), st.floats(0.0, 1.0))
@settings(max_examples=30)
def test_the_compiled_scale_path_equals_its_definition(seed, weight, rise, keep):
    generator = np.random.default_rng(seed)
    samples = samples_of(generator)
    volatility = np.sqrt(ewma_variance_definition(samples, 0.97, np.zeros(3), np.zeros(3))[0])
    results = []
    terms, limit = ScaleTerms(1.0, 0.98, weight, keep), RiseLimit(rise - 1.0, 2.0 * (rise - 1.0), 0.002)
    for kernel in (scale_path, scale_path_definition):
        memory = begin_scale(3)
        results.append((kernel(samples, volatility, terms, limit, memory), *memory))
    for fast, plain in zip(*results, strict=True):
        assert np.allclose(fast, plain, rtol=LOGARITHM, atol=0.0, equal_nan=True)


@given(seeds, st.integers(0, 70), st.floats(1.0, 6.0), st.floats(0.0, 1.0))
@settings(max_examples=30)
def test_the_compiled_jumps_equal_their_definitions(seed, ahead, deviations, keep):
    generator = np.random.default_rng(seed)
    low = np.exp(generator.standard_normal((ahead + 120, 3)))
    low[generator.random(low.shape) < 0.3] = np.nan
    high = low * (1.0 + generator.random(low.shape))
    first = np.maximum(np.arange(120) + ahead - generator.integers(0, ahead + 1, 120), 0)
    found = extremes(first, low, high)
    for fast, plain in zip(found, extremes_definition(first, low, high), strict=True):
        assert np.array_equal(fast, plain, equal_nan=True)
    moves = np.log(found[1] / found[0])
    crossed = np.where(generator.random(moves.shape) < 0.1, 2.0 * moves, np.nan)
    volatility, waited, opened = (
        generator.random((3, *moves.shape)) * np.array([0.2, 9.0, 0.2])[:, None, None]
    )
    terms = JumpTerms(1.5, deviations, keep)
    arguments = moves, volatility, crossed, waited, opened, terms, generator.random(3)
    assert np.allclose(jump_after(*arguments), jump_after_definition(*arguments), rtol=LOGARITHM, atol=0.0)


@given(seeds, st.integers(0, 600), st.sampled_from([0.9, 0.99, 0.995, 0.9995]), st.booleans())
def test_selection_equals_sorting_for_quantiles(seed, count, level, ties):
    generator = np.random.default_rng(seed)
    samples = generator.standard_normal(count)
    if ties:
        samples = np.round(samples, 1)
    samples[generator.random(count) < 0.2] = np.nan
    fast, plain = upper_quantile(samples, level), upper_quantile_definition(samples, level)
    assert fast == plain or (np.isnan(fast[0]) and np.isnan(plain[0]) and fast[1] == plain[1] == 0)


@pytest.mark.parametrize(("count", "rank"), [(198, 1), (199, 1), (398, 1), (399, 2), (1999, 10)])
def test_the_quantile_has_the_conformal_rank(count, rank):
    samples = np.random.default_rng(count).permutation(count).astype(float)
    assert upper_quantile(samples, 0.995) == (count - rank, count)


@given(seeds, st.integers(1, 60), st.integers(1, 5), st.integers(1, 30))
@settings(max_examples=40)
def test_the_compiled_shortfall_equals_its_definition(seed, accounts, markets, tail):
    generator = np.random.default_rng(seed)
    rows = np.array(joint_rows(seed, tuple("ABCDE"[:markets]), rows=150, tail=tail).rows)
    rates, credit = generator.random((markets, 2)), generator.random((markets, 2)) * 0.5
    moves = scenario_moves(rows, tail, rates, credit)
    notional = generator.normal(0.0, 1e12, (accounts, markets)) * (
        generator.random((accounts, markets)) < 0.7
    )
    plain = [expected_shortfall_definition(row, moves, tail) for row in notional]
    gross = np.abs(notional).sum(axis=1)
    assert (np.abs(expected_shortfall(notional, moves, tail) - plain) <= SUM_ORDER * gross).all()


@given(seeds)
@settings(max_examples=40)
def test_the_compiled_valuation_equals_its_definition(seed):
    generator = np.random.default_rng(seed)
    lots = generator.integers(-(10**9), 10**9, (50, 4)) * (generator.random((50, 4)) < 0.6)
    cash = generator.integers(-(10**13), 10**13, 50)
    unit, rates = generator.random(4) * 1e4, generator.random((4, 2)) * 0.2
    plain = room_above_lone_definition(cash, lots, unit, rates)
    gross = np.abs(cash) + np.abs(lots * unit).sum(axis=1)
    assert (np.abs(worth(lots, unit) - worth_definition(lots, unit)) <= SUM_ORDER * gross).all()
    assert (np.abs(room_above_lone(cash, lots, unit, rates) - plain) <= SUM_ORDER * gross).all()


@given(seeds)
@settings(max_examples=40)
def test_the_compiled_tiers_equal_their_definition(seed):
    generator = np.random.default_rng(seed)
    lots = generator.integers(-(10**9), 10**9, (50, 4)) * (generator.random((50, 4)) < 0.6)
    cash = generator.integers(-(10**13), 10**13, 50)
    bounds = np.array([0.0, 1e11, 3e12, np.inf])
    tiers = bounds[:-1], bounds[1:], np.sort(generator.random(3)) * 0.3
    unit = generator.random(4) * 1e4
    fast, plain = (
        room_above_tiered(cash, lots, unit, *tiers),
        room_above_tiered_definition(cash, lots, unit, *tiers),
    )
    gross = np.abs(cash) + np.abs(lots * unit).sum(axis=1)
    assert (np.abs(fast - plain) <= SUM_ORDER * gross).all()
    assert 0 < (fast < 0.0).sum() < len(fast)
    needed = tiered_requirements(lots * unit, *tiers)
    plain = tiered_requirements_definition(lots * unit, *tiers)
    assert (np.abs(needed - plain) <= SUM_ORDER * np.abs(lots * unit).sum(axis=1)).all()


def measured_by_hand(bars, settings, path):
    """Look at every window from its definition: where it starts, which bars it holds, whether it is whole."""
    stride, horizon = max(HOUR, bars.length), round(settings.horizon_hours * HOUR)
    span = max(horizon, bars.length)
    found = {}
    for t, end in enumerate(bars.ends):
        if end // stride == bars.times[t] // stride:
            continue
        closing = np.flatnonzero(bars.ends >= end + span)
        if len(closing) == 0:
            continue
        figures = np.full((len(bars.markets), 5), np.nan)
        for m in range(len(bars.markets)):
            inside = t + 1 + np.flatnonzero(~np.isnan(bars.close[t + 1 : closing[0] + 1, m]))
            at_edges = ~np.isnan(bars.close[[t, closing[0]], m]).any()
            gaps = bars.times[inside] - np.append(end, bars.ends[inside[:-1]])
            known = at_edges and gaps.max() < HOUR and gaps.sum() <= MISSING_SHARE * span
            sigma, scale = path.volatility[t, m], path.scale[t, m]
            if known and sigma > 0.0 and scale > 0.0:
                low, high, close = bars.low[inside, m], bars.high[inside, m], bars.close[inside, m]
                figures[m] = window_definition(
                    bars.close[t, m], sigma, scale, low, high, close, horizon / HOUR, span / HOUR
                )
        found[int(end)] = figures
    return found


@given(
    seed=seeds,
    length=st.sampled_from([MINUTE, 5 * MINUTE, 20 * MINUTE, HOUR, 24 * HOUR]),
    horizon=st.sampled_from([1.0, 4.0, 4.5, 24.0]),
    share=st.sampled_from([0.0, 0.02, 0.2]),
)
@settings(max_examples=25)
def test_every_window_measures_what_its_definition_says(seed, length, horizon, share):
    bars = holed(wild_bars(seed, 250, length=length), seed, share)
    settings = CalibrationSettings(horizon_hours=horizon)
    joined, _ = join(nothing_heard(2), bars)
    _, path = update_volatility(begin_volatility(2), settings, bars, joined)
    state = update_excursions(begin_excursions(2), settings, bars, joined.missing, path)
    moments, windows = state.matured
    expected = measured_by_hand(bars, settings, path)
    assert sorted(moments.tolist()) == sorted(expected)
    for moment, figures in zip(moments.tolist(), windows, strict=True):
        assert np.allclose(figures, expected[moment], rtol=1e-9, atol=1e-12, equal_nan=True), moment


@given(seeds)
@settings(max_examples=30)
def test_the_compiled_adverse_moves_equal_their_definition(seed):
    generator = np.random.default_rng(seed)
    lots = generator.integers(-(10**12), 10**12, (50, 7)) * (generator.random((50, 7)) < 0.4)
    moved = np.flatnonzero(generator.random(7) < 0.6)
    cost = generator.random(len(moved)) * 10.0 ** generator.integers(-3, 9)
    expected = adverse_moves_definition(lots, moved, cost)
    np.testing.assert_allclose(adverse_moves(lots, moved, cost), expected, rtol=SUM_ORDER, atol=0.0)
