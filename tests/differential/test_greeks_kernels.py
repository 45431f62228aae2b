"""Are the closed forms of the Greeks' requirement what a search, a draw or another library finds?"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from plimsoll.kernels.black76 import gamma, vega
from plimsoll.kernels.curvature import gamma_ranges, vega_ranges, worst_quadratic, worst_quadratics
from plimsoll.kernels.quadratic_form import principal_terms, quadratic_probability, quadratic_quantile

SCAN = 2_001
SCAN_SLACK = 1e-6
"""A scan of so many points misses a parabola's turn by half a step, squared."""
ROUNDING = 1e-9
ODDS_OFF = 5e-5
"""What the inversion cuts off for one square with a slope, its slowest case; 1.2e-5 is measured."""
DRAWS = 400_000
DEVIATIONS = 4.0
"""Sampling errors that a share of draws may be off: one in 16,000 exceeds them, and seeds are fixed."""

slopes = st.floats(-1e6, 1e6)


@given(slope=slopes, curvature=slopes, low=st.floats(-0.9, 0.5), width=st.floats(0.0, 1.0))
@settings(max_examples=200)
def test_the_worst_of_a_parabola_is_what_a_scan_finds_and_the_twin_agrees(slope, curvature, low, width):
    found = worst_quadratic(slope, curvature, low, low + width)
    x = np.linspace(low, low + width, SCAN)
    scanned = -(slope * x + 0.5 * curvature * x * x).min()
    size = abs(slope) + abs(curvature)
    assert scanned - ROUNDING * size <= found <= scanned + SCAN_SLACK * size
    columns = (np.array([value]) for value in (slope, curvature, low, low + width))
    assert worst_quadratics(*columns)[0] == found


@given(
    moneyness=st.floats(-1.0, 1.0),
    deviation=st.floats(0.01, 1.0),
    ends=st.tuples(st.floats(-0.5, 0.8), st.floats(-0.5, 0.8)),
)
@settings(max_examples=100)
def test_gamma_stays_within_its_range_and_reaches_both_ends(moneyness, deviation, ends):
    forward = 100.0
    start, stop = np.array([ends[0]]), np.array([ends[1]])
    least, largest = gamma_ranges(np.array([moneyness]), np.array([deviation]), start, stop)
    moved = forward * np.geomspace(1.0 + ends[0], 1.0 + ends[1], SCAN)
    scanned = forward * gamma(moved, forward * np.exp(-moneyness), 1.0, deviation)
    assert scanned.min() == pytest.approx(least[0, 0], rel=1e-6, abs=1e-12)
    assert scanned.max() == pytest.approx(largest[0, 0], rel=1e-3, abs=1e-12)
    assert scanned.max() <= largest[0, 0] * (1.0 + ROUNDING) + 1e-12


@given(
    moneyness=st.floats(-1.0, 1.0),
    ends=st.tuples(st.floats(-0.5, 0.8), st.floats(-0.5, 0.8)),
    short=st.floats(0.01, 0.5),
    more=st.floats(0.0, 1.0),
)
@settings(max_examples=100)
def test_vega_stays_within_its_range_and_reaches_both_ends(moneyness, ends, short, more):
    strike = 100.0
    columns = (np.array([value]) for value in (moneyness, short, short + more, ends[0], ends[1]))
    least, largest = vega_ranges(*columns)
    forward = strike * np.exp(moneyness) * np.geomspace(1.0 + ends[0], 1.0 + ends[1], 301)
    scanned = vega(forward[:, None], strike, 1.0, np.linspace(short, short + more, 301)) / strike
    assert scanned.min() == pytest.approx(least[0, 0], rel=1e-6, abs=1e-12)
    assert scanned.max() <= largest[0, 0] * (1.0 + ROUNDING) + 1e-12
    assert scanned.max() == pytest.approx(largest[0, 0], rel=0.02, abs=1e-9)


def test_without_time_value_left_vega_is_bounded_from_nothing_to_its_most():
    least, largest = vega_ranges(
        np.array([0.02]), np.zeros(1), np.array([0.3]), np.array([-0.05]), np.array([0.05])
    )
    assert least[0, 0] == 0.0
    assert largest[0, 0] == pytest.approx(stats.norm.pdf(0.0))


@pytest.mark.parametrize("share", [0.001, 0.01, 0.05, 0.5, 0.99])
@pytest.mark.parametrize(
    ("slope", "curvature"), [(0.0, 1.0), (0.0, -2.0), (1.5, 0.7), (1.0, -0.2), (3.0, 0.0)]
)
def test_one_factor_has_the_law_of_a_shifted_square(share, slope, curvature):
    found = quadratic_quantile(share, np.array([slope]), np.array([curvature]))
    if curvature == 0.0:
        assert found == pytest.approx(slope * stats.norm.ppf(share), abs=1e-9)
        return
    shift = slope**2 / (4.0 * curvature)
    odds = stats.ncx2.cdf((found + shift) / curvature, 1, shift / curvature)
    assert (odds if curvature > 0.0 else 1.0 - odds) == pytest.approx(share, abs=0.02)
    inside = quadratic_probability(
        curvature * stats.ncx2.ppf(0.4, 1, shift / curvature) - shift,
        np.array([slope]),
        np.array([curvature]),
    )
    assert inside == pytest.approx(0.4 if curvature > 0.0 else 0.6, abs=ODDS_OFF)


@pytest.mark.parametrize("share", [0.001, 0.01, 0.05, 0.5])
def test_several_correlated_factors_have_the_quantile_that_draws_have(share):
    rng = np.random.default_rng(11)
    root = rng.normal(size=(4, 4)) * np.array([0.05, 0.07, 0.1, 0.2])[:, None]
    linear, square = rng.normal(size=4) * 10.0, np.diag([-300.0, 150.0, 0.0, 0.0])
    found = quadratic_quantile(share, *principal_terms(linear, square, root @ root.T))
    moves = rng.standard_normal((DRAWS, 4)) @ root.T
    profits = moves @ linear + 0.5 * ((moves @ square) * moves).sum(axis=1)
    below = np.mean(profits < found)
    dispersion = np.sqrt(share * (1.0 - share) / DRAWS)
    assert abs(below - share) < DEVIATIONS * dispersion


def test_cornish_fisher_would_promise_a_gain_that_a_long_gamma_book_rarely_has():
    """For z squared its fourth-order quantile at 1 % is 0.94; the true one is nothing."""
    z = stats.norm.ppf(0.01)
    skew, kurtosis = np.sqrt(8.0), 12.0
    adjusted = z + (z**2 - 1) * skew / 6 + (z**3 - 3 * z) * kurtosis / 24 - (2 * z**3 - 5 * z) * skew**2 / 36
    assert 1.0 + np.sqrt(2.0) * adjusted > 0.9
    assert abs(quadratic_quantile(0.01, np.zeros(1), np.ones(1))) < 1e-3
