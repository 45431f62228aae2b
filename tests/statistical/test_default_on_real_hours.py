"""Does the default keep on real hours what decisions 0008 and 0018 say of it?

Reads the bars of PLIMSOLL_DATA and skips without. The bounds are those that were asked for; what is missed
is on the decision's page, not here.
"""

import numpy as np
import pytest

from plimsoll.backtest.walk import Target, judge
from plimsoll.calibration.cost import guard_cost
from plimsoll.calibration.policies import DEFAULT, RATE_POLICIES, UNGUARDED
from plimsoll.calibration.series import rate_series
from plimsoll.domain.bars import Bars
from plimsoll.domain.settings import CalibrationSettings, GuardSettings
from plimsoll.feeds.bars import read_bars

YEAR = 8_760


@pytest.fixture
def bitcoin(market_data):
    return read_bars(market_data / "spot_1h_binance.parquet", markets=("BTC",))


def test_the_default_covers_its_level_and_costs_less_than_six_months_of_history(bitcoin):
    since = int(bitcoin.ends[YEAR])
    settings = CalibrationSettings()
    cost = guard_cost("", bitcoin, settings, GuardSettings(), since=since)
    assert cost is not None
    assert cost.covered == pytest.approx(0.995, abs=0.001)
    assert cost.worst_rise <= 0.5
    assert cost_at_equal_coverage(bitcoin, DEFAULT, since) <= 0.88 * cost_at_equal_coverage(
        bitcoin, "historical", since
    )


def cost_at_equal_coverage(bars: Bars, name: str, since: int) -> float:
    """Mean of both sides' rates, each scaled to cover exactly the level in hindsight."""
    target = Target()
    walk = judge(bars, bars.markets[0], name, target, rate_series(bars, RATE_POLICIES[name])).between(
        since, None
    )
    walk = walk.rows(walk.judged)
    factors = np.quantile(walk.excursions / walk.series.rates, target.level, axis=0)
    return float((walk.series.rates.mean(axis=0) * factors).mean())


def test_a_learnt_forecast_costs_less_than_an_average_where_no_guard_holds_it(bitcoin):
    since = int(bitcoin.ends[YEAR])
    learnt, averaged = (
        guard_cost("", bitcoin, CalibrationSettings(forecaster=kind), UNGUARDED, since=since)
        for kind in ("har-plus", "ewma")
    )
    assert learnt is not None
    assert averaged is not None
    assert learnt.mean < 0.95 * averaged.mean
    assert learnt.covered == pytest.approx(0.995, abs=0.001)
