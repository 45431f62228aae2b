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
    size: int256 = abs(lots)
    leg.moneyness = fixed_point._ln((leg.forward << 96) // leg.strike)
    leg.price, leg.delta = black76._call_and_delta(leg.forward, leg.strike, leg.moneyness, leg.deviation)
    if not leg.is_call:
        leg.price -= leg.forward - leg.strike
        leg.delta -= leg.forward
    total.value += lots * leg.price
    total.slope += lots * leg.delta
    low: int256 = leg.moneyness + box.low_logarithm
    high: int256 = leg.moneyness + box.high_logarithm
    if leg.deviation >= KINK:
        total.down += lots * self._gamma(leg, low, leg.moneyness, lots < 0)
        total.up += lots * self._gamma(leg, leg.moneyness, high, lots < 0)
    elif lots < 0:
        total.low_kinks += size * self._kink(leg, box.low)
        total.high_kinks += size * self._kink(leg, box.high)
    if lots < 0:
        total.rises += size * self._vega(leg.strike, low, high, leg.deviation, leg.risen)
    else:
        total.falls += size * self._vega(leg.strike, low, high, leg.fallen, leg.deviation)
    return total


@internal
@pure
def _gamma(leg: Leg, low: int256, high: int256, largest: bool) -> int256:
    """
    @dev Dollar gamma F**2 gamma of a lot, its largest or least while ln(F / K) goes from `low` to `high`:
         K n(0) / s exp(2 k - 3/2 k' - k'**2 / (2 s**2) - s**2 / 8), whose top is at k' = -3/2 s**2.
    """
    square: int256 = leg.deviation * leg.deviation >> 96
    top: int256 = -(3 * square >> 1)
    at: int256 = 0
    if largest:
        at = max(low, min(high, top))
    else:
        at = low if top - low > high - top else high
    ratio: int256 = (at << 96) // leg.deviation
    power: int256 = 2 * leg.moneyness - (3 * at >> 1) - (ratio * ratio >> 97) - (square >> 3)
    gamma: int256 = (leg.strike * fixed_point._exp(power) // leg.deviation) * DENSITY >> 96
    return gamma + (gamma >> WIDER) + 1 if largest else gamma - (gamma >> WIDER)


@internal
@pure
def _vega(strike: int256, low: int256, high: int256, least: int256, most: int256) -> int256:
    """
    @dev The most that a change of total deviation from `least` to `most` is worth while ln(F / K) is from `low`
         to `high`: the change times K n(0) exp(k / 2 - k**2 / (2 most**2) - least**2 / 8), top at most**2 / 2.
    """
    if most <= least:
        return 0
    at: int256 = max(low, min(high, (most * most >> 96) >> 1))
    ratio: int256 = (at << 96) // most
    if abs(ratio) > FAR:
        return 1
    power: int256 = (at >> 1) - (ratio * ratio >> 97) - ((least * least >> 96) >> 3)
    vega: int256 = (strike * fixed_point._exp(power) >> 96) * DENSITY >> 96
    change: int256 = vega * (most - least) >> 96
    return change + (change >> WIDER) + 1


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
