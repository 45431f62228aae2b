"""What is an option on a forward worth, and how does its value move?

Undiscounted Black-76: the caller multiplies by the discount factor. ``tau`` is in years of 365 x 86,400
seconds, ``volatility`` per square root of such a year (0.6 is 60 %), and a price is in units of the forward.

At ``tau = 0`` or ``volatility = 0`` an option is worth its intrinsic value. Its delta is then that of the
payoff, one half at the money; gamma and theta are 0, for the payoff is flat on both sides of its kink; vega
keeps its limit, which differs from 0 only at the money with time left. A strike or a forward of 0 is allowed.
A negative or NaN argument gives NaN: data is refused where it enters, not here.
"""

import math
from collections.abc import Callable

import numpy as np
from numba import njit
from numpy.typing import ArrayLike

from plimsoll.kernels.elementary import inlined, log_ratio
from plimsoll.kernels.normal import (
    ROOT_TWO_PI,
    mills_ratio,
    normal_density,
    normal_probability,
    normal_probability_definition,
)
from plimsoll.types import Array, Flag, Flags, Vector

__all__ = [
    "SERIES_BELOW",
    "delta",
    "delta_definition",
    "gamma",
    "gamma_definition",
    "intrinsic_value",
    "long_time_value",
    "option_delta",
    "option_gamma",
    "option_price",
    "option_theta",
    "option_vega",
    "price",
    "price_definition",
    "short_time_value",
    "theta",
    "theta_definition",
    "time_value",
    "vega",
    "vega_definition",
]

SERIES_BELOW = 0.05
"""Half the total volatility below which the two tails of the formula would cancel by more than two digits."""
WORTHLESS_BEYOND = 100.0
"""Standard deviations out of the money at which a price underflows, with a wide margin (it does at 39)."""


def price_definition(forward: float, strike: float, tau: float, volatility: float, is_call: Flag) -> float:
    r"""Price one option as the textbook writes it.

    .. math::
        C &= F\,\Phi(d_1) - K\,\Phi(d_2), \qquad P = K\,\Phi(-d_2) - F\,\Phi(-d_1) \\
        d_{1,2} &= \frac{\ln(F/K)}{s} \pm \frac{s}{2}, \qquad s = \sigma\sqrt\tau

    Exact to a few units in the last place *of the forward and the strike*; a small price loses digits as the
    two terms cancel, which is what `option_price` avoids.

    Source: F. Black, "The pricing of commodity contracts", Journal of Financial Economics 3 (1976).
    """
    deviation = volatility * math.sqrt(tau)
    if deviation == 0.0 or forward == 0.0 or strike == 0.0:
        return max(forward - strike, 0.0) if is_call else max(strike - forward, 0.0)
    d1 = _d1_definition(forward, strike, deviation)
    d2 = d1 - deviation
    if is_call:
        return forward * normal_probability_definition(d1) - strike * normal_probability_definition(d2)
    return strike * normal_probability_definition(-d2) - forward * normal_probability_definition(-d1)


def delta_definition(forward: float, strike: float, tau: float, volatility: float, is_call: Flag) -> float:
    r"""Return :math:`\partial V / \partial F`: :math:`\Phi(d_1)` of a call, :math:`-\Phi(-d_1)` of a put."""
    d1 = _d1_definition(forward, strike, volatility * math.sqrt(tau))
    return normal_probability_definition(d1) if is_call else -normal_probability_definition(-d1)


def gamma_definition(forward: float, strike: float, tau: float, volatility: float) -> float:
    r"""Return :math:`\partial^2 V / \partial F^2 = \varphi(d_1) / (F \sigma \sqrt\tau)`."""
    deviation = volatility * math.sqrt(tau)
    d1 = _d1_definition(forward, strike, deviation)
    return math.exp(-0.5 * d1 * d1) / (ROOT_TWO_PI * forward * deviation)


def vega_definition(forward: float, strike: float, tau: float, volatility: float) -> float:
    r"""Return :math:`\partial V / \partial \sigma = F \varphi(d_1) \sqrt\tau`, per 1.0 (100 points)."""
    d1 = _d1_definition(forward, strike, volatility * math.sqrt(tau))
    return forward * math.exp(-0.5 * d1 * d1) / ROOT_TWO_PI * math.sqrt(tau)


def theta_definition(forward: float, strike: float, tau: float, volatility: float) -> float:
    r"""Return :math:`-\partial V / \partial \tau = -F \varphi(d_1) \sigma / (2 \sqrt\tau)`, per year."""
    d1 = _d1_definition(forward, strike, volatility * math.sqrt(tau))
    return -forward * math.exp(-0.5 * d1 * d1) / ROOT_TWO_PI * volatility / (2.0 * math.sqrt(tau))


def _d1_definition(forward: float, strike: float, deviation: float) -> float:
    return math.log(forward / strike) / deviation + 0.5 * deviation


@inlined
def time_value(distance: float, deviation: float) -> float:
    r"""Price the out-of-the-money option as a share of the smaller of forward and strike; nothing cancels.

    With :math:`x = \ln(\min(F, K) / \max(F, K)) \le 0`, :math:`h = x / s`, :math:`t = s / 2` and the Mills
    ratio R,

    .. math::
        \beta(x, s) = \Phi(h + t) - e^{-x}\,\Phi(h - t)
                    = \varphi(h + t)\,\bigl(R(-h - t) - R(t - h)\bigr)

    Both factors are positive. With :math:`h + t > 0` the first ratio is taken from the other tail,
    :math:`\beta = 1 - \varphi(h + t)(R(h + t) + R(t - h))`. For small t the difference is its Taylor series
    :math:`2 \sum_k Y_{2k+1} t^{2k+1} / (2k+1)!` with :math:`Y_0 = R(-h)`, :math:`Y_1 = 1 + h Y_0` and
    :math:`Y_{n+1} = h Y_n + n Y_{n-1}`; five terms leave less than 1e-16 of the sum.

    Parameters
    ----------
    distance : float    x, from `log_ratio`.
    deviation : float   s > 0, the total volatility until expiry.

    Source: the normalised form is that of P. Jaeckel, "Let's be rational", Wilmott (2015); this evaluation is
    our own.
    """
    if 0.5 * deviation < SERIES_BELOW:
        return short_time_value(distance, deviation)
    return long_time_value(distance, deviation)


@inlined
def short_time_value(distance: float, deviation: float) -> float:
    """`time_value` by its series, for half a deviation below `SERIES_BELOW`."""
    h, t = max(distance / deviation, -WORTHLESS_BEYOND), 0.5 * deviation
    return normal_density(h + t) * _ratio_difference(h, t)


@inlined
def long_time_value(distance: float, deviation: float) -> float:
    """`time_value` by its two ratios, for half a deviation from `SERIES_BELOW` on."""
    h, t = max(distance / deviation, -WORTHLESS_BEYOND), 0.5 * deviation
    upper = h + t
    near, far, density = mills_ratio(abs(upper)), mills_ratio(t - h), normal_density(upper)
    return 1.0 - density * (near + far) if upper > 0.0 else density * (near - far)


@inlined
def _ratio_difference(h: float, t: float) -> float:
    """Return R(-h - t) - R(t - h) for small t, by its series in t."""
    y0 = mills_ratio(-h)
    y1 = 1.0 + h * y0
    y2 = h * y1 + y0
    y3 = h * y2 + 2.0 * y1
    y4 = h * y3 + 3.0 * y2
    y5 = h * y4 + 4.0 * y3
    y6 = h * y5 + 5.0 * y4
    y7 = h * y6 + 6.0 * y5
    y8 = h * y7 + 7.0 * y6
    y9 = h * y8 + 8.0 * y7
    w = t * t
    series = y7 + w / 72.0 * y9
    series = y5 + w / 42.0 * series
    series = y3 + w / 20.0 * series
    series = y1 + w / 6.0 * series
    return 2.0 * t * series


@inlined
def option_price(forward: float, strike: float, tau: float, volatility: float, is_call: Flag) -> float:
    """`price_definition` to full relative accuracy, for use inside other kernels; no argument raises.

    The out-of-the-money price comes from `time_value`; the in-the-money one adds the intrinsic value, so that
    put-call parity holds to the last bit of the larger price.
    """
    if not (forward >= 0.0 and strike >= 0.0 and tau >= 0.0 and volatility >= 0.0):
        return math.nan
    deviation = volatility * math.sqrt(tau)
    if deviation == 0.0 or forward == 0.0 or strike == 0.0:
        return intrinsic_value(forward, strike, is_call)
    distance = log_ratio(min(forward, strike), max(forward, strike))
    return intrinsic_value(forward, strike, is_call) + min(forward, strike) * time_value(distance, deviation)


@inlined
def intrinsic_value(forward: float, strike: float, is_call: Flag) -> float:
    """Return what exercise would give: max(F - K, 0) of a call, max(K - F, 0) of a put."""
    return max(forward - strike, 0.0) if is_call else max(strike - forward, 0.0)


@inlined
def _d1(forward: float, strike: float, deviation: float) -> float:
    """Return d1, infinite where the deviation or a price is 0, and NaN for what is not an option."""
    if not (forward >= 0.0 and strike >= 0.0 and deviation >= 0.0):
        return math.nan
    if forward == strike:
        return 0.5 * deviation
    smaller = min(forward, strike)
    distance = -log_ratio(smaller, max(forward, strike)) / deviation if smaller > 0.0 else math.inf
    return (distance if forward > strike else -distance) + 0.5 * deviation


@inlined
def _deviation(tau: float, volatility: float) -> float:
    return volatility * math.sqrt(tau) if tau >= 0.0 and volatility >= 0.0 else math.nan


@inlined
def option_delta(forward: float, strike: float, tau: float, volatility: float, is_call: Flag) -> float:
    """`delta_definition` with its limits, for use inside other kernels."""
    d1 = _d1(forward, strike, _deviation(tau, volatility))
    return normal_probability(d1) if is_call else -normal_probability(-d1)


@inlined
def option_gamma(forward: float, strike: float, tau: float, volatility: float) -> float:
    """`gamma_definition` with its limits, for use inside other kernels."""
    deviation = _deviation(tau, volatility)
    density = normal_density(_d1(forward, strike, deviation))
    return density / (forward * deviation) if forward * deviation > 0.0 else 0.0 * density


@inlined
def option_vega(forward: float, strike: float, tau: float, volatility: float) -> float:
    """`vega_definition` with its limits, for use inside other kernels."""
    return forward * normal_density(_d1(forward, strike, _deviation(tau, volatility))) * math.sqrt(tau)


@inlined
def option_theta(forward: float, strike: float, tau: float, volatility: float) -> float:
    """`theta_definition` with its limits, for use inside other kernels."""
    deviation = _deviation(tau, volatility)
    density = forward * normal_density(_d1(forward, strike, deviation))
    return -density * volatility / (2.0 * math.sqrt(tau)) if deviation > 0.0 else 0.0 * density


@njit(cache=True, error_model="numpy")
def _prices(f: Vector, k: Vector, tau: Vector, v: Vector, is_call: Flags, out: Vector) -> None:
    for i in range(len(out)):
        out[i] = option_price(f[i], k[i], tau[i], v[i], is_call[i])


@njit(cache=True, error_model="numpy")
def _deltas(f: Vector, k: Vector, tau: Vector, v: Vector, is_call: Flags, out: Vector) -> None:
    for i in range(len(out)):
        out[i] = option_delta(f[i], k[i], tau[i], v[i], is_call[i])


@njit(cache=True, error_model="numpy")
def _gammas(f: Vector, k: Vector, tau: Vector, v: Vector, out: Vector) -> None:
    for i in range(len(out)):
        out[i] = option_gamma(f[i], k[i], tau[i], v[i])


@njit(cache=True, error_model="numpy")
def _vegas(f: Vector, k: Vector, tau: Vector, v: Vector, out: Vector) -> None:
    for i in range(len(out)):
        out[i] = option_vega(f[i], k[i], tau[i], v[i])


@njit(cache=True, error_model="numpy")
def _thetas(f: Vector, k: Vector, tau: Vector, v: Vector, out: Vector) -> None:
    for i in range(len(out)):
        out[i] = option_theta(f[i], k[i], tau[i], v[i])


def price(
    forward: ArrayLike, strike: ArrayLike, tau: ArrayLike, volatility: ArrayLike, is_call: ArrayLike
) -> Array:
    """Price options by `option_price`; the arguments broadcast, and so for the Greeks below."""
    return _quantity(_prices, forward, strike, tau, volatility, is_call)


def delta(
    forward: ArrayLike, strike: ArrayLike, tau: ArrayLike, volatility: ArrayLike, is_call: ArrayLike
) -> Array:
    """Return the change of price per unit of the forward, in [-1, 1]."""
    return _quantity(_deltas, forward, strike, tau, volatility, is_call)


def gamma(forward: ArrayLike, strike: ArrayLike, tau: ArrayLike, volatility: ArrayLike) -> Array:
    """Return the change of delta per unit of the forward; the same for call and put."""
    return _quantity(_gammas, forward, strike, tau, volatility)


def vega(forward: ArrayLike, strike: ArrayLike, tau: ArrayLike, volatility: ArrayLike) -> Array:
    """Return the change of price per 1.0 of volatility, which is 100 points; the same for call and put."""
    return _quantity(_vegas, forward, strike, tau, volatility)


def theta(forward: ArrayLike, strike: ArrayLike, tau: ArrayLike, volatility: ArrayLike) -> Array:
    """Return the change of price per year that passes, forward held; the same for call and put."""
    return _quantity(_thetas, forward, strike, tau, volatility)


def _quantity(loop: Callable[..., None], *arguments: ArrayLike) -> Array:
    columns = [np.asarray(argument, dtype=np.float64) for argument in arguments[:4]]
    flags = [np.asarray(argument, dtype=np.bool_) for argument in arguments[4:]]
    wide = np.broadcast_arrays(*columns, *flags)
    out = np.empty(wide[0].shape)
    loop(*(np.ravel(column) for column in wide), out.ravel())
    return out
