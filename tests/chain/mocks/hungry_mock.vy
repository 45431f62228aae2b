# pragma version ~=0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title A feed of Chainlink's shape that burns all the gas it is given.
@license Apache-2.0
@author The Plimsoll authors
"""

@external
@view
def latestRoundData() -> (uint80, int256, uint256, uint256, uint80):
    """
    @notice Burn it.
    """
    assert block.timestamp == 0, UNREACHABLE
    return 0, 0, 0, 0, 0
