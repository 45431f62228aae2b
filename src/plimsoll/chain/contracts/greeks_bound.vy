# pragma version ~=0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title What is the most that a book can lose within a box of moves, by delta, gamma and vega?
@license Apache-2.0
@author The Plimsoll authors
@notice
    Along spot an option's profit is delta x + 1/2 (gamma somewhere on the way) x**2, and the extremes of gamma
    over an interval are known: its logarithm is a parabola in ln(F / K), so the largest is at the interval's
    point nearest to the top and the least at the end farthest from it. A long position counts the least, a
    short one the largest, on either side of today. Volatility costs a long position at most what falls times
    the largest vega in the box, a short one what rises times it; a scenario does one or the other. See
    docs/theory/on-chain-margin.md.
"""

import black76
import fixed_point


# Moves from `low` to `high` (multiples of spot, with their logarithms), and of volatility from `fall` to `rise`
# in millionths; the power of tenors.
struct Box:
    low: int256
    high: int256
    low_logarithm: int256
    high_logarithm: int256
    fall: int256
    rise: int256
    power: int256


# Of a book, in 2**-64 quanta: value, dollar delta, curvature downwards and upwards, what volatility takes when
# it falls and when it rises, what kinks take at the ends of the box, and rounding.
struct Sums:
    value: int256
    slope: int256
    down: int256
    up: int256
    falls: int256
    rises: int256
    low_kinks: int256
    high_kinks: int256
    allowance: int256


# An option: money in 2**-64 quanta a lot, below 2**109; total deviation today, and after the largest rise and fall.
struct Leg:
    forward: int256
    strike: int256
    moneyness: int256
    is_call: bool
    deviation: int256
    risen: int256
    fallen: int256
    price: int256
    delta: int256


ONE: constant(int256) = fixed_point.ONE
# Density of the standard normal at 0.
DENSITY: constant(int256) = 31_607_463_825_455_920_808_620_519_744
# Below this total deviation, 2**-16, an option is its payoff and at most this much times the density more.
KINK: constant(int256) = 2**80
# Beyond 32 deviations there is no vega left.
FAR: constant(int256) = 32 * ONE
# Exponentials and logarithms are off by less than this share: bounds are widened by it, shifted right.
WIDER: constant(uint256) = 40


@internal
@pure
def _add(sums: Sums, box: Box, lots: int256, option: Leg) -> Sums:
    """
    @notice Add a position in an option to the sums.
    @param sums So far.
    @param box Of its market.
    @param lots Signed.
    @param option What is held; moneyness, price and delta are worked out here.
    @return The sums with it.
    """
    total: Sums = sums
    leg: Leg = option
    short: bool = lots < 0
    size: int256 = max(lots, unsafe_sub(0, lots))  # lots are below 2**25 in size
    # Money is below 2**109, and so is what follows of it; sums of 102 positions stay below 2**190.
    leg.moneyness = fixed_point._ln(unsafe_div(leg.forward << 96, leg.strike))
    leg.price, leg.delta = black76._call_and_delta(leg.forward, leg.strike, leg.moneyness, leg.deviation)
    if not leg.is_call:
        leg.price = unsafe_sub(leg.price, unsafe_sub(leg.forward, leg.strike))  # as above
        leg.delta = unsafe_sub(leg.delta, leg.forward)  # as above
    total.value = unsafe_add(total.value, unsafe_mul(lots, leg.price))  # as above
    total.slope = unsafe_add(total.slope, unsafe_mul(lots, leg.delta))  # as above
    # Logarithms are below 2**103 in size.
    low: int256 = unsafe_add(leg.moneyness, box.low_logarithm)
    high: int256 = unsafe_add(leg.moneyness, box.high_logarithm)  # as above
    if leg.deviation >= KINK:
        # A gamma is below 2**131.
        total.down = unsafe_add(total.down, unsafe_mul(lots, self._gamma(leg, low, leg.moneyness, short)))
        total.up = unsafe_add(total.up, unsafe_mul(lots, self._gamma(leg, leg.moneyness, high, short)))  # as above
    elif short:
        # A kink is worth less than twice the money.
        total.low_kinks = unsafe_add(total.low_kinks, unsafe_mul(size, self._kink(leg, box.low)))
        total.high_kinks = unsafe_add(total.high_kinks, unsafe_mul(size, self._kink(leg, box.high)))  # as above
    # What volatility is worth is below 2**116.
    if short:
        change: int256 = self._vega(leg.strike, low, high, leg.deviation, leg.risen)
        total.rises = unsafe_add(total.rises, unsafe_mul(size, change))  # as above
    else:
        change: int256 = self._vega(leg.strike, low, high, leg.fallen, leg.deviation)
        total.falls = unsafe_add(total.falls, unsafe_mul(size, change))  # as above
    return total


@internal
@pure
def _gamma(leg: Leg, low: int256, high: int256, largest: bool) -> int256:
    """
    @dev Dollar gamma F**2 gamma of a lot, its largest or least while ln(F / K) goes from `low` to `high`:
         K n(0) / s exp(2 k - 3/2 k' - k'**2 / (2 s**2) - s**2 / 8), whose top is at k' = -3/2 s**2.
    """
    # A deviation is from 2**80 to 2**103, so its square, in 2**-96, is below 2**110.
    square: int256 = unsafe_mul(leg.deviation, leg.deviation) >> 96
    top: int256 = unsafe_sub(0, unsafe_mul(3, square) >> 1)  # as above
    # The sum of two logarithms, below 2**104, tells which end is farther from the top. Written as statements:
    # Venom of 0.4.3 drops the assignment of a conditional expression here, as the twin found.
    at: int256 = high
    if largest:
        at = max(low, min(high, top))
    elif unsafe_add(low, high) < top << 1:  # as just said
        at = low
    # A logarithm below 2**103 over at least 2**80: the ratio is below 2**119, its square below 2**238.
    ratio: int256 = unsafe_div(at << 96, leg.deviation)
    # The first two terms are below 2**106, the last below 2**107.
    power: int256 = unsafe_sub(unsafe_mul(2, leg.moneyness), unsafe_mul(3, at) >> 1)
    power = unsafe_sub(unsafe_sub(power, unsafe_mul(ratio, ratio) >> 97), square >> 3)  # as above
    # strike exp(2 k - 3/2 k') is at most the root of forward times strike, times 5**1.5 and 20**1.5: below
    # 2**115; so the dividend is below 2**211, the quotient below 2**131.
    gamma: int256 = unsafe_div(unsafe_mul(leg.strike, fixed_point._exp(power)), leg.deviation)
    gamma = unsafe_mul(gamma, DENSITY) >> 96  # below 2**131 times 2**95
    # As above.
    return unsafe_add(gamma, unsafe_add(gamma >> WIDER, 1)) if largest else unsafe_sub(gamma, gamma >> WIDER)


@internal
@pure
def _vega(strike: int256, low: int256, high: int256, least: int256, most: int256) -> int256:
    """
    @dev The most that a change of total deviation from `least` to `most` is worth while ln(F / K) is from `low`
         to `high`: the change times K n(0) exp(k / 2 - k**2 / (2 most**2) - least**2 / 8), top at most**2 / 2.
    """
    if most <= least:
        return 0
    # Deviations are below 2**103, their squares, in 2**-96, below 2**110.
    at: int256 = max(low, min(high, unsafe_mul(most, most) >> 97))
    ratio: int256 = unsafe_div(at << 96, most)  # a logarithm is below 2**103
    if ratio > FAR or ratio < -FAR:
        return 1
    # Below 2**102, 2**106 and 2**107.
    power: int256 = unsafe_sub(at >> 1, unsafe_mul(ratio, ratio) >> 97)
    power = unsafe_sub(power, unsafe_mul(least, least) >> 99)  # as above
    # strike exp(k / 2) is the root of forward times strike: below 2**111, and 2**207 before the shift.
    vega: int256 = unsafe_mul(unsafe_mul(strike, fixed_point._exp(power)) >> 96, DENSITY) >> 96
    change: int256 = unsafe_mul(vega, unsafe_sub(most, least)) >> 96  # below 2**111 times 2**103
    return unsafe_add(change, unsafe_add(change >> WIDER, 1))  # as above


@internal
@pure
def _kink(leg: Leg, multiple: int256) -> int256:
    """
    @dev What a lot is worth at an end of the box beyond value and slope of today: being convex, never more on
         the way. Its worth there is at most its payoff and n(0) F s.
    """
    moved: int256 = leg.forward * multiple >> 96
    payoff: int256 = max(moved - leg.strike if leg.is_call else leg.strike - moved, 0)
    worth: int256 = payoff + (moved * leg.deviation >> 97) + 1
    return max(worth - leg.price - (leg.delta * (multiple - ONE) >> 96), 0)


@internal
@pure
def _loss(sums: Sums, box: Box) -> int256:
    """
    @notice The most that the box can take: the worse side of spot and the worse direction of volatility.
    @param sums Of the book.
    @param box Of its market.
    @return 2**-64 quanta, not negative.
    """
    down: int256 = self._side(sums.slope, sums.down, box.low - ONE) + sums.low_kinks
    up: int256 = self._side(sums.slope, sums.up, box.high - ONE) + sums.high_kinks
    return max(down, up) + max(sums.falls, sums.rises)


@internal
@pure
def _side(slope: int256, curvature: int256, end: int256) -> int256:
    """
    @dev The largest loss of slope x + curvature x**2 / 2 for x from 0 to `end`, rounded up.
    """
    x: int256 = end >> 32
    loss: int256 = max(1 - (slope * x >> 64) - ((curvature * x >> 64) * x >> 65), 0)
    if curvature > 0 and (slope < 0) != (x < 0):
        # The turn, -slope / curvature, in 2**-64; there the loss is half of slope times it.
        turn: int256 = (abs(slope) << 64) // curvature + 1
        if turn <= abs(x):
            loss = max(loss, (abs(slope) * turn >> 65) + 1)
    return loss
