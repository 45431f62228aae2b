"""By how much does the value of each instrument change per unit of what moves it?"""

from dataclasses import dataclass

import numpy as np

from plimsoll.errors import Code, PlimsollError
from plimsoll.kernels.black76 import delta, gamma, theta, vega
from plimsoll.kernels.repricing import CALL, LINEAR
from plimsoll.pricing.chain import Chain
from plimsoll.types import Vector

__all__ = ["UnitGreeks", "unit_greeks"]


@dataclass(frozen=True, slots=True)
class UnitGreeks:
    r"""Discounted sensitivities of one unit of each instrument, all Vector [I].

    Attributes
    ----------
    delta : base units          :math:`D\, \partial V / \partial F`; a linear contract has D.
    gamma : base units per quote   :math:`D\, \partial^2 V / \partial F^2`.
    vega : quote per 1.0 of volatility (100 points).
    theta : quote per year that passes, forward and discount held.
    """

    delta: Vector
    gamma: Vector
    vega: Vector
    theta: Vector


def unit_greeks(chain: Chain) -> UnitGreeks:
    """Work the Greeks out by Black-76 on each instrument's own forward.

    Raises
    ------
    PlimsollError   `MISSING_VOLATILITY` where an option's volatility is 0: its gamma has no bound.
    """
    options = chain.kind != LINEAR
    still = np.flatnonzero(options & (chain.volatility == 0.0))
    if len(still):
        raise PlimsollError(
            Code.MISSING_VOLATILITY,
            "its volatility is 0, and Greeks need one above",
            where=chain.instruments[still[0]].name,
            remedy="Fit the surface for its expiry, or margin it by full repricing.",
        )
    discount = chain.discount[chain.slot]
    rows = np.flatnonzero(options)
    slot = chain.slot[rows]
    terms = (chain.forward[slot], chain.strike[rows], chain.tau[slot], chain.volatility[rows])
    found = (delta(*terms, chain.kind[rows] == CALL), gamma(*terms), vega(*terms), theta(*terms))
    columns = np.zeros((4, len(chain.slot)))
    columns[0] = 1.0
    columns[:, rows] = found
    return UnitGreeks(*(column * discount for column in columns))
