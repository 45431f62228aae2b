"""What does every margin model answer, and how does one come from a parameter set?"""

from abc import ABC, abstractmethod

import numpy as np

from plimsoll.domain.instruments import Listing, Option
from plimsoll.domain.parameters import Level, MarketParameters, SideParameters
from plimsoll.errors import Code, PlimsollError
from plimsoll.types import Flags, Lots, Matrix, Quanta, Rows, Vector

__all__ = ["MarginModel", "market_columns", "refuse_options", "side_rates"]


class MarginModel(ABC):
    """How much collateral a venue asks of every account.

    Notionals are Matrix [A, I]: signed value of each position at the mark, in quote quanta as floats, one
    column per listing. Requirements are Vector [A] in the same unit, never negative, zero for an account
    without positions, and non-decreasing in every rate.
    """

    @abstractmethod
    def over(self, listings: tuple[Listing, ...]) -> "MarginModel":
        """Give the same method over other listings of the markets that it knows."""

    @abstractmethod
    def requirement(self, notional: Matrix, level: Level) -> Vector:
        """Ask for what each account must hold at a level, before rounding."""

    @abstractmethod
    def room(self, cash: Quanta, lots: Lots, unit: Vector, level: Level) -> Vector:
        """Say quickly how far accounts are above a level at least: negative for every one that is below.

        Parameters
        ----------
        cash : Quanta [A]; lots : Lots [A, I]
        unit : Vector [I]   Quote quanta per lot at the mark.

        Returns
        -------
        Vector [A]   Quote quanta.
        """

    def near(self, cash: Quanta, lots: Lots, unit: Vector, level: Level) -> Flags:
        """Say which accounts may be below a level: every one that is, and as few others as is cheap."""
        near: Flags = self.room(cash, lots, unit, level) < 0.0
        return near

    @abstractmethod
    def steepest(self, level: Level) -> Vector:
        """Bound how much the requirement grows per unit by which a notional changes: Vector [I]."""

    @abstractmethod
    def standalone(self, level: Level) -> Matrix:
        """Give the rate of a lone small position in each column: Matrix [I, 2], long and short."""


def market_columns(listings: tuple[Listing, ...], markets: tuple[str, ...]) -> Rows:
    """Map each listing to the row of its market's parameters; every model starts here or at `refuse_options`.

    Returns
    -------
    Rows [I]

    Raises
    ------
    PlimsollError   `UNSUPPORTED_INSTRUMENT` for an option, `MISSING_PARAMETERS` for a market without any.
    """
    refuse_options(listings)
    for listing in listings:
        if listing.underlying not in markets:
            raise PlimsollError(
                Code.MISSING_PARAMETERS,
                f"the parameter set has no market {listing.underlying}",
                where=listing.name,
                remedy=f"Calibrate {listing.underlying} as well; the set knows {', '.join(markets)}.",
            )
    return np.array([markets.index(listing.underlying) for listing in listings], dtype=np.intp)


def refuse_options(listings: tuple[Listing, ...]) -> None:
    """Raise `UNSUPPORTED_INSTRUMENT` where an option is listed: none of the models may take it for linear."""
    for listing in listings:
        if isinstance(listing.instrument, Option):
            raise PlimsollError(
                Code.UNSUPPORTED_INSTRUMENT,
                "a parameter set prices no options",
                where=listing.name,
                remedy="Margin it under a venue's profile.",
            )


def side_rates(markets: tuple[MarketParameters, ...], level: Level) -> Matrix:
    """Collect the rates of a level: Matrix [M, 2], long and short."""

    def rate(side: SideParameters) -> float:
        return (side.maintenance, side.call, side.initial)[level]

    return np.array([[rate(market.long), rate(market.short)] for market in markets])
