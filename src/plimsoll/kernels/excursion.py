"""How far did prices move against each side within every horizon window that is now complete?"""

import numpy as np
from numba import njit

from plimsoll.kernels.clock_hours import MISSING_SHARE
from plimsoll.types import Matrix, Times, Vector

__all__ = [
    "FIELDS",
    "LONG",
    "SHORT",
    "SLOT_FIELDS",
    "STANDARD_LONG",
    "STANDARD_SHORT",
    "TERMINAL",
    "absorb_windows",
    "window_definition",
]

FIELDS = 5
STANDARD_LONG, STANDARD_SHORT, TERMINAL, LONG, SHORT = range(FIELDS)
"""Columns of a matured window: excursions in standard deviations, terminal return, excursions as log moves.
Excursions are in units of the scale, terminal returns in units of the volatility forecast."""

_HOUR = 3_600_000.0

SLOT_FIELDS = 6
_START, _SIGMA, _SCALE, _LOWEST, _HIGHEST, _MISSING = range(SLOT_FIELDS)
"""Columns of an open window; a start price of NaN means that a gap has broken it."""


def window_definition(
    start: float,
    sigma: float,
    scale: float,
    low: Vector,
    high: Vector,
    close: Vector,
    horizon_hours: float,
    span_hours: float,
) -> Vector:
    r"""Measure one complete window.

    .. math:: e^{long} = \max(0, \ln \frac{S_0}{\min_k L_k}) \sqrt{H / span}, \quad
              z = e / (G_0 \sqrt{H}), \quad r = \ln(C_n / S_0) \sqrt{H / span} / (\sigma_0 \sqrt{H})

    and likewise short with the highest high. The excursion is the worst move *within* the window, for
    liquidation triggers on the path and not at its end.

    Parameters
    ----------
    start : float          Price at the window's start.
    sigma, scale : float   Volatility, and the scale G, known at the start; per square root of an hour.
    low, high, close : Vector [n]   The bars of the window.
    horizon_hours, span_hours : float   H, and the length of the window; longer than H only for long bars.

    Returns
    -------
    Vector [FIELDS]   Standardised long and short excursion, standardised terminal return, raw long and short.
    """
    shrink = np.sqrt(horizon_hours / span_hours)
    root_hours = np.sqrt(horizon_hours)
    down = max(0.0, np.log(start / low.min())) * shrink
    up = max(0.0, np.log(high.max() / start)) * shrink
    terminal = np.log(close[-1] / start) * shrink / (sigma * root_hours)
    return np.array([down / (scale * root_hours), up / (scale * root_hours), terminal, down, up])


@njit(cache=True)
def _extend(slot: Matrix, low: Vector, high: Vector, missing: Vector) -> None:
    for m in range(len(low)):
        if np.isnan(low[m]):
            continue
        if not missing[m] < _HOUR:
            slot[m, _START] = np.nan
        slot[m, _MISSING] += missing[m]
        slot[m, _LOWEST] = min(slot[m, _LOWEST], low[m])
        slot[m, _HIGHEST] = max(slot[m, _HIGHEST], high[m])


@njit(cache=True)
def _open(slot: Matrix, close: Vector, sigma: Vector, scale: Vector) -> None:
    """Begin a window; by elements, for an assignment of arrays takes numba three seconds to compile."""
    for m in range(len(close)):
        slot[m, _START] = close[m]
        slot[m, _SIGMA] = sigma[m]
        slot[m, _SCALE] = scale[m]
        slot[m, _LOWEST] = np.inf
        slot[m, _HIGHEST] = 0.0
        slot[m, _MISSING] = 0.0


@njit(cache=True)
def _measure(slot: Matrix, close: Vector, horizon: int, span: int, figures: Matrix) -> None:
    shrink = np.sqrt(horizon / span)
    root_hours = np.sqrt(horizon / _HOUR)
    for m in range(len(close)):
        start = slot[m, _START]
        sigma, scale = slot[m, _SIGMA] * root_hours, slot[m, _SCALE] * root_hours
        whole = slot[m, _MISSING] <= MISSING_SHARE * span and not np.isnan(close[m])
        if np.isnan(start) or not whole or not sigma > 0.0 or not scale > 0.0:
            figures[m, :] = np.nan
            continue
        down = max(0.0, np.log(start / slot[m, _LOWEST])) * shrink
        up = max(0.0, np.log(slot[m, _HIGHEST] / start)) * shrink
        figures[m, STANDARD_LONG] = down / scale
        figures[m, STANDARD_SHORT] = up / scale
        figures[m, TERMINAL] = np.log(close[m] / start) * shrink / sigma
        figures[m, LONG] = down
        figures[m, SHORT] = up


@njit(cache=True)
def absorb_windows(
    times: Times,
    length: int,
    low: Matrix,
    high: Matrix,
    close: Matrix,
    missing: Matrix,
    sigma: Matrix,
    scale: Matrix,
    stride: int,
    horizon: int,
    spans: Times,
    slots: Matrix,
    matured_moments: Times,
    matured: Matrix,
) -> int:
    """Advance all open windows by T bars, collect those that end, and open new ones.

    A window opens at the end of a bar that is the first to end in its stride, at that bar's close, with the
    volatility and scale known then. It is complete when a bar ends at least one span (the horizon, or one bar
    where that is longer) later. Prices before and after a gap are both in its range. A market's window is not
    known where a gap lasts an hour, where more than a tenth of it is missing (`MISSING_SHARE`), or where the
    bar at which it opens or ends is. Row t uses rows up to t only.

    Parameters
    ----------
    times : Times [T]; length : int        Bar openings and bar length, milliseconds.
    low, high, close : Matrix [T, M]       NaN where a market has no bar.
    missing : Matrix [T, M]                Milliseconds without a bar before each bar; NaN before the first.
    sigma, scale : Matrix [T, M]           Volatility and scale after bar t, per square root of an hour.
    stride, horizon : int                  Milliseconds between window openings; length of the horizon.
    spans : Times [K, 2]                   Start and end of each open window; an end of 0 is a free slot.
    slots : Matrix [K, M, SLOT_FIELDS]               What it has seen. Both are changed in place.
    matured_moments : Times [R], matured : [R, M, FIELDS]   Filled from row 0; R must not be too small.

    Returns
    -------
    int   Rows of `matured` that were filled.

    Excursions of a span longer than the horizon are scaled by the square root of the ratio.
    """
    filled = 0
    for t in range(len(times)):
        end = times[t] + length
        for k in range(len(spans)):
            if spans[k, 1] == 0:
                continue
            _extend(slots[k], low[t], high[t], missing[t])
            if end >= spans[k, 1]:
                matured_moments[filled] = spans[k, 0]
                _measure(slots[k], close[t], horizon, spans[k, 1] - spans[k, 0], matured[filled])
                filled += 1
                spans[k, 1] = 0
        if end // stride > times[t] // stride:
            free = np.argmin(spans[:, 1])
            spans[free, 0] = end
            spans[free, 1] = end + max(horizon, length)
            _open(slots[free], close[t], sigma[t], scale[t])
    return filled
