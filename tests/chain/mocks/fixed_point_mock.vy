# pragma version ~=0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Fixed-point arithmetic and Black-76, called from outside
@notice What a test asks of the libraries.
"""

import fixed_point
import black76


@external
@pure
def ln(x: int256) -> int256:
    return fixed_point._ln(x)


@external
@pure
def exp(x: int256) -> int256:
    return fixed_point._exp(x)


@external
@pure
def sqrt(x: int256) -> int256:
    return fixed_point._sqrt(x)


@external
@pure
def normal(x: int256) -> int256:
    return fixed_point._normal(x)


@external
@pure
def price(forward: int256, strike: int256, moneyness: int256, deviation: int256, is_call: bool) -> int256:
    return black76._price(forward, strike, moneyness, deviation, is_call)
