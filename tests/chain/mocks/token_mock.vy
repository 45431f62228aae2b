# pragma version ~=0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title A token that anyone mints, and that can keep a fee, refuse, or call back while it moves.
@license Apache-2.0
@author The Plimsoll authors
"""

interface Callback:
    def on_transfer(): nonpayable


event Transfer:
    sender: indexed(address)
    receiver: indexed(address)
    amount: uint256


decimals: public(immutable(uint8))
balanceOf: public(HashMap[address, uint256])
fee: public(uint256)
caller: public(address)


@deploy
def __init__(decimals_: uint8):
    decimals = decimals_


@external
def mint(owner: address, amount: uint256):
    """
    @notice Make tokens.
    """
    self.balanceOf[owner] += amount


@external
def set_fee(fee: uint256):
    """
    @notice Keep this many units of every transfer from now on.
    """
    self.fee = fee


@external
def set_caller(caller: address):
    """
    @notice Call this contract back in every transfer from now on.
    """
    self.caller = caller


@external
def transfer(to: address, amount: uint256) -> bool:
    """
    @notice Move tokens of the caller.
    """
    self._move(msg.sender, to, amount)
    return True


@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    """
    @notice Move tokens of anybody: nothing is at stake.
    """
    self._move(owner, to, amount)
    return True


@internal
def _move(owner: address, to: address, amount: uint256):
    if self.caller != empty(address):
        extcall Callback(self.caller).on_transfer()
    self.balanceOf[owner] -= amount
    self.balanceOf[to] += amount - self.fee
    log Transfer(sender=owner, receiver=to, amount=amount)
