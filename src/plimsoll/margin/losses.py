"""What does one portfolio gain or lose in every scenario of a set?"""

import numpy as np

from plimsoll.domain.profiles import ExpiryDiscount, SideDiscount
from plimsoll.domain.scenario_sets import JointMoves, ScenarioGrid, ScenarioSet
from plimsoll.kernels.repricing import NO_SKEW
from plimsoll.pricing import PriceTable
from plimsoll.types import Matrix, Rows, Vector

__all__ = [
    "lone_losses",
    "lone_shares",
    "position_profit",
    "scenario_profit",
    "set_loss",
    "together",
    "worst_tries",
]


def scenario_profit(quantity: Vector, table: PriceTable, discount: ExpiryDiscount | None) -> Matrix:
    r"""Add up what each slot's instruments gain together.

    .. math::
        P_{u,s} = \sum_{e \in u} w_{e,s}\, g_{e,s}\Big(\sum_{i \in e} q_i V_{i,s},\; \sum_{i \in e} q_i
        V_i\Big)

    g is the difference :math:`V' - V`. Where expiries are discounted, the options of one count
    :math:`d(V')\, V' - V` instead, and in a skew scenario every slot of options counts :math:`-|g|`:
    nobody knows which way a smile will turn.

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


def position_profit(quantity: Vector, table: PriceTable, discount: ExpiryDiscount | None) -> Matrix:
    r"""Divide `scenario_profit` among the positions, after Euler.

    The profit of a slot is linear in quantities as long as the signs of its value and of its gain hold, so
    each position's share is its own with those signs:

    .. math::
        p_{i,s} = q_i\, w_{e,s}\, \epsilon_{e,s} \big(d_{e,s} V_{i,s} - V_i\big)

    with :math:`d = d(V')` of the slot's options (1 for the rest) and :math:`\epsilon = -\mathrm{sgn}(g)` of
    the slot's options in a skew scenario (else 1). Summed over an underlying it is `scenario_profit`.

    Returns
    -------
    Matrix [I, S]   The unit of the table.
    """
    chain, moves = table.chain, table.moves
    shares = np.zeros((len(quantity), len(moves.names)))
    skewed = moves.skew != NO_SKEW
    for e, slot in enumerate(chain.slots):
        rows = np.flatnonzero((chain.slot == e) & (quantity != 0.0))
        if len(rows) == 0:
            continue
        counted = np.ones(len(moves.names))
        if slot.is_option and discount is not None:
            counted = _counted(quantity[rows] @ table.shocked[rows], discount, chain.rate[e], chain.tau[e])
        gain = quantity[rows, None] * (counted * table.shocked[rows] - table.value[rows, None])
        if slot.is_option:
            gain = np.where(skewed & (gain.sum(axis=0) > 0.0), -gain, gain)
        shares[rows] = moves.weight[e] * gain
    return shares


def worst_tries(profit: Matrix, tries: int) -> Rows:
    """Choose the try that leaves each underlying least in each row: Rows [U, S / tries], columns of S."""
    rows = profit.shape[1] // tries
    found: Rows = profit.reshape(len(profit), tries, rows).argmin(axis=1) * rows + np.arange(rows)
    return found


def together(profit: Matrix, scenarios: ScenarioSet, quote_per_unit: float, tries: int) -> Vector:
    """Add the underlyings up scenario by scenario, each at its worst try: Vector [S / tries]."""
    credit = 1.0
    if isinstance(scenarios, ScenarioGrid) and scenarios.gain_credit is not None:
        credit = scenarios.gain_credit
    worst = np.take_along_axis(profit, worst_tries(profit, tries), axis=1)
    total: Vector = np.where(worst > 0.0, credit * worst, worst).sum(axis=0)
    if isinstance(scenarios, ScenarioGrid) and scenarios.allowance > 0.0:
        return np.minimum(total + scenarios.allowance / quote_per_unit, 0.0)
    return total


def set_loss(profit: Matrix, total: Vector, scenarios: ScenarioSet) -> float:
    """Give the loss that a set charges, from `scenario_profit` and `together`."""
    if isinstance(scenarios, JointMoves):
        return max(0.0, float(-np.sort(total)[: scenarios.tail].mean()))
    if isinstance(scenarios, ScenarioGrid) and scenarios.gain_credit is None:
        return float(np.maximum(-profit, 0.0).max(axis=1, initial=0.0).sum())
    return max(0.0, float(-total.min(initial=0.0)))


def lone_losses(quantity: Vector, table: PriceTable, scenarios: ScenarioSet) -> float:
    """Add up what a set would charge each holding by itself."""
    return float(lone_shares(quantity, table, scenarios).sum())


def lone_shares(quantity: Vector, table: PriceTable, scenarios: ScenarioSet) -> Vector:
    """Give what a set would charge each holding by itself, its worst or the mean of its worst: Vector [I]."""
    gains: Matrix = quantity[:, None] * table.change
    if isinstance(scenarios, JointMoves):
        worst = np.take_along_axis(gains, worst_tries(gains, table.moves.tries), axis=1)
        mean: Vector = np.sort(worst, axis=1)[:, : scenarios.tail].mean(axis=1)
        return np.maximum(-mean, 0.0)
    losses: Vector = np.maximum(-gains, 0.0).max(axis=1, initial=0.0)
    return losses


def _discounted(value: Vector, discount: ExpiryDiscount, rate: float, tau: float) -> Vector:
    """Count a slot's shocked value at `_counted` of it."""
    return _counted(value, discount, rate, tau) * value


def _counted(value: Vector, discount: ExpiryDiscount, rate: float, tau: float) -> Vector:
    r"""Count an asset at :math:`d_a`, a liability at :math:`\min(e^{r \tau}, d_l)` of its value."""
    asset = discount.asset.static * _decay(discount.asset, rate, tau)
    liability = min(np.exp(rate * tau), discount.liability.static / _decay(discount.liability, rate, tau))
    return np.where(value >= 0.0, asset, liability)


def _decay(side: SideDiscount, rate: float, tau: float) -> float:
    return float(np.exp(-tau * (rate * side.multiple + side.spread)))
