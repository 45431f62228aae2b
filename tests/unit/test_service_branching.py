"""Does the service tell the branching ratio that a simulation and a preview would?"""

from dataclasses import replace

import numpy as np
import pytest

from plimsoll.clearing.feedback import branching_profile, branching_ratio
from plimsoll.domain.money import QUANTA_PER_UNIT
from plimsoll.domain.parameters import Level
from plimsoll.engine.runner import replayed
from plimsoll.service.branching import branching
from plimsoll.sim.held import held_by_traders
from tests.support.stores import events

ROUNDING = 1e-12


def levered(state):
    """Leave every account 5 % more than its maintenance margin, so that a small move sells some."""
    notional = state.book.lots * state.unit
    needed = state.model_in_force.requirement(notional, Level.MAINTENANCE)
    cash = np.rint(1.05 * needed - notional.sum(axis=1)).astype(np.int64)
    return replace(state, book=replace(state.book, cash=cash))


STATE = levered(replayed(events(400)))


def test_each_market_has_the_ratio_of_its_profile_the_most_fragile_first():
    found = branching(STATE)
    markets = list(dict.fromkeys(entry.underlying for entry in STATE.listings))
    columns = np.array([markets.index(entry.underlying) for entry in STATE.listings])
    depth = {entry.market: entry.depth * QUANTA_PER_UNIT for entry in found}
    profile = branching_profile(
        held_by_traders(STATE), columns, np.array([depth.get(market, 1.0) for market in markets])
    )
    expected = dict(zip(markets, branching_ratio(profile), strict=True))
    assert [entry.ratio for entry in found] == sorted((entry.ratio for entry in found), reverse=True)
    assert found[0].ratio > 0.0
    for entry in found:
        assert entry.ratio == pytest.approx(expected[entry.market], rel=ROUNDING)
        assert entry.ratio == max(entry.falls, entry.rises)
        assert entry.sold == pytest.approx(entry.ratio * entry.depth, rel=ROUNDING)


def test_depth_is_what_the_square_root_law_moves_by_one_per_cent():
    for entry in branching(STATE):
        place = next(i for i, listing in enumerate(STATE.listings) if listing.underlying == entry.market)
        volume, impact = STATE.market.volume[place], STATE.market.impact[place]
        assert impact * np.sqrt(entry.depth / volume) == pytest.approx(0.01)


def test_a_venue_without_prices_or_parameters_has_no_ratio():
    assert branching(replayed(events(3))) == ()
