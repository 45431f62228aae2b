"""Do the rates of a policy over time keep the laws that a backtest and a venue rely on?

One suite for all: each line of RATE_POLICIES is put through it. The one that needs `arch` skips without.
"""

import importlib.util

import numpy as np
import pytest

from plimsoll.calibration import absorb, begin, propose
from plimsoll.calibration.cost import guard_costs
from plimsoll.calibration.policies import DEFAULT, RATE_POLICIES, own_policy, rate_policy
from plimsoll.calibration.series import rate_series
from plimsoll.domain.bars import HOUR, MINUTE
from plimsoll.domain.parameters import PerPosition, Provenance
from plimsoll.domain.settings import CalibrationSettings, GuardSettings
from plimsoll.errors import Code, PlimsollError
from plimsoll.kernels.rise import rise_height
from plimsoll.testing.bars import holed, rows_of, wild_bars

ROUNDING = 1e-9
"""Relative: the calibrator takes the same steps one bar at a time, and some sums in another order."""

FITTED = pytest.mark.skipif(importlib.util.find_spec("arch") is None, reason="the extra `backtest` is absent")
every = pytest.mark.parametrize(
    "name", [pytest.param(n, marks=FITTED) if n == "garch-t-fhs" else n for n in RATE_POLICIES]
)


def bars_of(seed, count=3000, **options):
    return wild_bars(seed, count, markets=("BTC",), volatility=0.006, **options)


@every
def test_every_rate_is_a_number_between_nought_and_one_and_below_the_shortfall(name):
    series = rate_series(holed(bars_of(1), 1, 0.02), rate_policy(name))
    assert len(series.times) > 1500
    assert (np.diff(series.times) > 0).all()
    assert ((series.rates > 0.0) & (series.rates <= 1.0)).all()
    assert (series.shortfall >= series.rates).all()
    assert (series.variance > 0.0).all()


@every
def test_a_rate_does_not_depend_on_what_comes_after(name):
    bars, spoilt, row = bars_of(2), bars_of(2), 2700
    for prices in (spoilt.open, spoilt.high, spoilt.low, spoilt.close):
        prices[row:] *= 30.0
    honest, poisoned = (rate_series(one, rate_policy(name)) for one in (bars, spoilt))
    known = honest.times <= bars.ends[row - 1]
    again = poisoned.times <= bars.ends[row - 1]
    assert known.sum() > 1500
    for one, other in zip(
        (honest.rates, honest.shortfall, honest.variance),
        (poisoned.rates, poisoned.shortfall, poisoned.variance),
        strict=True,
    ):
        assert one[known].tobytes() == other[again].tobytes()


OTHER = CalibrationSettings(
    level=0.97,
    horizon_hours=2.0,
    forecaster="ewma",
    decay_per_hour=0.9,
    decay_per_bar=0.92,
    residual_windows=500,
    guard=GuardSettings(stress_weight=0.2, rise_per_hour=0.05, fall_half_life=3.0, floor_share=0.8),
)


@pytest.mark.parametrize(
    ("settings", "gaps"), [(CalibrationSettings(), 0.01), (OTHER, 0.0)], ids=["default", "other"]
)
def test_the_pass_gives_what_the_calibrator_publishes_hour_by_hour(settings, gaps):
    bars = holed(bars_of(3, 1500), 3, gaps)
    series = rate_series(
        bars, own_policy(settings, 1.0), horizon_hours=settings.horizon_hours, level=settings.level
    )
    state = begin(("BTC",), settings)
    nowhere = Provenance(program="tests", settings="", inputs=())
    published = {}
    for row in range(len(bars)):
        state = absorb(state, rows_of(bars, slice(row, row + 1)))
        try:
            parameters, state = propose(state, PerPosition, nowhere)
        except PlimsollError as error:
            if error.code not in (Code.TOO_LITTLE_HISTORY, Code.MISSING_PRICE):
                raise
            continue
        published[parameters.effective] = [entry.maintenance for entry in parameters.evidence]
    assert len(series.times) > 900
    rates = np.array([published[int(time)] for time in series.times])
    assert np.allclose(rates, series.rates, rtol=ROUNDING, atol=0.0)
    assert state.volatility.forecasters == (settings.forecaster,)


def test_the_default_policy_is_what_the_default_settings_publish():
    assert own_policy(CalibrationSettings(), 1.0) == RATE_POLICIES[DEFAULT]


def test_the_default_rises_no_faster_than_its_guard_allows():
    guard = RATE_POLICIES[DEFAULT].guard
    bars = bars_of(4)
    for prices in (bars.open, bars.high, bars.low, bars.close):
        prices[2000:] *= 0.6
    series = rate_series(bars, RATE_POLICIES[DEFAULT])
    for lag in (1, 24):
        hours = (series.times[lag:] - series.times[:-lag]) / HOUR
        for before, after, span in zip(series.rates[:-lag], series.rates[lag:], hours, strict=True):
            rise = rise_height(after[0], guard.rise_base) - rise_height(before[0], guard.rise_base)
            assert rise <= guard.rise_within(span) + ROUNDING


def test_bars_of_five_minutes_give_a_rate_every_hour():
    series = rate_series(bars_of(5, 9000, length=5 * MINUTE), RATE_POLICIES[DEFAULT])
    assert (series.times % HOUR == 0).all()
    assert len(series.times) > 350


def test_a_market_of_two_weeks_is_given_rates_from_its_average():
    bars = bars_of(6, 340)
    series = rate_series(bars, RATE_POLICIES[DEFAULT])
    assert 0 < len(series.times) < 60
    assert np.isfinite(series.rates).all()


def test_a_policy_is_found_by_name_and_what_it_cannot_use_is_refused():
    assert rate_policy(DEFAULT) is RATE_POLICIES[DEFAULT]
    with pytest.raises(PlimsollError) as unknown:
        rate_policy("astrology")
    assert unknown.value.code is Code.UNKNOWN_POLICY
    for bars in (bars_of(7, 50, length=24 * HOUR), wild_bars(7, 50)):
        with pytest.raises(PlimsollError) as unsuited:
            rate_series(bars, RATE_POLICIES[DEFAULT])
        assert unsuited.value.code is Code.BAD_SETTING


def test_the_weighing_of_the_guard_says_what_each_part_does():
    costs = {cost.guard: cost for cost in guard_costs(bars_of(8), CalibrationSettings())}
    assert len(costs) == 6
    assert costs["as set"].worst_rise < costs["without the rise limit"].worst_rise
    assert costs["as set"].spread < costs["no guard"].spread
    assert costs["without the floor"].mean <= costs["as set"].mean
    assert all(0.97 < cost.covered <= 1.0 for cost in costs.values())
    assert guard_costs(bars_of(8, 100), CalibrationSettings()) == ()
