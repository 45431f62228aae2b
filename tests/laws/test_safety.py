"""Does what is known of safe accounts spare work and change nothing?"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.clearing.statuses import Status
from plimsoll.domain.events import Funded, Listed, Opened, Published, Ticked, Traded
from plimsoll.domain.parameters import Level
from plimsoll.domain.settings import ClearingRules
from plimsoll.engine.book import FIRST_TRADER
from plimsoll.engine.machine import begin, step
from plimsoll.engine.state import digest
from plimsoll.margin import margin_model
from plimsoll.sim.population import admitted_lots, draw_population
from plimsoll.sim.settings import PopulationSettings
from tests.support.venues import LIQUIDITY, LISTINGS, MARKS, TIERS, cross_margin, parameter_set, per_position

SETS = (
    parameter_set(TIERS),
    parameter_set(per_position()),
    parameter_set(cross_margin()),
    parameter_set(cross_margin(dependence=(), gross_floor=0.0)),
    parameter_set(cross_margin(), liquidity=LIQUIDITY),
)
every_set = pytest.mark.parametrize(
    "parameters", SETS, ids=["static", "per-position", "cross-margin", "no-scenarios", "charged-for-size"]
)
COLUMNS = len(LISTINGS)
STEPS = 12
ROUNDING = 1e-9
"""Of gross value: requirements add floats in another order."""


def tick(time, marks):
    return Ticked(time, tuple(marks.tolist()), (1e6,) * COLUMNS, (0.02,) * COLUMNS)


def opened(parameters, seed):
    """Open a venue whose accounts have borrowed as much as they may."""
    generator = np.random.default_rng(seed)
    state = begin()
    for event in (Listed(1, LISTINGS, ClearingRules()), tick(1, MARKS), Funded(1, 10**9, 10**15)):
        state, _ = step(state, event)
    population = draw_population(PopulationSettings(accounts=60), LISTINGS, state.unit, generator)
    for event in (
        Opened(1, population.names, tuple(population.deposits.tolist())),
        Published(1, parameters),
    ):
        state, _ = step(state, event)
    lots = admitted_lots(population, state.model_in_force, state.unit)
    traded = Traded(1, tuple(MARKS.tolist()), population.names, tuple(map(tuple, lots.tolist())))
    return step(state, traded)[0], generator


@every_set
@settings(max_examples=8)
@given(seed=st.integers(0, 10_000), size=st.sampled_from([0.0004, 0.004, 0.03]))
def test_a_fold_that_remembers_who_is_safe_gives_what_one_that_does_not_gives(parameters, seed, size):
    remembering, generator = opened(parameters, seed)
    forgetful = remembering
    marks = MARKS.copy()
    for number in range(STEPS):
        moved = generator.random(COLUMNS) < 0.5
        marks = marks * np.exp(np.where(moved, size * generator.standard_normal(COLUMNS), 0.0))
        event = tick(10 + 60_000 * number, marks)
        remembering, effects = step(remembering, event)
        forgetful, expected = step(replace(forgetful, safety=None), event)
        assert effects == expected
        assert digest(remembering) == digest(forgetful)


@every_set
def test_calm_markets_leave_most_accounts_unlooked_at(parameters):
    state, _ = opened(parameters, 3)
    state, _ = step(state, tick(10, MARKS * 1.0001))
    state, _ = step(state, tick(20, MARKS * 1.0002))
    assert state.safety is not None
    safe = state.safety.left[FIRST_TRADER:] >= 0.0
    healthy = state.book.status[FIRST_TRADER:] == Status.HEALTHY
    assert safe.mean() > 0.5
    assert healthy[safe].all()


@every_set
@given(seed=st.integers(0, 10_000))
def test_no_requirement_grows_faster_than_its_steepest(parameters, seed):
    generator = np.random.default_rng(seed)
    model = margin_model(parameters.method, LISTINGS, parameters.liquidity)
    notional = 1e12 * generator.standard_normal((20, COLUMNS)) * (generator.random((20, COLUMNS)) < 0.5)
    change = 1e12 * generator.standard_normal((20, COLUMNS)) * generator.choice([1e-3, 1.0], (20, 1))
    for level in Level:
        grown = model.requirement(notional + change, level) - model.requirement(notional, level)
        room = ROUNDING * (np.abs(notional) + np.abs(change)).sum(axis=1)
        assert (grown <= np.abs(change) @ model.steepest(level) + room).all()
