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
    vega in the box, a short one what rises times it; a scenario does one or the other. What every position adds is
    worked out by the program in market_code; here is what an option adds that is all but its payoff, and what a book
    comes to. See docs/theory/on-chain-margin.md.
"""

import black76
import fixed_point
import market_code
import valuation


# An option that is all but its payoff, a lot: what it is worth and its dollar delta, and beyond that line what it is
# worth at most at either end of the box.
struct Kink:
    price: int256
    delta: int256
    low: int256
    high: int256


# What such options of a book are worth beyond their lines, 2**-64 quanta.
struct Kinks:
    low: int256
    high: int256


ONE: constant(int256) = fixed_point.ONE

@internal
@pure
def _flat(option: valuation.Option, high: int256) -> int256:
    """
    @notice What no vega over the root of time is above: n(0) and the lesser of F and K.
    @param option Sound.
    @param high What the box makes of spot at most.
    @return In 2**-64 quanta a lot.
    """
    return min(option.forward * high >> 96, option.strike) * market_code.FLATTEST >> 96


@internal
@pure
def _kinked(option: valuation.Option, deviation: int256, low: int256, high: int256) -> Kink:
    """
    @notice Price an option without deviation to speak of.
    @param option Sound.
    @param deviation In total, below `KINK`.
    @param low What the box makes of spot at least.
    @param high And at most.
    @return What it is worth, and more at the ends.
    """
    moneyness: int256 = fixed_point._ln((option.forward << 96) // option.strike)
    price: int256 = 0
    delta: int256 = 0
    price, delta = black76._call_and_delta(option.forward, option.strike, moneyness, deviation)
    is_call: bool = option.kind == valuation.CALL
    if not is_call:
        price -= option.forward - option.strike
        delta -= option.forward
    return Kink(
        price=price,
        delta=delta,
        low=self._beyond(
            option.forward * low >> 96, option.strike, is_call, deviation, price + (delta * (low - ONE) >> 96)
        ),
        high=self._beyond(
            option.forward * high >> 96, option.strike, is_call, deviation, price + (delta * (high - ONE) >> 96)
        ),
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
def _loss(sums: market_code.Sums, kinks: Kinks, low: int256, high: int256) -> int256:
    """
    @notice The most that the box can take: the worse side of spot and the worse direction of volatility.
    @param sums Of the book.
    @param kinks Of the book.
    @param low What the box makes of spot at least.
    @param high And at most.
    @return 2**-64 quanta, not negative.
    """
    down: int256 = self._side(sums.slope, sums.down, low - ONE) + kinks.low
    up: int256 = self._side(sums.slope, sums.up, high - ONE) + kinks.high
    return max(down, up) + max(sums.falls, sums.rises)


@internal
@pure
def _side(slope: int256, curvature: int256, end: int256) -> int256:
    """
    @dev The largest loss of slope x + curvature x**2 / 2 for x from 0 to `end`, rounded up.
    """
    # A slope is below 2**141, a curvature below 2**163, x below 2**68.
    x: int256 = end >> 32
    bent: int256 = unsafe_mul(unsafe_mul(curvature, x) >> 64, x) >> 65  # as above
    loss: int256 = max(unsafe_sub(unsafe_sub(1, unsafe_mul(slope, x) >> 64), bent), 0)  # as above
    if curvature > 0 and (slope < 0) != (x < 0):
        # The turn, -slope / curvature, in 2**-64; there the loss is half of slope times it.
        steep: int256 = abs(slope)
        turn: int256 = unsafe_add(unsafe_div(steep << 64, curvature), 1)  # as above
        if turn <= abs(x):
            loss = max(loss, unsafe_add(unsafe_mul(steep, turn) >> 65, 1))  # as above
    return loss
