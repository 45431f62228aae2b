"""How far may volatilities and forwards of options move on chain?

Twin of the arithmetic of `OptionDesk.vy`.
"""

from typing import NamedTuple

from plimsoll.chain.hashing import keccak, words
from plimsoll.chain.twin.boards import Listing, Row
from plimsoll.chain.twin.constants import constants
from plimsoll.chain.twin.publication import Publication
from plimsoll.chain.twin.reverts import require

__all__ = [
    "LISTING_TYPE",
    "LONGEST_TENOR",
    "PUBLICATION_TYPE",
    "OptionBounds",
    "forward_limit",
    "listing_message",
    "publication_message",
    "require_move",
    "require_sound_bounds",
    "require_within",
]

_C = constants("OptionDesk")
ONE, HOUR, YEAR = _C["ONE"], _C["HOUR"], _C["YEAR"]
LONGEST_FRESH, LONGEST_TENOR, MOST_VOLATILITY = (
    _C["LONGEST_FRESH"],
    _C["LONGEST_TENOR"],
    _C["MOST_VOLATILITY"],
)
PUBLICATION_TYPE = (
    "Publication(uint256 market,uint256 board,uint256 as_of,uint256 spot,uint256 notional,uint256 decay,"
    "bytes rows)"
)
LISTING_TYPE = "Listing(uint256 nonce,uint64 deadline,uint256 market,uint256 board,uint256[] terms)"


class OptionBounds(NamedTuple):
    """What volatilities and forwards can never leave, and how fast they may move.

    Attributes
    ----------
    least, most : int          Of a volatility, millionths.
    rise_per_hour, fall_per_hour : int   Of a volatility, billionths of itself.
    slack : int                Of a forward from spot at expiry, either way, billionths.
    carry : int                How far that widens with a year of tenor, billionths.
    shift_per_hour : int       Of a forward against spot, either way, billionths.
    fresh_for : int            Seconds that speed is counted over, no longer.
    """

    least: int
    most: int
    rise_per_hour: int
    fall_per_hour: int
    slack: int
    carry: int
    shift_per_hour: int
    fresh_for: int


def publication_message(market: int, board: int, published: Publication) -> bytes:
    """Hash a publication as EIP-712 does."""
    kind, rows = keccak(PUBLICATION_TYPE.encode()), keccak(published.encoded)
    header = (published.as_of, published.spot, published.notional, published.decay)
    return keccak(words(kind, market, board, *header, rows))


def listing_message(
    nonce: int, deadline: int, market: int, board: int, listings: tuple[Listing, ...]
) -> bytes:
    """Hash a listing as EIP-712 does."""
    terms = keccak(words(*(listing.word for listing in listings)))
    return keccak(words(keccak(LISTING_TYPE.encode()), nonce, deadline, market, board, terms))


def require_sound_bounds(bounds: OptionBounds) -> None:
    """Revert where bounds contradict themselves, leave a speed unlimited or let a forward reach zero."""
    wrong = "desk: bounds"
    require(0 < bounds.least <= bounds.most <= MOST_VOLATILITY, wrong)
    require(0 < bounds.rise_per_hour <= ONE, wrong)
    require(bounds.fall_per_hour > 0 and 0 < bounds.fresh_for <= LONGEST_FRESH, wrong)
    require(bounds.fall_per_hour * bounds.fresh_for < ONE * HOUR, wrong)
    require(bounds.slack + bounds.carry * LONGEST_TENOR // YEAR < ONE, wrong)
    require(bounds.shift_per_hour > 0, wrong)


def forward_limit(bounds: OptionBounds, listing: Listing, as_of: int) -> int:
    """Give how far a forward may be from spot: the slack, and the carry of what is left of its tenor."""
    return bounds.slack + bounds.carry * max(listing.expiry - as_of, 0) // YEAR


def require_within(row: Row, listing: Listing, limit: int, bounds: OptionBounds) -> None:
    """Revert where a row leaves its absolute bounds."""
    require(abs(row.basis) <= limit, "desk: forward out of bounds")
    if listing.kind:
        require(bounds.least <= row.volatility <= bounds.most, "desk: volatility out of bounds")


def require_move(
    old: Row, new: Row, listing: Listing, limit: int, bounds: OptionBounds, elapsed: int
) -> None:
    """Revert where a row moved too fast; a forward counts from its limit where that has come nearer."""
    before = max(min(old.basis, limit), -limit)
    require(
        abs(new.basis - before) <= bounds.shift_per_hour * elapsed // HOUR, "desk: forward moves too fast"
    )
    if listing.kind:
        rise, fall = (
            old.volatility * each * elapsed // (ONE * HOUR)
            for each in (bounds.rise_per_hour, bounds.fall_per_hour)
        )
        require(new.volatility <= old.volatility + rise, "desk: volatility rises too fast")
        require(new.volatility >= old.volatility - fall, "desk: volatility falls too fast")
