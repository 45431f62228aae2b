# pragma version ~=0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title An oracle whose volatility a test sets.
@license Apache-2.0
@author The Plimsoll authors
"""

volatility_: uint256
seen: uint256


@external
def set_volatility(volatility: uint256, seen: uint256):
    """
    @notice Set what `volatility` answers.
    """
    self.volatility_ = volatility
    self.seen = seen


@external
@view
def volatility(market: bytes32) -> (uint256, uint256):
    """
    @notice What was set.
    """
    return self.volatility_, self.seen
