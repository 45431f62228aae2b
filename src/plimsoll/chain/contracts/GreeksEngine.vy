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
import packed_rows
import positions
import valuation

implements: IGreeksEngine
initializes: greeks_bound


# What is worked out once for all options of one expiry and basis.
struct Tenor:
    # expiry above 32 bits of basis, and one more
    tag: uint256
    # 2**-64 quanta a lot, its logarithm, and what the box makes of it at most
    forward: int256
    logarithm: int256
    high: int256
    root: int256
    # what total deviation is multiplied by when volatility falls and rises as far as it may
    fallen: int256
    risen: int256


# A position in an option: signed lots, strike in 2**-64 quanta a lot, total deviation as it stands and as
# it is priced, ln(F / K), the upper deviation today and at the ends of the box.
struct Leg:
    lots: int256
    strike: int256
    is_call: bool
    steady: int256
    deviation: int256
    moneyness: int256
    upper: int256
    low: int256
    high: int256


SCENARIOS: constant(uint256) = valuation.SCENARIOS
ONE: constant(int256) = fixed_point.ONE
DEVIATION_MOST: constant(int256) = black76.DEVIATION_MOST

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
    tenor: Tenor = empty(Tenor)
    key: uint256 = max_value(uint256)
    as_of: uint256 = max_value(uint256)
    source: valuation.Source = empty(valuation.Source)
    spot: int256 = 0
    leg: Leg = empty(Leg)
    for word: uint256 in words:
        if word == 0:
            break
        rest: uint256 = word
        for _: uint256 in range(positions.LANES):
            if rest == 0:
                break
            at: uint256 = (rest >> (positions.LOTS_BITS + 10)) & 63
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
                tenor = empty(Tenor)
                as_of = min(as_of, source.as_of)
            leg.lots = positions._signed(rest)
            row: uint256 = (rest >> positions.LOTS_BITS) & 1023
            rest = rest >> positions.LANE_BITS
            # Offsets are below 2**24.
            listed: uint256[2] = abi_decode(
                slice(source.terms.code, unsafe_add(valuation.TERMS, row << 6), valuation.TERM), uint256[2]
            )
            held: uint256[2] = abi_decode(
                slice(source.rows.code, unsafe_add(packed_rows.ROWS, row << 6), packed_rows.ROW), uint256[2]  # as above
            )
            expiry: uint256 = (listed[0] >> 128) & (2**40 - 1)
            basis: uint256 = packed_rows._head(held[0])
            if (expiry << 32 | basis) + 1 != tenor.tag:
                tenor = self._tenor(expiry, basis, spot, source.as_of, box)
            if listed[0] >> 168 == valuation.LINEAR:
                # Lots are below 2**25, money below 2**113, and there are 102 positions.
                sums.value = unsafe_add(sums.value, unsafe_mul(leg.lots, tenor.forward))
                sums.slope = unsafe_add(sums.slope, unsafe_mul(leg.lots, tenor.forward))  # as above
                unit: int256 = unsafe_add(tenor.high >> (valuation.ERROR_BITS - 3), 8)  # as above
                sums.allowance = unsafe_add(sums.allowance, unsafe_mul(abs(leg.lots), unit))  # as above
                continue
            # Money is below 2**109, and so is what follows of it; sums of 102 positions stay below 2**190.
            leg.strike = convert(convert(listed[1] & (2**128 - 1), bytes32), int256)
            leg.is_call = listed[0] >> 168 == valuation.CALL
            assert tenor.forward << 96 >= leg.strike, "engine: no price"
            unit: int256 = unsafe_add(tenor.forward, leg.strike) >> greeks_bound.TAIL_BITS  # as above
            unit = unsafe_add(unit, greeks_bound.UNITS)  # as above
            if leg.lots < 0:
                unit = unsafe_sub(0, unit)  # as above
            sums.allowance = unsafe_add(sums.allowance, unsafe_mul(leg.lots, unit))  # as above
            # Volatility is below 2**26 and the root of time below 2**104.
            leg.steady = unsafe_div(
                unsafe_mul(convert(convert(packed_rows._volatility(held[1]), bytes32), int256), tenor.root), valuation.MILLION
            )
            leg.deviation = min(leg.steady, DEVIATION_MOST)
            if leg.deviation < greeks_bound.KINK:
                kink: greeks_bound.Kink = greeks_bound._kinked(
                    tenor.forward, leg.strike, leg.is_call, leg.deviation, box.low, box.high
                )
                sums.value = unsafe_add(sums.value, unsafe_mul(leg.lots, kink.price))  # as above
                sums.slope = unsafe_add(sums.slope, unsafe_mul(leg.lots, kink.delta))  # as above
                # Money below 2**109 times 2**102: what volatility is worth is below 2**116.
                flat: int256 = unsafe_add(greeks_bound._flat(tenor.forward, leg.strike, box.high), 2)
                if leg.lots < 0:
                    # A kink is worth less than twice the money.
                    sums.low_kinks = unsafe_sub(sums.low_kinks, unsafe_mul(leg.lots, kink.low))
                    sums.high_kinks = unsafe_sub(sums.high_kinks, unsafe_mul(leg.lots, kink.high))  # as above
                    # As above; a scale is below 2**113.
                    change: int256 = max(unsafe_sub(min(unsafe_mul(leg.steady, tenor.risen) >> 96, DEVIATION_MOST), leg.deviation), 0)
                    sums.rises = unsafe_sub(sums.rises, unsafe_mul(leg.lots, unsafe_add(unsafe_mul(flat, change) >> 96, 1)))  # as above
                else:
                    change: int256 = max(unsafe_sub(leg.deviation, unsafe_mul(leg.steady, tenor.fallen) >> 96), 0)  # as above
                    sums.falls = unsafe_add(sums.falls, unsafe_mul(leg.lots, unsafe_add(unsafe_mul(flat, change) >> 96, 1)))  # as above
                continue
            # A logarithm is below 2**104 in size, so what is divided is below 2**201.
            leg.moneyness = unsafe_sub(tenor.logarithm, convert(convert(listed[1], bytes32), int256) >> 128)
            leg.upper = unsafe_add(unsafe_div(leg.moneyness << 96, leg.deviation), leg.deviation >> 1)  # as above
            delta: int256 = unsafe_mul(tenor.forward, greeks_bound._lower(leg.upper)) >> 96  # as above
            price: int256 = unsafe_sub(
                delta, unsafe_mul(leg.strike, greeks_bound._lower(unsafe_sub(leg.upper, leg.deviation))) >> 96  # as above
            )
            if not leg.is_call:
                price = unsafe_sub(price, unsafe_sub(tenor.forward, leg.strike))  # as above
                delta = unsafe_sub(delta, tenor.forward)  # as above
            sums.value = unsafe_add(sums.value, unsafe_mul(leg.lots, price))  # as above
            sums.slope = unsafe_add(sums.slope, unsafe_mul(leg.lots, delta))  # as above
            leg.low = unsafe_add(leg.upper, unsafe_div(box.low_logarithm << 96, leg.deviation))  # as above
            leg.high = unsafe_add(leg.upper, unsafe_div(box.high_logarithm << 96, leg.deviation))  # as above
            if leg.lots < 0:
                # A density is below 2**96, an inverse at most 20 times 2**96, a gamma below 2**131.
                down: int256 = unsafe_mul(greeks_bound._most(max(max(leg.low, unsafe_sub(0, leg.upper)), 0)), box.low_inverse) >> 96
                down = unsafe_add(unsafe_div(unsafe_mul(tenor.forward, unsafe_add(down, 1)), leg.deviation), 1)  # as above
                sums.down = unsafe_add(sums.down, unsafe_mul(leg.lots, down))  # as above
                up: int256 = greeks_bound._most(max(max(leg.upper, unsafe_sub(0, leg.high)), 0))  # as above
                up = unsafe_add(unsafe_div(unsafe_mul(tenor.forward, up), leg.deviation), 1)  # as above
                sums.up = unsafe_add(sums.up, unsafe_mul(leg.lots, up))  # as above
                risen: int256 = min(unsafe_mul(leg.steady, tenor.risen) >> 96, DEVIATION_MOST)  # as above
                if risen > leg.deviation:
                    leg.low = unsafe_sub(unsafe_div(unsafe_add(leg.moneyness, box.low_logarithm) << 96, risen), risen >> 1)  # as above
                    leg.high = unsafe_sub(unsafe_div(unsafe_add(leg.moneyness, box.high_logarithm) << 96, risen), risen >> 1)  # as above
                    near: int256 = max(max(leg.low, unsafe_sub(0, leg.high)), 0)  # as above
                    vega: int256 = greeks_bound._vega(tenor.forward, leg.strike, near, leg.deviation, risen, box.high)
                    sums.rises = unsafe_sub(sums.rises, unsafe_mul(leg.lots, vega))  # as above
            else:
                down: int256 = greeks_bound._least(max(unsafe_sub(0, leg.low), leg.upper))  # as above
                sums.down = unsafe_add(sums.down, unsafe_mul(leg.lots, unsafe_div(unsafe_mul(tenor.forward, down), leg.deviation)))  # as above
                up: int256 = unsafe_mul(greeks_bound._least(max(unsafe_sub(0, leg.upper), leg.high)), box.high_inverse) >> 96  # as above
                sums.up = unsafe_add(sums.up, unsafe_mul(leg.lots, unsafe_div(unsafe_mul(tenor.forward, up), leg.deviation)))  # as above
                fallen: int256 = min(unsafe_mul(leg.steady, tenor.fallen) >> 96, DEVIATION_MOST)  # as above
                if fallen < leg.deviation:
                    near: int256 = max(max(unsafe_sub(leg.low, leg.deviation), unsafe_sub(leg.deviation, leg.high)), 0)  # as above
                    vega: int256 = greeks_bound._vega(tenor.forward, leg.strike, near, fallen, leg.deviation, box.high)
                    sums.falls = unsafe_add(sums.falls, unsafe_mul(leg.lots, vega))  # as above
    if key != max_value(uint256):
        risks[key >> 3] = self._bounded(box, sums, as_of)
    return risks


@internal
@view
def _tenor(expiry: uint256, basis: uint256, spot: int256, as_of: uint256, box: greeks_bound.Box) -> Tenor:
    """
    @dev What all options of an expiry and a basis share.
    """
    # A basis is below 2**31 in size, spot of a lot below 2**160.
    share: int256 = unsafe_add(valuation.BILLION, valuation._signed(basis))
    forward: int256 = unsafe_div(unsafe_mul(spot, share), valuation.BILLION)  # as above
    assert forward > 0 and forward <= valuation.MOST_MONEY, "engine: no price"
    tenor: Tenor = empty(Tenor)
    tenor.tag = (expiry << 32 | basis) + 1
    tenor.forward = forward
    tenor.high = unsafe_mul(forward, box.high) >> 96  # money is below 2**109, a multiple below 2**99
    if expiry != 0:
        found: valuation.Tenor = valuation._tenor(expiry, as_of, block.timestamp, box.power)
        tenor.logarithm = fixed_point._ln(forward)
        tenor.root = found.root
        # A move is below 2**31 and a tenor's multiple below 2**101.
        tenor.fallen = max(unsafe_add(ONE, unsafe_div(unsafe_mul(box.fall, found.multiple), valuation.MILLION)), 0)
        tenor.risen = max(unsafe_add(ONE, unsafe_div(unsafe_mul(box.rise, found.multiple), valuation.MILLION)), 0)  # as above
    return tenor


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
