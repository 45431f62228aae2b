"""What holds of the changes of implied volatility that calibration puts beside moves of spot?"""

from dataclasses import replace

import numpy as np
import pytest

from plimsoll.calibration import absorb, begin, calibrate, propose
from plimsoll.domain.bars import HOUR
from plimsoll.domain.implied import ImpliedHistory
from plimsoll.domain.parameters import CrossMargin, JointScenarios, ParameterSet, Provenance
from plimsoll.domain.settings import CalibrationSettings, JointSettings, YoungMarketSettings
from plimsoll.errors import Code, PlimsollError
from plimsoll.estimators.implied import implied_moves
from plimsoll.testing.bars import rows_of, wild_bars

SETTINGS = CalibrationSettings(
    joint=JointSettings(rows=100, refresh_hours=24.0), young=YoungMarketSettings(windows=100)
)
PROVENANCE = Provenance(program="tests", settings="none", inputs=())
HOURS = 1_500
SPAN, HORIZON = 4 * HOUR, 4.0
ROUNDING = 1e-9


def index_of(bars, seed=9, *, slope=0.0, noise=0.01):
    """Draw an index for the first market: a random walk that answers to falls of spot."""
    generator = np.random.default_rng(seed)
    spot = np.diff(np.log(bars.close[:, 0]), prepend=np.log(bars.close[0, 0]))
    steps = noise * generator.standard_normal(len(bars)) - slope * np.minimum(spot, 0.0)
    return ImpliedHistory((bars.markets[0],), bars.ends, 0.6 * np.exp(np.cumsum(steps))[:, None])


def table_of(parameters: ParameterSet) -> JointScenarios:
    assert isinstance(parameters.method, CrossMargin)
    return parameters.method.dependence[0]


def windows_of(bars):
    state = absorb(begin(bars.markets, SETTINGS), bars)
    moments, windows = state.excursions.matured
    known = ~np.isnan(windows[:, :, 2]).any(axis=1)
    return moments[known], windows[known][:, :, 2]


BARS = wild_bars(4, HOURS, markets=("BTC", "ETH"), volatility=0.01)


def test_an_observed_row_is_the_change_of_the_index_over_its_window_at_today_s_scale():
    history = index_of(BARS)
    moments, terminal = windows_of(BARS)
    found = implied_moves(history, BARS.markets, moments, terminal, SPAN, HORIZON)
    assert found is not None
    log = dict(zip(history.times.tolist(), np.log(history.index[:, 0]).tolist(), strict=True))
    seen = np.flatnonzero(found.observed[:, 0])
    assert len(seen) > 1_000
    changes = np.array([log[int(moments[w]) + SPAN] - log[int(moments[w])] for w in seen])
    ratio = found.rows[seen, 0] / changes
    assert np.all(ratio > 0.0)
    assert 0.5 < float(np.median(ratio)) < 2.0
    assert not found.observed[:, 1].any()
    assert found.sources == ("BTC", "BTC")


def test_a_market_without_an_index_moves_with_its_own_spot_and_the_lender_s_residuals():
    """Given the lender's spot it moves just as the lender; else apart from it as spot does, on each side."""
    history = index_of(BARS, slope=0.5, noise=1e-3)
    moments, terminal = windows_of(BARS)
    twins = np.column_stack([terminal[:, 0], terminal[:, 0]])
    found = implied_moves(history, BARS.markets, moments, twins, SPAN, HORIZON)
    assert found is not None
    np.testing.assert_allclose(found.rows[:, 1], found.rows[:, 0], rtol=0.0, atol=ROUNDING)
    other = implied_moves(history, BARS.markets, moments, terminal, SPAN, HORIZON)
    assert other is not None
    apart = other.rows[:, 1] - other.rows[:, 0]
    sides = np.column_stack([np.diff(np.minimum(terminal, 0.0)), np.diff(np.maximum(terminal, 0.0))])
    slopes = np.linalg.lstsq(sides, apart)[0]
    np.testing.assert_allclose(sides @ slopes, apart, rtol=0.0, atol=ROUNDING)
    assert slopes[0] < -3.0 * abs(slopes[1])  # drawn on falls alone, hour by hour; a few lie within a rise


def test_nothing_is_known_from_an_index_that_is_too_short_or_has_gaps_everywhere():
    moments, terminal = windows_of(BARS)
    history = index_of(BARS)
    short = replace(history, times=history.times[:300], index=history.index[:300])
    sparse = replace(history, times=history.times[::3], index=history.index[::3])
    for each in (short, sparse):
        assert implied_moves(each, BARS.markets, moments, terminal, SPAN, HORIZON) is None


def test_a_table_s_sides_average_to_the_level_that_their_windows_reach():
    parameters = calibrate(BARS, SETTINGS, PROVENANCE, implied=index_of(BARS))
    table = table_of(parameters)
    moments, terminal = windows_of(BARS)
    whole = implied_moves(index_of(BARS), BARS.markets, moments, terminal, SPAN, HORIZON)
    assert whole is not None
    for sign in (-1.0, 1.0):
        sizes = np.maximum(sign * np.array(table.volatility), 0.0)
        tail = np.sort(sizes, axis=0)[-table.tail :].mean(axis=0)
        beyond = (np.maximum(sign * whole.rows, 0.0) > tail).mean(axis=0)
        assert np.all((beyond <= 1.0 - SETTINGS.level) & (beyond > 0.0))
    assert table.implied == ("BTC", "BTC")
    assert table.observed[0] > 80
    assert table.observed[1] == 0


def test_one_market_with_an_index_has_rows_and_without_one_has_none():
    lone = rows_of(BARS, slice(None)).select(("BTC",))
    with_index = calibrate(lone, SETTINGS, PROVENANCE, implied=index_of(lone))
    without = calibrate(lone, SETTINGS, PROVENANCE)
    assert table_of(with_index).volatility
    assert isinstance(without.method, CrossMargin)
    assert without.method.dependence == ()


def test_an_index_changes_no_rate_and_no_row_of_spot():
    plain = calibrate(BARS, SETTINGS, PROVENANCE)
    known = calibrate(BARS, SETTINGS, PROVENANCE, implied=index_of(BARS))
    assert isinstance(plain.method, CrossMargin)
    assert isinstance(known.method, CrossMargin)
    assert known.method.markets == plain.method.markets
    assert table_of(known).rows == table_of(plain).rows
    assert not table_of(plain).volatility


@pytest.mark.parametrize("poison", ["other", "nothing"])
def test_what_the_index_does_later_changes_nothing_now(poison):
    half = rows_of(BARS, slice(0, 1_100))
    history = index_of(BARS)
    now = int(half.ends[-1])
    spoilt = history.until(now)
    if poison == "other":
        later = np.where((history.times > now)[:, None], 3.0, history.index)
        spoilt = replace(history, index=later)
    digests = {calibrate(half, SETTINGS, PROVENANCE, implied=each).digest for each in (history, spoilt)}
    assert len(digests) == 1


def test_bars_that_arrive_in_pieces_give_the_same_rows():
    history = index_of(BARS)
    at_once = calibrate(BARS, SETTINGS, PROVENANCE, implied=history)
    state = replace(begin(BARS.markets, SETTINGS), implied=history)
    for first in range(0, HOURS, 370):
        state = absorb(state, rows_of(BARS, slice(first, first + 370)))
    assert propose(state, CrossMargin, PROVENANCE)[0].digest == at_once.digest


def test_an_index_that_overlaps_too_little_is_refused_with_a_remedy():
    early = rows_of(BARS, slice(0, 300))
    with pytest.raises(PlimsollError, match="implied volatility of BTC") as raised:
        calibrate(BARS, SETTINGS, PROVENANCE, implied=index_of(early))
    assert raised.value.code is Code.TOO_LITTLE_HISTORY
