"""What must hold of every option price, whatever the inputs?"""

import math

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from plimsoll.kernels.black76 import delta, gamma, price, theta, vega
from plimsoll.kernels.implied import Reason, implied_volatilities, implied_volatility

ROUNDING = 4e-16
"""Of the larger of forward and strike: one rounding of the in-the-money price, with a factor of two."""

forwards = st.floats(1e-4, 1e6)
moneyness = st.floats(math.log(0.01), math.log(100.0)).map(math.exp)
years = st.floats(math.log(1e-7), math.log(10.0)).map(math.exp) | st.just(0.0)
volatilities = st.floats(math.log(1e-3), math.log(30.0)).map(math.exp) | st.just(0.0)
rights = st.booleans()


@given(forwards, moneyness, years, volatilities)
def test_call_less_put_is_forward_less_strike(forward, ratio, tau, volatility):
    strike = forward * ratio
    call, put = price(forward, strike, tau, volatility, [True, False])
    assert abs(call - put - (forward - strike)) <= ROUNDING * max(forward, strike)


@given(forwards, moneyness, years, volatilities, rights)
def test_a_price_lies_between_its_intrinsic_value_and_its_bound(forward, ratio, tau, volatility, is_call):
    strike = forward * ratio
    value = price(forward, strike, tau, volatility, is_call)
    intrinsic = max(forward - strike, 0.0) if is_call else max(strike - forward, 0.0)
    assert intrinsic <= value <= (forward if is_call else strike) * (1.0 + ROUNDING)


@given(forwards, moneyness, years, volatilities, st.floats(1.0, 3.0), rights)
def test_a_price_never_falls_as_volatility_rises(forward, ratio, tau, volatility, factor, is_call):
    strike = forward * ratio
    lower, higher = price(forward, strike, tau, [volatility, volatility * factor], is_call)
    assert higher >= lower - 1e-13 * min(forward, strike)


@given(forwards, moneyness, st.floats(0.001, 0.5), years, volatilities, rights)
def test_a_price_is_convex_in_the_strike(forward, ratio, gap, tau, volatility, is_call):
    strike = forward * ratio
    low, middle, high = price(
        forward, strike * np.array([1.0 - gap, 1.0, 1.0 + gap]), tau, volatility, is_call
    )
    assert low + high - 2.0 * middle >= -1e-14 * max(forward, 2.0 * strike)


@given(forwards, moneyness, years, volatilities)
def test_a_put_is_a_call_with_forward_and_strike_exchanged(forward, ratio, tau, volatility):
    strike = forward * ratio
    put = price(forward, strike, tau, volatility, is_call=False)
    assert put == price(strike, forward, tau, volatility, is_call=True)


@given(forwards, moneyness, years, volatilities, rights, st.integers(-20, 20))
def test_a_change_of_currency_unit_changes_nothing_else(forward, ratio, tau, volatility, is_call, power):
    unit = 2.0**power
    strike = forward * ratio
    here = price(forward, strike, tau, volatility, is_call)
    assert price(forward * unit, strike * unit, tau, volatility, is_call) == here * unit
    assert delta(forward * unit, strike * unit, tau, volatility, is_call) == delta(
        forward, strike, tau, volatility, is_call
    )


@given(forwards, moneyness, years, volatilities)
def test_the_greeks_are_finite_and_obey_the_equation_of_heat(forward, ratio, tau, volatility):
    strike = forward * ratio
    bend, decay, slope = (greek(forward, strike, tau, volatility) for greek in (gamma, theta, vega))
    call, put = delta(forward, strike, tau, volatility, [True, False])
    assert np.isfinite([bend, decay, slope, call, put]).all()
    assert 0.0 <= call <= 1.0
    assert abs(call - put - 1.0) <= ROUNDING
    assert bend >= 0.0
    assert slope >= 0.0
    assert math.isclose(decay, -0.5 * (volatility * forward) ** 2 * bend, rel_tol=1e-12, abs_tol=1e-280)


@given(forwards, moneyness, years, st.floats(0.01, 5.0), rights)
def test_an_implied_volatility_gives_its_price_again(forward, ratio, tau, volatility, is_call):
    assume(tau > 0.0)
    strike = forward * ratio
    value = float(price(forward, strike, tau, volatility, is_call))
    found = implied_volatilities(value, forward, strike, tau, is_call)
    if found.reason == Reason.ABOVE_BOUND:
        assert value == (forward if is_call else strike)
        return
    again = float(
        price(forward, strike, tau, implied_volatility(value, forward, strike, tau, is_call), is_call)
    )
    assert abs(again - value) <= 1e-14 * max(forward, strike)


@given(
    st.lists(
        st.tuples(*[st.floats(allow_nan=True, allow_infinity=True)] * 4, rights), min_size=1, max_size=20
    )
)
def test_no_quote_however_bad_ends_the_batch_or_answers_without_a_reason(quotes):
    columns = [np.array(column) for column in zip(*quotes, strict=True)]
    found = implied_volatilities(*columns)
    assert ((found.reason == Reason.SOLVED) == np.isfinite(found.volatility)).all()
    alone = [implied_volatilities(*quote) for quote in quotes]
    np.testing.assert_array_equal(found.volatility, [one.volatility for one in alone])
