"""How are positions packed six to a word, as `positions.vy` does?"""

from collections.abc import Iterable, Sequence
from itertools import takewhile

from plimsoll.chain.twin.constants import constants

__all__ = ["instrument_id", "pack", "unpack"]

_C = constants("positions")
_WORDS = _C["MAX_WORDS"]
_LANES, _LANE_BITS, _BITS, _LOTS = _C["LANES"], _C["LANE_BITS"], _C["LOTS_BITS"], _C["LOTS_MASK"]


def instrument_id(market: int, board: int, row: int) -> int:
    """Number an instrument: market (3 bits), board (3), row (10)."""
    return market << 13 | board << 10 | row


def pack(book: Iterable[tuple[int, int]]) -> list[int]:
    """Pack instrument ids and signed lots, in order of ids; what has no lots is left out.

    Gives all of an account's words, 0 from where there are no more positions.
    """
    lanes = [instrument << _BITS | (lots & _LOTS) for instrument, lots in sorted(book) if lots]
    words = [
        sum(lane << (_LANE_BITS * place) for place, lane in enumerate(lanes[at : at + _LANES]))
        for at in range(0, len(lanes), _LANES)
    ]
    return words + [0] * (_WORDS - len(words))


def unpack(words: Sequence[int]) -> list[tuple[int, int]]:
    """Give ids and lots as the engine reads them: up to the first word of zero, each as it is filled."""
    book = []
    for word in takewhile(bool, words):
        rest = word
        for _ in range(_LANES):
            if rest == 0:
                break
            lots = rest & _LOTS
            book.append(((rest >> _BITS) & 65_535, lots - (1 << _BITS) if lots >> (_BITS - 1) else lots))
            rest >>= _LANE_BITS
    return book
