"""What does selling cost in each market now?"""

import numpy as np

from plimsoll.domain.cost_curve import CostCurve, flow_alone
from plimsoll.engine.state import State
from plimsoll.types import Rows, Vector

__all__ = ["market_depth", "present_curves"]

_LEAST_DEPTH, _MOST_DEPTH = 1.0, 1e15
"""Quote: of a market that takes nothing, or anything; so that what is divided by depth stays a number."""


def present_curves(state: State) -> tuple[CostCurve, ...]:
    """Give the curve of each instrument: the one in force, with the flow that the last tick told.

    A market whose curve was never published has its flow alone.
    """
    market, parameters = state.market, state.parameters
    known = {} if parameters is None else {entry.market: entry.curves[0] for entry in parameters.liquidity}
    curves = []
    for listing, volume, impact in zip(
        state.listings, market.volume.tolist(), market.impact.tolist(), strict=True
    ):
        curve = known.get(listing.underlying)
        curves.append(flow_alone(volume, impact) if curve is None else curve.seen(volume, impact))
    return tuple(curves)


def market_depth(state: State, columns: Rows, markets: int, *, normal: bool) -> Vector:
    """Give what moves each market by 1 % at once: Vector [M], quote units.

    Parameters
    ----------
    columns : Rows [I]   Market of each instrument; below zero for one that is left out. The first speaks for
                         its market.
    normal : bool        At normal depth, or at what the last tick said is left of it.
    """
    curves, shares = present_curves(state), state.market.depth
    depth = np.zeros(markets)
    for market in range(markets):
        first = int(np.flatnonzero(columns == market)[0])
        depth[market] = curves[first].depth(1.0 if normal else float(shares[first]))
    return depth.clip(_LEAST_DEPTH, _MOST_DEPTH)
