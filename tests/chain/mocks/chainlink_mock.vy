# pragma version ~=0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title A feed of Chainlink's shape that answers what a test sets.
@license Apache-2.0
@author The Plimsoll authors
@dev   Answer and time share a word, as in a real aggregator.
"""

decimals: public(immutable(uint8))
round_id: uint80
started_at: uint256
word: uint256


@deploy
def __init__(decimals_: uint8):
    decimals = decimals_


@external
def set_round(round_id: uint80, answer: int192, updated_at: uint64):
    """
    @notice Set the round that is answered from now on.
    """
    self.round_id = round_id
    self.word = (convert(convert(answer, bytes32), uint256) << 64) | convert(updated_at, uint256)


@external
@view
def latestRoundData() -> (uint80, int256, uint256, uint256, uint80):
    """
    @notice The round that was set.
    """
    word: uint256 = self.word
    updated_at: uint256 = word & 18_446_744_073_709_551_615
    answer: int256 = convert(convert(word, bytes32), int256) >> 64
    return self.round_id, answer, updated_at, updated_at, self.round_id
