"""How does the listing of packed rows become the bytes that packed_rows.vy holds?

`python -m tools.assembly` assembles packed_rows.evm beside it and writes program and offset into it;
a test holds the two together.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from plimsoll.chain.compilation import CONTRACTS
from plimsoll.chain.twin.constants import constants

__all__ = ["LIBRARY", "LISTING", "assembled", "main", "program", "written"]

LISTING, LIBRARY = CONTRACTS / "packed_rows.evm", CONTRACTS / "packed_rows.vy"
_PLAIN = MappingProxyType(
    {
        "ADD": 0x01, "MUL": 0x02, "SUB": 0x03, "DIV": 0x04, "LT": 0x10, "ISZERO": 0x15, "AND": 0x16,
        "OR": 0x17, "XOR": 0x18, "SHL": 0x1B, "SHR": 0x1C, "SAR": 0x1D, "CALLDATALOAD": 0x35,
        "CODESIZE": 0x38, "CODECOPY": 0x39, "TIMESTAMP": 0x42, "POP": 0x50, "MLOAD": 0x51, "MSTORE": 0x52,
        "JUMP": 0x56, "JUMPI": 0x57, "JUMPDEST": 0x5B, "RETURN": 0xF3, "REVERT": 0xFD,
    }
)  # fmt: skip
_COUNTED = MappingProxyType({"PUSH": 0x5F, "DUP": 0x7F, "SWAP": 0x8F})
_WORD = re.compile(r"(PUSH|DUP|SWAP)(\d+)$")
_PROGRAM = re.compile(r'PROGRAM: constant\(Bytes\[\d+\]\) = x"([0-9a-f]*)"')
_HEADER = re.compile(r"HEADER: constant\(uint256\) = \d+")


def main() -> None:
    """Write the program and its length into the contract, until the length that it refers to is its own."""
    made = b""
    while made != program():
        made = program()
        text = _PROGRAM.sub(
            f'PROGRAM: constant(Bytes[{len(made)}]) = x"{made.hex()}"', LIBRARY.read_text(encoding="utf-8")
        )
        LIBRARY.write_text(_HEADER.sub(f"HEADER: constant(uint256) = {len(made)}", text), encoding="utf-8")
        constants.cache_clear()
    print(f"{len(made)} bytes")


def program() -> bytes:
    """Assemble the listing with the constants of the contract."""
    return assembled(LISTING.read_text(encoding="utf-8"), constants(LIBRARY.stem))


def written() -> bytes:
    """Give the program that the contract holds."""
    found = _PROGRAM.search(LIBRARY.read_text(encoding="utf-8"))
    return bytes.fromhex(found[1]) if found else b""


def assembled(listing: str, names: Mapping[str, int]) -> bytes:
    """Assemble a listing: one instruction a line, `label:` for a JUMPDEST, `;` begins a comment.

    An operand is a number, a label or one of `names`. Raises `KeyError` for what is none of these.
    """
    lines = [line for raw in listing.splitlines() if (line := raw.partition(";")[0].strip())]
    places, size = {}, 0
    for line in lines:
        if line.endswith(":"):
            places[line[:-1]] = size
        size += _size(line)
    known = {**names, **places}
    return b"".join(_encoded(line, known) for line in lines)


def _size(line: str) -> int:
    counted = _WORD.match(line.partition(" ")[0])
    return 1 + int(counted[2]) if counted and counted[1] == "PUSH" else 1


def _encoded(line: str, known: Mapping[str, int]) -> bytes:
    name, _, operand = line.partition(" ")
    counted = _WORD.match(name)
    if counted is None:
        return bytes([_PLAIN["JUMPDEST" if name.endswith(":") else name]])
    code = bytes([_COUNTED[counted[1]] + int(counted[2])])
    if not operand:
        return code
    value = known[operand] if operand.isidentifier() else int(operand, 0)
    return code + value.to_bytes(int(counted[2]), "big")


if __name__ == "__main__":
    main()
