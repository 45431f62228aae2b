"""What must an account hold because closing what it has would cost something?"""

from collections.abc import Sequence

import numpy as np
from msgspec import UnsetType

from plimsoll.domain.closing_time import ClosingTime
from plimsoll.domain.cost_curve import LARGEST_COST, CostCurve
from plimsoll.domain.instruments import Listing, Spot
from plimsoll.domain.market_liquidity import MarketLiquidity
from plimsoll.domain.money import QUANTA_PER_UNIT, quanta_up
from plimsoll.domain.parameters import Level
from plimsoll.kernels.closing_cost import closing_costs, closing_growth
from plimsoll.margin.model import MarginModel
from plimsoll.types import Array, Lots, Matrix, Quanta, Vector

__all__ = ["SizeCharge"]


class SizeCharge(MarginModel):
    r"""Any model, and what closing costs under stress on top.

    .. math:: R(N) = R'(N) + \sum_m Q_m cost_m(Q_m) + W_m cost_m(W_m) + |N_m| share_m(|N_m|)

    with Q the net notional of a market's contracts and W the value of the asset of its name held as
    collateral, which so has its haircut from the same curve. Where rates grow with closing time, the last
    term is what `ClosingTime` puts on the rate of the side that both together are on. Monotone and convex in
    either size up to where closing costs everything. Maintenance answers to the curve in force, calls and
    initial margin to the dearest and slowest of those announced as well.

    Parameters
    ----------
    rated : MarginModel   Charges everything else.
    liquidity : sequence of MarketLiquidity   A market that is not named or not charged adds nothing.
    """

    def __init__(
        self, rated: MarginModel, listings: tuple[Listing, ...], liquidity: Sequence[MarketLiquidity]
    ) -> None:
        self.rated = rated
        self._liquidity = liquidity
        kinds = [(entry.underlying, isinstance(entry.instrument, Spot)) for entry in listings]
        known = {entry.market: entry for entry in liquidity if entry.charged}
        self._groups = tuple(kind for kind in dict.fromkeys(kinds) if kind[0] in known)
        self._entries = tuple(known[market] for market, _ in self._groups)
        self._lasting = tuple(
            (entry, entry.closing, np.array([kind[0] == entry.market for kind in kinds], dtype=np.bool_))
            for entry in {each.market: each for each in self._entries}.values()
            if not isinstance(entry.closing, UnsetType)
        )
        belongs = [kind == group for kind in kinds for group in self._groups]
        self._belongs = np.array(belongs, dtype=np.float64).reshape(len(kinds), len(self._groups))

    def requirement(self, notional: Matrix, level: Level) -> Vector:
        """Add the charge to what the rates ask for."""
        needed: Vector = self.rated.requirement(notional, level) + self._charged(notional, level)
        return needed

    def over(self, listings: tuple[Listing, ...]) -> "SizeCharge":
        """Charge the same curves in other columns."""
        return SizeCharge(self.rated.over(listings), listings, self._liquidity)

    def room(self, cash: Quanta, lots: Lots, unit: Vector, level: Level) -> Vector:
        """Take the charge off equity, and ask the rates."""
        return self.rated.room(cash - quanta_up(self._charged(lots * unit, level)), lots, unit, level)

    def steepest(self, level: Level) -> Vector:
        r"""Add the steepest of what size is charged, where it costs everything.

        For :math:`Q cost(Q)` that is at most one and the exponent; for what closing time puts on a rate r,

        .. math:: (Q\,share)' = share + Q\,share' \le 1 + \tfrac{1}{2} r \sqrt{H / H_0} \le 1.5 + r / 2
        """
        costly = np.array([1.0 + max(0.5, *(c.exponent for c in entry.curves)) for entry in self._entries])
        bound: Vector = self.rated.steepest(level) + self._belongs @ costly
        for _, _, columns in self._lasting:
            bound[columns] += 1.5 + 0.5 * self.rated.standalone(level)[columns].max()
        return bound

    def standalone(self, level: Level) -> Matrix:
        """Add what the spread under stress costs a position however small."""
        spread = np.array(
            [
                max(c.half_spread * c.stressed_depth**-c.exponent for c in _counting(entry, level))
                for entry in self._entries
            ]
        )
        added: Vector = self._belongs @ np.minimum(spread, 1.0)
        return self.rated.standalone(level) + added[:, None]

    def parts(self, notional: Vector, level: Level) -> dict[str, float]:
        """Name the charge of each market's contracts and assets, quote quanta."""
        names = (f"closing {market}{' held as an asset' if asset else ''}" for market, asset in self._groups)
        costs = dict(zip(names, self._by_group(notional[None], level)[0].tolist(), strict=True))
        times = self._by_time(notional[None], level)[0].tolist()
        lasting = (f"time to close {entry.market}" for entry, _, _ in self._lasting)
        return costs | dict(zip(lasting, times, strict=True))

    def _charged(self, notional: Matrix, level: Level) -> Vector:
        charged: Vector = self._by_group(notional, level).sum(axis=1)
        return charged + self._by_time(notional, level).sum(axis=1) if self._lasting else charged

    def _by_group(self, notional: Matrix, level: Level) -> Matrix:
        sizes = np.abs(notional @ self._belongs) / QUANTA_PER_UNIT
        charged = np.zeros_like(sizes)
        for place, entry in enumerate(self._entries):
            costs = [_costs(curve, sizes[:, place]) for curve in _counting(entry, level)]
            charged[:, place] = sizes[:, place] * np.max(costs, axis=0)
        return charged * QUANTA_PER_UNIT

    def _by_time(self, notional: Matrix, level: Level) -> Matrix:
        """Charge each market's net notional for the time that closing it takes: Matrix [A, K], quanta."""
        charged = np.zeros((len(notional), len(self._lasting)))
        for place, (entry, closing, columns) in enumerate(self._lasting):
            net = notional[:, columns].sum(axis=1)
            sides = self.rated.standalone(level)[columns].max(axis=0)
            rates = np.where(net < 0.0, sides[1], sides[0])
            sizes = np.abs(net) / QUANTA_PER_UNIT
            growth = np.max([_growth(closing, curve, sizes) for curve in _counting(entry, level)], axis=0)
            charged[:, place] = np.abs(net) * np.minimum(rates * growth, LARGEST_COST)
        return charged


def _counting(entry: MarketLiquidity, level: Level) -> tuple[CostCurve, ...]:
    return entry.curves[:1] if level == Level.MAINTENANCE else entry.curves


def _growth(closing: ClosingTime, curve: CostCurve, sizes: Vector) -> Array:
    return closing_growth(
        sizes,
        closing.least_hours(curve),
        curve.detect_hours,
        curve.floor_hours,
        closing.participation * curve.volume,
    )


def _costs(curve: CostCurve, sizes: Vector) -> Array:
    thin = curve.stressed_depth**-curve.exponent
    return closing_costs(
        sizes,
        thin * curve.half_spread,
        thin * curve.slope,
        curve.reference,
        curve.exponent,
        curve.rooted(1.0),
    )
