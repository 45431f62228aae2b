# pragma version ~=0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title A feed of Pyth's shape that answers what a test sets, and refuses what it does not know.
@license Apache-2.0
@author The Plimsoll authors
"""

struct Price:
    price: int64
    conf: uint64
    expo: int32
    publishTime: uint256


prices: HashMap[bytes32, Price]


@external
def set_price(id: bytes32, price: Price):
    """
    @notice Set the price of an identifier.
    """
    self.prices[id] = price


@external
@view
def getPriceUnsafe(id: bytes32) -> Price:
    """
    @notice The price that was set, however old.
    """
    assert self.prices[id].publishTime != 0, "pyth: unknown"
    return self.prices[id]
