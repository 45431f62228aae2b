"""What do the Greeks of a portfolio ask for, and what is the most that full repricing could ask for?"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from msgspec import Struct

from plimsoll.domain.instruments import Instrument
from plimsoll.domain.market import Market
from plimsoll.domain.parameters import Level
from plimsoll.domain.portfolios import Holding, Portfolio
from plimsoll.domain.profiles import PortfolioProfile
from plimsoll.domain.scenario_sets import ScenarioGrid
from plimsoll.errors import Code, PlimsollError
from plimsoll.kernels.curvature import worst_quadratic
from plimsoll.margin.parts import Part
from plimsoll.margin.remainder import BoundedBox
from plimsoll.pricing import Chain, build_chain, build_moves
from plimsoll.pricing.boxes import move_boxes
from plimsoll.pricing.greeks import unit_greeks
from plimsoll.types import Rows, Vector

__all__ = [
    "ExpiryGreeks",
    "GreeksMargin",
    "GreeksRequirement",
    "greeks_of",
    "greeks_report",
    "greeks_requirement",
    "held_quantity",
]

_Boxes: TypeAlias = tuple[BoundedBox, ...]
"""Of one underlying and set."""


class ExpiryGreeks(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sensitivities of what a portfolio holds of one underlying and expiry.

    Attributes
    ----------
    underlying : str
    expiry : int     Milliseconds UTC; 0 for spot and perpetuals.
    delta : float    Base units: profit per unit of the forward.
    gamma : float    Base units per unit of the forward.
    vega : float     Quote currency per 1.0 of volatility (100 points).
    theta : float    Quote currency per year that passes.
    """

    underlying: str
    expiry: int
    delta: float
    gamma: float
    vega: float
    theta: float


class GreeksRequirement(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the Greeks of one portfolio ask for, in place of the scenario part of full repricing.

    Attributes
    ----------
    profile : str; level : Level
    parts : tuple of Part     `delta-gamma`, `vega` and `remainder`, none negative.
    bound : float             The scenario part of full repricing is never larger; neither is any move between
        its cells.
    """

    profile: str
    level: Level
    parts: tuple[Part, ...]
    bound: float

    @property
    def unguarded(self) -> float:
        """Give the delta-gamma-vega loss, which full repricing can exceed."""
        return sum(part.amount for part in self.parts if part.name != "remainder")

    @property
    def required(self) -> float:
        """Give the sum of the parts, at least the bound."""
        return sum(part.amount for part in self.parts)


@dataclass(frozen=True, slots=True)
class _Loss:
    """What one set of scenarios takes, money: by the Greeks in two parts, and at most."""

    spot: float
    volatility: float
    bound: float

    @property
    def charged(self) -> float:
        return max(self.spot + self.volatility, self.bound)


def held_quantity(portfolio: Portfolio, market: Market) -> tuple[Chain, Vector]:
    """Give the chain of what a portfolio holds, and how much of each: Vector [I]."""
    chain = build_chain(_instruments(portfolio.holdings), market)
    return chain, _quantity(portfolio.holdings, chain.instruments)


def greeks_report(portfolio: Portfolio, market: Market) -> tuple[ExpiryGreeks, ...]:
    """Add the Greeks up per underlying and expiry, in order of both; what nets to nothing is listed too."""
    chain, quantity = held_quantity(portfolio, market)
    return greeks_of(chain, quantity, np.arange(len(quantity)))


def greeks_of(chain: Chain, quantity: Vector, held: Rows) -> tuple[ExpiryGreeks, ...]:
    """Add the Greeks of quantities [I] of some instruments of a chain up, per underlying and expiry."""
    unit = unit_greeks(chain)
    expiries = np.array([slot.expiry for slot in chain.slots], dtype=np.int64)[chain.slot]
    keys = sorted({(chain.underlyings[chain.underlying[i]], int(expiries[i])) for i in held})
    lines = []
    for underlying, expiry in keys:
        of_market = chain.underlying[held] == chain.underlyings.index(underlying)
        rows = held[of_market & (expiries[held] == expiry)]
        sums = [
            float(quantity[rows] @ greek[rows]) for greek in (unit.delta, unit.gamma, unit.vega, unit.theta)
        ]
        lines.append(
            ExpiryGreeks(
                underlying=underlying,
                expiry=expiry,
                delta=sums[0],
                gamma=sums[1],
                vega=sums[2],
                theta=sums[3],
            )
        )
    return tuple(lines)


def greeks_requirement(
    portfolio: Portfolio, market: Market, profile: PortfolioProfile, level: Level
) -> GreeksRequirement:
    """Margin the holdings of one portfolio by their Greeks; see `GreeksMargin`."""
    return GreeksMargin(_instruments(portfolio.holdings), market, profile).requirement(portfolio, level)


class GreeksMargin:
    r"""Delta-gamma-vega in closed form over a profile's grids, and a bound on what it leaves out.

    With x the relative move of spot and forwards and :math:`\Delta\sigma^j` the grid's moves of volatility,

    .. math::
        L &= f \sum_u \max_{boxes} w \Big( \max_x -(D_u x + \tfrac12 G_u x^2)
             + \max(0, \max_j -\textstyle\sum_i q_i \nu_i \Delta\sigma_i^j) \Big) \\
        D_u &= \sum_i q_i F_i \delta_i, \qquad G_u = \sum_i q_i F_i^2 \gamma_i

    Spot and volatility part company in the sum, so the worst of the box is the worst of each: the parabola at
    an end or at its turn, volatility at none or all of a move. Underlyings are summed, as the engine sums
    them. It stands for the `scenarios` part alone; basis, gross floor and charges on size are not in it.
    Collateral that moves in scenarios is not seen.
    """

    def __init__(
        self, instruments: tuple[Instrument, ...], market: Market, profile: PortfolioProfile
    ) -> None:
        self.profile = profile
        self.chain = build_chain(instruments, market)
        self._unit = unit_greeks(self.chain)
        self._sets = {initial: self._boxes(initial=initial) for initial in (False, True)}

    def requirement(self, portfolio: Portfolio, level: Level) -> GreeksRequirement:
        """Margin a portfolio of the engine's instruments. A call asks for what initial margin asks for."""
        initial = level != Level.MAINTENANCE
        factor = self.profile.initial_factor if initial else self.profile.maintenance_factor
        quantity = _quantity(portfolio.holdings, self.chain.instruments)
        losses = [self._loss(quantity, boxes) for boxes in self._sets[initial]]
        largest = max(losses, key=lambda loss: loss.charged)
        remainder = max(0.0, largest.bound - largest.spot - largest.volatility)
        amounts = (("delta-gamma", largest.spot), ("vega", largest.volatility), ("remainder", remainder))
        return GreeksRequirement(
            profile=self.profile.name,
            level=level,
            parts=tuple(Part(name, factor * amount) for name, amount in amounts),
            bound=factor * max(loss.bound for loss in losses),
        )

    def _boxes(self, *, initial: bool) -> tuple[tuple[_Boxes, ...], ...]:
        """Draw the boxes of every set and underlying that has instruments."""
        ranges = {r.underlying: r.initial if initial else r.maintenance for r in self.profile.ranges}
        held = sorted({slot.underlying for slot in self.chain.slots})
        sets = []
        for scenarios in _grids(self.profile):
            moves = build_moves(scenarios, self.chain, ranges)
            sides = [(u, move_boxes(self.chain, moves, u)) for u in held]
            sets.append(tuple(tuple(BoundedBox(self.chain, u, box) for box in boxes) for u, boxes in sides))
        return tuple(sets)

    def _loss(self, quantity: Vector, sides: tuple[_Boxes, ...]) -> _Loss:
        """Add up the worst box of every underlying."""
        spot = volatility = bound = 0.0
        for boxes in sides:
            pairs = [self._quadratic(quantity, bounded) for bounded in boxes]
            worst = max(pairs, key=sum)
            spot, volatility = spot + worst[0], volatility + worst[1]
            bound += max(bounded.bound(quantity, self._unit) for bounded in boxes)
        return _Loss(spot, volatility, bound)

    def _quadratic(self, quantity: Vector, bounded: BoundedBox) -> tuple[float, float]:
        """Give the weighted delta-gamma and vega losses of a box, neither negative."""
        box, rows = bounded.box, bounded.rows
        forward, held = self.chain.forward[self.chain.slot[rows]], quantity[rows]
        slope = float(held @ (forward * self._unit.delta[rows]))
        curvature = float(held @ (forward * forward * self._unit.gamma[rows]))
        shift = box.volatility[:, rows] @ (held * self._unit.vega[rows])
        moved = worst_quadratic(slope, curvature, box.low, box.high)
        return box.weight * max(0.0, moved), box.weight * max(0.0, -float(shift.min(initial=0.0)))


def _grids(profile: PortfolioProfile) -> tuple[ScenarioGrid, ...]:
    """Refuse what is no sum of worst losses per underlying in quote currency."""
    grids = tuple(
        s
        for s in profile.scenarios
        if isinstance(s, ScenarioGrid) and s.gain_credit is None and s.allowance == 0.0
    )
    plain = profile.unit == "quote" and profile.discount is None and len(grids) == len(profile.scenarios)
    if not (grids and plain):
        raise PlimsollError(
            Code.BAD_SETTING,
            f"profile {profile.name} has more than plain grids in quote currency",
            where="profile.scenarios",
            remedy="Margin under this profile by full repricing.",
        )
    return grids


def _instruments(holdings: tuple[Holding, ...]) -> tuple[Instrument, ...]:
    return tuple(dict.fromkeys(holding.instrument for holding in holdings))


def _quantity(holdings: tuple[Holding, ...], instruments: tuple[Instrument, ...]) -> Vector:
    rows = {instrument: row for row, instrument in enumerate(instruments)}
    quantity = np.zeros(len(instruments))
    for i, holding in enumerate(holdings):
        if not np.isfinite(holding.quantity):
            raise PlimsollError(
                Code.BAD_QUANTITY,
                f"the quantity is {holding.quantity}",
                where=f"holdings[{i}].quantity",
                remedy="Give a finite number.",
            )
        quantity[rows[holding.instrument]] += holding.quantity
    return quantity
