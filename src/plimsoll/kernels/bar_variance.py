"""How much variance does one bar show, by each of the ways to read it?"""

import numpy as np

from plimsoll.types import Matrix, Vector

__all__ = ["across_gap", "garman_klass", "parkinson", "rogers_satchell", "squared_return", "yang_zhang"]

_PARKINSON = 4.0 * np.log(2.0)
_GARMAN_KLASS = 2.0 * np.log(2.0) - 1.0
_BODY_SHARE = 0.34 / 2.34
"""Weight of the body that makes the variance of `yang_zhang` least over a long window."""


def across_gap(variance: Matrix, crossed: Matrix, waited: Matrix) -> Matrix:
    r"""Count the move over a gap in with the bar after it: :math:`\max(v, (v + g^2) / k)`.

    What happened while nothing was heard is spread over the time it took, and takes nothing from what the bar
    itself shows.

    Parameters
    ----------
    variance : Matrix [...]   v, of each bar itself.
    crossed : Matrix [...]    g, log of the open over the last known close; NaN where no gap was crossed.
    waited : Matrix [...]     k, bars from that close to the bar's end.
    """
    return np.fmax(variance, (variance + crossed**2) / waited)


def squared_return(returns: Matrix, crossed: Matrix, body: Matrix, waited: Matrix) -> Matrix:
    r"""Square the return; that over a gap and the bar after it is spread over the time it took, `waited`."""
    return np.where(np.isnan(crossed), returns**2, (crossed + body) ** 2 / waited)


def parkinson(upper: Vector, lower: Vector) -> Vector:
    r"""Estimate variance from the range: :math:`(u - d)^2 / (4 \ln 2)`.

    Unbiased for a Brownian motion without drift that is watched without pause; a drift biases it upwards,
    sparse trading downwards. Five times as informative as one squared return.

    Parameters
    ----------
    upper, lower : Vector [T]   Log of high and of low over the open.

    Source: Parkinson (1980), The extreme value method for estimating the variance of the rate of return.
    """
    variance: Vector = (upper - lower) ** 2 / _PARKINSON
    return variance


def garman_klass(upper: Vector, lower: Vector, body: Vector) -> Vector:
    r"""Estimate variance from range and body: :math:`\tfrac12 (u - d)^2 - (2 \ln 2 - 1)\, c^2`.

    Never below zero, since the body lies within the range. Some seven times as informative as one squared
    return; biased by drift and sparse trading as `parkinson` is.

    Parameters
    ----------
    upper, lower, body : Vector [T]   Log of high, low and close over the open.

    Source: Garman and Klass (1980), On the estimation of security price volatilities from historical data.
    """
    variance: Vector = 0.5 * (upper - lower) ** 2 - _GARMAN_KLASS * body**2
    return variance


def rogers_satchell(upper: Vector, lower: Vector, body: Vector) -> Vector:
    r"""Estimate variance whatever the drift: :math:`u (u - c) + d (d - c)`.

    Zero for a bar that moves one way only, from open to close at the extremes.

    Source: Rogers and Satchell (1991), Estimating variance from high, low and closing prices.
    """
    variance: Vector = upper * (upper - body) + lower * (lower - body)
    return variance


def yang_zhang(gap: Vector, upper: Vector, lower: Vector, body: Vector) -> Vector:
    r"""Estimate variance with the jump before the open: :math:`g^2 + k\, c^2 + (1 - k)\, \mathrm{RS}`.

    With k = 0.34 / 2.34, the limit for a long window, and means taken as zero, so that each bar gives a
    sample of its own. Where trading never stops the gap is a tick.

    Parameters
    ----------
    gap : Vector [T]   Log of the open over the close before.

    Source: Yang and Zhang (2000), Drift-independent volatility estimation.
    """
    variance: Vector = (
        gap**2 + _BODY_SHARE * body**2 + (1.0 - _BODY_SHARE) * rogers_satchell(upper, lower, body)
    )
    return variance
