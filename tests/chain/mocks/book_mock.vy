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
def fill(account: address, words: uint256[17]):
    positions._words[account] = words


@external
def packed(account: address, spots: uint256[8]) -> int256:
    """
    @notice Read the account's positions and ask; the gas of both is logged.
    """
    before: uint256 = msg.gas
    risks: IMarginEngine.MarketRisk[8] = staticcall IMarginEngine(ENGINE).packed(
        positions._read(account), spots
    )
    log Asked(worst=risks[0].worst, gas=before - msg.gas)
    return risks[0].worst


@external
def exact(account: address, spots: uint256[8]) -> int256:
    """
    @notice Read the account's positions and ask; the gas of both is logged.
    """
    before: uint256 = msg.gas
    risks: IMarginEngine.MarketRisk[8] = staticcall IMarginEngine(ENGINE).exact(
        positions._read(account), spots
    )
    log Asked(worst=risks[0].worst, gas=before - msg.gas)
    return risks[0].worst


@external
def greeks(account: address, spots: uint256[8]) -> int256:
    """
    @notice Read the account's positions and ask; the gas of both is logged.
    """
    before: uint256 = msg.gas
    risks: IMarginEngine.MarketRisk[8] = staticcall IGreeksEngine(GREEKS).greeks(
        positions._read(account), spots
    )
    log Asked(worst=risks[0].worst, gas=before - msg.gas)
    return risks[0].worst
