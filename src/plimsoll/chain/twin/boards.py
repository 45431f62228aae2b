"""What does the engine keep of a market and of a board, and how is a row laid out in bytes?"""

from dataclasses import dataclass

from plimsoll.chain.twin.constants import constants

__all__ = ["Board", "Listing", "Market", "Row"]

_C = constants("packed_rows")
_WORD_BYTES = 32
_CELL, _LANE, _LANES, _HEAD = 64, 14, 4, 56
"""Bits of a cell and of a lane; lanes of a cell; where the byte above them begins."""
_VOLATILITY_BITS = _C["VOLATILITY"].bit_length()


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
    volatility : int   1e-6, 26 bits.
    exponent : int     A lane counts 2**exponent quanta; 6 bits.
    lanes : tuple [32] of int   Values of a lot by scenario, 14 bits each.
    """

    basis: int
    volatility: int
    exponent: int
    lanes: tuple[int, ...]

    @property
    def words(self) -> tuple[int, int]:
        """Give both words: lanes from the lowest scenario on, the bytes of the head above the cells."""
        heads = (self.basis & (2**32 - 1), self.exponent << _VOLATILITY_BITS | self.volatility)
        low, high = (_word(self.lanes[at : at + 16], head) for at, head in zip((0, 16), heads, strict=True))
        return low, high

    def encoded(self) -> bytes:
        """Give the row's 64 bytes."""
        return b"".join(word.to_bytes(_WORD_BYTES, "big") for word in self.words)

    @classmethod
    def decoded(cls, content: bytes) -> "Row":
        """Read a row back."""
        words = [int.from_bytes(content[at : at + _WORD_BYTES], "big") for at in (0, _WORD_BYTES)]
        basis, rest = (_head(word) for word in words)
        return cls(
            basis=basis - (basis >> 31 << 32),
            volatility=rest & _C["VOLATILITY"],
            exponent=rest >> _VOLATILITY_BITS,
            lanes=tuple(
                (word >> (_CELL * (place // _LANES) + _LANE * (place % _LANES))) & (2**_LANE - 1)
                for word in words
                for place in range(16)
            ),
        )


def _word(lanes: tuple[int, ...], head: int) -> int:
    cells = [
        sum(lane << (_LANE * place) for place, lane in enumerate(lanes[at : at + _LANES]))
        | ((head >> (2 * at)) & 255) << _HEAD
        for at in range(0, 16, _LANES)
    ]
    return sum(cell << (_CELL * place) for place, cell in enumerate(cells))


def _head(word: int) -> int:
    return sum(((word >> (_CELL * place + _HEAD)) & 255) << (8 * place) for place in range(_LANES))


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
