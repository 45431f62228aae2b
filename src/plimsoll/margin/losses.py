"""What does one portfolio gain or lose in every scenario of a set?"""

import numpy as np

from plimsoll.domain.profiles import ExpiryDiscount, SideDiscount
from plimsoll.kernels.repricing import NO_SKEW
from plimsoll.pricing import PriceTable
from plimsoll.types import Matrix, Vector

__all__ = ["lone_losses", "scenario_profit"]


def scenario_profit(quantity: Vector, table: PriceTable, discount: ExpiryDiscount | None) -> Matrix:
    r"""Add up what each slot's instruments gain together.

    .. math::
        P_{u,s} = \sum_{e \in u} w_{e,s}\, g_{e,s}\Big(\sum_{i \in e} q_i V_{i,s},\; \sum_{i \in e} q_i
        V_i\Big)

    g is the difference :math:`V' - V`. Where expiries are discounted, the options of one count
    :math:`d(V')\, V' - V` instead, and in a skew scenario every slot of options counts :math:`-|g|`: nobody
    knows
    which way a smile will turn.

    Parameters
    ----------
    quantity : Vector [I]   Signed, in units of the table's instruments.

    Returns
    -------
    Matrix [U, S]   Per underlying; the unit of the table.
    """
    chain, moves = table.chain, table.moves
    profit = np.zeros((len(chain.underlyings), len(moves.names)))
    skewed = moves.skew != NO_SKEW
    for e, slot in enumerate(chain.slots):
        rows = np.flatnonzero((chain.slot == e) & (quantity != 0.0))
        if len(rows) == 0:
            continue
        if not slot.is_option:
            gain = quantity[rows] @ (table.shocked[rows] - table.value[rows, None])
        else:
            shocked = quantity[rows] @ table.shocked[rows]
            counted = (
                shocked if discount is None else _discounted(shocked, discount, chain.rate[e], chain.tau[e])
            )
            gain = counted - quantity[rows] @ table.value[rows]
            gain = np.where(skewed, -np.abs(gain), gain)
        profit[slot.underlying] += moves.weight[e] * gain
    return profit


def lone_losses(quantity: Vector, table: PriceTable) -> float:
    """Add up what each holding would lose by itself in its own worst scenario."""
    held = np.flatnonzero(quantity)
    gains: Matrix = quantity[held, None] * table.change[held]
    return float(np.maximum(-gains, 0.0).max(axis=1, initial=0.0).sum())


def _discounted(value: Vector, discount: ExpiryDiscount, rate: float, tau: float) -> Vector:
    r"""Count an asset at :math:`d_a`, a liability at :math:`\min(e^{r \tau}, d_l)` of its value."""
    asset = discount.asset.static * _decay(discount.asset, rate, tau)
    liability = min(np.exp(rate * tau), discount.liability.static / _decay(discount.liability, rate, tau))
    return np.where(value >= 0.0, asset, liability) * value


def _decay(side: SideDiscount, rate: float, tau: float) -> float:
    return float(np.exp(-tau * (rate * side.multiple + side.spread)))
