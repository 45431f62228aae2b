# pragma version ~=0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title What is the most that a book can lose within a box of moves, by delta, gamma and vega?
@license Apache-2.0
@author The Plimsoll authors
@notice
    Along spot an option's profit is delta x + 1/2 (gamma somewhere on the way) x**2, and the extremes of gamma
    over an interval are known: its logarithm is a parabola in ln(F / K), so the least is at an end and the
    largest at an end or at the top. A long position counts the least, a short one the largest, on either side of
    today. Volatility costs a long position at most what falls times the largest vega in the box, a short one what
    rises times it; a scenario does one or the other. Normal tails and densities come from a table worked out at
    deployment, and what lies between its nodes is counted against the account. See docs/theory/on-chain-margin.md.
"""

import fixed_point


# Moves from `low` to `high` (multiples of spot, with their logarithms and inverses; a chord over the exponential
# from the inverse of `low` to one), and of volatility from `fall` to `rise` in millionths; the power of tenors.
struct Box:
    low: int256
    high: int256
    low_logarithm: int256
    high_logarithm: int256
    low_inverse: int256
    high_inverse: int256
    chord: int256
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
    is_call: bool
    deviation: int256
    risen: int256
    fallen: int256


ONE: constant(int256) = fixed_point.ONE
# Density of the standard normal at 0.
DENSITY: constant(int256) = 31_607_463_825_455_920_808_620_519_744
# Below this total deviation, 2**-16, an option is its payoff and at most this much times the density more.
KINK: constant(int256) = 2**80
# Normal tail (2**-96, above 128 bits) and density from 0 to 8 in steps of 2**-5; beyond, both are nothing.
NODES: constant(uint256) = 256
STEP_BITS: constant(uint256) = 91
HALF_STEP: constant(int256) = 2**90
REACH: constant(int256) = 2**99 - HALF_STEP
LOW: constant(uint256) = 2**128 - 1
# Its third derivative is at most 0.551. A density between nodes is off by less than 0.551 / 6 / 2**18 = 3.6e-7, below
# 2**-20: 5.9e-7 are left for roundings.
SLACK: constant(int256) = 2**76
# A tail between nodes is off by less than 0.551 / 24 / 2**24 = 1.4e-9: value and slope together, over a move of at
# most four times, by less than 2**-24 of forward plus strike.
TAIL_BITS: constant(uint256) = 24

NORMAL: immutable(uint256[NODES])


@deploy
def __init__():
    """
    @notice Work the normal distribution out once.
    """
    nodes: uint256[NODES] = empty(uint256[NODES])
    for i: uint256 in range(NODES):
        x: int256 = convert(i << STEP_BITS, int256)
        shared: int256 = fixed_point._exp(-(x * x >> 97))
        density: int256 = DENSITY * shared >> 96
        nodes[i] = convert(fixed_point._tail(x, shared), uint256) << 128 | convert(density, uint256)
    NORMAL = nodes


@internal
@view
def _density(x: int256) -> int256:
    """
    @dev Normal density by three terms of its series about the nearest node; within 2**-20.
    """
    size: int256 = x if x >= 0 else unsafe_sub(0, x)  # deviations are below 2**201
    if size >= REACH:
        return 0
    # A node is below 2**99, a distance below 2**91, their product over 2**96 below 2**94.
    at: int256 = unsafe_add(size, HALF_STEP) >> STEP_BITS
    node: int256 = at << STEP_BITS
    distance: int256 = unsafe_sub(size, node)  # as above
    product: int256 = unsafe_mul(node, distance) >> 96  # as above
    # As above: what is worked out of a density is below 2**192.
    return unsafe_mul(
        convert(convert(NORMAL[convert(convert(at, bytes32), uint256)] & LOW, bytes32), int256),
        unsafe_add(
            unsafe_sub(ONE, product), unsafe_sub(unsafe_mul(product, product), unsafe_mul(distance, distance)) >> 97
        ),
    ) >> 96


@internal
@view
def _lower(x: int256) -> (int256, int256):
    """
    @dev Normal distribution by four terms of its series about the nearest node, within 2**-28, and density.
    """
    size: int256 = x if x >= 0 else unsafe_sub(0, x)  # deviations are below 2**201
    if size >= REACH:
        return ONE if x > 0 else 0, 0
    # As in `_density`.
    at: int256 = unsafe_add(size, HALF_STEP) >> STEP_BITS
    node: int256 = at << STEP_BITS
    distance: int256 = unsafe_sub(size, node)  # as above
    product: int256 = unsafe_mul(node, distance) >> 96  # as above
    found: uint256 = NORMAL[convert(convert(at, bytes32), uint256)]
    density: int256 = convert(convert(found & LOW, bytes32), int256)
    square: int256 = unsafe_sub(unsafe_mul(product, product), unsafe_mul(distance, distance)) >> 96  # as above
    part: int256 = unsafe_add(unsafe_sub(ONE, product >> 1), unsafe_div(square, 6))  # as above
    # As above; a tail is about half at the most.
    tail: int256 = unsafe_sub(
        convert(convert(found >> 128, bytes32), int256), unsafe_mul(unsafe_mul(density, distance) >> 96, part) >> 96
    )
    density = unsafe_mul(density, unsafe_add(unsafe_sub(ONE, product), square >> 1)) >> 96  # as above
    return unsafe_sub(ONE, tail) if x > 0 else tail, density  # as above


@internal
@view
def _add(sums: Sums, box: Box, lots: int256, leg: Leg) -> Sums:
    """
    @notice Add a position in an option to the sums.
    @param sums So far.
    @param box Of its market.
    @param lots Signed.
    @param leg What is held.
    @return The sums with it.
    """
    total: Sums = sums
    short: bool = lots < 0
    size: int256 = max(lots, unsafe_sub(0, lots))  # lots are below 2**25 in size
    # Money is below 2**109, and so is what follows of it; sums of 102 positions stay below 2**190.
    moneyness: int256 = fixed_point._ln(unsafe_div(leg.forward << 96, leg.strike))
    intrinsic: int256 = unsafe_sub(leg.forward, leg.strike)  # as above
    price: int256 = max(intrinsic, 0)
    delta: int256 = leg.forward if intrinsic > 0 else 0
    upper: int256 = 0
    density: int256 = 0
    if leg.deviation > 0:
        # moneyness << 96 is below 2**199.
        upper = unsafe_add(unsafe_div(moneyness << 96, leg.deviation), leg.deviation >> 1)
        gained: int256 = 0
        paid: int256 = 0
        ignored: int256 = 0
        gained, density = self._lower(upper)
        paid, ignored = self._lower(unsafe_sub(upper, leg.deviation))  # as above
        delta = unsafe_mul(leg.forward, gained) >> 96  # below 2**109 times 2**97
        price = max(price, unsafe_sub(delta, unsafe_mul(leg.strike, paid) >> 96))  # as above
    if not leg.is_call:
        price = unsafe_sub(price, intrinsic)  # as above
        delta = unsafe_sub(delta, leg.forward)  # as above
    total.value = unsafe_add(total.value, unsafe_mul(lots, price))  # as above
    total.slope = unsafe_add(total.slope, unsafe_mul(lots, delta))  # as above
    unit: int256 = unsafe_add(unsafe_add(leg.forward, leg.strike) >> TAIL_BITS, 1)  # as above
    total.allowance = unsafe_add(total.allowance, unsafe_mul(size, unit))  # as above
    if leg.deviation >= KINK:
        down: int256 = 0
        up: int256 = 0
        down, up = self._gammas(leg, box, upper, density, short)
        total.down = unsafe_add(total.down, unsafe_mul(lots, down))  # a gamma is below 2**131
        total.up = unsafe_add(total.up, unsafe_mul(lots, up))  # as above
    elif short:
        # A kink is worth less than twice the money.
        total.low_kinks = unsafe_add(total.low_kinks, unsafe_mul(size, self._kink(leg, box.low, price, delta)))
        total.high_kinks = unsafe_add(total.high_kinks, unsafe_mul(size, self._kink(leg, box.high, price, delta)))  # as above
    # What volatility is worth is below 2**116.
    if short:
        change: int256 = self._vega(leg, box, moneyness, leg.deviation, leg.risen)
        total.rises = unsafe_add(total.rises, unsafe_mul(size, change))  # as above
    else:
        change: int256 = self._vega(leg, box, moneyness, leg.fallen, leg.deviation)
        total.falls = unsafe_add(total.falls, unsafe_mul(size, change))  # as above
    return total


@internal
@view
def _gammas(leg: Leg, box: Box, upper: int256, density: int256, largest: bool) -> (int256, int256):
    """
    @dev Dollar gamma F**2 gamma of a lot below and above today, its largest or least: F / s n(d) over the multiple
         of spot, where d moves by a logarithm over s. It has one top, at d = -s.
    """
    # Logarithms are below 2**98, a deviation at least 2**80.
    low: int256 = unsafe_add(upper, unsafe_div(box.low_logarithm << 96, leg.deviation))
    high: int256 = unsafe_add(upper, unsafe_div(box.high_logarithm << 96, leg.deviation))  # as above
    # Whether all of it lies above the top, or all below: then gamma is greatest at one end and least at the other.
    past: bool = unsafe_add(low, leg.deviation) >= 0  # as above
    short_of: bool = unsafe_add(high, leg.deviation) <= 0  # as above
    # Densities are below 2**96, an inverse at most 20 times 2**96.
    if not largest:
        here: int256 = max(unsafe_sub(density, SLACK), 0)  # as above
        below: int256 = here
        above: int256 = here
        if not past:
            below = max(unsafe_sub(self._density(low), SLACK), 0)  # as above
            below = min(here, unsafe_mul(below, box.low_inverse) >> 96)  # as above
        if not short_of:
            above = max(unsafe_sub(self._density(high), SLACK), 0)  # as above
            above = min(here, unsafe_mul(above, box.high_inverse) >> 96)  # as above
        # Below 2**109 times 2**101.
        return (
            unsafe_div(unsafe_mul(leg.forward, below), leg.deviation),
            unsafe_div(unsafe_mul(leg.forward, above), leg.deviation),
        )
    here: int256 = unsafe_add(density, SLACK)  # as above
    below: int256 = here
    above: int256 = here
    if not short_of:
        below = max(here, unsafe_mul(unsafe_add(self._density(low), SLACK), box.low_inverse) >> 96)  # as above
    if not past:
        above = max(here, unsafe_mul(unsafe_add(self._density(high), SLACK), box.high_inverse) >> 96)  # as above
    if not past and not short_of:
        top: int256 = unsafe_add(self._density(leg.deviation), SLACK)  # as above
        beyond: int256 = unsafe_add(upper, leg.deviation)  # as above
        if beyond <= 0:
            above = max(above, top)
        else:
            # Spot over that of the top, exp(s (d + s)), by the chord: below 20.
            reach: int256 = unsafe_mul(unsafe_mul(leg.deviation, beyond) >> 96, box.chord) >> 96
            below = max(below, unsafe_mul(top, unsafe_add(ONE, reach)) >> 96)  # as above
    # As above.
    return (
        unsafe_add(unsafe_div(unsafe_mul(leg.forward, below), leg.deviation), 1),
        unsafe_add(unsafe_div(unsafe_mul(leg.forward, above), leg.deviation), 1),
    )


@internal
@view
def _vega(leg: Leg, box: Box, moneyness: int256, least: int256, most: int256) -> int256:
    """
    @dev The most that a change of total deviation from `least` to `most` is worth while ln(F / K) moves within the
         box: the change times K n(k / most - most / 2) exp((most**2 - least**2) / 8), where the argument is nearest
         to 0; never more than the change times n(0) and the lesser of F and K.
    """
    if most <= least:
        return 0
    change: int256 = unsafe_sub(most, least)  # both are from 0 to 2**102
    growth: int256 = unsafe_mul(change, unsafe_add(most, least)) >> 99  # as above
    worth: int256 = 0
    if growth < ONE:
        # Logarithms are below 2**104.
        low: int256 = unsafe_sub(unsafe_div(unsafe_add(moneyness, box.low_logarithm) << 96, most), most >> 1)
        high: int256 = unsafe_sub(unsafe_div(unsafe_add(moneyness, box.high_logarithm) << 96, most), most >> 1)  # as above
        near: int256 = 0
        if low > 0:
            near = low
        elif high < 0:
            near = high
        density: int256 = unsafe_add(self._density(near), SLACK)  # below 2**96
        # exp(y) <= 1 + y + y**2 up to one; below 2**108 times 2**95, and 2**108 times 2**98.
        worth = unsafe_mul(leg.strike, density) >> 96
        worth = unsafe_mul(worth, unsafe_add(unsafe_add(ONE, growth), unsafe_mul(growth, growth) >> 96)) >> 96  # as above
    else:
        moved: int256 = unsafe_mul(leg.forward, box.high) >> 96  # below 2**109 times 2**99
        worth = unsafe_mul(min(moved, leg.strike), unsafe_add(DENSITY, SLACK)) >> 96  # as above
    return unsafe_add(unsafe_mul(unsafe_add(worth, 2), change) >> 96, 1)  # below 2**111 times 2**102


@internal
@pure
def _kink(leg: Leg, multiple: int256, price: int256, delta: int256) -> int256:
    """
    @dev What a lot is worth at an end of the box beyond value and slope of today: being convex, never more on
         the way. Its worth there is at most its payoff and n(0) F s.
    """
    moved: int256 = leg.forward * multiple >> 96
    payoff: int256 = max(moved - leg.strike if leg.is_call else leg.strike - moved, 0)
    worth: int256 = payoff + (moved * leg.deviation >> 97) + 1
    return max(worth - price - (delta * (multiple - ONE) >> 96), 0)


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
