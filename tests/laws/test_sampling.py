"""Do the short series of a page keep the extremes and totals of the long ones?"""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from plimsoll.report.packing import pack, unpack
from plimsoll.report.sampling import bars_per_bucket, extremes, per_period, sample_times

SERIES = arrays(
    np.float64, st.integers(2, 300), elements=st.one_of(st.floats(-1e9, 1e9), st.just(float("nan")))
)
STEP = 1.0 / 65_534
"""Packing keeps 16 bits: half a step of the range is lost, plus what float arithmetic on it loses."""


@given(SERIES, st.integers(1, 40))
def test_every_bucket_keeps_its_lowest_and_highest_bar(series, size):
    samples = extremes(series, size)
    if size == 1:
        assert np.array_equal(samples, series, equal_nan=True)
        return
    for bucket, pair in enumerate(samples.reshape(-1, 2)):
        bars = series[bucket * size : (bucket + 1) * size]
        known = bars[~np.isnan(bars)]
        if len(known) == 0:
            assert np.isnan(pair).all()
        else:
            assert sorted(pair) == [known.min(), known.max()]


@given(SERIES, st.integers(1, 40))
def test_samples_and_their_times_are_as_many_and_in_order(series, size):
    times = 1_000 * np.arange(1, len(series) + 1)
    placed = sample_times(times, size)
    assert len(placed) == len(extremes(series, size))
    assert np.all(np.diff(placed) >= 0)
    assert placed[0] == times[0]
    assert placed[-1] == times[-1]


@given(st.integers(1, 100_000), st.integers(1, 1_000))
def test_a_page_never_holds_more_samples_than_allowed(bars, buckets):
    size = bars_per_bucket(bars, buckets)
    assert (bars if size == 1 else 2 * -(-bars // size)) <= 2 * buckets


@given(arrays(np.float64, st.integers(1, 200), elements=st.floats(0, 1e9)), st.integers(1, 50))
def test_sums_by_period_lose_nothing(amounts, bars_in_period):
    times = 60_000 * np.arange(1, len(amounts) + 1)
    sums = per_period(times, amounts, 60_000 * bars_in_period)
    assert len(sums) == -(-len(amounts) // bars_in_period)
    assert np.isclose(sums.sum(), amounts.sum())
    assert np.isclose(sums[0], amounts[:bars_in_period].sum())


@given(SERIES)
def test_packing_keeps_both_ends_exactly_and_the_rest_to_a_step(series):
    read = unpack(pack(series), len(series))
    known = ~np.isnan(series)
    assert np.array_equal(np.isnan(read), ~known)
    if known.any():
        low, high = series[known].min(), series[known].max()
        assert read[known].min() == low
        assert np.allclose(read[known], series[known], rtol=0, atol=0.51 * STEP * (high - low) + 1e-6)
