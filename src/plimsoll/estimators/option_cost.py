"""Which half-width of option quotes, in volatility and as a share of the forward, fits what is quoted?"""

import numpy as np

from plimsoll.domain.cost_curve import CostCurve
from plimsoll.domain.market_liquidity import OptionLiquidity
from plimsoll.errors import Code, PlimsollError
from plimsoll.types import Vector

__all__ = ["fit_option_liquidity"]

_LEAST_QUOTES = 30
"""Two numbers are fitted; fewer quotes than this are one expiry of one quiet afternoon."""

_RATIOS = np.geomspace(1e-5, 10.0, 241)
"""Of the band over the width in volatility, tried one by one; the width then follows as a median."""

_SHORTAGE = 0.5
"""Exponent of size: nothing behind the best quote is in a chain, so the root that markets show elsewhere."""


def fit_option_liquidity(width: Vector, vega: Vector, forward: Vector, shown: Vector) -> OptionLiquidity:
    r"""Fit :math:`w = h\,\nu + b F` by least absolute errors of logarithms.

    Quotes of options out of the money are wanted: one in the money is closed by its counterpart of the same
    strike and the underlying. The vega that best quotes show, in the median, is taken to cost another h, and
    more of it the root.

    Parameters
    ----------
    width : Vector [Q]     Half of ask less bid, quote units per contract, above 0.
    vega : Vector [Q]      Quote units per 1.0 of volatility and contract, above 0.
    forward : Vector [Q]   Quote units.
    shown : Vector [Q]     Contracts at the best quote, the smaller side.

    Raises
    ------
    PlimsollError   `TOO_LITTLE_HISTORY` where fewer than thirty quotes are usable.
    """
    usable = (width > 0.0) & (vega > 0.0) & (forward > 0.0) & (shown > 0.0)
    if np.count_nonzero(usable) < _LEAST_QUOTES:
        raise PlimsollError(
            Code.TOO_LITTLE_HISTORY,
            f"only {np.count_nonzero(usable)} quotes have both sides",
            where="option liquidity",
            remedy=f"Give a whole chain: {_LEAST_QUOTES} are needed.",
        )
    width, vega, forward, shown = width[usable], vega[usable], forward[usable], shown[usable]
    _, half_width, band = min(_at(ratio, width, vega, forward) for ratio in _RATIOS.tolist())
    reference = float(np.median(shown * vega))
    curve = CostCurve(
        half_spread=half_width,
        slope=half_width,
        reference=reference,
        exponent=_SHORTAGE,
        volatility=0.0,
        volume=reference,
    )
    return OptionLiquidity(band=band, curve=curve)


def _at(ratio: float, width: Vector, vega: Vector, forward: Vector) -> tuple[float, float, float]:
    """Fit the width for one ratio of the two: mean error, width in volatility, band."""
    logs = np.log(width / (vega + ratio * forward))
    middle = float(np.median(logs))
    return float(np.abs(logs - middle).mean()), float(np.exp(middle)), ratio * float(np.exp(middle))
