"""Do the policies of a cascade ask for the margin, and cap the exposure, that their names promise?"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from plimsoll.domain.parameters import Level
from plimsoll.errors import Code, PlimsollError
from plimsoll.margin import margin_model
from plimsoll.report.cascade_page import render_cascades
from plimsoll.scenarios.library import daily_history, scenario
from plimsoll.sim.caps import LARGEST_RATIO, Exposure
from plimsoll.sim.cascade import draw_cast, opening_margins
from plimsoll.sim.cascade_policies import CASCADE_POLICIES, cascade_parameters, exposure_of
from plimsoll.sim.publishing import scaled
from plimsoll.sim.seeds import simulate
from plimsoll.sim.shock import anchor
from tests.support.cascades import QUICK, SCENARIO, cast_of, run
from tests.support.venues import LISTINGS, TIERS, cross_margin, parameter_set, per_position

SEED = 4
BRIEF = structs.replace(QUICK, shock=structs.replace(QUICK.shock, seconds=60, onset_second=10))
SUM_ORDER = 1e-12
"""Requirements are sums of a few products, each scaled before or after it is rounded."""
WHOLE_LOTS = 1e-3
"""Positions are cut to whole lots."""
NEAR = 0.01
"""How far below the margin to be matched is near enough."""


def with_charge(settings, *, charged):
    return structs.replace(settings, calibration=structs.replace(settings.calibration, size_charge=charged))


@pytest.fixture(scope="module")
def published():
    """Give the first set of each policy."""
    cast, history = cast_of(SEED), daily_history(scenario(SCENARIO).first)
    return {
        name: cascade_parameters(name, cast, BRIEF, history).published(cast.anchor.start)
        for name in ("plimsoll", "plimsoll-matched")
    }


@pytest.mark.parametrize("seed", [SEED, SEED + 1])
def test_the_matched_policy_opens_with_no_more_margin_than_the_constants(seed):
    matched, _, _ = run(cast_of(seed), BRIEF, "plimsoll-matched")
    constants, _, _ = run(cast_of(seed), BRIEF, "static")
    assert (1.0 - NEAR) * constants.mean_margin <= matched.mean_margin <= constants.mean_margin
    assert matched.mean_initial <= constants.mean_initial


def test_a_charge_on_size_is_matched_with_the_rates():
    many = structs.replace(
        with_charge(BRIEF, charged=True), population=structs.replace(BRIEF.population, accounts=4_000)
    )
    cast, history = draw_cast(anchor(SCENARIO), many, SEED), daily_history(scenario(SCENARIO).first)
    matched, constants = (
        opening_margins(cascade_parameters(name, cast, many, history), cast, many, exposure=exposure_of(name))
        for name in ("plimsoll-matched", "static")
    )
    least = (1.0 - NEAR) * constants[Level.MAINTENANCE]
    assert least <= matched[Level.MAINTENANCE] <= constants[Level.MAINTENANCE]


def test_the_matched_policy_divides_margin_as_the_calibrated_one_does(published):
    calibrated, matched = (published[name].method for name in ("plimsoll", "plimsoll-matched"))
    factors = [
        getattr(getattr(few, side), name) / getattr(getattr(many, side), name)
        for many, few in zip(calibrated.markets, matched.markets, strict=True)
        for side in ("long", "short")
        for name in ("maintenance", "call", "initial", "credit", "initial_credit")
    ]
    np.testing.assert_allclose(factors, factors[0], rtol=SUM_ORDER)
    assert factors[0] < 0.9
    assert matched.dependence == calibrated.dependence
    assert published["plimsoll-matched"].verified("here") is published["plimsoll-matched"]


@pytest.mark.parametrize("name", CASCADE_POLICIES)
def test_who_caps_opens_below_the_cap_and_who_does_not_stands_above(name):
    facts, _, _ = run(cast_of(SEED), BRIEF, name)
    assert (facts.branching <= LARGEST_RATIO) == (exposure_of(name) is Exposure.CAPPED)


def test_the_placebo_of_the_caps_lets_in_as_much_and_looks_at_nothing():
    cast = cast_of(SEED)
    capped, shrunk, free = (
        run(cast, BRIEF, name)[0] for name in ("static-guarded", "static-shrunk", "static")
    )
    assert shrunk.admitted == pytest.approx(capped.admitted, rel=WHOLE_LOTS)
    assert shrunk.admitted < 0.9 * free.admitted
    assert shrunk.mean_margin <= free.mean_margin


def test_margins_at_the_opening_are_those_of_the_run():
    cast, history = cast_of(SEED), daily_history(scenario(SCENARIO).first)
    for name in ("static", "static-guarded"):
        parameters = cascade_parameters(name, cast, BRIEF, history)
        shares = opening_margins(parameters, cast, BRIEF, exposure=exposure_of(name))
        facts, _, _ = run(cast, BRIEF, name)
        assert shares[Level.MAINTENANCE] == pytest.approx(facts.mean_margin, rel=SUM_ORDER)
        assert shares[Level.INITIAL] == pytest.approx(facts.mean_initial, rel=SUM_ORDER)


@pytest.mark.parametrize("method", [per_position(), cross_margin()], ids=["per-position", "cross-margin"])
@given(seed=st.integers(0, 10_000), factor=st.floats(0.05, 3.0))
@settings(max_examples=20)
def test_rates_scaled_by_a_factor_ask_for_that_factor_of_margin(method, seed, factor):
    generator = np.random.default_rng(seed)
    notional = 1e12 * generator.standard_normal((30, len(LISTINGS))) * (generator.random(5) < 0.6)
    plain = parameter_set(method)
    models = [margin_model(each.method, LISTINGS) for each in (plain, scaled(plain, factor))]
    for level in Level:
        whole, part = (model.requirement(notional, level) for model in models)
        np.testing.assert_allclose(part, factor * whole, rtol=SUM_ORDER, atol=0.0)


def test_a_page_shows_every_policy():
    few = structs.replace(
        BRIEF,
        policies=CASCADE_POLICIES,
        population=structs.replace(BRIEF.population, accounts=30),
    )
    page = render_cascades(simulate(SCENARIO, few, workers=1), program="plimsoll", command="again")
    assert all(name in page for name in CASCADE_POLICIES)


def test_a_charge_on_size_that_asks_for_more_than_the_constants_cannot_be_matched():
    thin = structs.replace(with_charge(BRIEF, charged=True), makers=structs.replace(BRIEF.makers, depth=1e-5))
    with pytest.raises(PlimsollError) as refused:
        run(cast_of(SEED), thin, "plimsoll-matched")
    assert refused.value.code is Code.BAD_SETTING


def test_constants_by_size_cannot_be_scaled():
    with pytest.raises(PlimsollError) as refused:
        scaled(parameter_set(TIERS), 0.5)
    assert refused.value.code is Code.BAD_SETTING
