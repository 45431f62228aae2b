"""Does the age of a price only ever ask for more of who takes risk, and of nobody else?"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.domain.parameters import CrossMargin, Level, Provenance
from plimsoll.domain.settings import CalibrationSettings
from plimsoll.margin import margin_model
from plimsoll.scenarios.library import daily_history
from plimsoll.service.price_age import asks_the_same, is_raised, raised_for_age
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
    raised = raised_for_age(calibrated, factors, 9).verified("here")
    for level in (Level.MAINTENANCE, Level.CALL):
        assert needed(raised, book, level) == needed(calibrated, book, level)
    assert needed(raised, book, Level.INITIAL) >= needed(calibrated, book, Level.INITIAL)
    assert is_raised(raised) == any(factor > 1.0 for factor in factors.values())
    assert raised.version == 9


@given(factor=st.floats(1.0, 3.0))
def test_a_position_alone_pays_the_multiple_and_another_market_nothing(calibrated, factor):
    raised = raised_for_age(calibrated, {"ETH": factor}, 2)
    assert isinstance(raised.method, CrossMargin)
    rates = {each.market: each.long.initial for each in raised.method.markets}
    before = {each.market: each.long.initial for each in calibrated.method.markets}
    assert rates == {"BTC": before["BTC"], "ETH": before["ETH"] * factor}


def test_without_a_step_the_set_asks_what_calibration_does(calibrated):
    back = raised_for_age(calibrated, dict.fromkeys(MARKETS, 1.0), 5)
    assert asks_the_same(back, calibrated)
    assert not asks_the_same(raised_for_age(calibrated, {"BTC": 2.0}, 6), calibrated)
