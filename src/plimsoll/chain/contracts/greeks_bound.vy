# pragma version ~=0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title What is the most that a book can lose within a box of moves, by delta, gamma and vega?
@license Apache-2.0
@author The Plimsoll authors
@notice
    Along spot an option's profit is delta x + 1/2 (gamma somewhere on the way) x**2, and on either side of today
    gamma is at least, or at most, what the density farthest from, or nearest to, its top makes it: a long position
    counts the one, a short one the other. Volatility costs a long position at most what falls times the largest
    vega in the box, a short one what rises times it; a scenario does one or the other. Normal tails come from a
    table worked out at deployment, densities are those of its nodes on the safe side, and what lies between is
    counted against the account. See docs/theory/on-chain-margin.md.
"""

import fixed_point


# Moves from `low` to `high` (multiples of spot, their logarithms and inverses), and of volatility from `fall` to
# `rise` in millionths; the power of tenors.
struct Box:
    low: int256
    high: int256
    low_logarithm: int256
    high_logarithm: int256
    low_inverse: int256
    high_inverse: int256
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


# An option that is all but its payoff, a lot: what it is worth and its dollar delta, and beyond that line what it is
# worth at most at either end of the box.
struct Kink:
    price: int256
    delta: int256
    low: int256
    high: int256


ONE: constant(int256) = fixed_point.ONE
# Density of the standard normal at 0.
DENSITY: constant(int256) = 31_607_463_825_455_920_808_620_519_744
# Below this total deviation, 2**-16, an option is its payoff and at most this much times the density more.
KINK: constant(int256) = 2**80
# Normal tail (2**-96, above 128 bits) and density from 0 to 8 in steps of 2**-5; beyond, both are next to nothing.
NODES: constant(uint256) = 256
STEP_BITS: constant(uint256) = 91
HALF_STEP: constant(int256) = 2**90
REACH: constant(int256) = 2**99 - HALF_STEP - 1
LOW: constant(uint256) = 2**128 - 1
# The last node stands for all beyond it, where the density is below 2**-47 and is kept as nothing. Densities of nodes
# are kept 2**-50 below what they are, as roundings are below 2**-56, and count 2**-47 more where the most is asked for.
LAST: constant(uint256) = NODES - 1
BELOW: constant(int256) = 2**46
ABOVE: constant(int256) = 2**49
# A tail between nodes is off by less than 0.4 / 6 / 2**18 = 2.6e-7, as its third derivative is below 0.4: value and
# slope together, over a move of at most four times, by less than 2**-19 of forward plus strike.
TAIL_BITS: constant(uint256) = 19
# And the exact path by eight times at most what that leaves, and by as many units.
UNITS: constant(int256) = 16

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
        density: int256 = max((DENSITY * shared >> 96) - BELOW, 0) if i < LAST else 0
        nodes[i] = convert(fixed_point._tail(x, shared), uint256) << 128 | convert(density, uint256)
    NORMAL = nodes


@internal
@view
def _most(size: int256) -> int256:
    """
    @dev No less than the normal density at a size: that of the node before.
    """
    # A size is not negative; the sum is below 2**95.
    at: uint256 = min(convert(convert(size, bytes32), uint256) >> STEP_BITS, LAST)
    return unsafe_add(convert(convert(NORMAL[at] & LOW, bytes32), int256), ABOVE)  # as above


@internal
@view
def _least(size: int256) -> int256:
    """
    @dev No more than the normal density at a size: that of the node behind.
    """
    # A size is not negative and below 2**201.
    at: uint256 = min(unsafe_add(convert(convert(size, bytes32), uint256) >> STEP_BITS, 1), LAST)
    return convert(convert(NORMAL[at] & LOW, bytes32), int256)


@internal
@view
def _lower(x: int256) -> int256:
    """
    @dev Normal distribution by three terms of its series about the nearest node; within 2.6e-7.
    """
    # A node is below 2**99, a distance below 2**91, so their product is below 2**190; a density is below 2**95.
    size: int256 = min(max(x, unsafe_sub(0, x)), REACH)  # as above
    at: uint256 = convert(convert(unsafe_add(size, HALF_STEP), bytes32), uint256) >> STEP_BITS  # as above
    node: int256 = convert(convert(at << STEP_BITS, bytes32), int256)
    distance: int256 = unsafe_sub(size, node)  # as above
    found: uint256 = NORMAL[at]
    slope: int256 = unsafe_mul(convert(convert(found & LOW, bytes32), int256), distance) >> 96  # as above
    # As above; a tail is half at the most.
    tail: int256 = unsafe_sub(
        convert(convert(found >> 128, bytes32), int256),
        unsafe_mul(slope, unsafe_sub(ONE, unsafe_mul(node, distance) >> 97)) >> 96,
    )
    if x > 0:
        return unsafe_sub(ONE, tail)  # as above
    return tail


@internal
@view
def _vega(forward: int256, strike: int256, nearest: int256, least: int256, most: int256, high: int256) -> int256:
    """
    @notice The most that a change of total deviation is worth while ln(F / K) moves within the box: the change times
            K n(d) exp((most**2 - least**2) / 8), where d, k / most - most / 2, is nearest to 0; where the exponent
            is above one, the change times n(0) and the lesser of F and K.
    @param forward In 2**-64 quanta a lot.
    @param strike As the forward.
    @param nearest Size of d.
    @param least Total deviation.
    @param most More than the least.
    @param high What the box makes of the forward at most.
    @return In 2**-64 quanta a lot.
    """
    change: int256 = unsafe_sub(most, least)  # both are from 0 to 2**102
    growth: int256 = unsafe_mul(change, unsafe_add(most, least)) >> 99  # as above
    worth: int256 = 0
    if growth < ONE:
        # exp(y) <= 1 + y + y**2 up to one; below 2**108 times 2**95, and 2**108 times 2**98.
        worth = unsafe_mul(strike, self._most(nearest)) >> 96
        worth = unsafe_mul(worth, unsafe_add(unsafe_add(ONE, growth), unsafe_mul(growth, growth) >> 96)) >> 96  # as above
    else:
        worth = self._flat(forward, strike, high)
    return unsafe_add(unsafe_mul(unsafe_add(worth, 2), change) >> 96, 1)  # below 2**111 times 2**102


@internal
@pure
def _flat(forward: int256, strike: int256, high: int256) -> int256:
    """
    @dev What no vega over the root of time is above: n(0) and the lesser of F and K.
    """
    # Below 2**109 times 2**99, and times 2**95.
    return unsafe_mul(min(unsafe_mul(forward, high) >> 96, strike), DENSITY + ABOVE) >> 96


@internal
@view
def _kinked(forward: int256, strike: int256, is_call: bool, deviation: int256, low: int256, high: int256) -> Kink:
    """
    @notice Price an option without deviation to speak of.
    @param forward In 2**-64 quanta a lot.
    @param strike As the forward.
    @param is_call Or a put.
    @param deviation In total, below `KINK`.
    @param low What the box makes of the forward at least.
    @param high And at most.
    @return What it is worth, and more at the ends.
    """
    # Money is below 2**109, and so is what follows of it.
    intrinsic: int256 = unsafe_sub(forward, strike)
    price: int256 = max(intrinsic, 0)
    delta: int256 = forward if intrinsic > 0 else 0
    if deviation > 0:
        # A logarithm << 96 is below 2**199.
        upper: int256 = unsafe_add(
            unsafe_div(fixed_point._ln(unsafe_div(forward << 96, strike)) << 96, deviation), deviation >> 1
        )
        delta = unsafe_mul(forward, self._lower(upper)) >> 96  # below 2**109 times 2**97
        price = unsafe_sub(delta, unsafe_mul(strike, self._lower(unsafe_sub(upper, deviation))) >> 96)  # as above
    if not is_call:
        price = unsafe_sub(price, intrinsic)  # as above
        delta = unsafe_sub(delta, forward)  # as above
    return Kink(
        price=price,
        delta=delta,
        low=self._beyond(forward * low >> 96, strike, is_call, deviation, price + (delta * (low - ONE) >> 96)),
        high=self._beyond(forward * high >> 96, strike, is_call, deviation, price + (delta * (high - ONE) >> 96)),
    )


@internal
@pure
def _beyond(
    moved: int256, strike: int256, is_call: bool, deviation: int256, line: int256
) -> int256:
    """
    @dev What a lot is worth at an end of the box beyond the line of today's value and slope: being convex, never
         more on the way. Its worth there is at most its payoff and n(0) F s.
    """
    payoff: int256 = max(moved - strike if is_call else strike - moved, 0)
    worth: int256 = payoff + (moved * deviation >> 97) + 1
    return max(worth - line, 0)


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
