# pragma version ~=0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title What do delta, gamma and vega ask for, with a bound on what they leave out?
@license Apache-2.0
@author The Plimsoll authors
@notice
    A screen: it never asks for less than the margin engine's exact path, whose published rows it prices from.
    It keeps no state and nobody owns it. See IGreeksEngine and docs/theory/on-chain-margin.md.
@custom:kill None is needed: it decides nothing by itself. A clearing house that no longer wants the screen
             stops asking it; the margin engine's exact path does not depend on it.
"""

from interfaces import IGreeksEngine
from interfaces import IMarginEngine
import black76
import fixed_point
import greeks_bound
import positions
import valuation

implements: IGreeksEngine
initializes: greeks_bound


SCENARIOS: constant(uint256) = valuation.SCENARIOS
ONE: constant(int256) = fixed_point.ONE

ENGINE: public(immutable(address))


@deploy
def __init__(engine: address):
    """
    @notice Name the margin engine whose rows are read.
    @param engine Its address.
    """
    greeks_bound.__init__()
    ENGINE = engine


@external
@view
def greeks(
    words: uint256[positions.MAX_WORDS], spots: uint256[8]
) -> IMarginEngine.MarketRisk[8]:
    """
    @notice See IGreeksEngine.
    @param words Words of six positions.
    @param spots Spot by market number, 1e18.
    @return Risks by number of the market.
    """
    risks: IMarginEngine.MarketRisk[8] = empty(IMarginEngine.MarketRisk[8])
    box: greeks_bound.Box = empty(greeks_bound.Box)
    sums: greeks_bound.Sums = empty(greeks_bound.Sums)
    tenor: valuation.Tenor = empty(valuation.Tenor)
    key: uint256 = max_value(uint256)
    as_of: uint256 = max_value(uint256)
    source: valuation.Source = empty(valuation.Source)
    spot: int256 = 0
    for word: uint256 in words:
        if word == 0:
            break
        rest: uint256 = word
        for _: uint256 in range(positions.LANES):
            if rest == 0:
                break
            instrument: uint256 = (rest >> positions.LOTS_BITS) & positions.MAX_ID
            at: uint256 = instrument >> 10
            if at != key:
                assert key == max_value(uint256) or at > key, "engine: order"
                opened: bool = key == max_value(uint256) or at >> 3 != key >> 3
                source = self._source(at)
                spot = valuation._money(valuation._spot(at >> 3, spots), source.lot)
                if opened:
                    if key != max_value(uint256):
                        risks[key >> 3] = self._bounded(box, sums, as_of)
                        sums = empty(greeks_bound.Sums)
                        as_of = max_value(uint256)
                    box = self._box(source.market)
                key = at
                tenor = empty(valuation.Tenor)
                as_of = min(as_of, source.as_of)
            lots: int256 = positions._signed(rest)
            option: valuation.Option = empty(valuation.Option)
            expiry: uint256 = 0
            option, expiry = valuation._option(source.terms, source.rows, source.lot, instrument & 1023, spot, 0)
            assert valuation._sound(option), "engine: no price"
            # Lots are below 2**25, money below 2**113, and there are 102 positions.
            sums.allowance = unsafe_add(sums.allowance, unsafe_mul(abs(lots), valuation._error(box.high, option)) << 3)
            if option.kind == valuation.LINEAR:
                sums.value = unsafe_add(sums.value, unsafe_mul(lots, option.forward))  # as above
                sums.slope = unsafe_add(sums.slope, unsafe_mul(lots, option.forward))  # as above
            else:
                if expiry != tenor.expiry:
                    tenor = valuation._tenor(expiry, source.as_of, block.timestamp, box.power)
                steady: int256 = valuation._still(tenor, option)
                leg: greeks_bound.Leg = greeks_bound.Leg(
                    forward=option.forward,
                    strike=option.strike,
                    is_call=option.kind == valuation.CALL,
                    deviation=min(steady, black76.DEVIATION_MOST),
                    risen=valuation._deviation(steady, tenor.multiple, box.rise),
                    fallen=valuation._deviation(steady, tenor.multiple, box.fall),
                )
                sums = greeks_bound._add(sums, box, lots, leg)
            rest = rest >> positions.LANE_BITS
    if key != max_value(uint256):
        risks[key >> 3] = self._bounded(box, sums, as_of)
    return risks


@internal
@pure
def _bounded(
    box: greeks_bound.Box, sums: greeks_bound.Sums, as_of: uint256
) -> IMarginEngine.MarketRisk:
    """
    @dev Today's value less the most that the box can take; both rounded down to quanta.
    """
    held: int256 = unsafe_sub(sums.value, sums.allowance)  # both are below 2**170
    return IMarginEngine.MarketRisk(
        value=held >> 64,
        worst=(held - greeks_bound._loss(sums, box)) >> 64,
        scenario=SCENARIOS,
        as_of=as_of,
    )


@internal
@view
def _box(word: uint256) -> greeks_bound.Box:
    """
    @dev The least box of moves that holds every scenario of a market; its word is that of `Source`.
    """
    # Kept behind the eight words of scenarios: the low corner above the high one.
    corners: uint256 = convert(slice(convert(word >> 96, address).code, 257, 32), uint256)
    box: greeks_bound.Box = empty(greeks_bound.Box)
    box.fall = valuation._signed(corners >> 64)
    box.rise = valuation._signed(corners)
    spread: int256 = convert((word >> 64) & (2**32 - 1), int256)
    box.power = convert((word >> 32) & (2**32 - 1), int256)
    box.low = valuation._multiple(valuation._signed(corners >> 96), spread)
    box.high = valuation._multiple(valuation._signed(corners >> 32), spread)
    box.low_logarithm = fixed_point._ln(box.low)
    box.high_logarithm = fixed_point._ln(box.high)
    box.low_inverse = unsafe_div(2**192, box.low)  # at least a twentieth
    box.high_inverse = unsafe_div(2**192, box.high)  # as above
    if box.low_logarithm < 0:
        # Inverses are below 2**101.
        box.chord = unsafe_div(unsafe_sub(box.low_inverse, ONE) << 96, unsafe_sub(0, box.low_logarithm))
    return box


@internal
@view
def _source(key: uint256) -> valuation.Source:
    """
    @dev Ask the margin engine where a board and its market are kept.
    """
    found: IMarginEngine.Source = staticcall IMarginEngine(ENGINE).source(key >> 3, key & 7)
    return valuation.Source(
        market=found.market, lot=found.lot, rows=found.rows, terms=found.terms, as_of=found.as_of
    )
