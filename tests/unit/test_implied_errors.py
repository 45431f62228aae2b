"""Does a quote without volatility say why, alone as an error and in a batch as a value?"""

import math

import numpy as np
import pytest

from plimsoll.errors import Code, PlimsollError
from plimsoll.kernels.black76 import delta, gamma, price, theta, vega
from plimsoll.kernels.implied import Reason, implied_volatilities, implied_volatility

NO_VOLATILITY = [
    # price, forward, strike, years, is_call, reason, a word of the sentence
    (9.0, 100.0, 90.0, 0.1, True, Reason.BELOW_INTRINSIC, "intrinsic"),
    (-1e-9, 100.0, 120.0, 0.1, True, Reason.BELOW_INTRINSIC, "intrinsic"),
    (100.0, 100.0, 120.0, 0.1, True, Reason.ABOVE_BOUND, "forward"),
    (120.5, 100.0, 120.0, 0.1, False, Reason.ABOVE_BOUND, "strike"),
    (10.0, 100.0, 90.0, 0.0, True, Reason.EXPIRED, "no time is left"),
    (math.nan, 100.0, 90.0, 0.1, True, Reason.BAD_INPUT, "finite"),
    (math.inf, 100.0, 90.0, 0.1, True, Reason.BAD_INPUT, "finite"),
    (5.0, 0.0, 90.0, 0.1, True, Reason.BAD_INPUT, "above 0"),
    (5.0, 100.0, -90.0, 0.1, True, Reason.BAD_INPUT, "above 0"),
    (5.0, 100.0, 90.0, -0.1, True, Reason.BAD_INPUT, "finite"),
]


@pytest.mark.parametrize(("quote", "forward", "strike", "tau", "is_call", "reason", "word"), NO_VOLATILITY)
def test_a_quote_without_volatility_is_an_error_that_says_why(
    quote, forward, strike, tau, is_call, reason, word
):
    with pytest.raises(PlimsollError) as caught:
        implied_volatility(quote, forward, strike, tau, is_call)
    assert caught.value.code is Code.NO_VOLATILITY
    assert word in str(caught.value)
    assert f"strike {strike:g}" in caught.value.where


def test_in_a_batch_a_bad_quote_is_a_value_and_the_others_are_solved():
    good = (float(price(100.0, 110.0, 0.2, 0.7, is_call=True)), 100.0, 110.0, 0.2, True)
    quote, forward, strike, tau, is_call = zip(*[row[:5] for row in NO_VOLATILITY], good, strict=True)
    found = implied_volatilities(quote, forward, strike, tau, is_call)
    assert found.reason.tolist() == [row[5] for row in NO_VOLATILITY] + [Reason.SOLVED]
    assert np.isnan(found.volatility[:-1]).all()
    assert found.volatility[-1] == pytest.approx(0.7, rel=1e-13, abs=0.0)


def test_a_price_at_its_intrinsic_value_has_volatility_zero():
    assert implied_volatility(10.0, 100.0, 90.0, 0.1, is_call=True) == 0.0
    assert implied_volatility(0.0, 100.0, 90.0, 0.1, is_call=False) == 0.0


@pytest.mark.parametrize(("tau", "volatility"), [(0.0, 0.7), (0.3, 0.0), (0.0, 0.0)])
def test_without_time_or_volatility_an_option_is_its_payoff(tau, volatility):
    strikes = np.array([90.0, 100.0, 110.0])
    assert price(100.0, strikes, tau, volatility, is_call=True).tolist() == [10.0, 0.0, 0.0]
    assert price(100.0, strikes, tau, volatility, is_call=False).tolist() == [0.0, 0.0, 10.0]
    assert delta(100.0, strikes, tau, volatility, is_call=True) == pytest.approx(
        [1.0, 0.5, 0.0], rel=1e-15, abs=0.0
    )
    assert delta(100.0, strikes, tau, volatility, is_call=False) == pytest.approx(
        [0.0, -0.5, -1.0], rel=1e-15, abs=0.0
    )
    assert gamma(100.0, strikes, tau, volatility).tolist() == [0.0, 0.0, 0.0]
    assert theta(100.0, strikes, tau, volatility).tolist() == [0.0, 0.0, 0.0]
    at_the_money = 100.0 * math.sqrt(tau / (2.0 * math.pi))
    assert vega(100.0, strikes, tau, volatility) == pytest.approx([0.0, at_the_money, 0.0])


@pytest.mark.parametrize(
    "option",
    [
        (-1.0, 90.0, 0.1, 0.5),
        (100.0, -1.0, 0.1, 0.5),
        (100.0, 90.0, -0.1, 0.5),
        (100.0, 90.0, 0.1, -0.5),
        (math.nan, 90.0, 0.1, 0.5),
        (100.0, 90.0, 0.1, math.nan),
    ],
)
def test_what_is_not_an_option_has_no_number(option):
    forward, strike, tau, volatility = option
    figures = [quantity(forward, strike, tau, volatility, [True, False]) for quantity in (price, delta)]
    figures += [greek(forward, strike, tau, volatility) for greek in (gamma, vega, theta)]
    assert all(np.isnan(figure).all() for figure in figures)


def test_arguments_broadcast_and_the_shape_is_theirs():
    values = price(100.0, [[90.0], [110.0]], 0.1, [0.3, 0.5, 0.9], is_call=True)
    assert values.shape == (2, 3)
    assert values[1, 2] == price(100.0, 110.0, 0.1, 0.9, is_call=True)
    assert price(100.0, 90.0, 0.1, 0.5, is_call=True).shape == ()
    assert price([], 90.0, 0.1, 0.5, is_call=True).shape == (0,)
    assert price(100, 90, 1, 1, is_call=True) == price(100.0, 90.0, 1.0, 1.0, is_call=True)
