"""Do the tests of a backtest reject true claims as rarely as they promise, and false ones often?"""

import math

import numpy as np
import pytest
from scipy import stats

from plimsoll.backtest.chances import (
    binomial_at_least,
    binomial_at_most,
    chi_square_tail,
    student_tail_both,
)
from plimsoll.backtest.comparison import confidence_set, diebold_mariano
from plimsoll.backtest.coverage import breach_count_test, first_failure_test, proportion_test
from plimsoll.backtest.dynamic_quantile import (
    dynamic_quantile_statistic,
    dynamic_quantile_statistics,
    dynamic_quantile_test,
)
from plimsoll.backtest.e_process import (
    anytime_p_value,
    begin_monitor,
    evidence_path,
    log_evidence,
    pooled_evidence,
    update_monitor,
)
from plimsoll.backtest.independence import conditional_coverage_test, independence_test, transitions
from plimsoll.backtest.procyclicality import (
    measure_procyclicality,
    response_to_a_shock,
    rises,
    rises_definition,
)
from plimsoll.backtest.scores import fissler_ziegel, pinball, qlike
from plimsoll.backtest.shortfall import (
    acerbi_szekely_conditional,
    acerbi_szekely_unconditional,
    exceedance_residual_test,
)
from plimsoll.domain.bars import HOUR

FUNCTIONS = 1e-11
"""Relative; our closed forms and scipy's each round some hundred terms."""
MANY_DEGREES = 1e-9
"""Relative; two log gammas of some 300,000 each cancel where there are 60,000 degrees of freedom."""


def test_tails_of_the_usual_laws_are_those_of_scipy():
    for x in (0.0, 0.1, 1.0, 3.84, 30.0, 300.0):
        for freedom in (1, 2, 3, 4, 5, 6, 9):
            assert chi_square_tail(x, freedom) == pytest.approx(stats.chi2.sf(x, freedom), rel=FUNCTIONS)
    for t in (-3.0, 0.0, 0.1, 1.0, 2.5, 12.0):
        for freedom in (1, 4, 30, 2_000, 60_000):
            both = 2.0 * stats.t.sf(abs(t), freedom)
            assert student_tail_both(t, freedom) == pytest.approx(both, rel=MANY_DEGREES)
    for count in (0, 3, 57, 1_043):
        assert binomial_at_most(count, 1_043, 0.05) == pytest.approx(
            stats.binom.cdf(count, 1_043, 0.05), rel=FUNCTIONS
        )
        assert binomial_at_least(count, 1_043, 0.05) == pytest.approx(
            stats.binom.sf(count - 1, 1_043, 0.05), rel=FUNCTIONS
        )


LEVEL = 0.1
REPEATS = 120
MOST = LEVEL + 3.0 * math.sqrt(LEVEL * (1.0 - LEVEL) / REPEATS)
LEAST = LEVEL - 3.0 * math.sqrt(LEVEL * (1.0 - LEVEL) / REPEATS)
"""Three standard errors of a rejection rate of 10 % over that many series."""


@pytest.mark.parametrize(
    "judge", [proportion_test, independence_test, conditional_coverage_test], ids=lambda test: test.__name__
)
def test_simulated_p_values_reject_true_claims_exactly_as_often_as_they_say(judge):
    generator = np.random.default_rng(4)
    p_values = [judge(generator.random(250) < 0.01, 0.01, generator) for _ in range(REPEATS)]
    assert all(verdict.basis.startswith("Monte Carlo") for verdict in p_values)
    assert LEAST <= np.mean([verdict.p_value <= LEVEL for verdict in p_values]) <= MOST


@pytest.mark.parametrize(
    "judge", [proportion_test, independence_test, conditional_coverage_test], ids=lambda test: test.__name__
)
def test_clustered_breaches_are_found(judge):
    generator = np.random.default_rng(5)
    wild = np.repeat(generator.random(400) < 0.06, 10)
    breaches = wild & (generator.random(4_000) < 0.5)
    assert judge(breaches, 0.01, generator).p_value < 0.01


def test_transitions_are_counted_as_they_come():
    breaches = np.array([0, 0, 1, 1, 0, 1, 0], dtype=bool)
    assert transitions(breaches).tolist() == [1.0, 2.0, 2.0, 1.0]
    assert transitions(np.stack([breaches, ~breaches])).shape == (4, 2)


def test_the_exact_count_test_and_the_first_failure_speak_where_they_can():
    none = np.zeros(250, dtype=bool)
    assert first_failure_test(none, 0.01) is None
    assert breach_count_test(none, 0.01).p_value == pytest.approx(2.0 * 0.99**250, rel=FUNCTIONS)
    one = none.copy()
    one[99] = True
    at_its_expectation = first_failure_test(one, 0.01)
    assert at_its_expectation is not None
    assert at_its_expectation.statistic == pytest.approx(0.0, abs=1e-9)


def test_many_dynamic_quantile_statistics_are_each_that_of_its_definition():
    generator = np.random.default_rng(15)
    rates = 0.03 * np.exp(0.3 * generator.standard_normal(150))
    breaches = generator.random((60, 150)) < np.linspace(0.0, 0.1, 60)[:, None]
    assert not breaches[0].any()
    alike = np.array([dynamic_quantile_statistic(row, rates, 0.01)[0] for row in breaches])
    found = dynamic_quantile_statistics(breaches, rates, 0.01)
    assert found == pytest.approx(alike, rel=1e-6, abs=1e-6)  # normal equations square the condition number


@pytest.mark.parametrize(("observations", "repeats"), [(600, 30), (3_000, 60)])
def test_the_dynamic_quantile_test_keeps_its_size(observations, repeats):
    generator = np.random.default_rng(6)
    share, rejected = 0.01, 0
    for _ in range(repeats):
        rates = 0.03 * np.exp(0.3 * generator.standard_normal(observations))
        verdict = dynamic_quantile_test(generator.random(observations) < share, rates, share, generator)
        rejected += verdict.p_value <= LEVEL
    assert rejected / repeats <= LEVEL + 3.0 * math.sqrt(LEVEL * (1.0 - LEVEL) / repeats)


def test_the_dynamic_quantile_test_finds_a_rate_that_foretells_its_breaches():
    generator = np.random.default_rng(6)
    share, observations = 0.01, 3_000
    rates = 0.03 * np.exp(0.3 * generator.standard_normal(observations))
    chance = np.where(rates < np.quantile(rates, 0.2), 5.0 * share, 0.0)
    foretold = dynamic_quantile_test(generator.random(observations) < chance, rates, share, generator)
    assert foretold.p_value < 0.01


def losses(generator, count, depth):
    """Return excursions with an exponential tail whose true shortfall is the forecast's times `depth`."""
    rates = 0.02 * np.exp(0.2 * generator.standard_normal(count))
    shortfalls = 1.3 * rates
    beyond = generator.exponential(size=count) * (depth * shortfalls - rates)
    return np.where(generator.random(count) < 0.02, rates + beyond, 0.5 * rates), rates, shortfalls


def test_shortfall_tests_keep_their_size_and_find_losses_deeper_than_forecast():
    generator = np.random.default_rng(8)
    repeats = 120
    most = LEVEL + 3.0 * math.sqrt(LEVEL * (1.0 - LEVEL) / repeats)
    rejected = np.zeros(3)
    for _ in range(repeats):
        rejected += [verdict.p_value <= LEVEL for verdict in judged(generator, 1.0)]
    assert (rejected / repeats <= most).all()
    assert all(verdict.p_value < 0.01 for verdict in judged(generator, 1.3, 12_000))


def judged(generator, depth, count=1_000):
    excursions, rates, shortfalls = losses(generator, count, depth)
    verdicts = (
        acerbi_szekely_unconditional(excursions, rates, shortfalls, 0.02, generator),
        acerbi_szekely_conditional(excursions, rates, shortfalls, generator),
        exceedance_residual_test(excursions, rates, shortfalls, generator),
    )
    assert None not in verdicts
    return verdicts


@pytest.mark.parametrize("share", [0.005, 0.05])
def test_the_monitor_ever_doubts_a_true_claim_with_no_more_than_the_chance_it_states(share):
    generator = np.random.default_rng(9)
    repeats, length, alpha = 2_000, 1_500, 0.05
    highest = [evidence_path(generator.random(length) < share, share).max() for _ in range(repeats)]
    doubted = np.mean(np.array(highest) >= -math.log(alpha))
    assert doubted <= alpha + 3.0 * math.sqrt(alpha * (1.0 - alpha) / repeats)


def test_the_monitor_doubts_a_share_twice_as_large_and_agrees_with_its_stream():
    generator = np.random.default_rng(10)
    breaches = generator.random(6_000) < 0.01
    path = evidence_path(breaches, 0.005)
    state = begin_monitor(0.005)
    streamed = []
    for breached in breaches.tolist():
        state = update_monitor(state, breached=breached)
        streamed.append(log_evidence(state))
    assert np.allclose(streamed, path, rtol=1e-9, atol=1e-9)  # sums of thousands of terms in another order
    assert anytime_p_value(pooled_evidence([path])) < 0.01
    assert anytime_p_value(pooled_evidence([path, path])) == pytest.approx(
        2.0 * anytime_p_value(pooled_evidence([path]))
    )
    assert anytime_p_value(-1.0) == 1.0


def test_each_score_is_least_at_the_truth():
    generator = np.random.default_rng(11)
    excursions = generator.exponential(0.01, 400_000)
    share = 0.02
    rate = -0.01 * math.log(share)
    shortfall = rate + 0.01

    def full(value):
        return np.full(len(excursions), value)

    truth = pinball(excursions, full(rate), share).mean()
    joint = fissler_ziegel(excursions, full(rate), full(shortfall), share).mean()
    variance = qlike(excursions**2 + 1e-12, full((excursions**2).mean())).mean()
    for off in (0.8, 1.25):
        assert pinball(excursions, full(off * rate), share).mean() > truth
        assert fissler_ziegel(excursions, full(off * rate), full(shortfall * off), share).mean() > joint
        assert fissler_ziegel(excursions, full(rate), full(off * shortfall), share).mean() > joint
        assert qlike(excursions**2 + 1e-12, full(off * (excursions**2).mean())).mean() > variance


def test_equal_scores_are_told_apart_as_rarely_as_the_test_says():
    generator = np.random.default_rng(12)
    rejected = 0
    for _ in range(REPEATS):
        common = generator.standard_normal(303)
        noise = np.convolve(generator.standard_normal(303 + 3), np.ones(4), "valid")  # windows that overlap
        contest = diebold_mariano(common + 0.5 * noise[:303], common, overlap=4)
        rejected += contest.p_value <= LEVEL
    assert LEAST - 0.02 <= rejected / REPEATS <= MOST + 0.02  # the kernel's known small-sample excess
    better = diebold_mariano(np.zeros(300), generator.random(300), overlap=1)
    assert better.difference < 0.0
    assert better.p_value < 1e-6
    assert diebold_mariano(np.ones(9), np.ones(9), overlap=1).p_value == 1.0


def test_the_confidence_set_keeps_the_best_and_drops_the_worst():
    generator = np.random.default_rng(13)
    scores = {
        "good": generator.random(400),
        "as-good": generator.random(400),
        "bad": generator.random(400) + 0.3,
    }
    found = confidence_set(scores, size=0.1, block=5, seed=1)
    assert {"good", "as-good"} >= set(found.included) > set()
    doubled = confidence_set(scores | {"twin": scores["good"]}, size=0.1, block=5, seed=1)
    assert doubled.p_values == found.p_values | {"twin": found.p_values["good"]}
    alone = confidence_set({"one": scores["bad"], "twin": scores["bad"]}, size=0.1, block=5, seed=1)
    assert set(alone.p_values.values()) == {1.0}
    assert found.p_values["bad"] <= 0.1


def test_the_worst_rise_is_that_of_its_definition():
    generator = np.random.default_rng(14)
    times = HOUR * np.cumsum(generator.integers(1, 4, 400)).astype(np.int64)
    rates = np.exp(np.cumsum(0.1 * generator.standard_normal(400)))
    window = 12 * HOUR
    assert rises(times, rates, window).tobytes() == rises_definition(times, rates, window).tobytes()
    found = measure_procyclicality(times, rates, hours=12.0)
    assert found.worst_rise == rises(times, rates, window).max() - 1.0
    assert found.peak_to_trough == rates.max() / rates.min()
    assert 0.0 < found.liquidity_call <= rates.max() - rates.min()


def test_a_shock_is_measured_from_its_peak():
    times = HOUR * np.arange(200, dtype=np.int64)
    calm = np.full(200, 0.02)
    response = np.where(times >= 50 * HOUR, 0.5 ** ((times - 60 * HOUR) / (10.0 * HOUR)), 0.0)
    response = np.minimum(response, 1.0)
    found = response_to_a_shock(times, calm * (1.0 + response), calm, 50 * HOUR)
    assert found.overshoot == pytest.approx(1.0)
    assert found.hours_to_peak == 0.0
    assert found.half_life == pytest.approx(20.0)
    assert response_to_a_shock(
        times[:65], (calm * (1.0 + response))[:65], calm[:65], 50 * HOUR
    ).half_life == (math.inf)
