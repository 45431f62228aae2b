"""Does the fitted cost to close agree with walking a real book, then and in the minute after?"""

import numpy as np
import pytest

from benchmarks.cost_to_close import SIZES, forecast, real_books, real_trades
from plimsoll.domain.liquidity import LiquiditySettings
from plimsoll.estimators.cost_curve import fit_cost_curve
from plimsoll.estimators.flow import begin_flow, estimate_flow, update_flow
from plimsoll.estimators.liquidity import begin_liquidity, estimate_liquidity, update_liquidity

FORM = 0.04
"""Of three numbers against a mean walk: 2.6 % at worst was measured, over three decades of size."""
AHEAD = 0.25
"""Mean size of the error against the next minute's mean walk: 16.5 % was measured; the book changes."""
SETTINGS = LiquiditySettings()


@pytest.fixture(scope="module")
def books(market_data):
    return real_books(market_data)


@pytest.fixture(scope="module")
def flow(market_data):
    return estimate_flow(update_flow(begin_flow(), SETTINGS, real_trades(market_data)), SETTINGS)


def test_three_numbers_describe_the_mean_walk_over_three_decades_of_size(books, flow):
    found = estimate_liquidity(update_liquidity(begin_liquidity(SETTINGS), SETTINGS, books), SETTINGS)
    curve = fit_cost_curve(found, SETTINGS, volatility=flow.volatility, volume=flow.volume)
    fitted = np.array([curve.walk(size) for size in SIZES])
    assert np.abs(fitted / found.cost[: len(SIZES)] - 1.0).max() < FORM
    assert found.coverage[-1] == 0.0, "ten million lie beyond twenty levels"
    assert found.reach < 0.001, "so depth within ten basis points is a lower bound"


def test_a_streaming_fit_prices_the_next_minutes_walks(books, flow):
    errors = forecast(books, 60.0, flow.volatility, flow.volume)
    assert np.abs(errors).mean() < AHEAD


def test_real_trades_move_the_price_by_a_root_of_their_size(flow):
    assert 0.25 < flow.impact < 1.0
    assert flow.windows > 50
