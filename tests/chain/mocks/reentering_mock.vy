# pragma version ~=0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title A thief that withdraws or gives again while its withdrawal is being paid.
@license Apache-2.0
@author The Plimsoll authors
"""

interface House:
    def deposit(amount: uint256): nonpayable
    def withdraw(amount: uint256): nonpayable
    def give_fund(amount: uint256): nonpayable


HOUSE: immutable(address)
amount: uint256
gives: bool


@deploy
def __init__(house: address):
    HOUSE = house


@external
def begin(deposited: uint256, amount: uint256, gives: bool):
    """
    @notice Deposit, then withdraw, and from within withdraw or give once more.
    """
    extcall House(HOUSE).deposit(deposited)
    self.amount = amount
    self.gives = gives
    extcall House(HOUSE).withdraw(amount)


@external
def on_transfer():
    """
    @notice What the token calls while it moves.
    """
    amount: uint256 = self.amount
    self.amount = 0
    if amount != 0 and self.gives:
        extcall House(HOUSE).give_fund(1)
    elif amount != 0:
        extcall House(HOUSE).withdraw(amount)
