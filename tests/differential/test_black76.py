"""Does Black-76 agree with high precision, with QuantLib and with its own definitions?

The domain is that of issue 3: moneyness 0.01 to 100, one minute to five years, volatility 1 % to 500 %.
"""

import mpmath
import numpy as np
import pytest
import QuantLib
from mpmath import mpf

from plimsoll.kernels import black76
from plimsoll.types import Flag

PIECES, PER_PIECE = 10, 10_000
MINUTE = 1.0 / (365 * 24 * 60)
TOLERANCE = 1e-12
"""Relative, where the price exceeds `MATERIAL` of the forward; 3e-14 is measured."""
MATERIAL = 1e-12
PARITY = 1e-13
DIGITS = 45
"""A price of 1e-12 of the forward is a difference that loses 12 digits; 45 leave ample."""
DEFINITION = 1e-14
"""Of the larger of forward and strike: the textbook form rounds both of its terms. Its d1 is off by the
rounding of F / K over the total volatility, which the Greeks feel."""
QUANTLIB = 1e-11
"""Of the larger of forward and strike: QuantLib's normal distribution is good to about that."""

Sample = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def sample(seed: int, size: int) -> Sample:
    """Draw options: half anywhere in the domain, half within eight standard deviations of the money."""
    generator = np.random.default_rng(seed)
    forward = np.exp(generator.uniform(-3.0, 12.0, size))
    tau = np.exp(generator.uniform(np.log(MINUTE), np.log(5.0), size))
    volatility = np.exp(generator.uniform(np.log(0.01), np.log(5.0), size))
    anywhere = np.exp(generator.uniform(np.log(0.01), np.log(100.0), size))
    deviations = generator.uniform(-8.0, 8.0, size) * volatility * np.sqrt(tau)
    near = np.clip(np.exp(deviations), 0.01, 100.0)
    strike = forward * np.where(generator.random(size) < 0.5, anywhere, near)
    return forward, strike, tau, volatility, generator.random(size) < 0.5


def rows(options: Sample) -> list[tuple[float, float, float, float, bool]]:
    return list(zip(*(column.tolist() for column in options), strict=True))


def exact_d(forward: float, strike: float, tau: float, volatility: float) -> tuple[mpf, mpf]:
    deviation = mpf(volatility) * mpmath.sqrt(mpf(tau))
    d1 = mpmath.log(mpf(forward) / mpf(strike)) / deviation + deviation / 2
    return d1, d1 - deviation


def phi(z: mpf) -> mpf:
    return mpmath.erfc(-z / mpmath.sqrt(2)) / 2


def exact_price(forward: float, strike: float, tau: float, volatility: float, is_call: Flag) -> mpf:
    d1, d2 = exact_d(forward, strike, tau, volatility)
    if is_call:
        return mpf(forward) * phi(d1) - mpf(strike) * phi(d2)
    return mpf(strike) * phi(-d2) - mpf(forward) * phi(-d1)


@pytest.mark.parametrize("piece", range(PIECES))
def test_a_price_has_twelve_digits_wherever_it_is_material(piece):
    options = sample(100 + piece, PER_PIECE)
    prices = black76.price(*options)
    assert not np.isnan(prices).any()
    worst, material = 0.0, 0
    with mpmath.workdps(DIGITS):
        for option, price in zip(rows(options), prices.tolist(), strict=True):
            if price > 0.5 * MATERIAL * option[0]:
                exact = exact_price(*option)
                if exact > MATERIAL * option[0]:
                    material += 1
                    worst = max(worst, float(abs(price - exact) / exact))
            else:
                assert exact_price(*option) < MATERIAL * option[0]
    assert material > PER_PIECE // 2
    assert worst < TOLERANCE


def test_a_put_and_a_call_differ_by_the_forward_less_the_strike():
    forward, strike, tau, volatility, _ = sample(7, PIECES * PER_PIECE)
    call, put = (black76.price(forward, strike, tau, volatility, right) for right in ([True], [False]))
    assert (np.abs(call - put - (forward - strike)) <= PARITY * np.maximum(forward, strike)).all()


def test_prices_far_below_the_material_keep_their_digits_too():
    options = sample(8, 3_000)
    prices = black76.price(*options).tolist()
    small = [(o, p) for o, p in zip(rows(options), prices, strict=True) if 1e-250 < p < MATERIAL * o[0]]
    assert len(small) > 50
    with mpmath.workdps(300):
        assert max(float(abs(p / exact_price(*o) - 1)) for o, p in small) < 2e-12


def test_the_greeks_agree_with_high_precision():
    options = sample(9, 3_000)
    forward, strike, tau, volatility, _ = options
    delta = black76.delta(*options)
    densities = [
        greek(forward, strike, tau, volatility) for greek in (black76.gamma, black76.vega, black76.theta)
    ]
    with mpmath.workdps(DIGITS):
        for i, (f, k, t, v, is_call) in enumerate(rows(options)):
            d1, _ = exact_d(f, k, t, v)
            density = mpmath.npdf(d1)
            root = mpmath.sqrt(mpf(t))
            exact = (density / (f * v * root), f * density * root, -f * density * v / (2 * root))
            assert float(delta[i]) == pytest.approx(
                float(phi(d1) if is_call else -phi(-d1)), rel=1e-12, abs=1e-300
            )
            for found, wanted in zip(densities, exact, strict=True):
                assert float(found[i]) == pytest.approx(float(wanted), rel=TOLERANCE, abs=1e-290)


def test_the_compiled_kernels_equal_their_definitions():
    options = sample(10, 5_000)
    found = [black76.price(*options), black76.delta(*options)]
    found += [greek(*options[:4]) for greek in (black76.gamma, black76.vega, black76.theta)]
    for i, option in enumerate(rows(options)):
        slack = DEFINITION * (1.0 + 0.1 / (option[3] * option[2] ** 0.5))
        assert abs(found[0][i] - black76.price_definition(*option)) <= DEFINITION * max(option[:2])
        assert abs(found[1][i] - black76.delta_definition(*option)) <= slack
        defined = (black76.gamma_definition, black76.vega_definition, black76.theta_definition)
        for greek, definition in zip(found[2:], defined, strict=True):
            assert greek[i] == pytest.approx(definition(*option[:4]), rel=100.0 * slack, abs=1e-290)


@pytest.mark.parametrize(("distance", "digits"), [(0.0, 1e-14), (-0.05, 1e-14), (-0.3, 1e-13), (-0.6, 3e-13)])
def test_the_series_and_the_closed_form_meet_where_they_join(distance, digits):
    below = black76.time_value(distance, 2.0 * black76.SERIES_BELOW * (1.0 - 1e-15))
    above = black76.time_value(distance, 2.0 * black76.SERIES_BELOW)
    assert below == pytest.approx(above, rel=digits, abs=0.0)


@pytest.mark.parametrize("is_call", [True, False])
def test_quantlib_gives_the_same_prices_and_greeks(is_call):
    forward, strike, tau, volatility, _ = sample(11, 2_000)
    columns = (forward, strike, tau, volatility)
    prices, deltas = black76.price(*columns, is_call), black76.delta(*columns, is_call)
    gammas, vegas = black76.gamma(*columns), black76.vega(*columns)
    kind = QuantLib.Option.Call if is_call else QuantLib.Option.Put
    for i, (f, k, t, v) in enumerate(zip(*(column.tolist() for column in columns), strict=True)):
        oracle = QuantLib.BlackCalculator(QuantLib.PlainVanillaPayoff(kind, k), f, v * t**0.5, 1.0)
        assert abs(prices[i] - oracle.value()) <= QUANTLIB * max(f, k)
        assert deltas[i] == pytest.approx(oracle.deltaForward(), abs=QUANTLIB)
        assert gammas[i] * f == pytest.approx(oracle.gammaForward() * f, rel=1e-7, abs=1e-7)
        assert vegas[i] == pytest.approx(oracle.vega(t), rel=1e-9, abs=QUANTLIB * f)
