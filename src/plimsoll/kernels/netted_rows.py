"""What do some rows of a book of linear positions hold and need, without a matrix of notionals?"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from plimsoll.kernels.book_losses import ACCOUNTS_TOGETHER, few_shortfalls
from plimsoll.types import Array, Lots, Matrix, Quanta, Rows, Vector

__all__ = ["netted_rows"]

_POSITIONS = 4
"""Positions per netted account that there is room for at first; more room is made as needed."""


@njit(cache=True, nogil=True)
def netted_rows(
    rows: Rows,
    cash: Quanta,
    lots: Lots,
    unit: Vector,
    columns: Rows,
    rates: Matrix,
    places: Rows,
    strips: Array,
    scenarios: int,
    tail: int,
    gross_floor: float,
) -> Matrix:
    r"""Value rows and charge them as `margin.portfolio.PortfolioMargin` does; the definition is there.

    .. math:: R = \max\Big(ES_{joint} + \sum_{m \notin joint} r_m |N_m|,\; g \sum_m r_m |N_m|\Big)

    Only instruments that are held are looked at, and only accounts in several markets are netted.

    Parameters
    ----------
    rows : Rows [B]; cash : Quanta [A]; lots : Lots [A, I]
    unit : Vector [I]         Quote quanta per lot at the mark.
    columns : Rows [I]        Market of each instrument.
    rates : Matrix [M, 2]     Long and short.
    places : Rows [M]         Place of each market among the J joint ones; -1 where it nets with nothing.
    strips : Array            From `strips_for_shortfall`, 2 J rows: profits per unit held long, then short.
    scenarios, tail : int     Of the joint scenarios.
    gross_floor : float       g.

    Returns
    -------
    Matrix [2, B]   Equity rounded down and requirement rounded up, quote quanta; the same as the definition
                    but for the order in which floats are added.
    """
    found = np.empty((2, len(rows)))
    exposure, held = np.zeros(len(rates)), np.empty(len(rates), dtype=np.intp)
    netted, joint = np.empty(len(rows), dtype=np.intp), np.empty(len(rows))
    first, last = np.empty(len(rows), dtype=np.intp), np.empty(len(rows), dtype=np.intp)
    used, together = 0, 0
    sides = np.empty(_POSITIONS * len(rows) + len(rates), dtype=np.int32)
    sizes = np.empty(len(sides))
    for b, a in enumerate(rows):
        worth, count = _gather(lots[a], unit, columns, exposure, held)
        found[0, b] = np.floor(cash[a] + worth)
        found[1, b], joint[together], stop = _alone(
            exposure, held[:count], rates, places, sides[used:], sizes[used:], strips.shape[1] // 2
        )
        exposure[held[:count]] = 0.0
        if stop > 1:
            netted[together], first[together], last[together] = b, used, used + stop
            together, used = together + 1, used + stop
            if len(sides) - used < len(rates):
                sides = np.append(sides, np.empty(len(sides), dtype=np.int32))
                sizes = np.append(sizes, np.empty(len(sizes)))
    shortfall = np.empty(together)
    accounts = np.arange(together)
    for start in range(0, together, ACCOUNTS_TOGETHER):
        some = accounts[start : start + ACCOUNTS_TOGETHER]
        few_shortfalls(first, last, sides, sizes, strips, some, scenarios, tail, shortfall[start:])
    for k in range(together):
        gross = found[1, netted[k]]
        found[1, netted[k]] = max(gross - joint[k] + shortfall[k], gross_floor * gross)
    found[1] = np.ceil(found[1])
    return found


@njit(cache=True, nogil=True)
def _gather(
    lots: NDArray[np.int64], unit: Vector, columns: Rows, exposure: Vector, held: Rows
) -> tuple[float, int]:
    """Add up what one row holds by market; give its worth and how many markets it holds, noted in `held`."""
    worth, count = 0.0, 0
    for i in range(len(unit)):
        if lots[i] != 0:
            notional = lots[i] * unit[i]
            worth += notional
            market = columns[i]
            place = 0
            while place < count and held[place] != market:
                place += 1
            if place == count:
                held[count] = market
                count += 1
            exposure[market] += notional
    return worth, count


@njit(cache=True, nogil=True)
def _alone(
    exposure: Vector,
    held: Rows,
    rates: Matrix,
    places: Rows,
    sides: NDArray[np.int32],
    sizes: Vector,
    shorts: int,
) -> tuple[float, float, int]:
    """Charge each market by itself: in all, in the joint markets alone, and how many positions these are."""
    gross, joint, count = 0.0, 0.0, 0
    for market in held:
        size = exposure[market]
        alone = size * rates[market, 0] if size > 0.0 else -size * rates[market, 1]
        gross += alone
        if places[market] >= 0 and size != 0.0:
            joint += alone
            sides[count] = places[market] + (shorts if size < 0.0 else 0)
            sizes[count] = abs(size)
            count += 1
    return gross, joint, count
