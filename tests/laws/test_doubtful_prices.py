"""Does doubt about a price only ever ask for more of who takes risk, and of nobody else?"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.domain.oracle import raised_by
from plimsoll.domain.parameters import CrossMargin, Level, Provenance
from plimsoll.domain.settings import CalibrationSettings
from plimsoll.margin import margin_model
from plimsoll.scenarios.library import daily_history
from plimsoll.service.doubtful_prices import Doubt, asks_the_same, is_raised, raised_for_doubt
from plimsoll.service.settings import PriceSettings
from plimsoll.sim.policies import REFERENCE, policy
from plimsoll.sim.population import list_instruments
from plimsoll.sim.publishing import publisher

MARKETS = ("BTC", "ETH")
NOW = 1_765_400_000_000
PRICES = np.array([60_000.0, 3_000.0])
_factors = st.dictionaries(st.sampled_from(MARKETS), st.floats(1.0, 10.0))
_books = st.lists(st.floats(-1e12, 1e12), min_size=4, max_size=4)


@pytest.fixture(scope="module")
def calibrated():
    provenance = Provenance(program="test", settings="", inputs=("history",))
    history = daily_history(NOW).aligned(MARKETS)
    return publisher(policy(REFERENCE, CalibrationSettings()), history, provenance).published(NOW)


def needed(parameters, notional, level):
    model = margin_model(parameters.method, list_instruments(MARKETS, PRICES))
    return model.requirement(np.array([notional]), level)[0]


@given(factors=_factors, book=_books)
def test_only_initial_margin_moves_and_never_down(calibrated, factors, book):
    raised = raised_for_doubt(calibrated, factors, 9).verified("here")
    for level in (Level.MAINTENANCE, Level.CALL):
        assert needed(raised, book, level) == needed(calibrated, book, level)
    assert needed(raised, book, Level.INITIAL) >= needed(calibrated, book, Level.INITIAL)
    assert is_raised(raised) == any(factor > 1.0 for factor in factors.values())
    assert raised.version == 9


@given(factor=st.floats(1.0, 3.0))
def test_a_position_alone_pays_the_multiple_and_another_market_nothing(calibrated, factor):
    raised = raised_for_doubt(calibrated, {"ETH": factor}, 2)
    assert isinstance(raised.method, CrossMargin)
    rates = {each.market: each.long.initial for each in raised.method.markets}
    before = {each.market: each.long.initial for each in calibrated.method.markets}
    assert rates == {"BTC": before["BTC"], "ETH": before["ETH"] * factor}


def test_without_a_step_the_set_asks_what_calibration_does(calibrated):
    back = raised_for_doubt(calibrated, dict.fromkeys(MARKETS, 1.0), 5)
    assert asks_the_same(back, calibrated)
    assert not asks_the_same(raised_for_doubt(calibrated, {"BTC": 2.0}, 6), calibrated)


_seen = st.lists(st.tuples(st.integers(0, 50_000), st.none() | st.floats(0.0, 0.2)), max_size=30)


@given(seen=_seen, later=st.integers(0, 100_000))
def test_the_multiplier_is_that_of_the_widest_spread_that_counts_and_of_the_age(seen, later):
    rules = PriceSettings()
    doubt, now, history, fresh = Doubt(rules, ("BTC",), NOW), NOW, [], NOW
    for step, spread in seen:
        now += step
        doubt.saw({"BTC": spread}, now)
        if spread is not None:
            history.append((now, spread))
            fresh = now
    now += later
    counted = [spread for at, spread in history if now - at <= 1000 * rules.spread_seconds]
    age = (now - fresh) / 1000
    assert doubt.ages(now)["BTC"] == age
    assert doubt.widest(now)["BTC"] == max(counted, default=0.0)
    expected = max(raised_by(rules.age_steps, age), raised_by(rules.spread_steps, max(counted, default=0.0)))
    assert doubt.multipliers(now)["BTC"] == expected
