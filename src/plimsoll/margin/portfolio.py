"""What does one account need when its hedges are netted?"""

from copy import copy
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from plimsoll.domain.instruments import Listing
from plimsoll.domain.parameters import CrossMargin, JointScenarios, Level
from plimsoll.kernels.lasting_tails import Terms, nothing_known, positions_by_account, refresh
from plimsoll.kernels.shortfall import expected_shortfall, scenario_moves
from plimsoll.kernels.valuation import room_above_lone
from plimsoll.margin.model import MarginModel, market_columns, side_rates
from plimsoll.types import Lots, Matrix, Quanta, Rows, Vector

__all__ = ["JointTable", "PortfolioMargin"]


@dataclass(frozen=True, slots=True)
class JointTable:
    """Joint scenarios ready to be summed.

    Attributes
    ----------
    scenarios : JointScenarios
    columns : Rows [J]                 Which of the model's markets the rows are of.
    moves : tuple of array [2, J, S]   Per `Level`: loss per unit of notional of the J markets of the rows.
    """

    scenarios: JointScenarios
    columns: Rows
    moves: tuple[Matrix, ...]


class PortfolioMargin(MarginModel):
    r"""Third generation, for linear instruments.

    Instruments of one underlying net in full. The markets of the joint scenarios are summed scenario by
    scenario and charged their expected shortfall; a market without rows nets with nothing and pays its own
    rate. The requirement never falls below a share of the gross, since correlation can break:

    .. math:: R = \max\Big(ES_{joint} + \sum_{m \notin joint} r_m |N_m|,\; g \sum_m r_m |N_m|\Big)

    A position alone pays exactly its rate. Calls and initial margin answer to every table, the announced one
    included, and count hedges at the credit they may have when the notice ends.
    """

    def __init__(self, method: CrossMargin, listings: tuple[Listing, ...]) -> None:
        self.markets = tuple(market.market for market in method.markets)
        self.columns = market_columns(listings, self.markets)
        self.gross_floor = method.gross_floor
        self.rates = np.stack([side_rates(method.markets, level) for level in Level])
        self.tables = tuple(_table(scenarios, method, self.rates) for scenarios in method.dependence)

    def over(self, listings: tuple[Listing, ...]) -> "PortfolioMargin":
        """Net the same joint scenarios in other columns."""
        other = copy(self)
        other.columns = market_columns(listings, self.markets)
        other.__dict__.pop("terms", None)
        return other

    def requirement(self, notional: Matrix, level: Level) -> Vector:
        """Take the larger of the netted requirement and the correlation floor."""
        exposure = self.exposure(notional)
        alone = self.alone(exposure, level)
        gross = alone.sum(axis=1)
        needed: Vector = np.maximum(self._joined(exposure, alone, gross, level), self.gross_floor * gross)
        return needed

    def netted(self, notional: Matrix, level: Level) -> Vector:
        """Give the requirement before the correlation floor: Vector [A]."""
        exposure = self.exposure(notional)
        alone = self.alone(exposure, level)
        return self._joined(exposure, alone, alone.sum(axis=1), level)

    def _joined(self, exposure: Matrix, alone: Matrix, gross: Vector, level: Level) -> Vector:
        """Take the table that asks for most; without any, nothing nets."""
        needed = [_netted(exposure, alone, gross, table, level) for table in self.tables_at(level)]
        worst: Vector = np.max(needed, axis=0) if needed else gross
        return worst

    def valued(self, rows: Rows, cash: Quanta, lots: Lots, unit: Vector) -> Matrix | None:
        """Give equity rounded down and maintenance rounded up of some rows of a book: Matrix [2, B].

        The same as the definition but for the order in which floats are added. None where the set has no
        joint scenarios.
        """
        if self.terms is None:
            return None
        positions = positions_by_account(lots[rows], self.columns, 0)
        figures = np.empty((2, len(rows)))
        every = np.arange(len(rows))
        refresh(every, cash[rows], unit, self.terms, positions, nothing_known(positions), figures)
        return figures

    @cached_property
    def terms(self) -> Terms | None:
        """What accounts are charged at maintenance, for the compiled way; None without joint scenarios."""
        if not self.tables:
            return None
        table, level = self.tables[0], Level.MAINTENANCE
        places = np.full(len(self.markets), -1, dtype=np.intp)
        places[table.columns] = np.arange(len(table.columns))
        moves = np.ascontiguousarray(np.concatenate(list(table.moves[level])))
        spans = moves.max(axis=1) - moves.min(axis=1)
        tail = table.scenarios.tail
        return Terms(self.columns, self.rates[level], places, moves, spans, tail, self.gross_floor)

    def room(self, cash: Quanta, lots: Lots, unit: Vector, level: Level) -> Vector:
        """Compare equity with what the positions need one by one, which netting only lowers."""
        return room_above_lone(cash, lots, unit, self.standalone(level))

    def steepest(self, level: Level) -> Vector:
        r"""Bound the growth of the expected shortfall, which is monotone and sub-additive.

        .. math:: ES(L + |\delta|\, g) \le ES(L) + |\delta|\, ES(g), \quad g_s = \max_{side} |x_{side, s}|
        """
        steepest = self.rates[level].max(axis=1)
        for table in self.tables_at(level):
            sizes = np.abs(table.moves[level]).max(axis=0)
            tail = np.partition(sizes, -table.scenarios.tail, axis=1)[:, -table.scenarios.tail :]
            steepest[table.columns] = np.maximum(steepest[table.columns], tail.mean(axis=1))
        by_column: Vector = steepest[self.columns]
        return by_column

    def standalone(self, level: Level) -> Matrix:
        """Give the calibrated rates."""
        rates: Matrix = self.rates[level][self.columns]
        return rates

    def exposure(self, notional: Matrix) -> Matrix:
        """Net the instruments of each underlying: Matrix [A, M]."""
        exposure = np.zeros((len(notional), len(self.markets)))
        for instrument, market in enumerate(self.columns):
            exposure[:, market] += notional[:, instrument]
        return exposure

    def alone(self, exposure: Matrix, level: Level) -> Matrix:
        """Charge each market by itself: Matrix [A, M]."""
        rates = self.rates[level]
        charged: Matrix = np.where(exposure < 0.0, -exposure * rates[:, 1], exposure * rates[:, 0])
        return charged

    def tables_at(self, level: Level) -> tuple[JointTable, ...]:
        """Give the tables that a level answers to: maintenance only to the one in force."""
        return self.tables[:1] if level == Level.MAINTENANCE else self.tables


def _netted(exposure: Matrix, alone: Matrix, gross: Vector, table: JointTable, level: Level) -> Vector:
    """Replace what several markets of one table need apart by what they need together."""
    joint = exposure[:, table.columns]
    hedged = np.flatnonzero(np.count_nonzero(joint, axis=1) > 1)
    needed = gross.copy()
    if len(hedged) > 0:
        together = expected_shortfall(
            np.ascontiguousarray(joint[hedged]), table.moves[level], table.scenarios.tail
        )
        needed[hedged] += together - alone[np.ix_(hedged, table.columns)].sum(axis=1)
    return needed


def _table(scenarios: JointScenarios, method: CrossMargin, rates: Matrix) -> JointTable:
    markets = tuple(market.market for market in method.markets)
    columns = np.array([markets.index(market) for market in scenarios.markets], dtype=np.intp)
    credit = np.array([[m.long.credit, m.short.credit] for m in method.markets])[columns]
    later = np.array([[m.long.initial_credit, m.short.initial_credit] for m in method.markets])[columns]
    rows = np.array(scenarios.rows)
    moves = tuple(
        scenario_moves(
            rows, scenarios.tail, rates[level][columns], credit if level == Level.MAINTENANCE else later
        )
        for level in Level
    )
    return JointTable(scenarios, columns, moves)
