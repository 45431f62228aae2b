"""Does forced selling feed itself on a venue that lists options?"""

from typing import NamedTuple

import numpy as np

from plimsoll.clearing.feedback import MOVES, Held
from plimsoll.clearing.liquidation import reduction
from plimsoll.domain.instruments import Option
from plimsoll.domain.money import QUANTA_PER_UNIT
from plimsoll.domain.parameters import Level
from plimsoll.margin.option_book import OptionMargin
from plimsoll.pricing.greeks import unit_greeks
from plimsoll.types import Lots, Matrix, Vector

__all__ = ["option_branching_profile"]

_PER_CENT = 0.01


def option_branching_profile(
    held: Held,
    model: OptionMargin,
    markets: tuple[str, ...],
    depth: Vector,
    moves: tuple[float, ...] = MOVES,
) -> Matrix:
    r"""`branching_profile` where options are listed: everything is repriced at every move.

    .. math:: L_m(x) = \sum_{a: E_a < M_a} f_a \sum_{i \in m} q_{ai}\, \delta_i F_i

    Whoever buys an option that was sold by force lays its delta off in the market, so that is what counts of
    it. Equity is not linear in the move and requirements not convex, so all holders are looked at everywhere.

    Parameters
    ----------
    model : OptionMargin   In force.
    depth : Vector [M]     Quote quanta per 1 % move, above 0.

    Returns
    -------
    array [2, M, K]   Falls, then rises.
    """
    lot = held.unit / (model.marks * QUANTA_PER_UNIT)
    profile = np.zeros((2, len(markets), len(moves)))
    for m, market in enumerate(markets):
        own = model.columns_of(market)
        rows = np.flatnonzero(held.lots[:, own].any(axis=1))
        holders = _Holders(held.cash[rows], held.lots[rows], own, lot, held)
        still = _forced(holders, model)
        for side, sign in enumerate((-1.0, 1.0)):
            before = max(sign * still, 0.0)
            for place, move in enumerate(moves):
                after = max(sign * _forced(holders, model.moved(market, 1.0 + sign * move)), 0.0)
                slope = max(after - before, 0.0) * _PER_CENT / move
                profile[side, m, place] = slope / depth[m]
    return profile


class _Holders(NamedTuple):
    """Who holds anything of one market.

    Attributes
    ----------
    cash : Quanta [A]; lots : Lots [A, I]
    own : Rows [J]     Columns of the market.
    lot : Vector [I]   Base units.
    held : Held        For its rules.
    """

    cash: np.ndarray
    lots: Lots
    own: np.ndarray
    lot: Vector
    held: Held


def _forced(holders: _Holders, model: OptionMargin) -> float:
    """Net what would be bought by force in the market at a model's quotes, quote quanta; below zero sold."""
    rules, unit = holders.held.rules, holders.lot * model.marks * QUANTA_PER_UNIT
    notional = holders.lots * unit
    equity = holders.cash + notional.sum(axis=1)
    maintenance = model.requirement(notional, Level.MAINTENANCE)
    breached = (equity < maintenance) & notional.any(axis=1)
    if not breached.any():
        return 0.0
    notional, equity, maintenance = notional[breached], equity[breached], maintenance[breached]
    share = reduction(
        equity,
        maintenance,
        np.abs(notional).sum(axis=1),
        np.full(len(equity), rules.fee),
        equity < rules.full_share * maintenance,
        rules.health_target,
    )
    exposure = _delta_value(model) * holders.lot * QUANTA_PER_UNIT
    traded = holders.lots[breached][:, holders.own] @ exposure[holders.own]
    return -float(share @ traded)


def _delta_value(model: OptionMargin) -> Vector:
    """Give what one base unit of each listing moves like in its market, quote units; 0 of what expired."""
    chain = model.venue.chain
    delta = unit_greeks(chain).delta
    worth = np.zeros(len(model.marks))
    worth[model.live] = model.marks[model.live]
    for row, column in enumerate(model.live):
        if isinstance(chain.instruments[row], Option):
            worth[column] = delta[row] * chain.forward[chain.slot[row]]
    return worth
