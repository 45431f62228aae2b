"""How does a book of accounts from a file stand at today's marks, in whole lots and quanta?"""

from dataclasses import dataclass

import numpy as np

from plimsoll.clearing.feedback import Held
from plimsoll.domain.account_books import AccountBook
from plimsoll.domain.instruments import Future, Listing, Option, Perpetual, Spot, lot_for
from plimsoll.domain.money import QUANTA_PER_UNIT
from plimsoll.domain.settings import ClearingRules
from plimsoll.errors import Code, PlimsollError
from plimsoll.margin.model import MarginModel
from plimsoll.types import Flags, Lots, Quanta, Rows, Vector

__all__ = ["BookAtMarks", "book_at_marks"]


@dataclass(frozen=True, slots=True)
class BookAtMarks:
    """A book of accounts as the engine would hold it.

    Attributes
    ----------
    names : tuple [A]
    listings : tuple [I]; columns : Rows [I]   Market of each listing.
    markets : tuple [M]
    cash : Quanta [A]; lots : Lots [A, I]; unit : Vector [I]   As for `Held`.
    """

    names: tuple[str, ...]
    listings: tuple[Listing, ...]
    columns: Rows
    markets: tuple[str, ...]
    cash: Quanta
    lots: Lots
    unit: Vector

    @property
    def positions(self) -> Flags:
        """Say which listings are contracts; the others are collateral: Flags [I]."""
        return np.array([not isinstance(e.instrument, Spot) for e in self.listings], dtype=np.bool_)

    def held(self, model: MarginModel, rules: ClearingRules) -> Held:
        """Put the book under a margin model."""
        return Held(self.cash, self.lots, self.unit, model, rules)

    def interest(self) -> Vector:
        """Gross notional of positions per market, quote units: Vector [M]."""
        positions = self.positions
        gross = np.abs(self.lots * self.unit).sum(axis=0) / QUANTA_PER_UNIT
        total = np.zeros(len(self.markets))
        np.add.at(total, self.columns[positions], gross[positions])
        return total


def book_at_marks(book: AccountBook, prices: dict[str, float]) -> BookAtMarks:
    """Turn a book into whole lots and quanta at the prices of its markets.

    Perpetuals and futures are marked at their market's price; cash is what is left of it once positions are
    bought at their entry prices, so that equity is as docs/reference/book-files.md says.

    Raises
    ------
    PlimsollError   `UNSUPPORTED_INSTRUMENT` for an option, `MISSING_PRICE` for a market without a price.
    """
    marks = np.array([_mark(instrument, prices) for instrument in book.instruments])
    listings = tuple(
        Listing(instrument, lot_for(mark)) for instrument, mark in zip(book.instruments, marks, strict=True)
    )
    lot = np.array([entry.lot for entry in listings])
    unit = lot * marks * QUANTA_PER_UNIT
    lots = np.zeros((len(book.names), len(listings)), dtype=np.int64)
    lots[book.owners, book.columns] = np.rint(book.sizes / lot[book.columns]).astype(np.int64)
    asset = np.array([isinstance(instrument, Spot) for instrument in book.instruments])
    entry = np.where(np.isnan(book.prices), marks[book.columns], book.prices)
    paid = np.where(asset[book.columns], 0.0, book.sizes * entry)
    spent = np.zeros(len(book.names))
    np.add.at(spent, book.owners, paid)
    markets = book.markets
    return BookAtMarks(
        names=book.names,
        listings=listings,
        columns=np.array([markets.index(entry.underlying) for entry in listings], dtype=np.intp),
        markets=markets,
        cash=np.floor((book.cash - spent) * QUANTA_PER_UNIT).astype(np.int64),
        lots=lots,
        unit=unit,
    )


def _mark(instrument: Spot | Perpetual | Future | Option, prices: dict[str, float]) -> float:
    if isinstance(instrument, Option):
        raise PlimsollError(
            Code.UNSUPPORTED_INSTRUMENT,
            "a parameter set prices no options",
            where=instrument.name,
            remedy="Give --quotes where the command takes them, or leave accounts with options out.",
        )
    if instrument.underlying not in prices:
        raise PlimsollError(
            Code.MISSING_PRICE,
            f"no price of {instrument.underlying}",
            where=instrument.name,
            remedy="Give a parameter set that knows the market.",
        )
    return prices[instrument.underlying]
