# pragma version ~=0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Positions, called from outside
@notice What a test asks of the library.
"""

import positions

initializes: positions


@external
@view
def read(account: address) -> uint256[17]:
    return positions._read(account)


@external
@view
def lots(account: address, instrument: uint256) -> int256:
    return positions._lots(account, instrument)


@external
def change(account: address, instrument: uint256, lots: int256) -> int256:
    return positions._change(account, instrument, lots)
