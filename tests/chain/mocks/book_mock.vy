# pragma version ~=0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title A clearing house that only keeps positions and asks what they need
@notice For gas: positions come from cold storage, the engine is another contract.
"""

from interfaces import IGreeksEngine
from interfaces import IMarginEngine
import positions

initializes: positions


event Asked:
    worst: int256
    gas: uint256


ENGINE: immutable(address)
GREEKS: immutable(address)


@deploy
def __init__(engine: address, greeks: address):
    ENGINE = engine
    GREEKS = greeks


@external
def change(account: address, instrument: uint256, lots: int256) -> int256:
    return positions._change(account, instrument, lots)


@external
def fill(account: address, words: DynArray[uint256, 17]):
    for i: uint256 in range(17):
        if i < len(words):
            positions._words[account][i] = words[i]


@external
def packed(account: address, spots: DynArray[uint256, 8]) -> int256:
    """
    @notice Read the account's positions and ask; the gas of both is logged.
    """
    before: uint256 = msg.gas
    words: DynArray[uint256, 17] = positions._read(account)
    risks: DynArray[IMarginEngine.MarketRisk, 8] = staticcall IMarginEngine(ENGINE).packed(words, spots)
    log Asked(worst=risks[0].worst, gas=before - msg.gas)
    return risks[0].worst


@external
def exact(account: address, spots: DynArray[uint256, 8]) -> int256:
    """
    @notice Read the account's positions and ask; the gas of both is logged.
    """
    before: uint256 = msg.gas
    words: DynArray[uint256, 17] = positions._read(account)
    risks: DynArray[IMarginEngine.MarketRisk, 8] = staticcall IMarginEngine(ENGINE).exact(words, spots)
    log Asked(worst=risks[0].worst, gas=before - msg.gas)
    return risks[0].worst


@external
def greeks(account: address, spots: DynArray[uint256, 8]) -> int256:
    """
    @notice Read the account's positions and ask; the gas of both is logged.
    """
    before: uint256 = msg.gas
    words: DynArray[uint256, 17] = positions._read(account)
    risks: DynArray[IMarginEngine.MarketRisk, 8] = staticcall IGreeksEngine(GREEKS).greeks(words, spots)
    log Asked(worst=risks[0].worst, gas=before - msg.gas)
    return risks[0].worst
