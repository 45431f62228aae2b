# pragma version ~=0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title A clearing house that only keeps positions and asks what they need
@notice For gas: positions come from cold storage, the engine is another contract.
"""

from interfaces import IMarginEngine
import positions

initializes: positions


event Asked:
    worst: int256
    gas: uint256


ENGINE: immutable(address)


@deploy
def __init__(engine: address):
    ENGINE = engine


@external
def change(account: address, instrument: uint256, lots: int256) -> int256:
    return positions._change(account, instrument, lots)


@external
def fill(account: address, words: DynArray[uint256, 25]):
    for i: uint256 in range(25):
        if i < len(words):
            positions._words[account][i] = words[i]


@external
def ask(path: uint256, account: address, spots: DynArray[uint256, 8]) -> int256:
    """
    @notice Read the account's positions and margin them; the gas of both is logged.
    """
    before: uint256 = msg.gas
    words: DynArray[uint256, 25] = positions._read(account)
    risks: DynArray[IMarginEngine.MarketRisk, 8] = []
    if path == 0:
        risks = staticcall IMarginEngine(ENGINE).packed(words, spots)
    elif path == 1:
        risks = staticcall IMarginEngine(ENGINE).exact(words, spots)
    else:
        pass
    worst: int256 = 0
    for risk: IMarginEngine.MarketRisk in risks:
        worst += risk.worst
    log Asked(worst=worst, gas=before - msg.gas)
    return worst
