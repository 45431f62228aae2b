"""Which accounts hold less than their positions need one by one?"""

import numpy as np
from numba import njit

from plimsoll.types import Flags, Lots, Matrix, Quanta, Vector

__all__ = ["NEAR_SHARE", "NEAR_SLACK", "below_lone_requirements", "below_lone_requirements_definition"]

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
    gross = np.abs(cash) + np.abs(notional).sum(axis=1)
    near: Flags = cash + notional.sum(axis=1) < needed + NEAR_SLACK + NEAR_SHARE * gross
    return near


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
