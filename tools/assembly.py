"""How do the listings of programs written by hand become the bytes that contracts hold?

`python -m tools.assembly` assembles each listing of `PROGRAMS` and writes program and length into the library
of its name; a test holds the two together.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from plimsoll.chain.compilation import CONTRACTS
from plimsoll.chain.twin.constants import constants

__all__ = ["PROGRAMS", "assembled", "main", "program", "written"]

PROGRAMS = ("packed_rows", "market_code")
"""Listings, `.evm`, and the libraries beside them, `.vy`."""
_PLAIN = MappingProxyType(
    {
        "ADD": 0x01, "MUL": 0x02, "SUB": 0x03, "DIV": 0x04, "SDIV": 0x05, "LT": 0x10, "GT": 0x11, "SLT": 0x12,
        "SGT": 0x13, "ISZERO": 0x15, "AND": 0x16, "OR": 0x17, "XOR": 0x18, "SHL": 0x1B, "SHR": 0x1C,
        "SAR": 0x1D, "CALLDATALOAD": 0x35, "CALLDATACOPY": 0x37, "CODESIZE": 0x38, "CODECOPY": 0x39,
        "EXTCODECOPY": 0x3C, "TIMESTAMP": 0x42, "POP": 0x50, "MLOAD": 0x51, "MSTORE": 0x52, "JUMP": 0x56,
        "JUMPI": 0x57, "JUMPDEST": 0x5B, "RETURN": 0xF3, "REVERT": 0xFD,
    }
)  # fmt: skip
_COUNTED = MappingProxyType({"PUSH": 0x5F, "DUP": 0x7F, "SWAP": 0x8F})
_WORD = re.compile(r"(PUSH|DUP|SWAP)(\d+)$")
_PROGRAM = re.compile(r'PROGRAM: constant\(Bytes\[\d+\]\) = x"([0-9a-f]*)"')
_LENGTH = re.compile(r"LENGTH: constant\(uint256\) = \d+")
_PLACE = re.compile(r"(\w+) = (\d+)$")


def main() -> None:
    """Write each program and its length into its library, until the length that it refers to is its own."""
    for name in PROGRAMS:
        library, made = _library(name), b""
        while made != program(name):
            made = program(name)
            text = _PROGRAM.sub(
                f'PROGRAM: constant(Bytes[{len(made)}]) = x"{made.hex()}"',
                library.read_text(encoding="utf-8"),
            )
            text = _LENGTH.sub(f"LENGTH: constant(uint256) = {len(made)}", text)
            library.write_text(text, encoding="utf-8")
            constants.cache_clear()
        print(f"{name}: {len(made)} bytes")


def program(name: str) -> bytes:
    """Assemble a listing with the constants of its library."""
    return assembled((CONTRACTS / f"{name}.evm").read_text(encoding="utf-8"), constants(name))


def written(name: str) -> bytes:
    """Give the program that a library holds."""
    found = _PROGRAM.search(_library(name).read_text(encoding="utf-8"))
    return bytes.fromhex(found[1]) if found else b""


def _library(name: str) -> Path:
    return CONTRACTS / f"{name}.vy"


def assembled(listing: str, names: Mapping[str, int]) -> bytes:
    """Assemble a listing: one instruction a line, `label:` for a JUMPDEST, `;` begins a comment.

    `PLACE = 32` names a number. An operand is a number, a label or one of `names`. Raises `KeyError` for what
    is none of these.
    """
    lines = [line for raw in listing.splitlines() if (line := raw.partition(";")[0].strip())]
    named = {found[1]: int(found[2]) for line in lines if (found := _PLACE.match(line))}
    lines = [line for line in lines if not _PLACE.match(line)]
    places, size = {}, 0
    for line in lines:
        if line.endswith(":"):
            places[line[:-1]] = size
        size += _size(line)
    known = {**names, **named, **places}
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
