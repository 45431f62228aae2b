# pragma version ~=0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title What is an option worth under Black-76, in integers?
@license Apache-2.0
@author The Plimsoll authors
@notice
    With s the total deviation, d = ln(F / K) / s + s / 2 and d' = d - s, a call is worth F N(d) - K N(d').
    F n(d) = K n(d'), so one exponential serves both. Money comes in any unit, at most 2**112 of them; the
    result is off by less than (F + K) / 2**53. Without deviation it is the payoff.
"""

import fixed_point


# A total deviation of 64, in 2**-96: no option of any use has more.
DEVIATION_MOST: constant(int256) = 5_070_602_400_912_917_605_986_812_821_504
# Beyond 12 deviations exp(-d**2 / 2) is nothing in 2**-96.
FAR: constant(int256) = 950_737_950_171_172_051_122_527_404_032
TAIL_END: constant(int256) = fixed_point.TAIL_END


@internal
@pure
def _price(forward: int256, strike: int256, moneyness: int256, deviation: int256, is_call: bool) -> int256:
    """
    @notice Worth of one option, never below its payoff.
    @param forward In units of money, from 0 to 2**112.
    @param strike In the same units.
    @param moneyness ln(forward / strike) in 2**-96, below 2**103 in size.
    @param deviation Volatility times the root of time, in 2**-96, from 0 to 64.
    @param is_call Whether it is a call.
    @return In the same units.
    """
    # Both are from 0 to 2**112.
    payoff: int256 = unsafe_sub(forward, strike)
    call: int256 = max(payoff, 0)
    if deviation > 0:
        # moneyness << 96 is below 2**199.
        d: int256 = unsafe_add(unsafe_div(moneyness << 96, deviation), deviation >> 1)
        call = max(call, self._call(forward, strike, d, unsafe_sub(d, deviation)))  # |d| < 2**200
    return call if is_call else unsafe_sub(call, payoff)  # call >= payoff, both below 2**113


@internal
@pure
def _call(forward: int256, strike: int256, upper: int256, lower: int256) -> int256:
    """
    @dev F N(upper) - K N(lower).
    """
    shared: int256 = 0
    if abs(upper) < FAR:
        # upper**2 < 2**200; forward < 2**113 times the exponential, at most 2**96.
        shared = unsafe_mul(forward, fixed_point._exp(-(unsafe_mul(upper, upper) >> 97))) >> 96
    gained: int256 = self._weighted(forward, upper, shared)
    return unsafe_sub(gained, self._weighted(strike, lower, shared))  # both within [-1, 2**112]


@internal
@pure
def _weighted(amount: int256, d: int256, shared: int256) -> int256:
    """
    @dev amount N(d), where `shared` is amount exp(-d**2 / 2).
    """
    size: int256 = abs(d)
    tail: int256 = 0
    if size < TAIL_END:
        tail = fixed_point._tail(size, shared)
    return tail if d < 0 else unsafe_sub(amount, tail)  # tail <= about half of amount
