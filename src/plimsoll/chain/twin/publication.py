"""What does a publisher send for a board: header and packed rows that withstand every challenge?"""

from collections.abc import Sequence
from dataclasses import dataclass

from plimsoll.chain.twin.boards import Listing, Market, Row
from plimsoll.chain.twin.constants import constants
from plimsoll.chain.twin.fixed_point import Revert
from plimsoll.chain.twin.valuation import Tenor, decay, grid_of, option_of, packed_row, sound, tenor_of

__all__ = ["Publication", "Quote", "publication"]

_LINEAR = constants("MarginEngine")["LINEAR"]
_MOST_VOLATILITY = constants("packed_rows")["VOLATILITY"]


@dataclass(frozen=True, slots=True)
class Quote:
    """What the publisher knows of an instrument: basis of its forward over spot (1e-9), volatility (1e-6)."""

    basis: int = 0
    volatility: int = 0


@dataclass(frozen=True, slots=True)
class Publication:
    """The arguments of `publish` after market and board; `rows` are what `encoded` sends."""

    as_of: int
    spot: int
    notional: int
    decay: int
    rows: tuple[Row, ...]

    @property
    def encoded(self) -> bytes:
        """Give the rows in bytes."""
        return b"".join(row.encoded() for row in self.rows)


def publication(
    market: Market, listings: Sequence[Listing], quotes: Sequence[Quote], *, spot: int, as_of: int
) -> Publication:
    """Price and pack every instrument of a board.

    Parameters
    ----------
    market : Market
    listings : sequence [R]   As listed on chain, in order of rows.
    quotes : sequence [R]
    spot : int                1e-18.
    as_of : int               Seconds.

    Raises `Revert` where an instrument cannot be priced on chain.
    """
    grid = grid_of(market)
    notional, falling, rows = 1, 0, []
    for listing, quote in zip(listings, quotes, strict=True):
        blank = Row(quote.basis, quote.volatility, 0, ())
        option = option_of(listing, blank, market, spot)
        if not sound(option) or not 0 <= quote.volatility <= _MOST_VOLATILITY:
            raise Revert("engine: no price")
        tenor = Tenor()
        if listing.kind != _LINEAR:
            tenor = tenor_of(listing.expiry, as_of, as_of, grid.power)
            if listing.expiry > as_of:
                falling = max(falling, decay(grid, tenor, option, listing.expiry - as_of))
        notional = max(notional, (option.forward * grid.largest >> 160) + 1)
        rows.append(packed_row(grid, tenor, option, quote.basis))
    return Publication(as_of=as_of, spot=spot, notional=notional, decay=falling, rows=tuple(rows))
