"""Does the bridge keep every known figure, and draw the same minutes whatever else it draws?"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from plimsoll.domain.bars import HOUR, MINUTE, Bars
from plimsoll.errors import PlimsollError
from plimsoll.scenarios.bridge import bridge
from plimsoll.scenarios.library import hourly

START = 1_584_057_600_000
SEEDS = st.integers(0, 2**63)
LENGTHS = st.sampled_from([MINUTE, 5 * MINUTE, 20 * MINUTE, HOUR])


@st.composite
def coarse_bars(draw, least=1):
    """Hours of any price, gap and shape: trends, wicks, one-sided ranges, ranges of one rounding step."""
    count, markets = draw(st.integers(least, 4)), draw(st.integers(1, 3))
    shape = (count, markets)
    size = count * markets

    def matrix(values):
        return np.array(draw(st.lists(values, min_size=size, max_size=size))).reshape(shape)

    level = matrix(st.floats(1e-7, 1e7))
    trend = matrix(st.sampled_from([0.0, 0.0, 1e-4, -0.002, 0.03, -0.4, 0.9]))
    above = matrix(st.sampled_from([0.0, 1e-16, 1e-9, 0.001, 0.05, 1.2]))
    below = matrix(st.sampled_from([0.0, 1e-16, 1e-9, 0.001, 0.05, 0.7]))
    close = level * np.exp(trend)
    high = np.nextafter(np.maximum(level, close) * np.exp(above), np.inf)
    low = np.minimum(level, close) * np.exp(-below)
    high = np.where(above == 0.0, np.maximum(level, close), high)
    missing = matrix(st.sampled_from([False, False, False, True]))
    open_, high, low, close = (np.where(missing, np.nan, part) for part in (level, high, low, close))
    times = START + HOUR * np.cumsum(draw(st.lists(st.integers(1, 3), min_size=count, max_size=count)))
    names = ("BTC", "ETH", "XRP")[:markets]
    return Bars(names, HOUR, times, open_, high, low, close, np.where(missing, np.nan, 60.0))


def blocks(bars, rows):
    return [part.reshape(rows, -1, part.shape[1]) for part in (bars.open, bars.high, bars.low, bars.close)]


@given(coarse_bars(), LENGTHS, SEEDS)
@example(hourly("black-thursday-2020"), MINUTE, 1)
@example(hourly("october-2025"), 5 * MINUTE, 2)
def test_every_known_open_high_low_and_close_is_kept_to_the_last_bit(coarse, length, seed):
    fine = bridge(coarse, length, seed)
    open_, high, low, close = blocks(fine, len(coarse))
    np.testing.assert_array_equal(open_[:, 0], coarse.open)
    np.testing.assert_array_equal(high.max(axis=1), coarse.high)
    np.testing.assert_array_equal(low.min(axis=1), coarse.low)
    np.testing.assert_array_equal(close[:, -1], coarse.close)
    np.testing.assert_array_equal(open_[:, 1:], close[:, :-1])
    np.testing.assert_allclose(
        fine.volume.reshape(len(coarse), -1, len(coarse.markets)).sum(1), coarse.volume
    )
    assert fine.times[:: HOUR // length].tolist() == coarse.times.tolist()


@given(coarse_bars(), LENGTHS, SEEDS)
def test_every_small_bar_is_consistent_and_positive_or_missing_as_a_whole(coarse, length, seed):
    fine = bridge(coarse, length, seed)
    known = ~np.isnan(fine.close)
    np.testing.assert_array_equal(known, np.repeat(~np.isnan(coarse.close), HOUR // length, axis=0))
    for part in (fine.open, fine.high, fine.low):
        np.testing.assert_array_equal(~np.isnan(part), known)
    assert (fine.low[known] > 0.0).all()
    assert (fine.low[known] <= np.minimum(fine.open, fine.close)[known]).all()
    assert (fine.high[known] >= np.maximum(fine.open, fine.close)[known]).all()


@given(coarse_bars(least=2), LENGTHS, SEEDS, st.data())
def test_more_hours_before_or_after_change_nothing(coarse, length, seed, data):
    first = data.draw(st.integers(0, len(coarse) - 1))
    last = data.draw(st.integers(first + 1, len(coarse)))
    whole = bridge(coarse, length, seed)
    part = bridge(coarse.between(int(coarse.times[first]), int(coarse.ends[last - 1])), length, seed)
    here = slice(first * HOUR // length, last * HOUR // length)
    np.testing.assert_array_equal(part.high, whole.high[here])
    np.testing.assert_array_equal(part.close, whole.close[here])


@given(coarse_bars(), SEEDS)
def test_the_same_seed_draws_the_same_points_at_any_length(coarse, seed):
    minutes, fives = bridge(coarse, MINUTE, seed), bridge(coarse, 5 * MINUTE, seed)
    rows = len(fives)
    np.testing.assert_array_equal(minutes.high.reshape(rows, 5, -1).max(axis=1), fives.high)
    np.testing.assert_array_equal(minutes.low.reshape(rows, 5, -1).min(axis=1), fives.low)
    np.testing.assert_array_equal(minutes.close[4::5], fives.close)


@given(SEEDS)
@example(0)
def test_another_seed_draws_another_path(seed):
    coarse = hourly("may-2021").select(("BTC",))
    one, other = bridge(coarse, MINUTE, seed), bridge(coarse, MINUTE, seed + 1)
    assert (one.close != other.close).mean() > 0.9


def test_a_later_hour_does_not_change_what_an_earlier_one_became():
    coarse = hourly("october-2025")
    changed = replace(coarse, close=coarse.close.copy())
    changed.close[-1] = changed.low[-1]
    one, other = bridge(coarse, MINUTE, 3), bridge(changed, MINUTE, 3)
    np.testing.assert_array_equal(one.close[:-60], other.close[:-60])
    assert (one.close[-60:] != other.close[-60:]).any()


@pytest.mark.parametrize("length", [5, 30_000, 7 * MINUTE, 2 * HOUR, -MINUTE])
def test_a_length_that_does_not_divide_the_hour_into_whole_minutes_is_refused(length):
    with pytest.raises(PlimsollError, match="bad-setting"):
        bridge(hourly("may-2021"), length, 1)


def test_a_negative_seed_is_refused():
    with pytest.raises(PlimsollError, match="-1 is negative"):
        bridge(hourly("may-2021"), MINUTE, -1)
