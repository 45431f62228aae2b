"""Which scenarios, boards and rows does the margin engine hold at one block, as its twin?"""

from plimsoll.chain.connection import Bound, Connection
from plimsoll.chain.twin.boards import Board, Listing, Market, Row
from plimsoll.chain.twin.constants import constants
from plimsoll.chain.twin.margin_engine import MarginEngine

__all__ = ["board_of", "engine_state", "listings_of", "market_of"]

_P, _V, _E = (constants(name) for name in ("packed_rows", "valuation", "MarginEngine"))
_ROW, _HEADER, _ROWS = _P["ROW"], _P["HEADER"], _P["ROWS"]
_TERMS_AT, _TERM = _V["TERMS"], _V["TERM"]
_WORDS = constants("market_code")["WORDS"]
_WORD, _CELLS, _CELL_BITS, _LOT_AT = 32, 4, 64, 9


def engine_state(connection: Connection, contract: Bound, markets: int, block: int) -> MarginEngine:
    """Read what the contract holds of its first markets into the twin."""
    made = MarginEngine()
    for number in range(markets):
        market = market_of(connection, contract, number, block)
        if market is None:
            continue
        made.markets[number] = market
        for board in range(_E["BOARDS"]):
            found = board_of(connection, contract, number << 3 | board, block)
            if found is not None and found.as_of:
                made.boards[number << 3 | board] = found
    return made


def market_of(connection: Connection, contract: Bound, number: int, block: int) -> Market | None:
    """Read a market's lot, range and scenarios; none where it is not open."""
    word = contract.read("market_words", number, block=block)
    if word == 0:
        return None
    code = _code(connection, word >> 96, block)
    packing = [int.from_bytes(code[at : at + _WORD], "big") for at in range(_WORDS, len(code), _WORD)]
    cells = [packing[s // _CELLS] >> (_CELL_BITS * (s % _CELLS)) for s in range(1, word & (2**32 - 1))]
    moves = tuple((_signed(cell >> 32), _signed(cell)) for cell in cells)
    spread, power = (word >> 64) & (2**32 - 1), (word >> 32) & (2**32 - 1)
    return Market(lot=packing[_LOT_AT], spread=spread, power=power, scenarios=moves)


def listings_of(connection: Connection, contract: Bound, key: int, block: int) -> tuple[Listing, ...]:
    """Read the terms of a board, market << 3 | number; empty where nothing is listed."""
    code = _code(connection, int(contract.read("listed", key, block=block), 16), block)
    words = [int.from_bytes(code[at : at + _WORD], "big") for at in range(_TERMS_AT, len(code), _TERM)]
    return tuple(Listing(word >> 168, (word >> 128) & (2**40 - 1), word & (2**128 - 1)) for word in words)


def board_of(connection: Connection, contract: Bound, key: int, block: int) -> Board | None:
    """Read a board, market << 3 | number, with what was last published; none where nothing is listed."""
    listings = listings_of(connection, contract, key, block)
    word = contract.read("board_words", key, block=block)
    if not listings or word == 0:
        return Board(listings) if listings else None
    published = _code(connection, word >> 96, block)
    header = int.from_bytes(published[_HEADER : _HEADER + _WORD], "big")
    return Board(
        listings=listings,
        as_of=(word >> 8) & (2**40 - 1),
        spot=(header >> 96) & (2**112 - 1),
        notional=(header >> 48) & (2**48 - 1),
        decay=header & (2**48 - 1),
        rows=tuple(Row.decoded(published[at : at + _ROW]) for at in range(_ROWS, len(published), _ROW)),
        superseded=bool(word & _E["SUPERSEDED"]),
        refuted=bool(word & _E["REFUTED"]),
    )


def _code(connection: Connection, address: int, block: int) -> bytes:
    target = connection.node.to_checksum_address(f"0x{address:040x}")
    return bytes(connection.patiently(lambda: connection.node.eth.get_code(target, block)))


def _signed(cell: int) -> int:
    """Read the low 32 bits in two's complement."""
    low = cell & (2**32 - 1)
    return low - 2**32 if low >> 31 else low
