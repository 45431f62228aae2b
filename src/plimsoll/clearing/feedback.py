"""How much would be sold by force if prices moved so far, and does that selling feed itself?"""

from dataclasses import dataclass, replace

import numpy as np

from plimsoll.clearing.liquidation import reduction
from plimsoll.domain.parameters import Level
from plimsoll.domain.settings import ClearingRules
from plimsoll.margin.model import MarginModel
from plimsoll.types import Flags, Lots, Matrix, Quanta, Rows, Vector

__all__ = [
    "MOVES",
    "Held",
    "branching_profile",
    "branching_ratio",
    "forced_sales",
    "forced_sales_definition",
]

MOVES = (0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.14, 0.2)
"""Moves that a cascade is looked for in: what liquidates nobody within a fifth of the price is no matter of
minutes."""

_PER_CENT = 0.01


@dataclass(frozen=True, slots=True)
class Held:
    """What all accounts hold, and by which rules they are liquidated.

    Attributes
    ----------
    cash : Quanta [A]; lots : Lots [A, I]
    unit : Vector [I]        Quote quanta per lot at the marks.
    model : MarginModel      In force.
    rules : ClearingRules
    """

    cash: Quanta
    lots: Lots
    unit: Vector
    model: MarginModel
    rules: ClearingRules


def forced_sales_definition(held: Held, unit: Vector) -> Matrix:
    r"""Add up, account by account, what would be traded by force at other marks.

    .. math:: sold_i = \sum_{a: E_a < M_a} f_a N_{ai}^+, \quad bought_i = \sum_{a: E_a < M_a} f_a N_{ai}^-,
              \qquad
              f_a = \begin{cases} 1 & E_a < \phi M_a \\
              (\tau M_a - E_a) / (\tau M_a - c\, G_a) & \text{else} \end{cases}

    with the health target tau, the share phi below which everything is sold, and c the liquidation fee. It is
    the wish of one moment: what the market takes of it, and when, is another matter.

    Parameters
    ----------
    unit : Vector [I]   Quote quanta per lot at these marks.

    Returns
    -------
    Matrix [2, I]   Quote quanta >= 0: sold, and bought back.
    """
    traded = np.zeros((2, len(unit)))
    for cash, lots in zip(held.cash, held.lots, strict=True):
        notional = lots * unit
        equity = float(cash + notional.sum())
        maintenance = float(held.model.requirement(notional[None], Level.MAINTENANCE)[0])
        if equity >= maintenance or not notional.any():
            continue
        share = 1.0
        if equity >= held.rules.full_share * maintenance:
            target = held.rules.health_target * maintenance
            freed = target - held.rules.fee * float(np.abs(notional).sum())
            share = min(max((target - equity) / freed, 0.0), 1.0) if freed > 0.0 else 1.0
        traded[0] += share * np.maximum(notional, 0.0)
        traded[1] += share * np.maximum(-notional, 0.0)
    return traded


def forced_sales(held: Held, unit: Vector) -> Matrix:
    """`forced_sales_definition` for all accounts at once, looking closely only at those near maintenance."""
    rows = np.flatnonzero(held.model.near(held.cash, held.lots, unit, Level.MAINTENANCE))
    notional = held.lots[rows] * unit
    equity = held.cash[rows] + notional.sum(axis=1)
    maintenance = held.model.requirement(notional, Level.MAINTENANCE)
    breached = (equity < maintenance) & notional.any(axis=1)
    notional, equity, maintenance = notional[breached], equity[breached], maintenance[breached]
    share = reduction(
        equity,
        maintenance,
        np.abs(notional).sum(axis=1),
        np.full(len(equity), held.rules.fee),
        equity < held.rules.full_share * maintenance,
        held.rules.health_target,
    )
    return np.stack([share @ np.maximum(notional, 0.0), share @ np.maximum(-notional, 0.0)])


def branching_profile(held: Held, columns: Rows, depth: Vector, moves: tuple[float, ...] = MOVES) -> Matrix:
    r"""Set forced selling over the depth that would have to take it, move by move.

    .. math:: n_m(x) = \frac{g_m(x)}{d_m}, \qquad g_m(x) = \frac{|L_m(x)| - |L_m(0)|}{100\, x}

    with L(x) what is traded by force in market m, net, in the direction of its move, once its price alone
    has moved by x, and d the notional that moves the price by 1 %. A push s from outside then ends at
    :math:`x = s + x\, n(x)`, so the whole move is :math:`s / (1 - n)`: at 1 the cascade feeds itself.

    Parameters
    ----------
    columns : Rows [I]   Market of each instrument.
    depth : Vector [M]   Quote quanta per 1 % move, above 0.
    moves : tuple [K]    Relative, above 0.

    Returns
    -------
    array [2, M, K]   Falls, then rises.
    """
    profile = np.zeros((2, len(depth), len(moves)))
    near = held.model.near(held.cash, held.lots, held.unit, Level.MAINTENANCE)
    for market in range(len(depth)):
        own = columns == market
        holders = np.flatnonzero(held.lots[:, own].any(axis=1))
        for side, sign in enumerate((-1.0, 1.0)):
            furthest = np.where(own, held.unit * (1.0 + sign * max(moves)), held.unit)
            touched = _touched(held, near, holders, furthest)
            before = _along(sign, forced_sales(touched, held.unit)[:, own])
            for place, move in enumerate(moves):
                unit = np.where(own, held.unit * (1.0 + sign * move), held.unit)
                more = _along(sign, forced_sales(touched, unit)[:, own]) - before
                slope = max(more, 0.0) * _PER_CENT / move
                profile[side, market, place] = slope / depth[market]
    return profile


def _along(sign: float, traded: Matrix) -> float:
    """Net what is traded in one market, in the direction of a move: never below zero."""
    sold, bought = traded.sum(axis=1)
    return max(sign * float(bought - sold), 0.0)


def _touched(held: Held, near: Flags, holders: Rows, furthest: Vector) -> Held:
    """Keep the accounts that may be below maintenance now, and those that may be at the furthest move.

    Between the two an account's equity is linear and its requirement, position by position, convex: what is
    above at both ends is above all the way. Who holds nothing of what moves stands where it stood.
    """
    far = held.model.near(held.cash[holders], held.lots[holders], furthest, Level.MAINTENANCE)
    chosen = near.copy()
    chosen[holders[far]] = True
    rows = np.flatnonzero(chosen)
    return replace(held, cash=held.cash[rows], lots=held.lots[rows])


def branching_ratio(profile: Matrix) -> Vector:
    """Take the worst of both sides and all moves: Vector [M]."""
    worst: Vector = profile.max(axis=(0, 2))
    return worst
