"""Which loss decides a portfolio's requirement, and what does every position add to it?"""

from dataclasses import dataclass

import numpy as np

from plimsoll.domain.scenario_sets import JointMoves, ScenarioGrid, ScenarioSet
from plimsoll.margin.losses import (
    lone_shares,
    position_profit,
    scenario_profit,
    set_loss,
    together,
    worst_tries,
)
from plimsoll.margin.venue import VenueMargin
from plimsoll.pricing import PriceTable
from plimsoll.types import Matrix, Vector

__all__ = ["BindingLoss", "binding_loss"]


@dataclass(frozen=True, slots=True)
class BindingLoss:
    r"""The largest loss, before any factor, and its division after Euler.

    .. math:: L = \sum_i c_i - relief, \quad c_i = q_i\, \partial L / \partial q_i

    Every measure of the engine is homogeneous of degree 1 in quantities, so the shares add up; where two
    scenarios tie, they are those of the first.

    Attributes
    ----------
    measure : str             ``worst scenario``, ``sum of worst scenarios``, ``mean of the worst``,
                              ``basis``, ``correlation-break floor`` or ``none``.
    loss : float              The profile's unit.
    shares : Vector [I]       What each instrument adds; negative where it relieves.
    scenarios : tuple [I]     Where each share is measured.
    relief : float            What an allowance leaves uncharged.
    """

    measure: str
    loss: float
    shares: Vector
    scenarios: tuple[str, ...]
    relief: float = 0.0


def binding_loss(exposed: Vector, venue: VenueMargin, *, initial: bool) -> BindingLoss:
    """Find the loss that decides, as `VenueMargin.requirement` does, and divide it.

    Parameters
    ----------
    exposed : Vector [I]   From `VenueMargin.exposed`.
    """
    measured = zip(venue.sets[initial], venue.tables(initial=initial), strict=True)
    size = len(exposed)
    basis = venue.charges.basis_shares(exposed)
    found = [
        _nothing(size),
        *(_of_set(exposed, scenarios, table, venue) for scenarios, table in measured),
        BindingLoss("basis", float(basis.sum()), basis, ("basis",) * size),
        _floor(exposed, venue, initial=initial),
    ]
    return max(found, key=lambda each: each.loss)


def _nothing(size: int) -> BindingLoss:
    return BindingLoss("none", 0.0, np.zeros(size), ("",) * size)


def _of_set(exposed: Vector, scenarios: ScenarioSet, table: PriceTable, venue: VenueMargin) -> BindingLoss:
    discount = venue.profile.discount
    profit = scenario_profit(exposed, table, discount)
    total = together(profit, scenarios, venue.quote_per_unit, table.moves.tries)
    loss = set_loss(profit, total, scenarios)
    if loss == 0.0:
        return _nothing(len(exposed))
    shares = position_profit(exposed, table, discount)
    names, underlying = table.moves.names, table.chain.underlying
    if isinstance(scenarios, JointMoves):
        rows = np.argsort(total)[: scenarios.tail]
        where = f"mean of {len(rows)} rows, worst {names[rows[0]]}"
        tried = worst_tries(profit, table.moves.tries)[:, rows][underlying]
        divided = -np.take_along_axis(shares, tried, axis=1).mean(axis=1)
        return BindingLoss("mean of the worst", loss, divided, (where,) * len(exposed))
    if isinstance(scenarios, ScenarioGrid) and scenarios.gain_credit is None:
        worst = profit.argmin(axis=1)[underlying]
        losing = profit.min(axis=1)[underlying] < 0.0
        divided = np.where(losing, -shares[np.arange(len(exposed)), worst], 0.0)
        measure = "sum of worst scenarios" if len(set(underlying[exposed != 0.0])) > 1 else "worst scenario"
        return BindingLoss(measure, loss, divided, tuple(names[s] for s in worst))
    s = int(total.argmin())
    divided = -shares[:, s] * _credit(profit, scenarios)[underlying, s]
    relief = float(divided.sum()) - loss if _allows(scenarios) else 0.0
    return BindingLoss("worst scenario", loss, divided, (names[s],) * len(exposed), relief)


def _credit(profit: Matrix, scenarios: ScenarioSet) -> Matrix:
    """Give what counts of each underlying's result: Matrix [U, S]."""
    credit = scenarios.gain_credit if isinstance(scenarios, ScenarioGrid) else None
    return np.where(profit > 0.0, 1.0 if credit is None else credit, 1.0)


def _allows(scenarios: ScenarioSet) -> bool:
    return isinstance(scenarios, ScenarioGrid) and scenarios.allowance > 0.0


def _floor(exposed: Vector, venue: VenueMargin, *, initial: bool) -> BindingLoss:
    """Charge a share of what positions would lose alone, in the set where that is most."""
    pairs = zip(venue.sets[initial], venue.tables(initial=initial), strict=True)
    lone = [lone_shares(exposed, table, scenarios) for scenarios, table in pairs]
    most = max(lone, key=lambda shares: float(shares.sum()), default=np.zeros(len(exposed)))
    divided = venue.profile.gross_floor * most
    return BindingLoss(
        "correlation-break floor", float(divided.sum()), divided, ("its own worst scenario",) * len(exposed)
    )
