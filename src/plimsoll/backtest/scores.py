"""How good is a forecast, by a score that only the truth minimises on average?"""

import numpy as np

from plimsoll.types import Vector

__all__ = ["fissler_ziegel", "pinball", "qlike"]


def pinball(excursions: Vector, rates: Vector, share: float) -> Vector:
    r"""Score a rate as a quantile.

    .. math:: S = p\,(V - L)^+ + (1 - p)\,(L - V)^+

    with p the promised share of breaches: margin that lies idle costs p of its size, margin that is missing
    1 - p. The expectation is least at the true quantile.

    Parameters
    ----------
    excursions, rates : Vector [T]   Shares of the notional.

    Returns
    -------
    Vector [T]   Shares of the notional; less is better.

    Source: Koenker and Bassett (1978), Regression quantiles; Gneiting (2011).
    """
    short = excursions - rates
    score: Vector = np.where(short > 0.0, (1.0 - share) * short, -share * short)
    return score


def fissler_ziegel(excursions: Vector, rates: Vector, shortfalls: Vector, share: float) -> Vector:
    r"""Score a rate and an expected shortfall together, by the homogeneous member FZ0.

    .. math:: S = \frac{(L - V)^+}{p\,E} + \frac{V}{E} + \ln E - 1

    Parameters
    ----------
    excursions, rates, shortfalls : Vector [T]   Shares of the notional; shortfalls positive.

    Returns
    -------
    Vector [T]   Differences do not depend on the unit; less is better, and negative values are usual.

    Source: Fissler and Ziegel (2016); Patton, Ziegel and Chen (2019), Dynamic semiparametric models for
    expected shortfall, equation 6, for losses instead of returns.
    """
    beyond = np.maximum(excursions - rates, 0.0)
    score: Vector = beyond / (share * shortfalls) + rates / shortfalls + np.log(shortfalls) - 1.0
    return score


def qlike(realised: Vector, forecast: Vector) -> Vector:
    r"""Score a variance forecast by :math:`x / h - \ln(x / h) - 1`; zero where it is exact.

    Rankings are right on average even where x is an unbiased, noisy stand-in for the variance (a squared
    range), as Patton (2011), Volatility forecast comparison using imperfect volatility proxies, shows.

    Parameters
    ----------
    realised, forecast : Vector [T]   Squared log returns; positive.
    """
    ratio = realised / forecast
    score: Vector = ratio - np.log(ratio) - 1.0
    return score
