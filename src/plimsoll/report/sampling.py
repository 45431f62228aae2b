"""How is a long series made short enough for a page without losing its extremes?"""

import math

import numpy as np

from plimsoll.types import Times, Vector

__all__ = ["bars_per_bucket", "extremes", "per_period", "sample_times"]


def bars_per_bucket(bars: int, buckets: int) -> int:
    """Say how many bars share a bucket, so that there are at most `buckets`; 1 keeps every bar.

    Two samples are kept of each bucket, so that up to twice as many bars fit as they are.
    """
    return 1 if bars <= 2 * buckets else math.ceil(bars / buckets)


def extremes(series: Vector, size: int) -> Vector:
    """Keep the lowest and the highest value of every `size` bars, in the order that they came in.

    Parameters
    ----------
    series : Vector [T]   NaN where unknown.
    size : int            Bars per bucket; 1 returns the series as it is.

    Returns
    -------
    Vector [2 * ceil(T / size)]   Pairs of samples, one pair per bucket; NaN where a bucket knows nothing.
    """
    if size == 1:
        return series
    buckets = math.ceil(len(series) / size)
    padded = np.full(buckets * size, np.nan)
    padded[: len(series)] = series
    table = padded.reshape(buckets, size)
    unknown = np.isnan(table)
    lowest = np.where(unknown, np.inf, table).argmin(axis=1)
    highest = np.where(unknown, -np.inf, table).argmax(axis=1)
    places = np.sort(np.column_stack([lowest, highest]), axis=1)
    return np.asarray(np.take_along_axis(table, places, axis=1).ravel())


def sample_times(times: Times, size: int) -> Times:
    """Give the times that `extremes` are drawn at: the first and the last bar of each bucket."""
    if size == 1:
        return times
    first = np.arange(0, len(times), size)
    last = np.minimum(first + size - 1, len(times) - 1)
    return np.asarray(times[np.column_stack([first, last]).ravel()])


def per_period(times: Times, amounts: Vector, period: int) -> Vector:
    """Add up amounts by period.

    Parameters
    ----------
    times : Times [T]     End of each bar, milliseconds; a bar belongs to the period that it ends in.
    amounts : Vector [T]
    period : int          Milliseconds; periods begin at its multiples.

    Returns
    -------
    Vector [P]   One sum per period from the first bar's to the last bar's; zero where there is no bar.
    """
    periods = (times - 1) // period
    return np.bincount(periods - periods[0], weights=np.nan_to_num(amounts)).astype(np.float64)
