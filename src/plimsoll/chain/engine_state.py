"""Which scenarios, boards and rows does the margin engine hold at one block, as its twin?"""

from plimsoll.chain.connection import Bound, Connection
from plimsoll.chain.twin.boards import Board, Listing, Market, Row
from plimsoll.chain.twin.constants import constants
from plimsoll.chain.twin.margin_engine import MarginEngine
from plimsoll.chain.twin.positions import instrument_id, pack
from plimsoll.errors import Code, PlimsollError

__all__ = ["engine_state"]

_P = constants("packed_rows")
_ROW, _HEADER, _ROWS = _P["ROW"], _P["HEADER"], _P["ROWS"]
_BOARDS = constants("MarginEngine")["BOARDS"]
_V = constants("valuation")
_TERMS_AT, _TERM = _V["TERMS"], _V["TERM"]
_WORD, _CELLS, _CELL_BITS = 32, 4, 64


def engine_state(
    connection: Connection, contract: Bound, spots: tuple[int, ...], markets: int, block: int
) -> MarginEngine:
    """Read what the contract holds of its first markets into the twin; `spots` are by number, 1e18."""
    made = MarginEngine()
    for number in range(markets):
        is_open = contract.read("spread", number, block=block) != 0
        for board in range(_BOARDS if is_open else 0):
            source = _source(contract, number, board, block)
            if source is None:
                continue
            word, lot, rows, terms, as_of = source
            made.markets[number] = _market(_code(connection, word >> 96, block), word, lot)
            published = _code(connection, int(rows, 16), block)
            listings = _listings(_code(connection, int(terms, 16), block))
            refused = _refusal(contract, number, board, spots, block)
            made.boards[number << 3 | board] = Board(
                listings=listings,
                as_of=as_of,
                **_header(published),
                rows=tuple(
                    Row.decoded(published[at : at + _ROW]) for at in range(_ROWS, len(published), _ROW)
                ),
                superseded=refused == "packed: superseded",
                refuted=refused == "packed: refuted",
            )
    return made


def _source(contract: Bound, number: int, board: int, block: int) -> tuple[int, int, str, str, int] | None:
    try:
        word, lot, rows, terms, as_of = contract.read("source", number, board, block=block)
    except PlimsollError as error:
        if error.code is Code.CHAIN_REFUSED:
            return None
        raise
    return word, lot, rows, terms, as_of


def _code(connection: Connection, address: int, block: int) -> bytes:
    target = connection.node.to_checksum_address(f"0x{address:040x}")
    return bytes(connection.patiently(lambda: connection.node.eth.get_code(target, block)))


def _market(code: bytes, word: int, lot: int) -> Market:
    packing = [int.from_bytes(code[1 + _WORD * at : 1 + _WORD * (at + 1)], "big") for at in range(8)]
    cells = [packing[s // _CELLS] >> (_CELL_BITS * (s % _CELLS)) for s in range(1, word & (2**32 - 1))]
    moves = tuple((_signed(cell >> 32), _signed(cell)) for cell in cells)
    spread, power = (word >> 64) & (2**32 - 1), (word >> 32) & (2**32 - 1)
    return Market(lot=lot, spread=spread, power=power, scenarios=moves)


def _signed(cell: int) -> int:
    """Read the low 32 bits in two's complement."""
    low = cell & (2**32 - 1)
    return low - 2**32 if low >> 31 else low


def _header(published: bytes) -> dict[str, int]:
    word = int.from_bytes(published[_HEADER : _HEADER + _WORD], "big")
    return {
        "spot": (word >> 96) & (2**112 - 1),
        "notional": (word >> 48) & (2**48 - 1),
        "decay": word & (2**48 - 1),
    }


def _listings(code: bytes) -> tuple[Listing, ...]:
    words = [int.from_bytes(code[at : at + _WORD], "big") for at in range(_TERMS_AT, len(code), _TERM)]
    return tuple(Listing(word >> 168, (word >> 128) & (2**40 - 1), word & (2**128 - 1)) for word in words)


def _refusal(contract: Bound, number: int, board: int, spots: tuple[int, ...], block: int) -> str:
    """Say why the packed path does not count a board's rows; empty where it does."""
    try:
        contract.read("packed", pack([(instrument_id(number, board, 0), 1)]), spots, block=block)
    except PlimsollError as error:
        return error.what.removeprefix("the contract refused: ")
    return ""
