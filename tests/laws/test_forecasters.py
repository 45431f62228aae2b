"""Does every forecaster of variance keep the laws that calibration relies on?

One suite for all, the public one: a new forecaster is one line in FORECASTERS.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from plimsoll.domain.bars import HOUR
from plimsoll.estimators.combination import Combination
from plimsoll.estimators.garch import Garch
from plimsoll.estimators.har import Har
from plimsoll.estimators.observed import observe
from plimsoll.estimators.realised import Realised
from plimsoll.estimators.returns import nothing_heard
from plimsoll.estimators.smoothed import Smoothed
from plimsoll.testing.bars import rows_of, wild_bars
from plimsoll.testing.estimators import ESTIMATOR_LAWS, Candidate

QUICK = Har(least_hours=60.0, refit_hours=5.0)
WINDOW_LEFT = 8
"""Hours that may be missing while realised measures still know half of the products of their day."""
COARSE = 5.0
"""What is read from four prices of a bar drawn on eight shows a third to a half of the variance."""
FORECASTERS: dict[str, Candidate] = {
    "ewma": Candidate(Smoothed()),
    "asymmetric ewma": Candidate(Smoothed(decay_per_hour=0.94, asymmetry=0.4)),
    "parkinson": Candidate(Smoothed(reading="parkinson")),
    "garman-klass": Candidate(Smoothed(reading="garman-klass"), misread=COARSE),
    "rogers-satchell": Candidate(Smoothed(reading="rogers-satchell"), misread=COARSE),
    "yang-zhang": Candidate(Smoothed(reading="yang-zhang"), misread=COARSE),
    "realised": Candidate(Realised(), bridges=WINDOW_LEFT),
    "bipower": Candidate(Realised(jumps=False), bridges=WINDOW_LEFT),
    "garch": Candidate(Garch(omega=2e-6, alpha=0.08, beta=0.9)),
    "gjr": Candidate(Garch(omega=2e-6, alpha=0.03, gamma=0.1, beta=0.9, mean=1e-4)),
    "har": Candidate(structs.replace(QUICK, logarithmic=False, enriched=False)),
    "log-har": Candidate(structs.replace(QUICK, enriched=False)),
    "log-har+": Candidate(QUICK),
    "log-har+ with a regressor": Candidate(structs.replace(QUICK, regressors=1)),
    "combination": Candidate(Combination(experts=(Smoothed(), Realised(), QUICK))),
}
every = pytest.mark.parametrize("name", FORECASTERS)


@every
@pytest.mark.parametrize("law", ESTIMATOR_LAWS)
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=4)
def test_every_forecaster_keeps_every_law(law, name, seed):
    ESTIMATOR_LAWS[law](FORECASTERS[name], seed)


def test_every_forecaster_but_the_flat_ones_expects_a_crash_to_pass():
    calm = wild_bars(9, 800, markets=("BTC",), volatility=0.004)
    seen = observed_of(calm)
    seen.returns[-3:] = -0.08
    for name in ("garch", "gjr"):
        forecaster = FORECASTERS[name].forecaster
        memory, _ = forecaster.update(forecaster.begin(seen.hours), seen, 4)
        path = forecaster.estimate(memory, 48)
        assert (np.diff(path) < 0.0).all()


def test_rows_of_a_piece_are_the_rows_of_the_whole():
    bars = wild_bars(3, 50, markets=("BTC",))
    whole = observed_of(bars)
    part = whole.rows(10, 20)
    assert (part.ends == rows_of(bars, slice(10, 20)).ends).all()
    assert part.returns.tobytes() == whole.returns[10:20].tobytes()


def observed_of(bars):
    """See bars and, as a regressor, something that moves and is always known."""
    (seen,), _ = observe(nothing_heard(1), bars, np.sin(bars.times[:, None] / (7.0 * HOUR)))
    return seen
