# pragma version ~=0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title How are bytes kept as code, which is the cheapest to read?
@license Apache-2.0
@author The Plimsoll authors
@notice What is only read begins with a zero byte, STOP, so that a call to it does nothing; rows and markets begin
        with programs, which only read.
"""


# PUSH1 11 CODESIZE SUB DUP1 PUSH1 11 PUSH0 CODECOPY PUSH0 RETURN: return all that follows these eleven bytes.
PREFIX: constant(Bytes[11]) = x"600b380380600b5f395ff3"
# The largest code that a chain takes.
MOST: constant(uint256) = 24_576


@internal
def _store(content: Bytes[MOST]) -> address:
    """
    @notice Keep bytes as the code of a new address.
    @param content Begins with a zero byte, or with a program.
    @return The address.
    """
    return raw_create(concat(PREFIX, content))
