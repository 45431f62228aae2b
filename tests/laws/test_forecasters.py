"""Does every forecaster of variance keep the laws that calibration relies on?

One suite for all: a new forecaster is one line in FORECASTERS.
"""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from plimsoll.domain.bars import HOUR
from plimsoll.estimators.combination import Combination
from plimsoll.estimators.forecasts import VarianceForecaster
from plimsoll.estimators.garch import Garch
from plimsoll.estimators.har import Har
from plimsoll.estimators.observed import observe
from plimsoll.estimators.realised import Realised
from plimsoll.estimators.returns import LastClose
from plimsoll.estimators.smoothed import Smoothed
from tests.support.paths import holed, rows_of, wild_bars

QUICK = Har(least_hours=60.0, refit_hours=5.0)
FORECASTERS: dict[str, VarianceForecaster] = {
    "ewma": Smoothed(),
    "asymmetric ewma": Smoothed(decay_per_hour=0.94, asymmetry=0.4),
    "parkinson": Smoothed(reading="parkinson"),
    "garman-klass": Smoothed(reading="garman-klass"),
    "rogers-satchell": Smoothed(reading="rogers-satchell"),
    "yang-zhang": Smoothed(reading="yang-zhang"),
    "realised": Realised(),
    "bipower": Realised(jumps=False),
    "garch": Garch(omega=2e-6, alpha=0.08, beta=0.9),
    "gjr": Garch(omega=2e-6, alpha=0.03, gamma=0.1, beta=0.9, mean=1e-4),
    "har": structs.replace(QUICK, logarithmic=False, enriched=False),
    "log-har": structs.replace(QUICK, enriched=False),
    "log-har+": QUICK,
    "log-har+ with a regressor": structs.replace(QUICK, regressors=1),
    "combination": Combination(experts=(Smoothed(), Realised(), QUICK)),
}
MARKETS = ("BTC",)
STEPS = 4
MISREAD = 3.0
"""The drawn bars are seen on eight prices each, so that their ranges show less than half of the variance."""
REASSOCIATION = 1e-12
"""A sum over steps, relative: the pass multiplies where the path adds."""

every = pytest.mark.parametrize("name", FORECASTERS)
seeds = st.integers(0, 2**32 - 1)


def observed_of(bars):
    """See bars and, as a regressor, something that moves and is always known."""
    regressors = np.sin(bars.times[:, None] / (7.0 * HOUR))
    (seen,), _ = observe(LastClose(0, np.full(1, np.nan)), bars, regressors)
    return seen


def passed(name, seen, places=()):
    """Absorb in pieces cut at `places`."""
    forecaster = FORECASTERS[name]
    memory, parts = forecaster.begin(seen.hours), []
    for first, last in pairwise(sorted({0, len(seen.ends), *places})):
        memory, path = forecaster.update(memory, seen.rows(first, last), STEPS)
        parts.append(path)
    return memory, np.vstack(parts)


def known(memory):
    """Everything that a memory holds, as bytes."""
    if isinstance(memory, np.ndarray):
        return memory.tobytes()
    return tuple(known(part) for part in memory)


@every
@given(seed=seeds, places=st.sets(st.integers(1, 299), max_size=6))
@settings(max_examples=5)
def test_pieces_of_any_size_give_the_same_forecasts_bit_for_bit(name, seed, places):
    seen = observed_of(holed(wild_bars(seed, 300, markets=MARKETS), seed, 0.05))
    places = {place for place in places if place < len(seen.ends)}
    (memory, path), (again, apart) = passed(name, seen), passed(name, seen, places)
    assert path.tobytes() == apart.tobytes()
    assert known(memory) == known(again)


@every
@given(seed=seeds, row=st.integers(100, 290))
@settings(max_examples=5)
def test_a_forecast_does_not_depend_on_what_comes_after(name, seed, row):
    bars = wild_bars(seed, 300, markets=MARKETS)
    poisoned = wild_bars(seed, 300, markets=MARKETS)
    for prices in (poisoned.open, poisoned.high, poisoned.low, poisoned.close):
        prices[row:] *= 40.0
    before = passed(name, observed_of(bars))[1][:row]
    assert before.tobytes() == passed(name, observed_of(poisoned))[1][:row].tobytes()


@every
def test_a_state_is_a_value_that_several_futures_may_follow(name):
    seen = observed_of(wild_bars(5, 300, markets=MARKETS))
    memory, _ = passed(name, seen.rows(0, 200))
    before = known(memory)
    FORECASTERS[name].update(memory, seen.rows(200, 300), STEPS)
    assert known(memory) == before


@every
def test_the_path_adds_up_to_what_the_pass_said(name):
    memory, path = passed(name, observed_of(wild_bars(6, 400, markets=MARKETS)))
    ahead = FORECASTERS[name].estimate(memory, STEPS)
    assert ahead.shape == (STEPS,)
    assert ahead[0] == pytest.approx(path[-1, 0], rel=REASSOCIATION)
    assert ahead.sum() == pytest.approx(path[-1, 1], rel=REASSOCIATION)


@every
def test_forecasts_are_of_the_size_of_what_comes(name):
    seen = observed_of(wild_bars(7, 1500, markets=MARKETS))
    _, path = passed(name, seen)
    judged = slice(300, -1)
    assert 1.0 / MISREAD < seen.returns[301:].var() / path[judged, 0].mean() < MISREAD
    assert np.isfinite(path[judged]).all()


HURTS = {
    "constant prices": lambda bars: [prices.fill(100.0) for prices in prices_of(bars)],
    "no volume": lambda bars: bars.volume.fill(0.0),
    "unknown volume": lambda bars: bars.volume.fill(np.nan),
    "a gap of nine tenths": lambda bars: [
        prices.__setitem__(slice(250, None), prices[250:] * 0.1) for prices in prices_of(bars)
    ],
    "one tick far off": lambda bars: bars.low.__setitem__(250, bars.low[250] * 0.01),
    "missing days": lambda bars: [prices.__setitem__(slice(200, 272), np.nan) for prices in prices_of(bars)],
}


def prices_of(bars):
    return bars.open, bars.high, bars.low, bars.close


@every
@pytest.mark.parametrize("hurt", HURTS)
def test_what_hurts_gives_a_number_above_nought_once_a_number_was_known(name, hurt):
    bars = wild_bars(8, 400, markets=MARKETS)
    HURTS[hurt](bars)
    _, path = passed(name, observed_of(bars))
    first = int(np.argmax(~np.isnan(path[:, 0])))
    assert first < 200
    flat_window = name in ("realised", "bipower") and hurt == "missing days"
    after = path[first:] if not flat_window else path[300:]
    assert np.isfinite(after).all()
    assert (after >= 0.0).all()


def test_every_forecaster_but_the_flat_ones_expects_a_crash_to_pass():
    calm = wild_bars(9, 800, markets=MARKETS, volatility=0.004)
    seen = observed_of(calm)
    seen.returns[-3:] = -0.08
    for name in ("garch", "gjr"):
        memory, _ = passed(name, seen)
        path = FORECASTERS[name].estimate(memory, 48)
        assert (np.diff(path) < 0.0).all()


def test_rows_of_a_piece_are_the_rows_of_the_whole():
    bars = wild_bars(3, 50, markets=MARKETS)
    whole = observed_of(bars)
    part = whole.rows(10, 20)
    assert (part.ends == rows_of(bars, slice(10, 20)).ends).all()
    assert part.returns.tobytes() == whole.returns[10:20].tobytes()
