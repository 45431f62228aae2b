"""How much more do accounts hold than their positions need one by one, at constant rates or by size?"""

import numpy as np
from numba import njit

from plimsoll.types import Lots, Matrix, Quanta, Vector

__all__ = [
    "NEAR_SHARE",
    "NEAR_SLACK",
    "room_above_lone",
    "room_above_lone_definition",
    "room_above_tiered",
    "room_above_tiered_definition",
    "tiered_requirements",
    "tiered_requirements_definition",
    "worth",
    "worth_definition",
]

NEAR_SLACK = 2.0
"""Quanta that are kept in reserve: equity is rounded down and requirements up before they decide."""

NEAR_SHARE = 1e-9
"""The same, as a share of gross value: sums of floats differ by their order, far less than this even where a
million moves of the marks were added up."""


def room_above_lone_definition(cash: Quanta, lots: Lots, unit: Vector, rates: Matrix) -> Vector:
    r"""Compare equity with the sum of lone requirements.

    .. math:: room_a = c_a + \sum_i q_{ai} u_i - \sum_i r_{side(q_{ai}), i} |q_{ai} u_i| - 2 - \epsilon_a

    with epsilon a billionth of the gross value, for the rounding of floats.
    An account with room needs no closer look, whatever its hedges: netting only lowers a requirement.

    Parameters
    ----------
    cash : Quanta [A]; lots : Lots [A, I]
    unit : Vector [I]      Quote quanta per lot at the mark.
    rates : Matrix [I, 2]  Long and short.

    Returns
    -------
    Vector [A]   Quote quanta; negative where a closer look is due.
    """
    notional = lots * unit
    needed = np.where(notional < 0.0, -notional * rates[:, 1], notional * rates[:, 0]).sum(axis=1)
    return _room(cash, notional, needed)


@njit(cache=True, nogil=True)
def room_above_lone(cash: Quanta, lots: Lots, unit: Vector, rates: Matrix) -> Vector:
    """`room_above_lone_definition` in one pass over the positions, without a matrix of notionals."""
    room = np.empty(len(cash))
    for a in range(len(cash)):
        equity = float(cash[a])
        gross = abs(equity)
        needed = 0.0
        for i in range(len(unit)):
            if lots[a, i] != 0:
                notional = lots[a, i] * unit[i]
                equity += notional
                gross += abs(notional)
                needed += notional * rates[i, 0] if notional > 0.0 else -notional * rates[i, 1]
        room[a] = equity - needed - NEAR_SLACK - NEAR_SHARE * gross
    return room


def room_above_tiered_definition(
    cash: Quanta, lots: Lots, unit: Vector, lower: Vector, upper: Vector, rates: Vector
) -> Vector:
    r"""Compare equity with requirements whose marginal rate depends on the position's size.

    .. math:: room_a = c_a + \sum_i N_{ai}
              - \sum_i \sum_j r_j \min(\max(|N_{ai}| - l_j, 0), u_j - l_j) - 2 - \epsilon_a

    with :math:`N_{ai} = q_{ai} u_i` and epsilon as for `room_above_lone_definition`.

    Parameters
    ----------
    cash : Quanta [A]; lots : Lots [A, I]
    unit : Vector [I]            Quote quanta per lot at the mark.
    lower, upper : Vector [J]    Bounds of each tier, quote quanta; the first begins at 0.
    rates : Vector [J]           Marginal rate of each tier.
    """
    notional = lots * unit
    return _room(cash, notional, tiered_requirements_definition(notional, lower, upper, rates))


def _room(cash: Quanta, notional: Matrix, needed: Vector) -> Vector:
    gross = np.abs(cash) + np.abs(notional).sum(axis=1)
    room: Vector = cash + notional.sum(axis=1) - needed - NEAR_SLACK - NEAR_SHARE * gross
    return room


@njit(cache=True, nogil=True)
def room_above_tiered(
    cash: Quanta, lots: Lots, unit: Vector, lower: Vector, upper: Vector, rates: Vector
) -> Vector:
    """`room_above_tiered_definition` in one pass; a position stops at the tier that it ends in."""
    room = np.empty(len(cash))
    for a in range(len(cash)):
        equity = float(cash[a])
        gross = abs(equity)
        needed = 0.0
        for i in range(len(unit)):
            if lots[a, i] != 0:
                notional = lots[a, i] * unit[i]
                size = abs(notional)
                equity += notional
                gross += size
                for j in range(len(rates)):
                    if size <= lower[j]:
                        break
                    needed += rates[j] * (min(size, upper[j]) - lower[j])
        room[a] = equity - needed - NEAR_SLACK - NEAR_SHARE * gross
    return room


def tiered_requirements_definition(notional: Matrix, lower: Vector, upper: Vector, rates: Vector) -> Vector:
    r"""Charge each position the marginal rates of the tiers that it reaches into.

    .. math:: R_a = \sum_j r_j \sum_i \min(\max(|N_{ai}| - l_j, 0), u_j - l_j)

    Parameters
    ----------
    notional : Matrix [A, I]   Quote quanta; others as for `below_tiered_requirements_definition`.

    Returns
    -------
    Vector [A]   Quote quanta.
    """
    size = np.abs(notional)
    needed = np.zeros(len(notional))
    for low, high, rate in zip(lower, upper, rates, strict=True):
        needed += rate * np.clip(size - low, 0.0, high - low).sum(axis=1)
    return needed


@njit(cache=True, nogil=True)
def tiered_requirements(notional: Matrix, lower: Vector, upper: Vector, rates: Vector) -> Vector:
    """`tiered_requirements_definition` in one pass, added up in the same order."""
    accounts, instruments = notional.shape
    needed = np.zeros(accounts)
    for a in range(accounts):
        for j in range(len(rates)):
            within = 0.0
            for i in range(instruments):
                size = abs(notional[a, i])
                if size > lower[j]:
                    within += min(size, upper[j]) - lower[j]
            if within == 0.0:
                break
            needed[a] += rates[j] * within
    return needed


def worth_definition(lots: Lots, unit: Vector) -> Vector:
    r"""Value the positions of each account: :math:`w_a = \sum_i q_{ai} u_i`.

    Parameters
    ----------
    lots : Lots [A, I]
    unit : Vector [I]   Quote quanta per lot: at the mark, or by which it moves.
    """
    value: Vector = lots @ unit
    return value


@njit(cache=True, nogil=True)
def worth(lots: Lots, unit: Vector) -> Vector:
    """`worth_definition` without a copy of the book in floats."""
    value = np.zeros(len(lots))
    for a in range(len(lots)):
        for i in range(len(unit)):
            if lots[a, i] != 0:
                value[a] += lots[a, i] * unit[i]
    return value
