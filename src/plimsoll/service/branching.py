"""Would forced selling of this book feed itself?"""

import numpy as np
from msgspec import Struct

from plimsoll.clearing.liquidation import reduction
from plimsoll.clearing.statuses import Status
from plimsoll.domain.instruments import Spot
from plimsoll.domain.money import QUANTA_PER_UNIT
from plimsoll.domain.parameters import Level
from plimsoll.engine.book import FIRST_TRADER
from plimsoll.engine.state import State
from plimsoll.types import Flags, Matrix, Vector

__all__ = ["MOVE", "Branching", "branching"]

MOVE = 0.01
"""The move that both sides of the ratio are measured over."""

_LEAST_IMPACT = 1e-6
"""Impact of a market that shows none: it takes a great deal, but not infinitely much."""

_LEAST_DEPTH = 1.0
"""Quote: what a market that trades nothing takes, so that the ratio stays a number."""


class Branching(Struct, frozen=True, kw_only=True):
    """One market.

    Attributes
    ----------
    market : str
    ratio : float    n = g / d, the larger of both directions; selling feeds itself as n nears 1.
    falls, rises : quote   g: notional sold (bought) by force after a fall (rise) of 1 %.
    depth : quote    d: what the market takes for a move of 1 %.
    accounts : int   That the worse move newly takes below maintenance.
    """

    market: str
    ratio: float
    falls: float
    rises: float
    depth: float
    accounts: int


def branching(state: State) -> tuple[Branching, ...]:
    r"""Measure every traded market, the most fragile first.

    .. math:: n_m = \frac{g_m}{d_m}, \quad d_m = V_m \Big(\frac{1 \%}{Y \sigma_m}\Big)^2

    with g the notional that accounts newly below maintenance after a move of 1 % would sell to reach the
    health target, V the quote volume of an hour and Y sigma the impact of trading it at once: the square-root
    law solved for the size that moves the price 1 %.
    """
    if state.model is None or np.isnan(state.market.marks).any():
        return ()
    below = _below(state, state.unit)
    markets = dict.fromkeys(
        entry.underlying for entry in state.listings if not isinstance(entry.instrument, Spot)
    )
    found = [_of_market(state, market, below) for market in markets]
    return tuple(sorted(found, key=lambda entry: -entry.ratio))


def _of_market(state: State, market: str, below: Flags) -> Branching:
    columns = np.array([entry.underlying == market for entry in state.listings])
    traded = int(np.flatnonzero(columns)[0])
    fall, fallen = _sold(state, columns, -MOVE, below)
    rise, risen = _sold(state, columns, MOVE, below)
    volume, impact = state.market.volume[traded], state.market.impact[traded]
    depth = max(float(volume * (MOVE / max(impact, _LEAST_IMPACT)) ** 2), _LEAST_DEPTH)
    worst = max(fall, rise)
    return Branching(
        market=market,
        ratio=worst / depth,
        falls=fall,
        rises=rise,
        depth=depth,
        accounts=fallen if fall >= rise else risen,
    )


def _sold(state: State, columns: Flags, move: float, below: Flags) -> tuple[float, int]:
    """Say what a move makes accounts trade in the market by force (quote), and how many accounts."""
    unit = state.unit * (1.0 + move * columns)
    rows = np.flatnonzero(_below(state, unit) & ~below)
    if len(rows) == 0:
        return 0.0, 0
    notional: Matrix = state.book.lots[rows].astype(np.float64) * unit
    gross = np.abs(notional).sum(axis=1)
    equity = state.book.cash[rows] + notional.sum(axis=1)
    needed = state.model_in_force.requirement(notional, Level.MAINTENANCE)
    share = reduction(
        equity,
        needed,
        gross,
        np.full(len(rows), state.rules.fee),
        equity < state.rules.full_share * needed,
        state.rules.health_target,
    )
    sold = (np.abs(notional[:, columns]).sum(axis=1) * share).sum()
    return float(sold) / QUANTA_PER_UNIT, len(rows)


def _below(state: State, unit: Vector) -> Flags:
    """Say which traders with positions are below maintenance; those closed or in hand count as such."""
    book, model = state.book, state.model_in_force
    below = model.near(book.cash, book.lots, unit, Level.MAINTENANCE)
    below[:FIRST_TRADER] = False
    rows = np.flatnonzero(below)
    notional = book.lots[rows] * unit
    equity = book.cash[rows] + notional.sum(axis=1)
    below[rows] = equity < model.requirement(notional, Level.MAINTENANCE)
    below |= book.status >= Status.PARTIAL
    return below
