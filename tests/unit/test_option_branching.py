"""Does the branching ratio of a venue with options see what repricing every account by itself sees?"""

import numpy as np
import pytest

from plimsoll.clearing.feedback import Held, forced_sales_definition
from plimsoll.clearing.option_feedback import option_branching_profile
from plimsoll.domain.events import Deposited
from plimsoll.domain.money import QUANTA_PER_UNIT
from plimsoll.engine.machine import step
from plimsoll.service.branching import branching
from plimsoll.sim.held import held_by_traders
from tests.laws.test_option_venue import LISTINGS, NAMES, NOW, opened, traded

MOVES = (0.02, 0.1, 0.2)
DEPTH = np.array([1e12, 3e11])
CALL = 4
LOT = np.array([listing.lot for listing in LISTINGS])


def holding(lots, *, account="desk", spare=200_000):
    """An account that holds lots and has so much less cash than the others."""
    state, refused = step(opened(), traded(opened(), NOW, account, lots))
    assert refused == ()
    state, refused = step(state, Deposited(NOW, (account,), (-(200_000 - spare) * QUANTA_PER_UNIT,)))
    assert refused == ()
    return state


def profile(state):
    held = held_by_traders(state)
    return option_branching_profile(held, state.model, NAMES, DEPTH, MOVES)


def test_without_options_it_is_what_the_definition_says_at_repriced_models():
    state = holding([2_000_000, -3_000_000, 0, 500_000, 0, 0, 0, 0], spare=27_000)
    held, found = held_by_traders(state), profile(state)
    for m, market in enumerate(NAMES):
        own = [i for i, listing in enumerate(LISTINGS) if listing.underlying == market]
        for side, sign in enumerate((-1.0, 1.0)):
            for place, move in enumerate(MOVES):
                model = state.model.moved(market, 1.0 + sign * move)
                unit = LOT * model.marks * QUANTA_PER_UNIT
                at = Held(held.cash, held.lots, unit, model, held.rules)
                sold, bought = forced_sales_definition(at, unit)[:, own].sum(axis=1)
                expected = max(sign * (bought - sold), 0.0) * 0.01 / move / DEPTH[m]
                assert found[side, m, place] == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert found[0, 0].max() > 0.0
    assert found[1, 1].max() > 0.0


def test_a_writer_of_calls_is_bought_back_as_the_market_rises_and_never_as_it_falls():
    found = profile(holding([0, 0, 0, 0, -2_000_000, 0, 0, 0], spare=25_000))
    assert found[1, 0].max() > 0.0
    assert found[0].max() == 0.0
    assert found[:, 1].max() == 0.0


def test_a_covered_writer_feeds_nothing():
    found = profile(holding([2_000_000, 0, 0, 0, -2_000_000, 0, 0, 0], spare=40_000))
    assert found[1, 0].max() == 0.0


def test_the_service_measures_a_venue_with_options():
    state = holding([0, 0, 0, 0, -2_000_000, 0, 0, 0], spare=25_000)
    lines = {line.market: line for line in branching(state)}
    assert lines["BTC"].ratio > 0.0
    assert lines["BTC"].move > 0.0
    assert lines["ETH"].ratio == 0.0


def test_a_moved_model_is_that_of_a_tick_at_these_prices():
    state = opened()
    moved = state.model.moved("BTC", 1.07)
    for column, listing in enumerate(LISTINGS):
        if listing.underlying == "ETH":
            assert moved.marks[column] == state.model.marks[column]
    assert moved.marks[0] == pytest.approx(1.07 * state.model.marks[0])
    assert moved.marks[CALL] > state.model.marks[CALL]
    assert state.model.moved("BTC", 1.0).marks.tolist() == state.model.marks.tolist()
