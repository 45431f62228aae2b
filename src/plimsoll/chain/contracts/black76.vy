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
    call: int256 = 0
    gained: int256 = 0
    call, gained = self._call_and_delta(forward, strike, moneyness, deviation)
    # A call is worth its payoff at least; both are below 2**113.
    return call if is_call else unsafe_sub(call, unsafe_sub(forward, strike))


@internal
@pure
def _call_and_delta(forward: int256, strike: int256, moneyness: int256, deviation: int256) -> (int256, int256):
    """
    @notice Worth of a call, never below its payoff, and forward times its delta.
    @param forward In units of money, from 0 to 2**112.
    @param strike In the same units.
    @param moneyness ln(forward / strike) in 2**-96, below 2**103 in size.
    @param deviation Volatility times the root of time, in 2**-96, from 0 to 64.
    @return Both in the same units.
    """
    call: int256 = max(unsafe_sub(forward, strike), 0)  # both are from 0 to 2**112
    gained: int256 = forward if call > 0 else 0
    if deviation > 0:
        # moneyness << 96 is below 2**199, so both d are below 2**200 in size and have an opposite.
        upper: int256 = unsafe_add(unsafe_div(moneyness << 96, deviation), deviation >> 1)
        lower: int256 = unsafe_sub(upper, deviation)  # as above
        above: int256 = max(upper, unsafe_sub(0, upper))  # as above
        below: int256 = max(lower, unsafe_sub(0, lower))  # as above
        shared: int256 = 0
        if above < FAR:
            # upper**2 < 2**200; forward < 2**113 times the exponential, at most 2**96.
            shared = unsafe_mul(forward, fixed_point._exp(unsafe_sub(0, unsafe_mul(above, above) >> 97))) >> 96
        gained = 0
        if above < TAIL_END:
            gained = fixed_point._tail(above, shared)
        if upper > 0:
            gained = unsafe_sub(forward, gained)  # a tail is at most about half of the whole
        paid: int256 = 0
        if below < TAIL_END:
            paid = fixed_point._tail(below, shared)
        if lower > 0:
            paid = unsafe_sub(strike, paid)  # as above
        call = max(call, unsafe_sub(gained, paid))  # both are from -1 to 2**112
    return call, gained
