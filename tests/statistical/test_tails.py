"""Do the tails say what is true of samples whose truth is known?"""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.calibration.horizon import excursion_scale
from plimsoll.errors import Code, PlimsollError
from plimsoll.estimators.caviar import fit_caviar
from plimsoll.estimators.peaks import PeaksTail, fit_peaks
from plimsoll.estimators.tracker import TrackerSettings, begin_tracker, track
from plimsoll.kernels.caviar import CAVIAR_KINDS, caviar_path, caviar_path_definition

SAMPLING = 0.12
"""Relative: four standard errors of the 99.9 % quantile from 50,000 draws with 2,500 excesses, measured."""
COMPILED = 1e-12
"""The compiler may fuse a product with a sum."""
seeds = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize("freedom", [3.0, 6.0, None])
def test_peaks_reach_the_true_quantile_and_the_mean_beyond_it(freedom):
    generator = np.random.default_rng(5)
    draw = generator.standard_normal if freedom is None else lambda n: generator.standard_t(freedom, n)
    tail = fit_peaks(np.abs(draw(50_000)))
    truth = np.sort(np.abs(draw(4_000_000)))
    quantile = truth[int(0.999 * len(truth))]
    beyond = truth[int(0.999 * len(truth)) :].mean()
    assert tail.quantile(0.999) == pytest.approx(quantile, rel=SAMPLING)
    assert tail.mean_beyond(0.999) == pytest.approx(beyond, rel=2.0 * SAMPLING)


def test_the_exponential_tail_is_the_limit_of_light_shapes():
    level = 0.999
    light = PeaksTail(1.0, 0.05, 1e-7, 0.4)
    assert PeaksTail(1.0, 0.05, 0.0, 0.4).quantile(level) == pytest.approx(light.quantile(level), rel=1e-5)
    assert PeaksTail(1.0, 0.05, 0.0, 0.4).quantile(0.95) == pytest.approx(1.0)


def test_a_tail_of_too_few_or_equal_samples_is_refused():
    with pytest.raises(PlimsollError) as few:
        fit_peaks(np.arange(100.0))
    with pytest.raises(PlimsollError) as alike:
        fit_peaks(np.ones(1000))
    assert (few.value.code, alike.value.code) == (Code.TOO_LITTLE_HISTORY, Code.BAD_PRICE)


@pytest.mark.parametrize("kind", range(len(CAVIAR_KINDS)))
@given(seed=seeds)
@settings(max_examples=10)
def test_the_compiled_recursion_equals_its_definition(kind, seed):
    generator = np.random.default_rng(seed)
    losses = generator.standard_t(4, 100)
    losses[::17] = np.nan
    weights = np.array([0.1, 0.85, 0.2, 0.1])
    arguments = (losses, kind, weights, 0.01, 2.0)
    assert np.allclose(caviar_path(*arguments), caviar_path_definition(*arguments), rtol=COMPILED, atol=0.0)


@pytest.mark.parametrize("kind", CAVIAR_KINDS)
def test_a_fitted_recursion_is_breached_as_often_as_promised_and_follows_volatility(kind):
    pytest.importorskip("scipy", reason="the extra `backtest` is not installed")
    generator = np.random.default_rng(8)
    swing = np.exp(np.sin(np.arange(3000) / 60.0))
    losses = swing * generator.standard_normal(3000)
    path = fit_caviar(losses, kind, 0.95).path(losses)
    breached = losses[1:] > path[:-1]
    assert breached.mean() == pytest.approx(0.05, abs=0.015)
    assert np.corrcoef(path[:-1], swing[1:])[0, 1] > 0.3


def test_losses_that_cannot_be_fitted_are_refused():
    for losses, code in ((np.zeros(1000), Code.BAD_PRICE), (np.ones(10), Code.TOO_LITTLE_HISTORY)):
        with pytest.raises(PlimsollError) as refused:
            fit_caviar(losses, "symmetric", 0.95)
        assert refused.value.code is code


@given(seed=seeds, scale=st.floats(0.3, 3.0))
@settings(max_examples=15)
def test_the_tracker_keeps_its_promise_whatever_the_data(seed, scale):
    """The bound holds without any assumption; here the rate is wrong by a factor of three either way."""
    generator = np.random.default_rng(seed)
    rule = TrackerSettings(share=0.05, step=0.02, most=2.0)
    excursions = np.abs(generator.standard_t(3, 2000)) * np.linspace(1.0, 1.5, 2000)
    state, multiplied, breached = track(begin_tracker(), rule, np.full(2000, 2.0 * scale), excursions, 1)
    assert (breached[:-1] == (excursions > multiplied)[:-1]).all()
    if abs(state.log) < rule.most and (np.abs(np.log(multiplied / (2.0 * scale))) < rule.most).all():
        assert abs(breached[:-1].mean() - rule.share) <= abs(state.log) / (rule.step * 1999) + 1e-9


def test_the_tracker_does_not_look_ahead():
    generator = np.random.default_rng(2)
    excursions = generator.exponential(1.0, 300)
    poisoned = excursions.copy()
    poisoned[200:] *= 100.0
    rates, rule = np.full(300, 1.0), TrackerSettings(share=0.05, step=0.05)
    before = track(begin_tracker(), rule, rates, excursions, 4)[1]
    after = track(begin_tracker(), rule, rates, poisoned, 4)[1]
    assert (before[:204] == after[:204]).all()
    assert (before[205:] != after[205:]).any()


def test_a_horizon_is_scaled_by_the_path_and_not_by_its_first_bar():
    path = np.array([4.0, 1.0, 1.0, 1.0])
    assert excursion_scale(path, 1.0, 4.0) == pytest.approx(math.sqrt(7.0))
    assert excursion_scale(path, 1.0, 1.5) == pytest.approx(math.sqrt(4.5))
    assert excursion_scale(path, 1.0, 6.0) == pytest.approx(3.0)
    assert excursion_scale(path, 0.5, 1.0) == pytest.approx(math.sqrt(5.0))
