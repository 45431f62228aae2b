"""How are accounts margined on a venue that lists options?"""

from functools import cached_property

import numpy as np

from plimsoll.domain.instruments import Future, Instrument, Listing, Option
from plimsoll.domain.market import Market
from plimsoll.domain.money import QUANTA_PER_UNIT
from plimsoll.domain.parameters import Level, ParameterSet
from plimsoll.domain.portfolios import Holding, Portfolio
from plimsoll.errors import Code, PlimsollError
from plimsoll.margin.calibrated import with_calibration
from plimsoll.margin.many_portfolios import ManyPortfolios
from plimsoll.margin.model import MarginModel
from plimsoll.margin.profiles import profile
from plimsoll.margin.venue import VenueMargin
from plimsoll.types import Lots, Matrix, Quanta, Rows, Vector

__all__ = ["OptionMargin"]

_OWN = "plimsoll"


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
        self._instruments = instruments
        self._marks = marks
        self.venue = VenueMargin(tuple(instruments[i] for i in self.live), quoted, chosen)
        self._many = ManyPortfolios(self.venue)

    def requirement(self, notional: Matrix, level: Level) -> Vector:
        """Margin every account as a portfolio of its own, all at once."""
        quantity = notional[:, self.live] / (self._marks[self.live] * QUANTA_PER_UNIT)
        asked = self._many.required(quantity, initial=level != Level.MAINTENANCE)
        return asked * QUANTA_PER_UNIT

    def portfolio(self, notional: Vector) -> Portfolio:
        """Read notionals at the marks, quote quanta, as quantities held."""
        quantity = notional / (self._marks * QUANTA_PER_UNIT)
        held = [i for i in self.live if quantity[i] != 0.0]
        return Portfolio(holdings=tuple(Holding(self._instruments[i], float(quantity[i])) for i in held))

    def over(self, listings: tuple[Listing, ...]) -> "OptionMargin":
        """Margin some of the listings alone; raises `MISSING_PRICE` for one that had no mark at the tick."""
        marks = dict(zip(self._instruments, self._marks.tolist(), strict=True))
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

    def room(self, cash: Quanta, lots: Lots, unit: Vector, level: Level) -> Vector:  # noqa: ARG002
        """Look at everybody: options lose in ways that no sum of lone losses bounds cheaply."""
        return np.full(len(cash), -np.inf)

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
                    notional[0, i] = sign * self._marks[i] * QUANTA_PER_UNIT
                    rates[level, i, side] = self.requirement(notional, level)[0] / abs(notional[0, i])
        return rates


def _is_over(instrument: Instrument, time: int) -> bool:
    return isinstance(instrument, Option | Future) and instrument.expiry <= time
