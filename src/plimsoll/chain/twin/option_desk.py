"""Which options are listed, and who may move their volatilities and forwards?

Twin of `OptionDesk.vy`. What the margin engine itself refuses of a listing or a publication is left to the
engine: this one is asked only for what it would take.
"""

from collections.abc import Sequence
from dataclasses import replace

from plimsoll.chain.hashing import Signature
from plimsoll.chain.twin.boards import Board, Listing, Market
from plimsoll.chain.twin.margin_engine import MarginEngine
from plimsoll.chain.twin.option_bounds import (
    LONGEST_TENOR,
    OptionBounds,
    forward_limit,
    listing_message,
    publication_message,
    require_move,
    require_sound_bounds,
    require_within,
)
from plimsoll.chain.twin.publication import Publication
from plimsoll.chain.twin.quorum import Quorum
from plimsoll.chain.twin.reverts import ZERO_ADDRESS, Message, atomic, require
from plimsoll.chain.twin.risk_parameters import RiskParameters

__all__ = ["OptionDesk"]

_NEAR = 20
_BOARD_BITS = 3


class OptionDesk:
    """The only governor and publisher of a margin engine."""

    def __init__(
        self, quorum: Quorum, guardian: str, lister: str, parameters: RiskParameters, engine: MarginEngine
    ) -> None:
        self.quorum = quorum
        self.guardian = guardian
        self.lister = lister
        self.parameters = parameters
        self.engine = engine
        self._names: dict[int, bytes] = {}
        self._bounds: dict[int, OptionBounds] = {}
        self._accepted: dict[int, tuple[int, tuple[Listing, ...]]] = {}

    @atomic
    def open_market(
        self,
        block: Message,
        market: int,
        name: bytes,
        bounds: OptionBounds,
        lot: int,
        power: int,
        scenarios: tuple[tuple[int, int], ...],
    ) -> None:
        """Open a market with its scenarios and the bounds that hold for ever; its range is the rate."""
        require(block.sender == self.lister, "desk: not the lister")
        require(market not in self._bounds, "desk: opened already")
        require_sound_bounds(bounds)
        self._names[market], self._bounds[market] = name, bounds
        self.engine.markets[market] = Market(lot, self._range(block, market), power, scenarios)

    def close_listing(self, block: Message) -> None:
        """Give up for ever the right to open markets."""
        require(block.sender == self.lister, "desk: not the lister")
        self.lister = ZERO_ADDRESS

    @atomic
    def follow_range(self, block: Message, market: int) -> None:
        """Set the engine's range to the maintenance rate in force, once they are a twentieth apart."""
        self.bounds(block, market)
        held, asked = self.engine.markets[market].spread, self._range(block, market)
        require(_NEAR * abs(held - asked) >= held, "desk: range is near")
        self.engine.markets[market] = replace(self.engine.markets[market], spread=asked)
        for key, board in self.engine.boards.items():
            if key >> _BOARD_BITS == market:
                self.engine.boards[key] = replace(board, superseded=board.superseded or board.as_of > 0)

    @atomic
    def list_board(
        self,
        block: Message,
        market: int,
        board: int,
        listings: tuple[Listing, ...],
        nonce: int,
        deadline: int,
        signatures: Sequence[Signature],
    ) -> None:
        """List options that the quorum signed; the first row of the first board is the perpetual."""
        message = listing_message(nonce, deadline, market, board, listings)
        self.quorum.accept(block, nonce, deadline, message, signatures)
        for row, listing in enumerate(listings):
            if board == 0 and row == 0:
                require(listing.word == 0, "desk: not the perpetual")
            else:
                require(0 < listing.expiry <= block.timestamp + LONGEST_TENOR, "desk: expiry")
        key = market << _BOARD_BITS | board
        former = self.engine.boards.get(key, Board(listings=()))
        self.engine.boards[key] = replace(former, listings=listings, superseded=former.as_of > 0)

    @atomic
    def publish(
        self,
        block: Message,
        market: int,
        board: int,
        published: Publication,
        signatures: Sequence[Signature],
    ) -> None:
        """Publish forwards, volatilities and rows that the quorum signed, within bounds and speed."""
        self.quorum.require_signed(publication_message(market, board, published), signatures)
        bounds, key = self.bounds(block, market), market << _BOARD_BITS | board
        kept = self.engine.boards[key]
        accepted, known = self._accepted.get(key, (0, ()))
        elapsed = min(block.timestamp - accepted, bounds.fresh_for)
        for place, (row, listing) in enumerate(zip(published.rows, kept.listings, strict=True)):
            limit = forward_limit(bounds, listing, published.as_of)
            require_within(row, listing, limit, bounds)
            if place < len(known) and known[place] == listing:
                require_move(kept.rows[place], row, listing, limit, bounds, elapsed)
        self._accepted[key] = (block.timestamp, kept.listings)
        self.engine.boards[key] = replace(
            kept,
            as_of=published.as_of,
            spot=published.spot,
            notional=published.notional,
            decay=published.decay,
            rows=published.rows,
            superseded=False,
            refuted=False,
        )

    def bounds(self, _block: Message, market: int) -> OptionBounds:
        """Give the bounds of a market's options."""
        require(market in self._bounds, "desk: no such market")
        return self._bounds[market]

    def published(self, _block: Message, market: int, board: int) -> int:
        """Say when a board was last published."""
        return self._accepted.get(market << _BOARD_BITS | board, (0, ()))[0]

    def _range(self, block: Message, market: int) -> int:
        rates = self.parameters.rates(block, self._names[market])
        return -(-max(rates.long.maintenance, rates.short.maintenance) // 1_000)
