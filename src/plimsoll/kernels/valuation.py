"""Which accounts hold less than their positions need one by one, at constant rates or at rates by size?"""

import numpy as np
from numba import njit

from plimsoll.types import Flags, Lots, Matrix, Quanta, Vector

__all__ = [
    "NEAR_SHARE",
    "NEAR_SLACK",
    "below_lone_requirements",
    "below_lone_requirements_definition",
    "below_tiered_requirements",
    "below_tiered_requirements_definition",
    "tiered_requirements",
    "tiered_requirements_definition",
]

NEAR_SLACK = 2.0
"""Quanta by which an account counts as near: equity is rounded down and requirements up before they
decide."""

NEAR_SHARE = 1e-12
"""The same, as a share of gross value: sums of floats differ by their order, by less than this."""


def below_lone_requirements_definition(cash: Quanta, lots: Lots, unit: Vector, rates: Matrix) -> Flags:
    r"""Compare equity with the sum of lone requirements.

    .. math:: near_a = \Big[ c_a + \sum_i q_{ai} u_i
              < 2 + \epsilon_a + \sum_i r_{side(q_{ai}), i} |q_{ai} u_i| \Big]

    with epsilon a millionth of a millionth of the gross value, for the rounding of floats.
    An account that is not near needs no closer look, whatever its hedges: netting only lowers a requirement.

    Parameters
    ----------
    cash : Quanta [A]; lots : Lots [A, I]
    unit : Vector [I]      Quote quanta per lot at the mark.
    rates : Matrix [I, 2]  Long and short.
    """
    notional = lots * unit
    needed = np.where(notional < 0.0, -notional * rates[:, 1], notional * rates[:, 0]).sum(axis=1)
    return _near(cash, notional, needed)


@njit(cache=True)
def below_lone_requirements(cash: Quanta, lots: Lots, unit: Vector, rates: Matrix) -> Flags:
    """`below_lone_requirements_definition` in one pass over the positions, without a matrix of notionals."""
    near = np.empty(len(cash), dtype=np.bool_)
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
        near[a] = equity < needed + NEAR_SLACK + NEAR_SHARE * gross
    return near


def below_tiered_requirements_definition(
    cash: Quanta, lots: Lots, unit: Vector, lower: Vector, upper: Vector, rates: Vector
) -> Flags:
    r"""Compare equity with requirements whose marginal rate depends on the position's size.

    .. math:: near_a = \Big[ c_a + \sum_i N_{ai} < 2 + \epsilon_a
              + \sum_i \sum_j r_j \min(\max(|N_{ai}| - l_j, 0), u_j - l_j) \Big]

    with :math:`N_{ai} = q_{ai} u_i` and epsilon as for `below_lone_requirements_definition`.

    Parameters
    ----------
    cash : Quanta [A]; lots : Lots [A, I]
    unit : Vector [I]            Quote quanta per lot at the mark.
    lower, upper : Vector [J]    Bounds of each tier, quote quanta; the first begins at 0.
    rates : Vector [J]           Marginal rate of each tier.
    """
    notional = lots * unit
    return _near(cash, notional, tiered_requirements_definition(notional, lower, upper, rates))


def _near(cash: Quanta, notional: Matrix, needed: Vector) -> Flags:
    gross = np.abs(cash) + np.abs(notional).sum(axis=1)
    near: Flags = cash + notional.sum(axis=1) < needed + NEAR_SLACK + NEAR_SHARE * gross
    return near


@njit(cache=True)
def below_tiered_requirements(
    cash: Quanta, lots: Lots, unit: Vector, lower: Vector, upper: Vector, rates: Vector
) -> Flags:
    """`below_tiered_requirements_definition` in one pass; a position stops at the tier that it ends in."""
    near = np.empty(len(cash), dtype=np.bool_)
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
        near[a] = equity < needed + NEAR_SLACK + NEAR_SHARE * gross
    return near


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


@njit(cache=True)
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
