"""What is each instrument worth in each scenario?"""

import math

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from plimsoll.kernels.black76 import option_price, price_definition
from plimsoll.types import Matrix, Rows, Vector

__all__ = [
    "ABSOLUTE_SKEW",
    "CALL",
    "LINEAR",
    "LINEAR_SKEW",
    "NO_SKEW",
    "PUT",
    "reprice",
    "shocked_value_definition",
    "shocked_volatility_definition",
]

LINEAR, CALL, PUT = 0, 1, 2
"""Kinds of instrument: worth its forward, or an option on it."""
NO_SKEW, LINEAR_SKEW, ABSOLUTE_SKEW = 0, 1, 2


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
        and
                            then without bound: the minimum bounds one side only, as Derive's contract has it.
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


@njit(cache=True, parallel=True, error_model="numpy")
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
) -> None:
    """Write `shocked_value_definition` of the instruments `rows` in every scenario into `values`.

    Parameters
    ----------
    rows : Rows            Instruments to reprice; the others keep what they have.
    kind, slot : [I]; strike, volatility : Vector [I]
    forward, tau, discount, width : Vector [E]   Per slot: what an instrument is priced off.
    multiple, scale, cap : Matrix [E, S]
    floor : Vector [S]; skew : int8 [S]
    values : Matrix [I, S]   Changed in place.
    """
    for r in prange(len(rows)):
        i = rows[r]
        e = slot[i]
        row, moved, size = values[i], multiple[e], forward[e]
        if kind[i] == LINEAR:
            for s in range(len(row)):
                row[s] = size * moved[s] * discount[e]
            continue
        _volatilities(row, volatility[i], strike[i] / size, moved, scale[e], floor, skew, cap[e], width[e])
        terms, years, worth, is_call = strike[i], tau[e], discount[e], kind[i] == CALL
        for s in range(len(row)):
            row[s] = option_price(size * moved[s], terms, years, row[s], is_call) * worth


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
