# pragma version ~=0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title What does a book come to in every scenario, by the packed rows of a board?
@license Apache-2.0
@author The Plimsoll authors
@notice
    A published board is code that adds its own rows up: a program, a header of 32 bytes, the address of
    the terms and rows of 64 bytes each. `PROGRAM` is what packed_rows.evm assembles to, which tests hold it to; there it is explained. It is
    not Vyper because what runs once per option weighs most: 440 gas an option instead of 1,100.

    A row is two words of four cells of 64 bits: four lanes of 14 bits, and a byte above them. The bytes of the first
    word are the basis, those of the second the exponent (6 bits) above the volatility (26 bits).

    A word has four lanes of 64 bits; those of word 4 a + t are scenarios 16 a + t, + 4, + 8 and + 12. A lane
    begins with its scenario's number, and 2**57 above its five bits; lots are added to it 32 times. All is modulo
    2**256, where a sum below none borrows from its neighbour, and 2**57 pays that back.
"""

import data_code


# Of one market, from board to board.
struct Sums:
    lanes: uint256[8]
    # sizes of positions in the low 64 bits, those times 2**exponent above; each 32 times
    gross: uint256
    # quanta, for what spot and time did since publication
    charge: uint256
    # where in a call's data the next word of positions begins
    next: uint256
    # what is left of a word of positions, the next of them in its low bits; 0 when all are added
    rest: uint256


# What the sums come to.
struct Worth:
    # quanta, today and in the worst scenario
    value: int256
    worst: int256
    scenario: uint256
    # whether neither spot nor time has left the rows behind
    fresh: uint256


interface Rows:
    def add(sums: Sums, spot: uint256, words: uint256[17]) -> (Sums, Worth): view


PROGRAM: constant(Bytes[762]) = x"60043560243560443560643560843560a43560c43560e4357f0000000000003fff0000000000003fff0000000000003fff0000000000003fff61016435601a1c61fc00165f0361032e380360061c6101043561014435606052610164355b61ffff81601a1c168401838110607b5761040090106102f65761011e565b60061b61032e016040906020398060e61b60e11d8060405160fa1c1b908160401b018060ff1d908118038301925060205180871682028f019e5080600e1c871682028e019d5080601c1c871682028d019c50602a1c861681028b019a5060405180871682028b019a5080600e1c871682028a01995080601c1c8716820289019850602a1c86160286019550602a1c80605d5750606051806020016060523580605d575b6101e052806101805261010435900367ffffffffffffffff1660051c60206102fa5f395f518060601c6dffffffffffffffffffffffffffff168061018435038060ff1d908118038060320282108360d01c420380610e101090911715610260528365ffffffffffff1602908360301c65ffffffffffff16028290040160010183026101243501806101a0526101805160451c01670200000000000000015f525050505050506060516101c0526101605261014052610120526101005260e05260c05260a052806080525f518167ffffffffffffffff1660051c03610200527f80000000000000008000000000000000800000000000000080000000000000009060a0518183170380831680603f1c900316900360c0518183170380831680603f1c900316900360e0518183170380831680603f1c9003169003610100518183170380831680603f1c9003169003610120518183170380831680603f1c9003169003610140518183170380831680603f1c9003169003610160518183170380831680603f1c90031690038060801c8183170380831680603f1c90031690038060401c67ffffffffffffffff169067ffffffffffffffff16818118818310021880601f16610240525f519060051c03610220526102006080f35b5f5ffd"
LENGTH: constant(uint256) = 762
# Where code holds the header, the address of the terms that the rows were published for, and the rows.
HEADER: constant(uint256) = LENGTH
TERMS: constant(uint256) = HEADER + 32
ROWS: constant(uint256) = TERMS + 20
ROW: constant(uint256) = 64
# Of a row's exponent, and of its volatility below it.
EXPONENT_AT: constant(uint256) = 250
VOLATILITY: constant(uint256) = 2**26 - 1
MAX_ROWS: constant(uint256) = 320
MAX_ROW_BYTES: constant(uint256) = MAX_ROWS * ROW
# Where in a call's data the second word of positions begins.
SECOND: constant(uint256) = 452
# Rows hold for so many seconds, while spot stays within one fiftieth of theirs.
MAX_AGE: constant(uint256) = 3_600
DRIFT: constant(uint256) = 50
# A lane of sums, the places of four, their top bits, and every fourth lane of a row: 14 bits.
LANE: constant(uint256) = 2**64 - 1
SPACES: constant(uint256) = 1 + 2**64 + 2**128 + 2**192
TOPS: constant(uint256) = 2**63 * SPACES
MASK: constant(uint256) = 16_383 * SPACES
# The lowest byte of every cell, and what brings all four side by side to the bits from 192 on.
BYTES: constant(uint256) = 255 * SPACES
GATHER: constant(uint256) = 2**192 + 2**136 + 2**80 + 2**24
# What four lanes begin with: no money, and the numbers of their scenarios.
NOTHING: constant(uint256) = 2**57
NUMBERS: constant(uint256) = 4 * 2**64 + 8 * 2**128 + 12 * 2**192
FIRST: constant(uint256) = NOTHING * 32 * SPACES + NUMBERS
START: constant(uint256[8]) = [
    FIRST,
    FIRST + SPACES,
    FIRST + 2 * SPACES,
    FIRST + 3 * SPACES,
    FIRST + 16 * SPACES,
    FIRST + 17 * SPACES,
    FIRST + 18 * SPACES,
    FIRST + 19 * SPACES,
]


@internal
def _published(header: uint256, terms: address, rows: Bytes[MAX_ROW_BYTES]) -> address:
    """
    @notice Keep a board's header and rows as code that adds them up.
    @param header Of the board.
    @param terms Code of the board's terms.
    @param rows All of them.
    @return Where.
    """
    return data_code._store(concat(PROGRAM, convert(header, bytes32), convert(terms, bytes20), rows))


@internal
@view
def _header(code: address) -> uint256:
    """
    @notice Read the header of a board.
    @param code That holds it.
    @return Its word.
    """
    return convert(slice(code.code, HEADER, 32), uint256)


@internal
@pure
def _basis(word: uint256) -> int256:
    """
    @notice Read the forward over spot less one from a row's first word.
    @param word With a byte of it above every cell, the lowest first.
    @return Signed, 1e-9.
    """
    return convert(convert(self._head(word) << 224, bytes32), int256) >> 224


@internal
@pure
def _volatility(word: uint256) -> uint256:
    """
    @notice Read the volatility from a row's second word.
    @param word With a byte of exponent and volatility above every cell, the lowest first.
    @return 1e-6.
    """
    return self._head(word) & VOLATILITY


@internal
@pure
def _head(word: uint256) -> uint256:
    """
    @notice Gather the bytes above the four cells of a word.
    @param word Of a row.
    @return 32 bits, the byte of the lowest cell in the lowest.
    """
    # Modulo 2**256: the four bytes meet side by side from bit 192 on, all other products end below or beyond.
    return unsafe_mul((word >> 56) & BYTES, GATHER) >> 192


@internal
@view
def _terms(code: address) -> address:
    """
    @notice Read which terms a board's rows were published for.
    @param code That holds the rows.
    @return Code of the terms.
    """
    return convert(slice(code.code, TERMS, 20), address)
