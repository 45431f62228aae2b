"""What of a book's options has to be crossed, and what of it hedged, to close them?"""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from plimsoll.domain.instruments import Option, Spot
from plimsoll.domain.profiles import LiquidityTerms
from plimsoll.pricing import Chain
from plimsoll.pricing.greeks import UnitGreeks, unit_greeks
from plimsoll.types import Vector

__all__ = ["OptionLegs", "option_legs", "unit_costs"]


@dataclass(frozen=True, slots=True)
class OptionLegs:
    """What is left to close once calls and puts of one strike and expiry are netted into forwards.

    Attributes
    ----------
    vega : float       Sum over strikes of its size, quote per 1.0 of volatility.
    forwards : float   Sum over strikes of contracts times forward, quote units.
    delta : float      Signed, of all options, at spot: quote units.
    """

    vega: float
    forwards: float
    delta: float


def option_legs(chain: Chain, greeks: UnitGreeks, spot: Vector, quantity: Vector) -> OptionLegs:
    """Net a book of options strike by strike.

    Parameters
    ----------
    greeks : UnitGreeks   Of the chain.
    spot : Vector [I]   Of each instrument's underlying.
    quantity : Vector [I]   What is not an option is left aside.
    """
    rows = [i for i in np.flatnonzero(quantity) if isinstance(chain.instruments[i], Option)]
    if not rows:
        return OptionLegs(0.0, 0.0, 0.0)
    net: dict[tuple[int, float], float] = defaultdict(float)
    one: dict[tuple[int, float], float] = {}
    for i in rows:
        strike = int(chain.slot[i]), float(chain.strike[i])
        net[strike] += float(quantity[i])
        one[strike] = float(greeks.vega[i])
    return OptionLegs(
        vega=sum(abs(size) * one[strike] for strike, size in net.items()),
        forwards=sum(abs(size) * float(chain.forward[slot]) for (slot, _), size in net.items()),
        delta=float(sum(quantity[i] * greeks.delta[i] * spot[i] for i in rows)),
    )


def unit_costs(chain: Chain, spot: Vector, liquidity: tuple[LiquidityTerms, ...]) -> Vector:
    """Give what closing one unit of each instrument costs in normal times, by which relief is judged.

    Half of an option's quoted width and the spread on its delta; of a linear contract the spread. Nothing for
    an underlying that is not named.

    Returns
    -------
    Vector [I]   Quote units.
    """
    terms = {entry.underlying: entry for entry in liquidity}
    greeks = unit_greeks(chain)
    costs = np.zeros(len(chain.instruments))
    for i, instrument in enumerate(chain.instruments):
        known = terms.get(instrument.underlying)
        if known is None or isinstance(instrument, Spot):
            continue
        delta = abs(float(greeks.delta[i])) if isinstance(instrument, Option) else 1.0
        costs[i] = delta * spot[i] * known.curves[0].half_spread
        if isinstance(instrument, Option) and known.options is not None:
            costs[i] += known.options.unit(float(greeks.vega[i]), float(chain.forward[chain.slot[i]]))
    return costs
