"""Which whole hours do shorter bars make up?"""

from typing import NamedTuple

import numpy as np
from numba import njit

from plimsoll.types import Array, Matrix, Times, Vector

__all__ = ["HOUR_FIELDS", "HourMemory", "begin_hours", "gather_hours"]

HOUR_FIELDS = 8
"""Columns of a finished hour: log return, log of high, low and close over the open, volume; where the hour
before it is not known, log of the open over the close of the last that is, and hours from then to its end;
whether the hour before is known (1) or not (0)."""

_OPEN, _HIGH, _LOW, _VOLUME, _BARS, _CLOSE, _CLOSED = range(7)
_HOUR = 3_600_000


class HourMemory(NamedTuple):
    """What is remembered of M markets; arrays are changed in place.

    Attributes
    ----------
    parts : Matrix [7, M]   Of the hour under way: open, high, low, volume, bars; the close of the last whole
                            hour, NaN before the first, and which hour since 1970 that was.
    hour : Times [1]        Which hour since 1970 is under way.
    """

    parts: Matrix
    hour: Times


def begin_hours(markets: int) -> HourMemory:
    """Start before any bar."""
    parts = np.zeros((7, markets))
    parts[_CLOSE] = np.nan
    return HourMemory(parts, np.full(1, -1, dtype=np.int64))


@njit(cache=True)
def _take(parts: Matrix, m: int, opened: float, high: float, low: float, volume: float) -> None:
    if parts[_BARS, m] == 0.0:
        parts[_OPEN, m], parts[_HIGH, m], parts[_LOW, m], parts[_VOLUME, m] = opened, high, low, volume
    else:
        parts[_HIGH, m] = max(parts[_HIGH, m], high)
        parts[_LOW, m] = min(parts[_LOW, m], low)
        parts[_VOLUME, m] += volume
    parts[_BARS, m] += 1.0


@njit(cache=True)
def _finish(
    parts: Matrix,
    m: int,
    close: float,
    needed: float,
    hour: int,
    row: Vector,
) -> None:
    """Write the hour that ends now into a row, NaN where a bar of it is missing; begin the next."""
    row[:] = np.nan
    row[7] = 0.0
    if parts[_BARS, m] == needed:
        opened, before = parts[_OPEN, m], parts[_CLOSE, m]
        since = hour - parts[_CLOSED, m]
        if not np.isnan(before) and since == 1.0:
            row[0] = np.log(close / before)
            row[7] = 1.0
        elif not np.isnan(before):
            row[5] = np.log(opened / before)
            row[6] = since
        row[1] = np.log(parts[_HIGH, m] / opened)
        row[2] = np.log(parts[_LOW, m] / opened)
        row[3] = np.log(close / opened)
        row[4] = parts[_VOLUME, m]
        parts[_CLOSE, m] = close
        parts[_CLOSED, m] = hour
    parts[_BARS, m] = 0.0


@njit(cache=True)
def gather_hours(
    memory: HourMemory,
    times: Times,
    length: int,
    opened: Matrix,
    high: Matrix,
    low: Matrix,
    close: Matrix,
    volume: Matrix,
) -> tuple[Times, Array]:
    """Advance by T bars of `length` milliseconds, and say which clock hours ended and what they were.

    An hour with a missing bar is not whole: its row is NaN, and so is the return of the next. Bars that are
    longer than an hour, or do not divide it, make up no hours.

    Returns
    -------
    ends : Times [N]                   Ends of hours, milliseconds UTC.
    hours : array [N, M, HOUR_FIELDS]
    """
    ends = np.zeros(len(times), dtype=np.int64)
    hours = np.full((len(times), close.shape[1], HOUR_FIELDS), np.nan)
    count = 0
    if length > _HOUR or _HOUR % length != 0:
        return ends[:0], hours[:0]
    needed = float(_HOUR // length)
    for t in range(len(times)):
        hour = times[t] // _HOUR
        if hour != memory.hour[0]:
            memory.parts[_BARS, :] = 0.0
            memory.hour[0] = hour
        for m in range(close.shape[1]):
            if not np.isnan(close[t, m]):
                _take(memory.parts, m, opened[t, m], high[t, m], low[t, m], volume[t, m])
        end = times[t] + length
        if end % _HOUR == 0:
            for m in range(close.shape[1]):
                _finish(memory.parts, m, close[t, m], needed, hour, hours[count, m])
            ends[count] = end
            count += 1
    return ends[:count], hours[:count]
