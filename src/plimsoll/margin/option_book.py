"""How are accounts margined on a venue that lists options?"""

from functools import cached_property

import numpy as np

from plimsoll.domain.instruments import Future, Instrument, Listing, Option
from plimsoll.domain.market import Market, moved_market
from plimsoll.domain.money import QUANTA_PER_UNIT
from plimsoll.domain.parameters import Level, ParameterSet
from plimsoll.domain.portfolios import Holding, Portfolio
from plimsoll.errors import Code, PlimsollError
from plimsoll.kernels.black76 import option_price
from plimsoll.kernels.book_losses import PositionRows
from plimsoll.kernels.nonzero import nonzero_rows
from plimsoll.kernels.valuation import NEAR_SHARE, NEAR_SLACK
from plimsoll.margin.calibrated import with_calibration
from plimsoll.margin.many_portfolios import ManyPortfolios
from plimsoll.margin.model import MarginModel
from plimsoll.margin.profiles import profile
from plimsoll.margin.venue import VenueMargin
from plimsoll.pricing import build_chain
from plimsoll.types import Lots, Matrix, Quanta, Rows, Vector

__all__ = ["LEAST_VALUE", "OptionMargin"]

_OWN = "plimsoll"
LEAST_VALUE = 1e-9
"""Of the forward: what an option is marked at least, so that its worth tells how much of it is held."""


class OptionMargin(MarginModel):
    r"""The own portfolio profile over the ranges and rows of a parameter set, at the quotes of one tick.

    .. math:: q_i = \frac{N_i}{mark_i}, \quad R = \text{VenueMargin of } (q_i)

    It answers for notionals at its own marks alone; a tick makes another. A call asks for what initial margin
    asks for. Columns of contracts that have expired hold nothing and are left out.

    Parameters
    ----------
    marks : Vector [I]   Quote currency per base unit, above zero.
    quoted : Market      What the live instruments are priced from: the quotes behind the marks.

    Attributes
    ----------
    marks : Vector [I]
    live : Rows [J]      Columns of the instruments that have not expired.
    venue : VenueMargin  Of these, in this order.

    Raises
    ------
    PlimsollError   `MISSING_PARAMETERS` where the set has no rates for an underlying, `BAD_SETTING` where
                    it holds constants by size.
    """

    def __init__(
        self, parameters: ParameterSet, listings: tuple[Listing, ...], marks: Vector, quoted: Market
    ) -> None:
        chosen = with_calibration(profile(_OWN), parameters)
        known = {each.underlying for each in chosen.ranges}
        for listing in listings:
            if listing.underlying not in known:
                raise PlimsollError(
                    Code.MISSING_PARAMETERS,
                    f"the parameter set has no market {listing.underlying}",
                    where=listing.name,
                    remedy=f"Calibrate {listing.underlying} as well; the set knows {', '.join(known)}.",
                )
        instruments = tuple(listing.instrument for listing in listings)
        self.live: Rows = np.array(
            [i for i, each in enumerate(instruments) if not _is_over(each, quoted.time)], dtype=np.intp
        )
        self._parameters = parameters
        self._listings = listings
        self._place = np.full(len(instruments), -1, dtype=np.int32)
        self._place[self.live] = np.arange(len(self.live))
        self._instruments = instruments
        self.marks = marks
        self.venue = VenueMargin(tuple(instruments[i] for i in self.live), quoted, chosen)
        self._many = ManyPortfolios(self.venue)
        self._last: tuple[Lots, PositionRows] | None = None

    def requirement(self, notional: Matrix, level: Level) -> Vector:
        """Margin every account as a portfolio of its own, all at once."""
        found = nonzero_rows(np.ascontiguousarray(notional))
        quantity = found.quantity / (self.marks[found.columns] * QUANTA_PER_UNIT)
        return self._asked(found, quantity, level)

    def portfolio(self, notional: Vector) -> Portfolio:
        """Read notionals at the marks, quote quanta, as quantities held."""
        quantity = notional / (self.marks * QUANTA_PER_UNIT)
        held = [i for i in self.live if quantity[i] != 0.0]
        return Portfolio(holdings=tuple(Holding(self._instruments[i], float(quantity[i])) for i in held))

    def over(self, listings: tuple[Listing, ...]) -> "OptionMargin":
        """Margin some of the listings alone; raises `MISSING_PRICE` for one that had no mark at the tick."""
        marks = dict(zip(self._instruments, self.marks.tolist(), strict=True))
        for listing in listings:
            if listing.instrument not in marks:
                raise PlimsollError(
                    Code.MISSING_PRICE,
                    "the tick priced no such instrument",
                    where=listing.name,
                    remedy="List it, and wait for the next tick.",
                )
        chosen = np.array([marks[listing.instrument] for listing in listings])
        return OptionMargin(self._parameters, listings, chosen, self.venue.market)

    def columns_of(self, underlying: str) -> Rows:
        """Give the columns of what follows one underlying and has not expired."""
        return self.live[[self._instruments[i].underlying == underlying for i in self.live]]

    def moved(self, underlying: str, multiple: float) -> "OptionMargin":
        """Give the model after all prices of one underlying were multiplied."""
        quoted = moved_market(self.venue.market, underlying, multiple)
        chain, marks = build_chain(self.venue.chain.instruments, quoted), self.marks.copy()
        for row, column in enumerate(self.live):
            marks[column] = chain.forward[chain.slot[row]]
            one = self._instruments[column]
            if isinstance(one, Option):
                terms = one.strike, chain.tau[chain.slot[row]], chain.volatility[row], one.right == "C"
                marks[column] = max(float(option_price(marks[column], *terms)), LEAST_VALUE * marks[column])
        return OptionMargin(self._parameters, self._listings, marks, quoted)

    def room(self, cash: Quanta, lots: Lots, unit: Vector, level: Level) -> Vector:
        """Margin everybody: options lose in ways that no sum of lone losses bounds more cheaply."""
        held = self._held(lots)
        worth = held.quantity * unit[held.columns]
        owners = np.repeat(np.arange(len(cash)), held.last - held.first)
        gross = np.bincount(owners, weights=np.abs(worth), minlength=len(cash))
        needed = self._needed(held, unit, level)
        left: Vector = cash + _summed(owners, worth, len(cash)) - needed - NEAR_SLACK - NEAR_SHARE * gross
        return left

    def valued(self, cash: Quanta, lots: Lots, unit: Vector) -> tuple[Vector, Vector]:
        """Give equity, rounded down, and maintenance, rounded up: Vector [A] both, quote quanta."""
        held = self._held(lots)
        owners = np.repeat(np.arange(len(cash)), held.last - held.first)
        equity = cash + _summed(owners, held.quantity * unit[held.columns], len(cash))
        return np.floor(equity), np.ceil(self._needed(held, unit, Level.MAINTENANCE))

    def _held(self, lots: Lots) -> PositionRows:
        """List the lots that are held; those of the table that was asked for last are remembered."""
        if self._last is None or self._last[0] is not lots:
            self._last = lots, nonzero_rows(lots)
        return self._last[1]

    def _needed(self, held: PositionRows, unit: Vector, level: Level) -> Vector:
        """Margin lots: Vector [A], quote quanta before rounding."""
        size = unit / (self.marks * QUANTA_PER_UNIT)
        return self._asked(held, held.quantity * size[held.columns], level)

    def _asked(self, found: PositionRows, quantity: Vector, level: Level) -> Vector:
        """Margin quantities of the listings: Vector [A], quote quanta before rounding."""
        held = PositionRows(found.first, found.last, self._place[found.columns], quantity)
        return self._many.required(held, initial=level != Level.MAINTENANCE) * QUANTA_PER_UNIT

    def steepest(self, level: Level) -> Vector:  # noqa: ARG002
        """Bound nothing: another tick brings another model, under which nothing is known any more."""
        return np.full(len(self._instruments), np.finfo(np.float64).max)

    def standalone(self, level: Level) -> Matrix:
        """Give what a lone position asks for, per unit of its notional."""
        rates: Matrix = self._standalone[level]
        return rates

    @cached_property
    def _standalone(self) -> Matrix:
        rates = np.zeros((len(Level), len(self._instruments), 2))
        for level in Level:
            for i in self.live:
                for side, sign in enumerate((1.0, -1.0)):
                    notional = np.zeros((1, len(self._instruments)))
                    notional[0, i] = sign * self.marks[i] * QUANTA_PER_UNIT
                    rates[level, i, side] = self.requirement(notional, level)[0] / abs(notional[0, i])
        return rates


def _summed(owners: Rows, worth: Vector, accounts: int) -> Vector:
    """Add up each account's positions: Vector [A]."""
    total: Vector = np.bincount(owners, weights=worth, minlength=accounts).astype(np.float64)
    return total


def _is_over(instrument: Instrument, time: int) -> bool:
    return isinstance(instrument, Option | Future) and instrument.expiry <= time
