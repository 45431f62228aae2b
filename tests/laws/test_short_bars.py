"""Do bars of any length, and with any hole in them, say the same of the same prices?"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.calibration import absorb, begin
from plimsoll.domain.bars import HOUR, MINUTE, Bars
from plimsoll.domain.settings import CalibrationSettings
from plimsoll.testing.bars import START, rows_of

SETTINGS = CalibrationSettings()
QUIET_DAYS = 3
DEVIATION = 0.006
"""Log return per square root of an hour of the quiet days before a fall."""
LENGTHS = (MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR)
ROUNDING = 1e-12
"""The logarithm of one ratio against another of the same prices."""


def minutes(seed: int, moves: np.ndarray) -> Bars:
    """Quiet 1-minute bars, the last hour of them without a move, and then bars of these log returns."""
    generator = np.random.default_rng(seed)
    calm = DEVIATION / np.sqrt(60.0) * generator.standard_normal(QUIET_DAYS * 1440)
    calm[-60:] = 0.0
    close = 100.0 * np.exp(np.cumsum(np.append(calm, moves)))[:, None]
    opened = np.vstack([[[100.0]], close[:-1]])
    return Bars(
        markets=("BTC",),
        length=MINUTE,
        times=START + MINUTE * np.arange(len(close), dtype=np.int64),
        open=opened,
        high=np.maximum(opened, close),
        low=np.minimum(opened, close),
        close=close,
        volume=np.ones_like(close),
    )


def in_bars_of(length: int, bars: Bars) -> Bars:
    """Make longer bars of whole 1-minute bars."""

    def parts(prices: np.ndarray) -> np.ndarray:
        return prices.reshape(-1, length // MINUTE, 1)

    return replace(
        bars,
        length=length,
        times=bars.times[:: length // MINUTE],
        open=parts(bars.open)[:, 0],
        high=parts(bars.high).max(axis=1),
        low=parts(bars.low).min(axis=1),
        close=parts(bars.close)[:, -1],
        volume=parts(bars.volume).sum(axis=1),
    )


def jump_of(bars: Bars) -> float:
    return float(absorb(begin(bars.markets, SETTINGS), bars).volatility.jumps.size[0])


@given(
    seed=st.integers(0, 2**32 - 1),
    fall=st.floats(0.1, 0.9),
    starts=st.integers(0, 59),
    takes=st.integers(1, 60),
    rises=st.booleans(),
)
@settings(max_examples=15)
def test_bars_of_every_length_that_make_up_an_hour_show_the_same_jump(seed, fall, starts, takes, rises):
    moves = np.zeros(120)
    ends = min(60, starts + takes)
    moves[starts:ends] = (-1.0 if rises else 1.0) * np.log1p(-fall) / (ends - starts)
    whole = minutes(seed, moves)
    by_then = rows_of(whole, slice(None, -60))
    assert jump_of(in_bars_of(HOUR, by_then)) >= -np.log1p(-fall) * (1.0 - ROUNDING)
    for bars in (by_then, whole):
        expected = jump_of(in_bars_of(HOUR, bars))
        # A jump begins to fade when its hour is over, which with shorter bars may be up to an hour later.
        most = expected / SETTINGS.guard.keep_over(1.0) if bars is whole else expected
        for length in LENGTHS:
            jump = jump_of(in_bars_of(length, bars))
            assert expected * (1.0 - ROUNDING) <= jump <= most * (1.0 + ROUNDING), length


def test_a_fall_counts_as_a_jump_before_its_hour_is_over():
    fall = np.full(10, np.log(0.7) / 10)
    assert jump_of(minutes(1, fall)) == pytest.approx(-np.log(0.7), rel=ROUNDING)
    assert jump_of(minutes(1, np.zeros(10))) == 0.0


def hours_then(moves: np.ndarray, missing: int) -> Bars:
    """Forty quiet days of hourly bars, then bars of these moves; of the first so many are not there."""
    generator = np.random.default_rng(7)
    quiet = 40 * 24
    close = 100.0 * np.exp(np.cumsum(np.append(DEVIATION * generator.standard_normal(quiet), moves)))[:, None]
    opened = np.vstack([[[100.0]], close[:-1]])
    kept = np.arange(len(close)) - quiet
    return rows_of(
        Bars(
            markets=("BTC",),
            length=HOUR,
            times=START + HOUR * np.arange(len(close), dtype=np.int64),
            open=opened,
            high=np.maximum(opened, close) * 1.001,
            low=np.minimum(opened, close) * 0.999,
            close=close,
            volume=np.ones_like(close),
        ),
        (kept < 0) | (kept >= missing),
    )


@pytest.mark.parametrize("missing", [1, 2, 5, 24])
@pytest.mark.parametrize("move", [np.log(0.6), -np.log(0.6)])
def test_a_move_while_no_bar_came_is_a_jump_as_if_it_had_been_seen(missing, move):
    moves = np.zeros(missing + 1)
    moves[0] = move
    assert jump_of(hours_then(moves, missing)) >= abs(move)
    assert jump_of(hours_then(np.zeros(missing + 1), missing)) == 0.0


@pytest.mark.parametrize("forecaster", ["ewma", "har-plus"])
@pytest.mark.parametrize("missing", [1, 2, 5])
def test_a_fall_while_no_bar_came_raises_the_forecast_and_a_quiet_gap_does_not(forecaster, missing):
    settings = CalibrationSettings(forecaster=forecaster)
    fall = np.zeros(missing + 1)
    fall[0] = np.log(0.6)

    def forecast(bars: Bars) -> float:
        state = absorb(begin(bars.markets, settings), bars)
        assert state.volatility.forecasters == (forecaster,)
        return float(state.volatility.volatility[0])

    before = forecast(hours_then(np.zeros(0), 0))
    assert (
        forecast(hours_then(np.zeros_like(fall), missing))
        < before
        < forecast(hours_then(fall, missing)) / 1.1
    )


def test_days_without_a_bar_and_the_usual_move_in_them_are_no_jump():
    moves = np.zeros(73)
    moves[0] = 3.0 * DEVIATION * np.sqrt(73.0)
    assert moves[0] > (SETTINGS.guard.jump_deviations or np.inf) * DEVIATION
    assert jump_of(hours_then(moves, 72)) == 0.0


FORTY_DAYS = 40 * 24


@pytest.mark.parametrize("share", [0.001, 0.005, 0.02])
def test_a_few_minutes_lost_leave_nearly_every_window_and_hour(share):
    generator = np.random.default_rng(2)
    moves = DEVIATION / np.sqrt(60.0) * generator.standard_normal(37 * 1440)
    whole = minutes(2, moves)
    kept = generator.random(len(whole)) >= share
    state = absorb(begin(whole.markets, SETTINGS), rows_of(whole, kept))
    known = (~np.isnan(state.excursions.matured[1][:, 0, 0])).sum()
    # The minute at which a window opens may be lost, and the one at which it ends: twice the share.
    assert known >= (1.0 - 3.0 * share) * FORTY_DAYS - 30
    learnt = state.volatility.regressions[0].counts[3:]
    assert (learnt >= 0.97 * (FORTY_DAYS - np.array([2, 5, 25]))).all()
    assert state.volatility.forecasters == ("har-plus",)


def test_what_is_left_of_a_window_measures_the_move_over_what_is_missing():
    moves = np.zeros(5 * 60)
    moves[90] = np.log(0.7)
    bars = minutes(3, moves)
    fallen = len(bars) - 5 * 60 + 90
    kept = np.ones(len(bars), dtype=np.bool_)
    kept[fallen - 5 : fallen + 5] = False
    for piece in (bars, rows_of(bars, kept)):
        moments, windows = absorb(begin(bars.markets, SETTINGS), piece).excursions.matured
        over_it = windows[moments == bars.times[fallen - 90], 0, 3]
        assert over_it == pytest.approx([-np.log(0.7)], rel=ROUNDING)


@pytest.mark.parametrize("lost", [25, 60])
def test_a_window_that_misses_more_than_a_tenth_is_not_known(lost):
    bars = minutes(4, np.zeros(4 * 60))
    kept = np.ones(len(bars), dtype=np.bool_)
    kept[-200 : lost - 200] = False
    moments, windows = absorb(begin(bars.markets, SETTINGS), rows_of(bars, kept)).excursions.matured
    assert np.isnan(windows[moments == bars.times[-240], 0]).all()
