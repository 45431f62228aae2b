"""What does the engine keep of a market and of a board, and how is a row laid out in bytes?"""

from dataclasses import dataclass

from plimsoll.chain.twin.constants import constants

__all__ = ["Board", "Listing", "Market", "Row"]

_C = constants("MarginEngine")
_WORD_BYTES = 32


@dataclass(frozen=True, slots=True)
class Market:
    """A market's terms, as the governor set them.

    Attributes
    ----------
    lot : int          Base units per lot, 1e-18.
    spread : int       Size of one unit of a spot move, 1e-6.
    power : int        Of (30 days / tenor), 1e-6.
    scenarios : tuple of (int, int)   Moves of spot in 1e-6 of the range, of volatility in 1e-6.
    """

    lot: int
    spread: int
    power: int
    scenarios: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """An instrument's terms: kind (0 linear, 1 call, 2 put), expiry in seconds, strike in 1e-18."""

    kind: int
    expiry: int = 0
    strike: int = 0

    @property
    def word(self) -> int:
        """Give the terms as the contract stores them."""
        return self.kind << 168 | self.expiry << 128 | self.strike


@dataclass(frozen=True, slots=True)
class Row:
    """What is published of an instrument.

    Attributes
    ----------
    basis : int        Forward over spot less one, 1e-9, signed 32 bits.
    volatility : int   1e-6.
    exponent : int     A lane counts 2**exponent quanta.
    lanes : tuple [32] of int   Values of a lot by scenario, 16 bits each.
    """

    basis: int
    volatility: int
    exponent: int
    lanes: tuple[int, ...]

    @property
    def words(self) -> tuple[int, int]:
        """Give the two words of lanes, the lowest scenario in the lowest bits."""
        low, high = (
            sum(lane << (16 * place) for place, lane in enumerate(self.lanes[at : at + 16])) for at in (0, 16)
        )
        return low, high

    def encoded(self) -> bytes:
        """Give the row's 73 bytes."""
        head = self.basis.to_bytes(4, "big", signed=True) + self.volatility.to_bytes(4, "big")
        words = b"".join(word.to_bytes(_WORD_BYTES, "big") for word in self.words)
        return head + self.exponent.to_bytes(1, "big") + words

    @classmethod
    def decoded(cls, content: bytes) -> "Row":
        """Read a row back."""
        words = [int.from_bytes(content[at : at + _WORD_BYTES], "big") for at in (9, 41)]
        return cls(
            basis=int.from_bytes(content[:4], "big", signed=True),
            volatility=int.from_bytes(content[4:8], "big"),
            exponent=content[8],
            lanes=tuple((word >> (16 * place)) & 65_535 for word in words for place in range(16)),
        )


@dataclass(frozen=True, slots=True)
class Board:
    """What was last published for a group of instruments.

    Attributes
    ----------
    listings : tuple [R] of Listing
    as_of : int        Seconds; 0 before the first publication.
    spot : int         1e-18.
    notional : int     Quanta: no row's value moves more per lot when spot doubles.
    decay : int        Quanta: no row's value falls more per lot and second.
    rows : tuple [R] of Row
    superseded, refuted : bool   Whether rows count no longer.
    """

    listings: tuple[Listing, ...]
    as_of: int = 0
    spot: int = 0
    notional: int = 0
    decay: int = 0
    rows: tuple[Row, ...] = ()
    superseded: bool = False
    refuted: bool = False
