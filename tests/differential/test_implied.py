"""Does implied volatility invert Black-76 in every corner, and as QuantLib and bisection do?"""

import mpmath
import numpy as np
import pytest
import QuantLib

from plimsoll.kernels import black76
from plimsoll.kernels.elementary import log_ratio
from plimsoll.kernels.implied import (
    Reason,
    implied_deviation,
    implied_volatilities,
    implied_volatility,
    implied_volatility_definition,
)
from tests.differential.test_black76 import rows, sample

REPRICED = 1e-14
"""Of the larger of forward and strike; issue 3 asks for 1e-10."""
MOST_STEPS_SEEN = 4
SIZE = 100_000


def test_every_price_is_met_again_in_deep_wings_and_tiny_expiries():
    options = sample(21, SIZE)
    prices = black76.price(*options)
    forward, strike, tau, _, is_call = options
    found = implied_volatilities(prices, forward, strike, tau, is_call)
    assert set(np.unique(found.reason)) <= {Reason.SOLVED, Reason.ABOVE_BOUND}
    bound = np.where(is_call, forward, strike)
    assert (prices[found.reason == Reason.ABOVE_BOUND] == bound[found.reason == Reason.ABOVE_BOUND]).all()
    solved = found.reason == Reason.SOLVED
    again = black76.price(forward, strike, tau, found.volatility, is_call)
    assert (np.abs(again - prices)[solved] <= REPRICED * np.maximum(forward, strike)[solved]).all()


def test_an_out_of_the_money_price_gives_back_the_volatility_itself():
    forward, strike, tau, volatility, _ = sample(22, SIZE)
    is_call = strike >= forward
    prices = black76.price(forward, strike, tau, volatility, is_call)
    share = prices / np.minimum(forward, strike)
    told = (share > 1e-280) & (share < 0.9)  # above, the price hardly depends on the volatility
    found = implied_volatilities(prices, forward, strike, tau, is_call)
    assert told.sum() > SIZE // 2
    np.testing.assert_allclose(found.volatility[told], volatility[told], rtol=3e-14)


def test_four_steps_are_enough_from_the_money_to_forty_deviations_out():
    generator = np.random.default_rng(23)
    deviation = np.exp(generator.uniform(np.log(1e-7), np.log(14.0), 30_000))
    distance = -np.minimum(deviation * generator.uniform(0.0, 36.0, 30_000), 6.0)
    distance[:1000] = 0.0
    most = 0
    for x, s in zip(distance.tolist(), deviation.tolist(), strict=True):
        share = black76.time_value(x, s)
        if 0.0 < share < 1.0:
            most = max(most, implied_deviation(x, share)[1])
    assert most == MOST_STEPS_SEEN


def test_the_compiled_solver_equals_bisection():
    options = sample(24, 400)
    for forward, strike, tau, volatility, _ in rows(options):
        is_call = strike >= forward
        price = float(black76.price(forward, strike, tau, volatility, is_call))
        if 1e-200 * forward < price < 0.9 * min(forward, strike):
            bisected = implied_volatility_definition(price, forward, strike, tau, is_call)
            assert implied_volatility(price, forward, strike, tau, is_call) == pytest.approx(
                bisected, rel=1e-13, abs=0.0
            )


def test_quantlib_solves_the_same_volatility():
    compared = 0
    for forward, strike, tau, volatility, _ in rows(sample(25, 2_000)):
        is_call = strike >= forward
        kind = QuantLib.Option.Call if is_call else QuantLib.Option.Put
        price = float(black76.price(forward, strike, tau, volatility, is_call))
        if 1e-4 * forward < price < 0.9 * min(forward, strike):
            oracle = QuantLib.blackFormulaImpliedStdDev(
                kind, strike, forward, price, 1.0, 0.0, 0.5, 1e-13, 1000
            )
            found = implied_volatility(price, forward, strike, tau, is_call)
            assert found * tau**0.5 == pytest.approx(oracle, rel=1e-7, abs=0.0)
            compared += 1
    assert compared > 300


def test_a_price_known_to_fifty_digits_gives_its_volatility():
    with mpmath.workdps(50):
        s, x = mpmath.mpf("0.02"), -mpmath.mpf("0.2")  # ten deviations out of the money
        d1 = x / s + s / 2
        share = mpmath.ncdf(d1) - mpmath.exp(-x) * mpmath.ncdf(d1 - s)
    assert implied_deviation(-0.2, float(share))[0] == pytest.approx(0.02, rel=1e-15 * 5, abs=0.0)
    assert log_ratio(80.0, 100.0) == pytest.approx(float(mpmath.log(mpmath.mpf("0.8"))), rel=1e-15)
