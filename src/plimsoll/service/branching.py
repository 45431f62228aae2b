"""Would forced selling of this book feed itself?"""

import numpy as np
from msgspec import Struct

from plimsoll.clearing.feedback import MOVES, branching_profile
from plimsoll.domain.instruments import Spot
from plimsoll.domain.money import QUANTA_PER_UNIT
from plimsoll.engine.state import State
from plimsoll.sim.held import held_by_traders
from plimsoll.types import Matrix, Rows, Vector

__all__ = ["Branching", "branching"]

_LEAST_IMPACT = 1e-6
"""Impact of a market that shows none: it takes a great deal, but not infinitely much."""

_LEAST_DEPTH = 1.0
"""Quote: what a market that trades nothing takes, so that the ratio stays a number."""

_MOVE = 0.01
"""Depth is what moves a price by so much."""


class Branching(Struct, frozen=True, kw_only=True):
    """One market.

    Attributes
    ----------
    market : str
    ratio : float    n = g / d, the largest over falls and rises of up to a fifth; selling feeds itself at 1.
    falls, rises : float   The largest of each side.
    move : float     The move, signed, at which it is largest; 0 where nobody would be sold by any.
    sold : quote     g: what each per cent of that move makes accounts trade by force.
    depth : quote    d: what the market takes for a move of 1 %.
    """

    market: str
    ratio: float
    falls: float
    rises: float
    move: float
    sold: float
    depth: float


def branching(state: State) -> tuple[Branching, ...]:
    r"""Measure every traded market, the most fragile first, as `branching_profile` does.

    .. math:: n_m = \max_x \frac{g_m(x)}{d_m}, \quad d_m = V_m \Big(\frac{1 \%}{Y \sigma_m}\Big)^2

    with V the quote volume of an hour and Y sigma the impact of trading it at once: the square-root law,
    solved for the size that moves the price 1 %.
    """
    if state.model is None or np.isnan(state.market.marks).any():
        return ()
    traded = [entry.underlying for entry in state.listings if not isinstance(entry.instrument, Spot)]
    markets = tuple(dict.fromkeys(traded))
    columns = np.array(
        [markets.index(entry.underlying) if entry.underlying in markets else -1 for entry in state.listings]
    )
    depth = _depth(state, columns, len(markets))
    profile = branching_profile(held_by_traders(state), columns, depth * QUANTA_PER_UNIT)
    found = [_of_market(market, profile[:, m], float(depth[m])) for m, market in enumerate(markets)]
    return tuple(sorted(found, key=lambda entry: -entry.ratio))


def _depth(state: State, columns: Rows, markets: int) -> Vector:
    """Solve the square-root law for what moves each market by 1 %: Vector [M], quote."""
    first = [int(np.flatnonzero(columns == market)[0]) for market in range(markets)]
    volume, impact = state.market.volume[first], state.market.impact[first]
    depth: Vector = np.maximum(volume * (_MOVE / np.maximum(impact, _LEAST_IMPACT)) ** 2, _LEAST_DEPTH)
    return depth


def _of_market(market: str, profile: Matrix, depth: float) -> Branching:
    """Take the worst of a market's profile, Matrix [2, K]: falls, then rises."""
    side, place = np.unravel_index(int(np.argmax(profile)), profile.shape)
    ratio = float(profile[side, place])
    return Branching(
        market=market,
        ratio=ratio,
        falls=float(profile[0].max()),
        rises=float(profile[1].max()),
        move=(MOVES[place] if side else -MOVES[place]) if ratio > 0.0 else 0.0,
        sold=ratio * depth,
        depth=depth,
    )
