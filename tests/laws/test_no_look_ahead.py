"""Does anything that is known or decided at one moment depend on what comes after it?

The future is poisoned: other prices, prices of a billion, or none at all.
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.calibration import absorb, begin, propose
from plimsoll.domain.bars import MINUTE
from plimsoll.domain.money import QUANTA_PER_UNIT
from plimsoll.domain.parameters import CrossMargin, Provenance
from plimsoll.domain.settings import CalibrationSettings, JointSettings, YoungMarketSettings
from plimsoll.kernels.ewma import ewma_variance
from plimsoll.sim.market import Undisturbed, columns_of
from plimsoll.sim.policies import policy
from plimsoll.sim.population import draw_population, list_instruments
from plimsoll.sim.settings import PopulationSettings, ReplaySettings
from plimsoll.sim.venue import Stage, run_policy
from plimsoll.testing.bars import holed, rows_of, same_up_to, wild_bars

SETTINGS = CalibrationSettings(
    joint=JointSettings(rows=100, refresh_hours=24.0), young=YoungMarketSettings(windows=100)
)
PROVENANCE = Provenance(program="tests", settings="none", inputs=())
SERIES = ("price", "maintenance", "initial", "called", "liquidating", "liquidated", "fund", "bad_debt")
POISONS = ("other", "huge", "none")


def poisoned(bars, row, poison, seed):
    """Keep the rows before `row` and spoil the rest."""
    other = wild_bars(seed + 1, len(bars), markets=bars.markets, length=bars.length, volatility=0.1)
    other = replace(other, times=bars.times)
    if poison != "other":
        value = 1e9 if poison == "huge" else np.nan
        spoilt = np.full(other.close.shape, value)
        other = replace(other, open=spoilt, high=spoilt, low=spoilt, close=spoilt, volume=spoilt)
    return same_up_to(bars, row, other)


def published_hourly(bars, first, last):
    state = absorb(begin(bars.markets, SETTINGS), rows_of(bars, slice(0, first)))
    digests = []
    for row in range(first, last):
        state = absorb(state, rows_of(bars, slice(row, row + 1)))
        parameters, state = propose(state, CrossMargin, PROVENANCE)
        digests.append(parameters.digest)
    return digests


@settings(max_examples=12)
@given(seed=st.integers(0, 2**20), row=st.integers(262, 298), poison=st.sampled_from(POISONS))
def test_no_published_parameter_knows_what_comes_after_it(seed, row, poison):
    bars = holed(wild_bars(seed, 320), seed, 0.02)
    bars = rows_of(bars, slice(0, 300))
    spoilt = poisoned(bars, row, poison, seed)
    assert published_hourly(bars, 260, row) == published_hourly(spoilt, 260, row)
    if poison == "other":
        assert published_hourly(bars, 260, row + 1)[-1] != published_hourly(spoilt, 260, row + 1)[-1]


@settings(max_examples=20)
@given(seed=st.integers(0, 2**20), row=st.integers(1, 299), poison=st.sampled_from(POISONS))
def test_every_path_within_a_batch_uses_its_past_only(seed, row, poison):
    generator = np.random.default_rng(seed)
    samples = generator.random((300, 2)) * 1e-4
    spoilt = samples.copy()
    spoilt[row:] = generator.random((300 - row, 2))
    if poison != "other":
        spoilt[row:] = 1e9 if poison == "huge" else np.nan
    zeros = np.zeros(2)
    whole, part = (ewma_variance(x, 0.97, zeros, zeros)[0][:row] for x in (samples, spoilt))
    assert whole.tobytes() == part.tobytes()


class Silent:
    def append(self, event):
        pass

    def digest(self):
        return ""


def run(name, bars, history, liquid):
    wanted = ReplaySettings(
        calibration=SETTINGS, population=PopulationSettings(accounts=60, median_leverage=15.0)
    )
    listings = list_instruments(bars.markets, bars.close[0])
    columns = columns_of(listings, bars.markets)
    unit = np.array([entry.lot for entry in listings]) * bars.close[0][columns] * QUANTA_PER_UNIT
    population = draw_population(wanted.population, listings, unit, np.random.default_rng(3))
    market = Undisturbed(
        bars, np.full(bars.close.shape, liquid), np.full(bars.close.shape, 0.01), np.ones(len(bars))
    )
    stage = Stage(listings, columns, market, history, population, wanted, PROVENANCE, ())
    return run_policy(name, policy(name, SETTINGS), stage, Silent(), lambda *_: None)


@pytest.mark.parametrize("poison", ["other", "none"])
@pytest.mark.parametrize("name", ["static", "dynamic", "plimsoll"])
def test_no_record_of_a_replay_knows_what_comes_after_it(name, poison):
    history = wild_bars(5, 400)
    bars = wild_bars(6, 180, length=20 * MINUTE, start=int(history.ends[-1]), volatility=0.03)
    row = 120
    spoilt = poisoned(bars, row, poison, 9)
    whole, part = run(name, bars, history, 2e4), run(name, spoilt, history, 2e4)
    for series in (
        "price",
        "maintenance",
        "initial",
        "called",
        "liquidating",
        "liquidated",
        "fund",
        "bad_debt",
    ):
        before, after = getattr(whole, series)[:row], getattr(part, series)[:row]
        assert before.tobytes() == after.tobytes(), series
    assert whole.liquidated[:row].sum() > 0.0
    assert not np.array_equal(whole.price[row:], part.price[row:])
