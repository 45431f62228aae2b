"""What do all accounts of a venue hold, in columns?"""

from dataclasses import dataclass

import numpy as np
from msgspec import Struct

from plimsoll.domain.instruments import Instrument
from plimsoll.types import Rows, Vector

__all__ = ["QUOTE", "AccountBook", "RefusedAccount"]

QUOTE = "USD"
"""The asset that counts at par: the unit of every amount."""


class RefusedAccount(Struct, frozen=True):
    """An account of a book file that was left out, with the first reason; the others went on.

    Attributes
    ----------
    account : str
    code : str    A `Code`.
    what, where : str   What is wrong, and the row of the file that it was found in.
    """

    account: str
    code: str
    what: str
    where: str


@dataclass(frozen=True, slots=True)
class AccountBook:
    """Every account's cash, collateral and positions, one entry per holding.

    `H` counts holdings, in the order of accounts and then of the file; an account without any has cash alone.
    `margin.book.position_rows(owners, columns, sizes, len(names))` takes them as they are.

    Attributes
    ----------
    names : tuple [A]         In the order in which the file first names them.
    instruments : tuple [I]   What is held, by name in alphabetical order; a `Spot` is collateral.
    cash : Vector [A]         Quote currency; a debt is negative.
    owners : Rows [H]         Account of each holding.
    columns : Rows [H]        Instrument of each holding.
    sizes : Vector [H]        Base units, positive long; never zero.
    prices : Vector [H]       Entry price, quote currency per base unit; NaN where unknown, for which the mark
                              counts. Plays no part for assets and options, whose price was paid from cash.
    refused : tuple of RefusedAccount   Accounts that are not in the book.
    """

    names: tuple[str, ...]
    instruments: tuple[Instrument, ...]
    cash: Vector
    owners: Rows
    columns: Rows
    sizes: Vector
    prices: Vector
    refused: tuple[RefusedAccount, ...] = ()

    @property
    def markets(self) -> tuple[str, ...]:
        """Underlyings held, in alphabetical order."""
        return tuple(sorted({instrument.underlying for instrument in self.instruments}))

    def holdings(self, account: int) -> Rows:
        """Find the places on the H axis of one account's holdings."""
        first, last = np.searchsorted(self.owners, [account, account + 1])
        return np.arange(first, last)
