"""What does a profile ask of many portfolios at once?"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from plimsoll.domain.instruments import Option
from plimsoll.domain.profiles import PortfolioProfile
from plimsoll.domain.scenario_sets import JointMoves, ScenarioGrid, ScenarioSet
from plimsoll.errors import Code, PlimsollError
from plimsoll.kernels.book_losses import PositionRows, few_worst, strips_for_worst
from plimsoll.kernels.grouped_losses import grouped_losses
from plimsoll.margin.losses import lone_shares
from plimsoll.margin.venue import VenueMargin
from plimsoll.pricing import PriceTable
from plimsoll.types import Array, Matrix, Rows, Vector

__all__ = ["ManyPortfolios"]

_CELLS = 4_000_000
"""Profits of joint rows that are held at once."""


class ManyPortfolios:
    """`VenueMargin.requirement` of portfolios that post no collateral, all of them in a few passes.

    Equal to it but for the order in which floats are added. One thread does all of it: beside others, as in a
    service, a second one costs more than it saves. What is worked out from the price tables is
    worked out once, when it is first asked for.

    Parameters
    ----------
    venue : VenueMargin   Of a profile in quote currency that sums underlyings up, over sure quotes.

    Raises
    ------
    PlimsollError   `BAD_SETTING` for a profile with parts that are not added up here.
    """

    def __init__(self, venue: VenueMargin) -> None:
        _check(venue.profile)
        self._venue = venue

    def required(self, held: PositionRows, *, initial: bool) -> Vector:
        """Margin every account.

        Parameters
        ----------
        held : PositionRows   Of the chain's instruments, each at most once in an account.

        Returns
        -------
        Vector [A]   Quote currency.
        """
        profile, count = self._venue.profile, len(held.first)
        owners = np.repeat(np.arange(count), held.last - held.first)
        lone = np.zeros(count)
        loss: Vector = self._basis.of(held)
        for measured in self._initial if initial else self._maintenance:
            np.maximum(loss, measured.losses(held), out=loss)
            np.maximum(lone, measured.alone(held, owners, count), out=lone)
        np.maximum(loss, profile.gross_floor * lone, out=loss)
        factor = profile.initial_factor if initial else profile.maintenance_factor
        gap = max(0.0, profile.peg.threshold - self._venue.market.stable) if profile.peg is not None else 0.0
        if initial and profile.peg is not None:
            factor += gap * profile.peg.factor
        charged = self._contingencies(held, owners, count, initial=initial)
        asked: Vector = factor * loss + charged + self._by_size(held, initial=initial)
        return asked

    def _contingencies(self, held: PositionRows, owners: Rows, count: int, *, initial: bool) -> Vector:
        terms = self._venue.profile.contingencies
        short = terms.short_option + (terms.short_option_initial if initial else 0.0)
        linear = terms.linear + (terms.linear_initial if initial else 0.0)
        sizes = np.abs(held.quantity) * self._linear_unit[held.columns]
        spread: Vector = linear * sizes
        charged: Vector = np.bincount(owners, weights=spread, minlength=count).astype(np.float64)
        return charged + short * self._shorts.of(held)

    def _by_size(self, held: PositionRows, *, initial: bool) -> Vector:
        """Charge account by account: what grows faster than positions is no sum over them."""
        charged = np.zeros(len(held.first))
        if self._venue.profile.liquidity:
            for a in np.flatnonzero(held.last > held.first).tolist():
                quantity = _dense(held, a, a + 1, len(self._venue.chain.instruments))[0]
                parts = self._venue.charges.size_parts(quantity, initial=initial)
                charged[a] = sum(part.amount for part in parts)
        return charged

    @cached_property
    def _maintenance(self) -> tuple["_Measured", ...]:
        return _measured(self._venue, initial=False)

    @cached_property
    def _initial(self) -> tuple["_Measured", ...]:
        return _measured(self._venue, initial=True)

    @cached_property
    def _linear_unit(self) -> Vector:
        return self._venue.charges.linear_size(np.ones(len(self._venue.chain.instruments)))

    @cached_property
    def _shorts(self) -> "_Groups":
        """Calls and puts of one strike and expiry net; what is short of them is charged at spot."""
        chain = self._venue.chain
        known: dict[tuple[int, float], int] = {}
        group = np.full(len(chain.instruments), -1, dtype=np.intp)
        for i, instrument in enumerate(chain.instruments):
            if isinstance(instrument, Option):
                group[i] = known.setdefault((int(chain.slot[i]), float(chain.strike[i])), len(known))
        spots = [quote.spot for quote in self._venue.market.underlyings]
        scale = np.array([spots[chain.slots[slot].underlying] for slot, _ in known], dtype=np.float64)
        return _Groups(group, np.full((len(group), 1), -1.0), scale)

    @cached_property
    def _basis(self) -> "_Groups":
        """Each expiry by itself, in the end that costs it more."""
        chain = self._venue.chain
        dated = np.array([slot.expiry != 0 for slot in chain.slots], dtype=np.bool_)
        loss, scale = self._venue.charges.basis_ends()
        return _Groups(np.where(dated[chain.slot], chain.slot, -1), loss, scale)


@dataclass(frozen=True, slots=True)
class _Groups:
    """What `grouped_losses` takes beside positions."""

    group: Rows
    loss: Matrix
    scale: Vector

    def of(self, held: PositionRows) -> Vector:
        """Vector [A]."""
        found: Vector = grouped_losses(held, self.group, self.loss, self.scale)
        return found


@dataclass(frozen=True, slots=True)
class _Measured:
    """One scenario set, worked out for whole books.

    Attributes
    ----------
    scenarios : ScenarioSet; table : PriceTable
    groups : tuple of Rows [U]   Which instruments are of each underlying.
    sides : tuple [U]       Of a grid, their strips.
    long, short : Vector [I]   What a unit bought, or sold, would be charged by itself.
    """

    scenarios: ScenarioSet
    table: PriceTable
    groups: tuple[Rows, ...]
    sides: tuple["_Side", ...]
    long: Vector
    short: Vector

    def losses(self, held: PositionRows) -> Vector:
        """Give the loss that the set charges: Vector [A]."""
        if isinstance(self.scenarios, JointMoves):
            return _shortfalls(held, self.table, self.groups, self.scenarios.tail)
        found = np.zeros(len(held.first))
        for side in self.sides:
            found += np.maximum(side.worst(held), 0.0)
        return found

    def alone(self, held: PositionRows, owners: Rows, count: int) -> Vector:
        """Add up what positions would be charged by themselves: Vector [A]."""
        unit = np.where(held.quantity > 0.0, self.long[held.columns], self.short[held.columns])
        worth: Vector = np.abs(held.quantity) * unit
        found: Vector = np.bincount(owners, weights=worth, minlength=count).astype(np.float64)
        return found


@dataclass(frozen=True, slots=True)
class _Side:
    """The instruments of one underlying.

    Attributes
    ----------
    place : Rows [I]      Row in the strips of each instrument; below zero for others.
    strips, lone, blocks, singles   From `strips_for_worst`, of the scenarios that count.
    """

    place: Rows
    strips: Array
    lone: Matrix
    blocks: tuple[int, ...]
    singles: tuple[int, ...]

    def worst(self, held: PositionRows) -> Vector:
        """Give each account's worst scenario over these instruments alone: Vector [A]."""
        own = self.place[held.columns] >= 0
        upto = np.concatenate([[0], np.cumsum(own)])
        part = PositionRows(
            upto[held.first],
            upto[held.last],
            self.place[held.columns[own]].astype(np.int32),
            held.quantity[own],
        )
        accounts = np.arange(len(held.first), dtype=np.intp)
        found = np.empty(len(accounts))
        few_worst(part, self.strips, self.lone, accounts, self.blocks, self.singles, found)
        return found


def _measured(venue: VenueMargin, *, initial: bool) -> tuple[_Measured, ...]:
    ones, underlying = np.ones(len(venue.chain.instruments)), venue.chain.underlying
    groups = tuple(np.flatnonzero(underlying == u) for u in np.unique(underlying))
    return tuple(
        _Measured(
            scenarios,
            table,
            groups,
            () if isinstance(scenarios, JointMoves) else tuple(_side(table, rows) for rows in groups),
            lone_shares(ones, table, scenarios),
            lone_shares(-ones, table, scenarios),
        )
        for scenarios, table in zip(venue.sets[initial], venue.tables(initial=initial), strict=True)
    )


def _side(table: PriceTable, rows: Rows) -> _Side:
    """Cut the part of a table that counts for some instruments into strips."""
    change = table.change
    counts = table.moves.weight[table.chain.slot[rows]].any(axis=0)
    place = np.full(len(change), -1, dtype=np.intp)
    place[rows] = np.arange(len(rows))
    return _Side(place, *strips_for_worst(change[np.ix_(rows, np.flatnonzero(counts))]))


def _shortfalls(held: PositionRows, table: PriceTable, groups: tuple[Rows, ...], tail: int) -> Vector:
    """Average the worst joint rows, each underlying at its worst try: Vector [A]."""
    change, tries = table.change, table.moves.tries
    count, accounts = change.shape[1] // tries, len(held.first)
    found = np.zeros(accounts)
    together = max(1, _CELLS // change.shape[1])
    for first in range(0, accounts, together):
        chosen = _dense(held, first, min(first + together, accounts), len(change))
        total = np.zeros((len(chosen), count))
        for rows in groups:
            profit = chosen[:, rows] @ change[rows]
            total += profit.reshape(len(chosen), tries, count).min(axis=1)
        lowest = np.partition(total, tail - 1, axis=1)[:, :tail] if tail < count else total
        found[first : first + together] = np.maximum(-lowest.mean(axis=1), 0.0)
    return found


def _dense(held: PositionRows, first: int, stop: int, instruments: int) -> Matrix:
    """Give the quantities of some accounts in columns: Matrix [B, I]."""
    part = slice(held.first[first], held.last[stop - 1])
    quantity = np.zeros((stop - first, instruments))
    owners = np.repeat(np.arange(stop - first), (held.last - held.first)[first:stop])
    quantity[owners, held.columns[part]] = held.quantity[part]
    return quantity


def _check(profile: PortfolioProfile) -> None:
    plain = all(
        isinstance(scenarios, JointMoves)
        or (isinstance(scenarios, ScenarioGrid) and scenarios.gain_credit is None and scenarios.skew is None)
        for scenarios in profile.scenarios
    )
    if not plain or profile.discount is not None or profile.roll is not None or profile.unit != "quote":
        raise PlimsollError(
            Code.BAD_SETTING,
            f"profile {profile.name} has parts that are not added up for many portfolios at once",
            where="profile",
            remedy="Margin its accounts one by one.",
        )
