"""Which bars in memory are refused, and with what remedy?"""

import numpy as np

from plimsoll.domain.bars import MINUTE, Bars
from plimsoll.errors import Code, PlimsollError
from plimsoll.types import Flags

__all__ = ["ROUNDING_TOLERANCE", "check_bars"]

ROUNDING_TOLERANCE = 1e-6
"""How far, relative to the price, an open or close may lie outside the bar's own range.

A price kept as float32 or printed with seven digits is off by up to 6e-8 or 5e-7 of itself, and two prices
so rounded may disagree by twice that. A larger contradiction is refused.
"""

_TABLES = ("open", "high", "low", "close", "volume")


def check_bars(bars: Bars) -> None:
    """Refuse bars that contradict themselves, before anything is learnt from them.

    Raises
    ------
    PlimsollError   `AMBIGUOUS_MARKET` for a market named twice; `UNEVEN_BARS` for tables of another shape or
                    kind than [T, M] of float64, and bars that overlap; `UNSORTED_TIMES`, `DUPLICATE_TIMES`;
                    `BAD_PRICE` for a price that is no positive number in a bar that has others, and a range
                    that leaves out its own prices; `BAD_VOLUME` for one below zero or infinite.
    """
    _check_shape(bars)
    _check_order(bars)
    opened, high, low, close = bars.open, bars.high, bars.low, bars.close
    slack = ROUNDING_TOLERANCE * high
    sound = (
        (low > 0.0)
        & (low <= np.minimum(opened, close) + slack)
        & (np.maximum(opened, close) <= high + slack)
        & (high < np.inf)
    )
    absent = np.isnan(opened) & np.isnan(high) & np.isnan(low) & np.isnan(close)
    what = "open, high, low and close {} are not positive numbers within their range"
    remedy = "Correct the prices; where a market has no bar all four are NaN."
    _refuse(bars, ~(sound | absent), Code.BAD_PRICE, what, _TABLES[:4], remedy)
    lost = (bars.volume < 0.0) | np.isinf(bars.volume)
    remedy = "Correct the volume; NaN where it is unknown."
    _refuse(bars, lost, Code.BAD_VOLUME, "volume is {}", _TABLES[4:], remedy)


def _check_shape(bars: Bars) -> None:
    if len(set(bars.markets)) < len(bars.markets):
        raise PlimsollError(
            Code.AMBIGUOUS_MARKET,
            f"a market comes twice in {', '.join(bars.markets)}",
            where="bars",
            remedy="Give each market one column.",
        )
    rows, columns = len(bars.times), len(bars.markets)
    _check_array("times", bars.times, "int64", (rows,))
    for name in _TABLES:
        _check_array(name, getattr(bars, name), "float64", (rows, columns))
    if bars.length <= 0:
        raise PlimsollError(
            Code.UNEVEN_BARS, f"bars of {bars.length} ms", where="bars", remedy="Give a length above zero."
        )


def _check_array(name: str, given: object, kind: str, shape: tuple[int, ...]) -> None:
    if isinstance(given, np.ndarray) and given.dtype == kind and given.shape == shape:
        return
    shown = f"{given.dtype} {given.shape}" if isinstance(given, np.ndarray) else type(given).__name__
    raise PlimsollError(
        Code.UNEVEN_BARS,
        f"{name} is {shown}, not {kind} {shape}",
        where="bars",
        remedy="Give NumPy arrays with a row per time and a column per market, or use bars_from.",
    )


def _check_order(bars: Bars) -> None:
    steps = np.diff(bars.times)
    if not (steps < bars.length).any():
        return
    row = int(np.argmax(steps < bars.length))
    step = int(steps[row])
    code, what = Code.UNEVEN_BARS, f"opens {step / MINUTE:g} min after the one above it opened"
    if step <= 0:
        code = Code.UNSORTED_TIMES if step < 0 else Code.DUPLICATE_TIMES
        what = "opens before the one above it" if step < 0 else "opens when the one above it does"
    raise PlimsollError(
        code,
        f"a bar of {bars.length / MINUTE:g} min {what}",
        where=f"bars, row {row + 2}",
        remedy="Sort the rows by time, one row per time, and give bars of one length.",
    )


def _refuse(bars: Bars, bad: Flags, code: Code, what: str, names: tuple[str, ...], remedy: str) -> None:
    """Raise the error about the first flagged bar, if any is."""
    if bad.any():
        row, m = np.argwhere(bad)[0]
        shown = ", ".join(f"{getattr(bars, name)[row, m]:g}" for name in names)
        where = f"bars, row {row + 1} ({bars.markets[m]})"
        raise PlimsollError(code, what.format(shown), where=where, remedy=remedy)
