"""Does a replayed venue list, quote and settle options as a venue would, from its state alone?"""

import numpy as np
import pytest

from plimsoll.domain.bars import HOUR
from plimsoll.domain.events import Expired, Introduced, Refused
from plimsoll.domain.instruments import Option
from plimsoll.engine.book import FIRST_TRADER
from plimsoll.engine.machine import begin, step
from plimsoll.engine.state import digest, restore, snapshot
from plimsoll.service.replay_feed import opening, replayed_venue
from plimsoll.service.replayed_options import introduction, with_options
from plimsoll.service.settings import ReplaySettings, ServiceSettings
from plimsoll.sim.settings import PopulationSettings
from plimsoll.sim.venue import market_tick

CHOSEN = ReplaySettings(options=True, step_minutes=60, population=PopulationSettings(accounts=400))


@pytest.fixture(scope="module")
def stage():
    return replayed_venue(ServiceSettings(replay=CHOSEN))


@pytest.fixture(scope="module")
def opened():
    events = opening(replayed_venue(ServiceSettings(replay=CHOSEN)), CHOSEN)
    state = begin()
    for event in events:
        state, effects = step(state, event)
        assert not [effect for effect in effects if isinstance(effect, Refused)]
    return state


def options_of(state):
    return [each for each in state.listings if isinstance(each.instrument, Option)]


def quoted(stage, state, row):
    bars = stage.stage.market.bars
    return market_tick(stage.stage, row, int(bars.ends[row]), bars.close[row])


def test_boards_of_both_markets_are_listed_and_held(opened):
    boards = {(each.underlying, each.instrument.expiry) for each in options_of(opened)}
    assert {market for market, _ in boards} == {"BTC", "ETH"}
    assert len(boards) == 8
    assert all(opened.time < expiry and expiry % (24 * HOUR) == 8 * HOUR for _, expiry in boards)
    listed = [each.instrument for each in options_of(opened)]
    calls, puts = (
        {(one.underlying, one.expiry, one.strike) for one in listed if one.right == r} for r in "CP"
    )
    assert calls == puts
    columns = [place for place, each in enumerate(opened.listings) if isinstance(each.instrument, Option)]
    held = opened.book.lots[FIRST_TRADER:, columns]
    assert 0.05 < held.any(axis=1).mean() < 0.4
    assert (held > 0).any()
    assert (held < 0).any()


def test_what_is_listed_is_not_listed_again_before_the_next_day(opened):
    assert introduction(opened, opened.time) is None
    later = introduction(opened, opened.time + 24 * HOUR)
    assert isinstance(later, Introduced)
    assert {each.name for each in later.listings}.isdisjoint({each.name for each in opened.listings})


def test_a_replay_quotes_settles_and_lists_from_its_state_alone(stage, opened):
    state, first = opened, {each.instrument.expiry for each in options_of(opened)}
    expired, listed = set(), 0
    for row in range(1, 30):
        plain = quoted(stage, state, row)
        boards = introduction(state, plain.time)
        again = restore(snapshot(state))
        assert introduction(again, plain.time) == boards
        if boards is not None:
            listed += 1
            state, _ = step(state, boards)
        tick = with_options(plain, state)
        for place, each in enumerate(state.listings):
            if isinstance(each.instrument, Option) and each.instrument.expiry > tick.time:
                assert 0.1 < tick.volatility[place] < 3.1
        state, effects = step(state, tick)
        expired |= {effect.instrument for effect in effects if isinstance(effect, Expired)}
    assert listed >= 1
    assert expired
    assert int(state.book.cash.sum()) == 0
    assert not state.book.lots.sum(axis=0).any()
    assert digest(restore(snapshot(state))) == digest(state)
    live = {each.instrument.expiry for each in options_of(state) if each.instrument.expiry > state.time}
    assert live - first


def test_implied_volatility_rises_with_the_forecast_and_most_for_near_expiries(stage, opened):
    tick = with_options(quoted(stage, opened, 1), opened)
    calls = {
        each.instrument.expiry: tick.volatility[place]
        for place, each in enumerate(opened.listings)
        if isinstance(each.instrument, Option) and each.underlying == "ETH"
    }
    near, *_, far = [calls[expiry] for expiry in sorted(calls)]
    forecast = max(each.volatility for each in opened.parameters.evidence if each.market == "ETH")
    assert (near > far) == (forecast * np.sqrt(365 * 24) > 0.7)
