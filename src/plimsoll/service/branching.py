"""Would forced selling of this book feed itself?"""

import numpy as np
from msgspec import Struct

from plimsoll.clearing.feedback import MOVES, branching_profile
from plimsoll.clearing.option_feedback import option_branching_profile
from plimsoll.domain.instruments import Spot
from plimsoll.domain.money import QUANTA_PER_UNIT
from plimsoll.engine.market_curves import market_depth
from plimsoll.engine.state import State
from plimsoll.margin import OptionMargin
from plimsoll.sim.held import held_by_traders
from plimsoll.types import Matrix

__all__ = ["Branching", "branching"]


class Branching(Struct, frozen=True, kw_only=True):
    """One market.

    Attributes
    ----------
    market : str
    ratio : float    n = g / d, the largest over falls and rises of up to a fifth; selling feeds itself at 1.
    falls, rises : float   The largest of each side.
    move : float     The move, signed, at which it is largest; 0 where nobody would be sold by any.
    sold : quote     g: what each per cent of that move makes accounts trade by force.
    depth : quote    d: what the market takes for a move of 1 %, by its cost curve at what is left of depth.
    left : share     Of the curve's depth, as the last tick told it.
    """

    market: str
    ratio: float
    falls: float
    rises: float
    move: float
    sold: float
    depth: float
    left: float


def branching(state: State) -> tuple[Branching, ...]:
    r"""Measure every traded market, the most fragile first, as `branching_profile` does.

    .. math:: n_m = \max_x \frac{g_m(x)}{d_m}

    with d the depth of this moment by the market's cost curve.
    """
    if state.model is None or np.isnan(state.market.marks).any():
        return ()
    traded = [entry.underlying for entry in state.listings if not isinstance(entry.instrument, Spot)]
    markets = tuple(dict.fromkeys(traded))
    columns = np.array(
        [markets.index(entry.underlying) if entry.underlying in markets else -1 for entry in state.listings]
    )
    depth = market_depth(state, columns, len(markets), normal=False)
    held, quanta = held_by_traders(state), depth * QUANTA_PER_UNIT
    if isinstance(state.model, OptionMargin):
        profile = option_branching_profile(held, state.model, markets, quanta)
    else:
        profile = branching_profile(held, columns, quanta)
    left = {entry.underlying: share for entry, share in zip(state.listings, state.market.depth, strict=True)}
    found = [
        _of_market(market, profile[:, m], float(depth[m]), float(left[market]))
        for m, market in enumerate(markets)
    ]
    return tuple(sorted(found, key=lambda entry: -entry.ratio))


def _of_market(market: str, profile: Matrix, depth: float, left: float) -> Branching:
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
        left=left,
    )
