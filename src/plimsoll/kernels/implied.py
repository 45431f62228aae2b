"""At which volatility does Black-76 give a quoted price, or why is there none?"""

import math
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from plimsoll.errors import Code, PlimsollError
from plimsoll.kernels.black76 import option_price, time_value
from plimsoll.kernels.elementary import log_ratio
from plimsoll.kernels.normal import mills_ratio, normal_density
from plimsoll.types import Array, Flag, Flags, Vector

__all__ = [
    "ImpliedVolatilities",
    "Reason",
    "implied_deviation",
    "implied_volatilities",
    "implied_volatility",
    "implied_volatility_definition",
]

CLOSE_ENOUGH = 1e-5
"""Relative step after which the next one, cubically smaller, is below rounding."""
MOST_STEPS = 64
"""Far above what is needed: a test holds the largest number seen, which is 4."""
DOUBLING = math.log(2.0)


class Reason(IntEnum):
    """Whether a price has a volatility, and if not, why."""

    SOLVED = 0
    BELOW_INTRINSIC = 1
    ABOVE_BOUND = 2
    EXPIRED = 3
    BAD_INPUT = 4


_SOLVED, _BELOW, _ABOVE, _EXPIRED, _BAD = (int(reason) for reason in Reason)
_SENTENCES = {
    Reason.BELOW_INTRINSIC: "it is below the intrinsic value",
    Reason.ABOVE_BOUND: "a call is worth less than the forward and a put less than the strike",
    Reason.EXPIRED: "no time is left, so every volatility gives the same price",
    Reason.BAD_INPUT: "price, forward, strike and time must be finite, forward and strike above 0",
}


class ImpliedVolatilities(NamedTuple):
    """One entry per quote.

    Attributes
    ----------
    volatility : Array   Per square root of a year; NaN where there is none.
    reason : int8 array  `Reason` of each.
    """

    volatility: Array
    reason: NDArray[np.int8]


def implied_volatility_definition(
    price: float, forward: float, strike: float, tau: float, is_call: Flag
) -> float:
    r"""Halve an interval until no float lies between its ends: price rises with volatility.

    .. math:: \sigma^* = \inf \{ \sigma : V(F, K, \tau, \sigma) \ge price \}
    """
    low, high = 0.0, 1.0
    while option_price(forward, strike, tau, high, is_call) < price:
        low, high = high, 2.0 * high
    while low < (middle := 0.5 * (low + high)) < high:
        if option_price(forward, strike, tau, middle, is_call) < price:
            low = middle
        else:
            high = middle
    return high


def implied_volatility(price: float, forward: float, strike: float, tau: float, is_call: Flag) -> float:
    """Solve one quote.

    Parameters
    ----------
    price : float             Undiscounted, in units of the forward.
    forward, strike : float   Above 0.
    tau : float               Years of 365 days, above 0.

    Returns
    -------
    float   The volatility whose price differs by at most 1e-14 of the larger of forward and strike. A price
            equal to the intrinsic value has volatility 0.

    Raises
    ------
    PlimsollError   NO_VOLATILITY: below the intrinsic value, not below the bound, expired, or no number.
    """
    volatility, reason = implied_volatilities(price, forward, strike, tau, is_call)
    if reason == Reason.SOLVED:
        return float(volatility)
    raise PlimsollError(
        Code.NO_VOLATILITY,
        f"no volatility gives the price {price:g} of a {'call' if is_call else 'put'}: "
        f"{_SENTENCES[Reason(int(reason))]}",
        where=f"option with forward {forward:g}, strike {strike:g}, {tau:g} years left",
        remedy="Check the quote and its units, or leave it out.",
    )


def implied_volatilities(
    price: ArrayLike, forward: ArrayLike, strike: ArrayLike, tau: ArrayLike, is_call: ArrayLike
) -> ImpliedVolatilities:
    """Solve many quotes, as `implied_volatility` one; a quote without volatility is a value, not an error."""
    columns = [np.asarray(argument, dtype=np.float64) for argument in (price, forward, strike, tau)]
    wide = np.broadcast_arrays(*columns, np.asarray(is_call, dtype=np.bool_))
    volatility = np.empty(wide[0].shape)
    reason = np.empty(wide[0].shape, dtype=np.int8)
    quote = [np.ravel(column) for column in wide]
    _solve_all(quote[0], quote[1], quote[2], quote[3], quote[4], volatility.ravel(), reason.ravel())
    return ImpliedVolatilities(volatility, reason)


@njit(cache=True, error_model="numpy")
def _solve_all(
    price: Vector,
    forward: Vector,
    strike: Vector,
    tau: Vector,
    is_call: Flags,
    volatility: Vector,
    reason: NDArray[np.int8],
) -> None:
    for i in range(len(price)):
        volatility[i], reason[i] = _solve(price[i], forward[i], strike[i], tau[i], is_call[i])


@njit(cache=True, error_model="numpy")
def _solve(price: float, forward: float, strike: float, tau: float, is_call: Flag) -> tuple[float, int]:
    if not (0.0 < forward < math.inf and 0.0 < strike < math.inf and 0.0 <= tau < math.inf):
        return math.nan, _BAD
    if not -math.inf < price < math.inf:
        return math.nan, _BAD
    smaller, larger = min(forward, strike), max(forward, strike)
    premium = price - (max(forward - strike, 0.0) if is_call else max(strike - forward, 0.0))
    if premium < 0.0:
        return math.nan, _BELOW
    if premium >= smaller:
        return math.nan, _ABOVE
    if tau == 0.0:
        return math.nan, _EXPIRED
    return implied_deviation(log_ratio(smaller, larger), premium / smaller)[0] / math.sqrt(tau), _SOLVED


@njit(cache=True, error_model="numpy")
def implied_deviation(distance: float, share: float) -> tuple[float, int]:
    r"""Find the total volatility s at which `time_value` is a given share, and count the steps.

    With :math:`u = \ln s` the objective is made nearly straight, and solved by Halley's method:

    .. math::
        f(u) &= \ln(-\ln \beta(s)) - \ln(-\ln \beta^*) \text{ up to } \beta^* = \tfrac12 \\
        f(u) &= \ln(1 - \beta(s)) - \ln(1 - \beta^*)   \text{ above}

    Far out of the money :math:`\ln\beta \approx -x^2 / 2 s^2`, so the first is a line of slope -2. The second
    has the complement, which does not cancel. Both fall in u. A bracket is kept, and halved when a step
    leaves it.

    Parameters
    ----------
    distance : float   x = ln(min(F, K) / max(F, K)), at most 0.
    share : float      Out-of-the-money price as a share of the smaller of F and K, in [0, 1).

    Source: the transformations follow the idea of P. Jaeckel, "Let's be rational", Wilmott (2015).
    """
    if share == 0.0:
        return 0.0, 0
    low, high = -math.inf, math.inf
    u = math.log(_first_guess(distance, share))
    target = math.log(-math.log(share)) if share <= 0.5 else math.log1p(-share)
    for step in range(1, MOST_STEPS + 1):
        excess, slope, curvature = _objective(distance, math.exp(u), share <= 0.5)
        excess -= target
        if excess > 0.0:
            low = u
        else:
            high = u
        newton = -excess / slope
        move = newton / (1.0 + 0.5 * newton * curvature)
        if abs(move) < CLOSE_ENOUGH:
            return math.exp(u + move), step
        u = _within(u, move, low, high)
    return math.exp(u), MOST_STEPS


@njit(cache=True, error_model="numpy")
def _within(u: float, move: float, low: float, high: float) -> float:
    """Take the step if it stays in the bracket; else halve the bracket, or double s where it is open."""
    if low < u + move < high:
        return u + move
    if math.isfinite(low) and math.isfinite(high):
        return 0.5 * (low + high)
    return u + math.copysign(DOUBLING, move)


@njit(cache=True, error_model="numpy")
def _objective(distance: float, s: float, is_low: Flag) -> tuple[float, float, float]:
    """Return f, f' and f''/f' in u = ln s, f without its target; infinite and falling where beta is 0."""
    h, t = distance / s, 0.5 * s
    density = normal_density(h + t)
    bend = 1.0 + (h * h - t * t)  # d ln(s beta') / du
    if is_low:
        share = time_value(distance, s)
        if share <= 0.0:
            return math.inf, -1.0, 0.0
        gain = s * density / share
        size = -math.log(share)
        return math.log(size), -gain / size, bend - gain + gain / size
    if h + t > 0.0:
        rest = density * (mills_ratio(h + t) + mills_ratio(t - h))
    else:
        rest = 1.0 - time_value(distance, s)
    loss = s * density / rest
    return math.log(rest), -loss, bend + loss


@njit(cache=True, error_model="numpy")
def _first_guess(distance: float, share: float) -> float:
    r"""Take the larger of two lower bounds: from :math:`\beta < \Phi(d_1)`, and from the money."""
    d1 = _rough_quantile(share)
    root = math.sqrt(d1 * d1 - 2.0 * distance)
    from_tail = d1 + root if d1 > 0.0 else -2.0 * distance / (root - d1)
    at_the_money = 2.5 * share if share < 0.1 else 2.0 * _rough_quantile(0.5 + 0.5 * share)
    return max(from_tail, at_the_money)


@njit(cache=True, error_model="numpy")
def _rough_quantile(probability: float) -> float:
    """Invert the normal distribution to 5e-4 (Abramowitz and Stegun 26.2.23)."""
    tail = min(probability, 1.0 - probability)
    t = math.sqrt(-2.0 * math.log(tail))
    z = t - (2.515517 + t * (0.802853 + t * 0.010328)) / (
        1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308))
    )
    return z if probability > 0.5 else -z
