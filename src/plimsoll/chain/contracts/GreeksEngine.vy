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
import fixed_point
import greeks_bound
import market_code
import positions
import valuation

implements: IGreeksEngine

SCENARIOS: constant(uint256) = valuation.SCENARIOS

ENGINE: public(immutable(address))


@deploy
def __init__(engine: address):
    """
    @notice Name the margin engine whose rows are read.
    @param engine Its address.
    """
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
    low: int256 = 0
    kinks: greeks_bound.Kinks = empty(greeks_bound.Kinks)
    run: market_code.Run = empty(market_code.Run)
    run.words = words
    run.sums.next = market_code.SECOND
    run.sums.rest = words[0]
    code: address = empty(address)
    key: uint256 = max_value(uint256)
    as_of: uint256 = max_value(uint256)
    for _: uint256 in range(positions.MAX_POSITIONS):
        if run.sums.rest == 0:
            break
        at: uint256 = (run.sums.rest >> (positions.LOTS_BITS + 10)) & 63
        if at != key:
            assert key == max_value(uint256) or at > key, "engine: order"
            source: IMarginEngine.Source = staticcall IMarginEngine(ENGINE).source(at >> 3, at & 7)
            spot: uint256 = valuation._spot(at >> 3, spots)
            if key == max_value(uint256) or at >> 3 != key >> 3:
                if key != max_value(uint256):
                    risks[key >> 3] = self._bounded(low, run.reach.high, run.sums, kinks, as_of)
                    rest: uint256 = run.sums.rest
                    following: uint256 = run.sums.next
                    run.sums = empty(market_code.Sums)
                    run.sums.rest = rest
                    run.sums.next = following
                    kinks = empty(greeks_bound.Kinks)
                    as_of = max_value(uint256)
                corners: uint256 = convert(
                    slice(convert(source.market >> 96, address).code, market_code.CORNERS, 32), uint256
                )
                low, run.reach = self._reach(corners, source.market)
                run.moment.power = convert((source.market >> 32) & (2**32 - 1), int256)
                run.moment.fall = valuation._signed(corners >> 64)
                run.moment.rise = valuation._signed(corners)
                code = convert(source.market >> 96, address)
            key = at
            run.terms = source.terms
            run.rows = source.rows
            run.moment.spot = valuation._money(spot, source.lot)
            run.moment.as_of = source.as_of
            as_of = min(as_of, source.as_of)
        # The code that the engine stored answers with as many words as it takes.
        run.sums = staticcall market_code.Legs(code).add(run, skip_contract_check=True)
        if run.sums.rest == 0 or (run.sums.rest >> (positions.LOTS_BITS + 10)) & 63 != key:
            continue
        # It stopped before a position that is linear, all but its payoff, or without a price.
        row: uint256 = (run.sums.rest >> positions.LOTS_BITS) & 1023
        option: valuation.Option = empty(valuation.Option)
        expiry: uint256 = 0
        option, expiry = valuation._option(run.terms, run.rows, row, run.moment.spot, 0)
        assert valuation._sound(option), "engine: no price"
        lots: int256 = positions._signed(run.sums.rest)
        size: int256 = abs(lots)
        if option.kind == valuation.LINEAR:
            run.sums.value += lots * option.forward
            run.sums.slope += lots * option.forward
            unit: int256 = (option.forward * run.reach.high >> 96) >> (valuation.ERROR_BITS - 3)
            run.sums.allowance += size * (unit + 8)
        else:
            tenor: valuation.Tenor = valuation._tenor(expiry, run.moment.as_of, block.timestamp, run.moment.power)
            steady: int256 = valuation._still(tenor, option)
            kink: greeks_bound.Kink = greeks_bound._kinked(option, steady, low, run.reach.high)
            run.sums.value += lots * kink.price
            run.sums.slope += lots * kink.delta
            unit: int256 = (option.forward + option.strike) >> market_code.TAIL_BITS
            run.sums.allowance += size * (unit + market_code.UNITS)
            flat: int256 = greeks_bound._flat(option, run.reach.high) + 2
            if lots < 0:
                kinks.low += size * kink.low
                kinks.high += size * kink.high
                risen: int256 = valuation._deviation(steady, tenor.multiple, run.moment.rise)
                run.sums.rises += size * ((flat * max(risen - steady, 0) >> 96) + 1)
            else:
                fallen: int256 = valuation._deviation(steady, tenor.multiple, run.moment.fall)
                run.sums.falls += size * ((flat * max(steady - fallen, 0) >> 96) + 1)
        run.sums.rest = run.sums.rest >> positions.LANE_BITS
        if run.sums.rest == 0:
            place: uint256 = (run.sums.next - market_code.SECOND) // 32 + 1
            if place < positions.MAX_WORDS:
                run.sums.rest = words[place]
            run.sums.next += 32
    if key != max_value(uint256):
        risks[key >> 3] = self._bounded(low, run.reach.high, run.sums, kinks, as_of)
    return risks


@internal
@pure
def _bounded(
    low: int256, high: int256, sums: market_code.Sums, kinks: greeks_bound.Kinks, as_of: uint256
) -> IMarginEngine.MarketRisk:
    """
    @dev Today's value less the most that the box can take; both rounded down to quanta.
    """
    held: int256 = unsafe_sub(sums.value, sums.allowance)  # both are below 2**170
    return IMarginEngine.MarketRisk(
        value=held >> 64,
        worst=(held - greeks_bound._loss(sums, kinks, low, high)) >> 64,
        scenario=SCENARIOS,
        as_of=as_of,
    )


@internal
@pure
def _reach(corners: uint256, word: uint256) -> (int256, market_code.Reach):
    """
    @dev What the least box of moves that holds every scenario of a market makes of spot; its word is that of `Source`.
    """
    spread: int256 = convert((word >> 64) & (2**32 - 1), int256)
    low: int256 = valuation._multiple(valuation._signed(corners >> 96), spread)
    high: int256 = valuation._multiple(valuation._signed(corners >> 32), spread)
    return low, market_code.Reach(
        low_logarithm=fixed_point._ln(low),
        high_logarithm=fixed_point._ln(high),
        low_inverse=unsafe_div(2**192, low),  # at least a twentieth
        high_inverse=unsafe_div(2**192, high),  # as above
        high=high,
    )
