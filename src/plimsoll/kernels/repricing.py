"""What is each instrument worth in each scenario?"""

import math

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from plimsoll.kernels.black76 import (
    SERIES_BELOW,
    intrinsic_value,
    long_time_value,
    option_price,
    price_definition,
    short_time_value,
    time_value,
)
from plimsoll.kernels.elementary import log_ratio
from plimsoll.types import Flag, Matrix, Rows, Vector

__all__ = [
    "ABSOLUTE_SKEW",
    "CALL",
    "LINEAR",
    "LINEAR_SKEW",
    "NO_SKEW",
    "PUT",
    "reprice",
    "reprice_few",
    "shocked_value_definition",
    "shocked_volatility_definition",
]

LINEAR, CALL, PUT = 0, 1, 2
"""Kinds of instrument: worth its forward, or an option on it."""
NO_SKEW, LINEAR_SKEW, ABSOLUTE_SKEW = 0, 1, 2
_ROWS_TOGETHER = 64
"""Instruments that one thread takes at a time."""


def shocked_volatility_definition(
    volatility: float, log_moneyness: float, scale: float, floor: float, skew: int, cap: float, width: float
) -> float:
    r"""Move the volatility of one option.

    .. math::
        \sigma' &= \max(floor,\; \sigma \max(0,\; scale + skew(k))) \\
        skew(k) &= \mathrm{sgn}(k) \min(|k|\, c / w,\; c), \text{ without the sign where absolute}

    Parameters
    ----------
    log_moneyness : float   k = ln(K / F'), at the shocked forward.
    scale, floor : float    Multiple of volatility, and least volatility.
    skew : int              `NO_SKEW`, `LINEAR_SKEW` or `ABSOLUTE_SKEW`.
    cap, width : float      c and w; a width of 0 is the limit of a step. A negative c bends the other way,
                            and then without bound: the minimum bounds one side only, as Derive's contract has
                            it.
    """
    tilt = 0.0
    if skew != NO_SKEW and log_moneyness != 0.0:
        size = min(abs(log_moneyness) * cap / width, cap) if width > 0.0 else cap
        tilt = -size if skew == LINEAR_SKEW and log_moneyness < 0.0 else size
    return max(floor, volatility * max(0.0, scale + tilt))


def shocked_value_definition(
    kind: int,
    strike: float,
    volatility: float,
    forward: float,
    tau: float,
    discount: float,
    move: tuple[float, float, float, int, float, float],
) -> float:
    r"""Value one unit of an instrument after a move: :math:`D\, V(F m, \sigma')`.

    Parameters
    ----------
    kind : int        `LINEAR`, `CALL` or `PUT`.
    tau : float       Years of 365 days to expiry.
    discount : float  D, the value today of one unit at expiry.
    move : tuple      m, then scale, floor, skew, cap and width of `shocked_volatility_definition`.
    """
    multiple, scale, floor, skew, cap, width = move
    shocked = forward * multiple
    if kind == LINEAR:
        return shocked * discount
    moneyness = math.log(strike / shocked) if shocked > 0.0 else math.inf
    sigma = shocked_volatility_definition(volatility, moneyness, scale, floor, skew, cap, width)
    return price_definition(shocked, strike, tau, sigma, kind == CALL) * discount


@njit(cache=True)
def _tilt(log_moneyness: float, skew: int, cap: float, width: float) -> float:
    if log_moneyness == 0.0:
        return 0.0
    size = min(abs(log_moneyness) * cap / width, cap) if width > 0.0 else cap
    return -size if skew == LINEAR_SKEW and log_moneyness < 0.0 else size


@njit(cache=True, parallel=True, error_model="numpy", nogil=True)
def reprice(
    rows: Rows,
    kind: NDArray[np.int8],
    slot: Rows,
    strike: Vector,
    volatility: Vector,
    forward: Vector,
    tau: Vector,
    discount: Vector,
    multiple: Matrix,
    scale: Matrix,
    floor: Vector,
    skew: NDArray[np.int8],
    cap: Matrix,
    width: Vector,
    values: Matrix,
    marks: Vector,
) -> None:
    """Write `shocked_value_definition` of the instruments `rows` in every scenario into `values`.

    Scenarios are padded to W, a multiple of 8 greater than S, with the scenario in which nothing moves: so
    loops run on whole vectors, and one of those cells is the mark.

    Parameters
    ----------
    rows : Rows            Instruments to reprice; the others keep what they have.
    kind, slot : [I]; strike, volatility : Vector [I]
    forward, tau, discount, width : Vector [E]   Per slot: what an instrument is priced off.
    multiple, scale, cap : Matrix [E, W]
    floor : Vector [W]; skew : int8 [W]
    values : Matrix [I, S]   Changed in place.
    marks : Vector [I]       Values where nothing moves; changed in place.
    """
    for group in prange((len(rows) + _ROWS_TOGETHER - 1) // _ROWS_TOGETHER):
        reprice_few(
            rows[group * _ROWS_TOGETHER : (group + 1) * _ROWS_TOGETHER],
            kind,
            slot,
            strike,
            volatility,
            forward,
            tau,
            discount,
            multiple,
            scale,
            floor,
            skew,
            cap,
            width,
            values,
            marks,
        )


@njit(cache=True, error_model="numpy", nogil=True)
def reprice_few(
    rows: Rows,
    kind: NDArray[np.int8],
    slot: Rows,
    strike: Vector,
    volatility: Vector,
    forward: Vector,
    tau: Vector,
    discount: Vector,
    multiple: Matrix,
    scale: Matrix,
    floor: Vector,
    skew: NDArray[np.int8],
    cap: Matrix,
    width: Vector,
    values: Matrix,
    marks: Vector,
) -> None:
    """`reprice` on one thread, for tables that are priced before a second one has woken up."""
    scenarios = values.shape[1]
    sigma, row = np.empty(multiple.shape[1]), np.empty(multiple.shape[1])
    for i in rows:
        e = slot[i]
        if kind[i] == LINEAR:
            for s in range(len(row)):
                row[s] = forward[e] * multiple[e, s]
        else:
            ratio = strike[i] / forward[e]
            _volatilities(sigma, volatility[i], ratio, multiple[e], scale[e], floor, skew, cap[e], width[e])
            _options(row, sigma, forward[e], multiple[e], strike[i], tau[e], kind[i] == CALL)
        for s in range(scenarios):
            values[i, s] = row[s] * discount[e]
        marks[i] = row[scenarios] * discount[e]


@njit(cache=True, error_model="numpy")
def _options(
    row: Vector, sigma: Vector, forward: float, multiple: Vector, strike: float, tau: float, is_call: Flag
) -> None:
    """Write undiscounted option prices into `row`, as `option_price` does but step by step along the row.

    Short loops keep more vectors in flight than one long one. Nearly all rows need one branch of
    `time_value` alone.
    """
    root = math.sqrt(tau)
    if not (strike > 0.0 and _are_ordinary(sigma, forward, multiple, root)):
        for s in range(len(row)):
            row[s] = option_price(forward * multiple[s], strike, tau, sigma[s], is_call)
        return
    for s in range(len(row)):
        shocked = forward * multiple[s]
        row[s] = log_ratio(min(shocked, strike), max(shocked, strike))
    _time_values(row, sigma, root)
    for s in range(len(row)):
        shocked = forward * multiple[s]
        row[s] = intrinsic_value(shocked, strike, is_call) + min(shocked, strike) * row[s]


@njit(cache=True, error_model="numpy")
def _are_ordinary(sigma: Vector, forward: float, multiple: Vector, root: float) -> bool:
    """Tell whether no forward and no deviation of a row is 0, negative or NaN."""
    ordinary = 0
    for s in range(len(sigma)):
        ordinary += (forward * multiple[s] > 0.0) & (sigma[s] * root > 0.0)
    return ordinary == len(sigma)


@njit(cache=True, error_model="numpy")
def _time_values(row: Vector, sigma: Vector, root: float) -> None:
    """Replace the distances in `row` by time values."""
    short = 0
    for s in range(len(row)):
        short += 0.5 * (sigma[s] * root) < SERIES_BELOW
    if short == len(row):
        for s in range(len(row)):
            row[s] = short_time_value(row[s], sigma[s] * root)
    elif short == 0:
        for s in range(len(row)):
            row[s] = long_time_value(row[s], sigma[s] * root)
    else:
        for s in range(len(row)):
            row[s] = time_value(row[s], sigma[s] * root)


@njit(cache=True, error_model="numpy")
def _volatilities(
    row: Vector,
    volatility: float,
    strike_ratio: float,
    multiple: Vector,
    scale: Vector,
    floor: Vector,
    skew: NDArray[np.int8],
    cap: Vector,
    width: float,
) -> None:
    """Write the shocked volatility of one option in every scenario into `row`."""
    for s in range(len(row)):
        row[s] = max(floor[s], volatility * max(0.0, scale[s]))
    for s in range(len(row)):
        if skew[s] != NO_SKEW and multiple[s] > 0.0:
            tilt = _tilt(math.log(strike_ratio / multiple[s]), skew[s], cap[s], width)
            row[s] = max(floor[s], volatility * max(0.0, scale[s] + tilt))
