"""Which options do tests of the protocol list and publish, through a desk and its twin?"""

from collections.abc import Sequence
from typing import Any

from plimsoll.chain.twin.boards import Listing
from plimsoll.chain.twin.option_bounds import OptionBounds, listing_message, publication_message
from plimsoll.chain.twin.option_desk import OptionDesk
from plimsoll.chain.twin.publication import Publication, Quote, publication
from plimsoll.chain.twin.quorum import Quorum, domain_of
from tests.support.boards import World, ladder, open_world
from tests.support.evm import ROLE
from tests.support.pairs import CHAIN_ID, Pair, signatures
from tests.support.reporters import GUARDIAN, REPORTERS, THRESHOLD

__all__ = ["OPTION_BOUNDS", "POWER", "SIGNED", "Desk"]

OPTION_BOUNDS = OptionBounds(
    least=100_000,
    most=5_000_000,
    rise_per_hour=400_000_000,
    fall_per_hour=200_000_000,
    slack=5_000_000,
    carry=300_000_000,
    shift_per_hour=20_000_000,
    fresh_for=3_600,
)
POWER = 300_000
SIGNED = REPORTERS[:THRESHOLD]


class Desk:
    """A desk with its engine, and the twins of both."""

    def __init__(self, parameters: Pair) -> None:
        chain = parameters.chain
        address = parameters.contract.address
        contract = chain.deploy("OptionDesk", REPORTERS, THRESHOLD, GUARDIAN, address)
        self.world: World = open_world(chain, contract.address)
        quorum = Quorum(REPORTERS, THRESHOLD, domain_of(CHAIN_ID, contract.address))
        twin = OptionDesk(quorum, GUARDIAN, ROLE["deployer"], parameters.twin, self.world.twin)
        self.pair = Pair(contract, twin)
        contract.call("bind", self.world.contract.address)

    def open(
        self,
        number: int,
        market: bytes,
        lot: int,
        bounds: OptionBounds = OPTION_BOUNDS,
        scenarios: Any = None,
    ) -> None:
        """Open a market with the ladder of scenarios unless others are given."""
        self.pair.both("open_market", number, market, bounds, lot, POWER, scenarios or ladder())

    def list(
        self,
        market: int,
        board: int,
        listings: Sequence[Listing],
        signers: Any = SIGNED,
        **changed: int,
    ) -> None:
        """List a board that reporters signed."""
        nonce = changed.get("nonce", self.pair.twin.quorum.nonce + 1)
        deadline = changed.get("deadline", self.pair.chain.timestamp + 600)
        message = listing_message(nonce, deadline, market, board, tuple(listings))
        proof = signatures(self.pair.contract.address, message, signers)
        terms = [listing.word for listing in listings]
        self.pair.each(
            "list_board",
            (market, board, terms, nonce, deadline, proof),
            (market, board, tuple(listings), nonce, deadline, proof),
        )

    def publication(self, key: int, quotes: Sequence[Quote], spot: int) -> Publication:
        """Make what an honest publisher would send of a board now."""
        twin = self.world.twin
        market, listings = twin.markets[key >> 3], twin.boards[key].listings
        return publication(market, listings, quotes, spot=spot, as_of=self.pair.chain.timestamp)

    def publish(self, key: int, published: Publication, signers: Any = SIGNED) -> None:
        """Publish what reporters signed."""
        market, board = key >> 3, key & 7
        message = publication_message(market, board, published)
        proof = signatures(self.pair.contract.address, message, signers)
        header = (market, board, published.as_of, published.spot, published.notional, published.decay)
        given, twin_given = (header, published.encoded, proof), (market, board, published, proof)
        self.pair.each("publish", given, twin_given, sender="stranger")
