r"""While the same scenarios stay an account's worst, what does it need after prices moved?

An expected shortfall is the mean loss in the k worst scenarios, so while these are the same it is linear in
the positions. They are the same while no other scenario can have overtaken one of them: between two
scenarios of one account the difference of losses moves by at most

.. math:: \sum_j \big| |N_j| - |N_j^0| \big| \, (\max_s x_{js} - \min_s x_{js})

with :math:`N^0` the exposures when all scenarios were last summed. Up to the gap that was then between the
k-th and the next worst scenario, two multiplications per position stand in for a sum over all scenarios.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from plimsoll.types import Array, Lots, Matrix, Quanta, Rows, Vector

__all__ = ["Known", "Positions", "Terms", "nothing_known", "positions_by_account", "refresh"]


class Terms(NamedTuple):
    """What accounts are charged.

    Attributes
    ----------
    columns : Rows [I]     Market of each instrument.
    rates : Matrix [M, 2]  Long and short.
    places : Rows [M]      Place of each market among the J joint ones; -1 where it nets with nothing.
    moves : Matrix [2 J, S]   Loss per unit held long, then short, in the joint scenarios.
    spans : Vector [2 J]   Largest less smallest of each row of it.
    tail : int             k, at most S.
    gross_floor : float    g.
    """

    columns: Rows
    rates: Matrix
    places: Rows
    moves: Array
    spans: Vector
    tail: int
    gross_floor: float


class Positions(NamedTuple):
    """Positions by account: those of row a are ``began[a]`` up to, not including, ``began[a + 1]``.

    Attributes
    ----------
    began : Rows [A + 1]
    instruments : int32 [P]   Those of one market side by side.
    sizes : Vector [P]        Signed lots.
    """

    began: Rows
    instruments: NDArray[np.int32]
    sizes: Vector


class Known(NamedTuple):
    """What is known of the worst scenarios of every account; brought up to date in place.

    Attributes
    ----------
    noted : Vector [P]   Exposure when they were found, at the first position in its market.
    slope : Vector [P]   Mean loss per unit in them, at the same place.
    gap : Vector [A]     How far losses may move apart before they are others; -1 before the first time.
    """

    noted: Vector
    slope: Vector
    gap: Vector


def nothing_known(positions: Positions) -> Known:
    """Begin with every account's worst scenarios to be found."""
    held = len(positions.sizes)
    return Known(np.zeros(held), np.zeros(held), np.full(len(positions.began) - 1, -1.0))


@njit(cache=True, nogil=True)
def positions_by_account(lots: Lots, columns: Rows, first_row: int) -> Positions:
    """Index a book; rows before `first_row` are left out, as if they held nothing.

    Parameters
    ----------
    lots : Lots [A, I]
    columns : Rows [I]   Market of each instrument.
    """
    order = np.argsort(columns, kind="mergesort")
    began = np.zeros(len(lots) + 1, dtype=np.intp)
    for a in range(len(lots)):
        held = 0
        for i in range(len(order)):
            held += a >= first_row and lots[a, i] != 0
        began[a + 1] = began[a] + held
    instruments, sizes = np.empty(began[-1], dtype=np.int32), np.empty(began[-1])
    for a in range(first_row, len(lots)):
        place = began[a]
        for i in order:
            if lots[a, i] != 0:
                instruments[place], sizes[place] = i, float(lots[a, i])
                place += 1
    return Positions(began, instruments, sizes)


@njit(cache=True, nogil=True)
def refresh(
    rows: Rows, cash: Quanta, unit: Vector, terms: Terms, positions: Positions, known: Known, figures: Matrix
) -> None:
    """Value some rows at new marks and charge them as `margin.portfolio.PortfolioMargin` defines it.

    Parameters
    ----------
    rows : Rows [B]
    cash : Quanta [A]
    unit : Vector [I]         Quote quanta per lot at the mark.
    figures : Matrix [2, A]   Equity rounded down and requirement rounded up, quote quanta: changed in place.
    """
    columns, rates, places, moves, spans, tail, gross_floor = terms
    began, instruments, sizes = positions
    noted, slope, gap = known
    shorts = len(moves) // 2
    legs, sides = np.empty(len(rates), dtype=np.intp), np.empty(len(rates), dtype=np.intp)
    exposure = np.empty(len(rates))
    losses = np.empty(moves.shape[1])
    for a in rows:
        worth, gross, joint, drift, linear, count = 0.0, 0.0, 0.0, 0.0, 0.0, 0
        place = began[a]
        while place < began[a + 1]:
            leg, market, size = place, columns[instruments[place]], 0.0
            while place < began[a + 1] and columns[instruments[place]] == market:
                notional = sizes[place] * unit[instruments[place]]
                worth, size, place = worth + notional, size + notional, place + 1
            alone = size * rates[market, 0] if size > 0.0 else -size * rates[market, 1]
            gross += alone
            if places[market] >= 0:
                side = places[market] + (shorts if size < 0.0 else 0)
                same = (size < 0.0) == (noted[leg] < 0.0) and (size == 0.0) == (noted[leg] == 0.0)
                drift += abs(size - noted[leg]) * spans[side] if same else np.inf
                if size != 0.0:
                    joint, linear = joint + alone, linear + abs(size) * slope[leg]
                    legs[count], sides[count], exposure[count] = leg, side, size
                    count += 1
                else:
                    noted[leg] = 0.0
        figures[0, a] = np.floor(cash[a] + worth)
        needed = gross
        if count > 1:
            if not drift <= gap[a]:
                linear, gap[a] = _worst(
                    legs[:count], sides[:count], exposure, moves, tail, losses, noted, slope
                )
            needed = max(gross - joint + linear, gross_floor * gross)
        figures[1, a] = np.ceil(needed)


@njit(cache=True, nogil=True)
def _worst(
    legs: Rows,
    sides: Rows,
    exposure: Vector,
    moves: Array,
    tail: int,
    losses: Vector,
    noted: Vector,
    slope: Vector,
) -> tuple[float, float]:
    """Sum all scenarios: give the expected shortfall and the gap after the worst, and note the worst."""
    losses[:] = 0.0
    for k in range(len(legs)):
        row, size = moves[sides[k]], abs(exposure[k])
        for s in range(len(losses)):
            losses[s] += size * row[s]
    worst, gap = _largest(losses, tail)
    total = 0.0
    for k in range(len(legs)):
        mean = 0.0
        for s in worst:
            mean += moves[sides[k], s]
        noted[legs[k]], slope[legs[k]] = exposure[k], mean / tail
        total += abs(exposure[k]) * slope[legs[k]]
    return total, gap


@njit(cache=True, nogil=True)
def _largest(losses: Vector, tail: int) -> tuple[Rows, float]:
    """Find the places of the `tail` largest, and how far the next is below the least of them."""
    kept, places = np.full(tail + 1, -np.inf), np.zeros(tail + 1, dtype=np.intp)
    for s in range(len(losses)):
        if losses[s] > kept[0]:
            place = 0
            while place < tail and kept[place + 1] < losses[s]:
                kept[place], places[place] = kept[place + 1], places[place + 1]
                place += 1
            kept[place], places[place] = losses[s], s
    return places[1:], kept[1] - kept[0]
