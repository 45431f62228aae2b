"""Do the compiled recursions of the estimators give what their definitions, and what others, give?"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.estimators.garch import Garch, fit_garch
from plimsoll.kernels.combination import combine_path, combine_path_definition
from plimsoll.kernels.garch import garch_filter, garch_filter_definition, garch_path
from plimsoll.kernels.normal_equations import learn_outcome, solve_normal
from plimsoll.kernels.realised import realised_path, realised_path_definition
from plimsoll.kernels.rise import RiseLimit, limited_step, rise_height, risen
from plimsoll.kernels.rolling_tail import rolling_tail, rolling_tail_definition

COMPILED = 1e-12
"""The compiler may fuse a product with a sum, and add in another order."""
LEAST_SQUARES = 1e-7
"""Normal equations square the condition of the problem."""
OPTIMISER = 1e-6
"""Our filter on the parameters that `arch` found, against the variances it reports for them."""

seeds = st.integers(0, 2**32 - 1)


def returns_of(generator, count):
    returns = 0.01 * generator.standard_t(4, count)
    returns[generator.random(count) < 0.1] = np.nan
    return returns


@given(seeds)
@settings(max_examples=20)
def test_the_compiled_garch_equals_its_definition(seed):
    generator = np.random.default_rng(seed)
    arguments = (returns_of(generator, 200), 2e-6, 0.05, 0.08, 0.88, 1e-4, 1e-4)
    fast, plain = garch_filter(*arguments), garch_filter_definition(*arguments)
    assert np.allclose(fast[0], plain[0], rtol=COMPILED, atol=0.0)
    assert fast[1] == pytest.approx(plain[1], rel=COMPILED)


@given(seeds, st.integers(2, 40), st.booleans())
@settings(max_examples=30)
def test_the_compiled_realised_variance_equals_its_definition(seed, window, jumps):
    returns = returns_of(np.random.default_rng(seed), 120)
    fast = realised_path(returns, window, jumps)
    plain = realised_path_definition(returns, window, jumps=jumps)
    assert np.allclose(fast, plain, rtol=COMPILED, atol=0.0, equal_nan=True)


@given(seeds)
@settings(max_examples=30)
def test_the_compiled_combination_equals_its_definition(seed):
    generator = np.random.default_rng(seed)
    path = generator.exponential(1e-4, (80, 3))
    path[:20, 2] = np.nan
    path[generator.random(path.shape) < 0.05] = np.nan
    arguments = (path, 4.0 * path, returns_of(generator, 80) ** 2, 0.3, 0.99, np.zeros(3), np.full(3, np.nan))
    for fast, plain in zip(combine_path(*arguments), combine_path_definition(*arguments), strict=True):
        assert np.allclose(fast, plain, rtol=1e-9, atol=0.0, equal_nan=True)


@given(seeds, st.integers(5, 60), st.sampled_from([0.9, 0.99]))
@settings(max_examples=30)
def test_the_rolling_quantile_equals_sorting_anew(seed, window, level):
    generator = np.random.default_rng(seed)
    excursions = np.round(generator.exponential(1.0, 150), 1)
    excursions[generator.random(150) < 0.1] = np.nan
    known = np.sort(generator.integers(0, 151, 100))
    fast = rolling_tail(excursions, known, window, 4, level)
    plain = rolling_tail_definition(excursions, known, window, 4, level)
    for one, other in zip(fast, plain, strict=True):
        assert np.allclose(one, other, rtol=COMPILED, atol=0.0, equal_nan=True)


@given(seeds)
@settings(max_examples=20)
def test_learning_one_by_one_gives_weighted_least_squares(seed):
    generator = np.random.default_rng(seed)
    rows, keep = generator.normal(0.0, 1.0, (60, 4)), 0.97
    outcomes = rows @ [1.0, -2.0, 0.5, 0.0] + generator.normal(0.0, 0.3, 60)
    matrix, right = np.zeros((4, 4)), np.zeros(4)
    for row, outcome in zip(rows, outcomes, strict=True):
        learn_outcome(matrix, right, row, float(outcome), keep)
    weights = np.sqrt(keep ** np.arange(59, -1, -1.0))
    expected = np.linalg.lstsq(rows * weights[:, None], outcomes * weights, rcond=None)[0]
    assert np.allclose(solve_normal(matrix, right, 0.0), expected, rtol=LEAST_SQUARES, atol=LEAST_SQUARES)


@given(st.floats(1e-5, 0.9), st.floats(0.0, 3.0), st.floats(1e-4, 0.1))
def test_a_rise_by_a_height_is_measured_as_that_height(rate, height, base):
    higher = risen(rate, height, base)
    assert rise_height(higher, base) - rise_height(rate, base) == pytest.approx(height, abs=1e-9)


@given(st.floats(1e-4, 0.5), st.lists(st.floats(0.01, 5.0), min_size=1, max_size=8), st.floats(0.0, 0.2))
def test_how_often_a_rate_is_published_does_not_change_how_far_it_may_rise(rate, spans, saved):
    limit = RiseLimit(0.01, 0.3, 0.005)
    reached, left = rate, saved
    for hours in spans:
        reached, left = limited_step(reached, np.inf, left, hours, limit)
    at_once, _ = limited_step(rate, np.inf, saved, sum(spans), limit)
    assert rise_height(reached, limit.base) >= rise_height(at_once, limit.base) - 1e-9
    most = limit.most + limit.speed * sum(spans)
    assert rise_height(reached, limit.base) - rise_height(rate, limit.base) <= most + 1e-9


def test_a_garch_path_goes_from_today_to_the_mean():
    path = garch_path(4e-4, 1e-4, 0.9, 200)
    assert path[0] == 4e-4
    assert path[1] == pytest.approx(1e-4 + 0.9 * 3e-4)
    assert path[-1] == pytest.approx(1e-4, rel=1e-4)


@pytest.mark.parametrize("asymmetric", [False, True])
@pytest.mark.parametrize("shocks", ["normal", "t"])
def test_fitted_parameters_and_variances_are_those_of_arch(asymmetric, shocks):
    arch = pytest.importorskip("arch", reason="the extra `backtest` is not installed")
    generator = np.random.default_rng(3)
    returns = np.empty(1500)
    variance = 1e-4
    for t in range(len(returns)):
        returns[t] = np.sqrt(variance * 0.6) * generator.standard_t(5)
        variance = 2e-6 + (0.05 + 0.06 * (returns[t] < 0)) * returns[t] ** 2 + 0.9 * variance
    ours = fit_garch(returns, asymmetric=asymmetric, shocks=shocks)
    distribution = "t" if shocks == "t" else "normal"
    model = arch.arch_model(100.0 * returns, p=1, o=int(asymmetric), q=1, dist=distribution, rescale=False)
    theirs = model.fit(disp="off", show_warning=False)
    assert ours.alpha == theirs.params["alpha[1]"]
    assert ours.beta == theirs.params["beta[1]"]
    assert (ours.freedom is None) == (shocks == "normal")
    reported = (theirs.conditional_volatility / 100.0) ** 2
    shape = (ours.omega, ours.alpha, ours.gamma, ours.beta, ours.mean)
    path, _ = garch_filter(returns[:-1], *shape, float(reported[0]))
    assert np.allclose(path, reported[1:], rtol=OPTIMISER, atol=0.0)
    assert isinstance(ours, Garch)
