"""Which whole hours do shorter bars make up?"""

from typing import NamedTuple

import numpy as np
from numba import njit

from plimsoll.types import Array, Matrix, Rows, Times, Vector

__all__ = ["HOUR_FIELDS", "MISSING_SHARE", "HourMemory", "begin_hours", "gather_hours"]

HOUR_FIELDS = 8
"""Columns of a finished hour: log return, log of high, low and close over the open, volume; where the hour
before it is not known, log of the open over the close of the last that is, and hours from then to its end;
whether the hour before is known (1) or not (0)."""

MISSING_SHARE = 0.1
"""Share of an hour, and of an excursion's window, that may be missing: six of sixty 1-minute bars. Feeds lose
bars when markets are wild, so that to keep only what is whole is to keep what is calm; a tenth leaves the
range, which counts the moves over what is missing, nearly what it was."""

_OPEN, _HIGH, _LOW, _LAST, _VOLUME, _COVERED, _HEARD, _CLOSE, _CLOSED = range(9)
_HOUR = 3_600_000


class HourMemory(NamedTuple):
    """What is remembered of M markets; arrays are changed in place.

    Attributes
    ----------
    parts : Matrix [9, M]   Of the hour under way: open, high, low, last close, volume, milliseconds covered,
                            end of the last bar; the close of the last whole hour, NaN before the first, and
                            which hour since 1970 that was.
    hour : Times [2]        Which hour since 1970 is under way, and whether it has ended (1) or not (0).
    """

    parts: Matrix
    hour: Times


def begin_hours(markets: int) -> HourMemory:
    """Start before any bar."""
    parts = np.zeros((9, markets))
    parts[_CLOSE] = np.nan
    return HourMemory(parts, np.array([-1, 1], dtype=np.int64))


@njit(cache=True)
def _take(
    memory: HourMemory,
    m: int,
    time: int,
    length: int,
    opened: float,
    high: float,
    low: float,
    close: float,
    volume: float,
) -> None:
    """Add a bar; the first of an hour after a missing one opens where the whole hour before it closed."""
    parts = memory.parts
    if np.isnan(close):
        return
    if parts[_COVERED, m] == 0.0:
        parts[_OPEN, m], parts[_HIGH, m], parts[_LOW, m], parts[_VOLUME, m] = opened, high, low, 0.0
        if parts[_HEARD, m] != time and parts[_CLOSED, m] == memory.hour[0] - 1:
            parts[_OPEN, m] = parts[_CLOSE, m]
            high, low = max(high, parts[_CLOSE, m]), min(low, parts[_CLOSE, m])
    parts[_HIGH, m] = max(parts[_HIGH, m], high)
    parts[_LOW, m] = min(parts[_LOW, m], low)
    parts[_LAST, m] = close
    parts[_VOLUME, m] += volume
    parts[_COVERED, m] += length
    parts[_HEARD, m] = time + length


@njit(cache=True)
def _write(parts: Matrix, m: int, hour: int, row: Vector) -> None:
    """Write the hour that ends now into a row, NaN where too much of it is missing; begin the next."""
    row[:] = np.nan
    row[7] = 0.0
    if parts[_COVERED, m] >= (1.0 - MISSING_SHARE) * _HOUR:
        opened, close, before = parts[_OPEN, m], parts[_LAST, m], parts[_CLOSE, m]
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
    parts[_COVERED, m] = 0.0


@njit(cache=True)
def _finish(parts: Matrix, hour: int, rows: Matrix) -> None:
    for m in range(parts.shape[1]):
        _write(parts, m, hour, rows[m])


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
) -> tuple[Times, Rows, Array]:
    """Advance by T bars of `length` milliseconds, and say which clock hours ended and what they were.

    An hour may miss a tenth of its bars (`MISSING_SHARE`), and what prices did meanwhile is in its range. One
    that misses more is not whole: its row is NaN, and so is the return of the next. An hour without its last
    bar is known when the next bar comes. Bars that are longer than an hour, or lie across its ends, make up
    no hours.

    Returns
    -------
    ends : Times [N]                   Ends of hours, milliseconds UTC.
    known : Rows [N]                   The bar at which each was known.
    hours : array [N, M, HOUR_FIELDS]
    """
    ends = np.zeros(len(times) + 1, dtype=np.int64)
    known = np.zeros(len(times) + 1, dtype=np.int64)
    hours = np.full((len(times) + 1, close.shape[1], HOUR_FIELDS), np.nan)
    count = 0
    if length > _HOUR or _HOUR % length != 0:
        return ends[:0], known[:0], hours[:0]
    state, parts = memory.hour, memory.parts
    for t in range(len(times)):
        if times[t] % length != 0:
            continue
        hour = times[t] // _HOUR
        end = times[t] + length
        if hour != state[0]:
            if state[1] == 0:
                _finish(parts, state[0], hours[count])
                ends[count], known[count] = (state[0] + 1) * _HOUR, t
                count += 1
            state[0], state[1] = hour, 0
        for m in range(close.shape[1]):
            prices = opened[t, m], high[t, m], low[t, m], close[t, m]
            _take(memory, m, times[t], length, *prices, volume[t, m])
        if end % _HOUR == 0:
            _finish(parts, hour, hours[count])
            state[1] = 1
            ends[count], known[count] = end, t
            count += 1
    return ends[:count], known[:count], hours[:count]
