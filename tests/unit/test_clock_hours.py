"""Do shorter bars make up the hours that they lie in, and are outside figures known only once published?"""

import numpy as np
import pytest

from plimsoll.domain.bars import HOUR, MINUTE
from plimsoll.estimators.regressors import as_known, log_implied_variance
from plimsoll.kernels.clock_hours import begin_hours, gather_hours
from plimsoll.testing.bars import START, rows_of, wild_bars

LOGARITHM = 1e-12
"""Logs of ratios against differences of logs."""


def gathered(bars, pieces=1):
    memory, ends, hours = begin_hours(len(bars.markets)), [], []
    for rows in np.array_split(np.arange(len(bars)), pieces):
        piece = rows_of(bars, slice(rows[0], rows[-1] + 1))
        prices = (piece.open, piece.high, piece.low, piece.close, piece.volume)
        found = gather_hours(memory, piece.times, piece.length, *prices)
        ends.append(found[0])
        hours.append(found[2])
    return np.concatenate(ends), np.concatenate(hours)


def test_an_hour_is_the_first_open_the_extremes_the_last_close_and_all_volume():
    bars = wild_bars(1, 120, length=5 * MINUTE)
    ends, hours = gathered(bars)
    assert (ends == START + HOUR * np.arange(1, 11)).all()
    for m in range(2):
        for place in range(10):
            inside = slice(12 * place, 12 * place + 12)
            opened, close = bars.open[12 * place, m], bars.close[12 * place + 11, m]
            high, low = bars.high[inside, m].max(), bars.low[inside, m].min()
            expected = [np.log(high / opened), np.log(low / opened), np.log(close / opened)]
            assert hours[place, m, 1:4] == pytest.approx(expected, rel=LOGARITHM)
            assert hours[place, m, 4] == pytest.approx(bars.volume[inside, m].sum())
    closes = bars.close[11::12]
    assert hours[1:, :, 0] == pytest.approx(np.diff(np.log(closes), axis=0), rel=LOGARITHM, abs=LOGARITHM)
    assert np.isnan(hours[0, :, 0]).all()


def test_hourly_bars_are_their_own_hours_and_longer_ones_make_up_none():
    bars = wild_bars(2, 30)
    ends, hours = gathered(bars)
    assert (ends == bars.ends).all()
    assert hours[:, 0, 3] == pytest.approx(np.log(bars.close / bars.open)[:, 0], rel=LOGARITHM)
    for length in (24 * HOUR, 25 * MINUTE):
        assert len(gathered(wild_bars(2, 30, length=length))[0]) == 0


def test_an_hour_with_two_missing_bars_of_twelve_is_not_whole_and_nor_is_the_return_after_it():
    bars = wild_bars(3, 60, length=5 * MINUTE)
    for prices in (bars.open, bars.high, bars.low, bars.close):
        prices[15:17, 0] = np.nan
    _, hours = gathered(bars)
    assert np.isnan(hours[1, 0, :5]).all()
    assert np.isnan(hours[2, 0, 0])
    assert not np.isnan(hours[2, 0, 1:5]).any()
    assert not np.isnan(hours[1:, 1, :5]).any()
    crossed = np.log(bars.open[24, 0] / bars.close[11, 0])
    assert hours[2, 0, 5:] == pytest.approx([crossed, 2.0, 0.0])
    assert np.isnan(hours[3:, :, 5:7]).all()


def test_a_missing_row_is_a_missing_bar_of_every_market():
    bars = wild_bars(3, 60, length=5 * MINUTE)
    kept = np.ones(60, dtype=bool)
    kept[[15, 20, 34, 35]] = False
    ends, hours = gathered(rows_of(bars, kept))
    assert (ends == START + HOUR * np.arange(1, 6)).all()
    assert np.isnan(hours[1:3, :, 1]).all()
    assert np.isnan(hours[3, :, 0]).all()


@pytest.mark.parametrize("lost", [12, 15, 23])
def test_an_hour_may_miss_one_bar_of_twelve_and_its_range_counts_the_move_over_it(lost):
    bars = wild_bars(3, 60, length=5 * MINUTE)
    for prices in (bars.open, bars.high, bars.low, bars.close):
        prices[lost + 1 :] *= 0.5
    kept = np.ones(60, dtype=bool)
    kept[lost] = False
    ends, hours = gathered(rows_of(bars, kept))
    whole = gathered(bars)[1]
    assert (ends == START + HOUR * np.arange(1, 6)).all()
    assert not np.isnan(hours[1:, :, :5]).any()
    assert hours[1:, :, 0].sum(axis=0) == pytest.approx(whole[1:, :, 0].sum(axis=0), rel=LOGARITHM)
    widest = (hours[:, :, 1] - hours[:, :, 2]).max(axis=0)
    assert (widest > 0.9 * np.log(2.0)).all()


def test_an_hour_without_its_last_bar_is_known_with_the_next_one():
    bars = wild_bars(3, 60, length=5 * MINUTE)
    kept = np.ones(60, dtype=bool)
    kept[23] = False
    piece = rows_of(bars, kept)
    prices = (piece.open, piece.high, piece.low, piece.close, piece.volume)
    ends, known, _ = gather_hours(begin_hours(2), piece.times, piece.length, *prices)
    assert (piece.ends[known] - ends == np.array([0, 5 * MINUTE, 0, 0, 0])).all()


def test_bars_that_lie_across_the_ends_of_hours_make_up_none():
    assert len(gathered(wild_bars(2, 30, start=START + 30 * MINUTE))[0]) == 0


def test_two_half_hours_around_an_outage_are_no_whole_hour():
    bars = wild_bars(3, 60, length=5 * MINUTE)
    kept = np.ones(60, dtype=bool)
    kept[18:30] = False
    for pieces in (1, 48):
        ends, hours = gathered(rows_of(bars, kept), pieces)
        assert (ends == START + HOUR * np.arange(1, 6)).all()
        assert np.isnan(hours[1:3, :, :5]).all()
        assert np.isnan(hours[3, :, 0]).all()
        assert not np.isnan(hours[3:, :, 1:5]).any()


@pytest.mark.parametrize("pieces", [2, 7, 60])
def test_hours_do_not_depend_on_the_pieces_they_come_in(pieces):
    bars = wild_bars(4, 60, length=5 * MINUTE)
    for prices in (bars.open, bars.high, bars.low, bars.close):
        prices[15, 0] = np.nan
    for whole, part in zip(gathered(bars), gathered(bars, pieces), strict=True):
        assert whole.tobytes() == part.tobytes()


def test_a_figure_is_known_when_its_delay_is_over_and_not_a_moment_before():
    times = np.array([100, 200, 300])
    values = np.array([1.0, 2.0, 3.0])
    moments = np.array([99, 100, 149, 150, 250, 400])
    assert np.array_equal(as_known(moments, times, values), [np.nan, 1, 1, 1, 2, 3], equal_nan=True)
    assert np.array_equal(
        as_known(moments, times, values, 50), [np.nan, np.nan, np.nan, 1, 2, 3], equal_nan=True
    )


def test_an_index_becomes_the_log_of_a_variance_per_hour():
    variance = np.exp(log_implied_variance(np.array([0.876])))
    assert np.sqrt(variance * 24 * 365) == pytest.approx(0.876)
