"""What would each scenario of the library do to the positions that are open now?"""

import numpy as np
from msgspec import Struct

from plimsoll.domain.parameters import Level
from plimsoll.domain.scenario_sets import NamedStress
from plimsoll.engine.book import FIRST_TRADER, FUND
from plimsoll.engine.state import State
from plimsoll.scenarios.library import scenarios
from plimsoll.scenarios.stresses import stresses
from plimsoll.types import Vector

__all__ = ["StressResult", "library_stresses", "stressed"]


class StressResult(Struct, frozen=True, kw_only=True):
    """Every account revalued after one joint move, nothing sold on the way. Money is in quote quanta.

    Attributes
    ----------
    name, title : str
    moves : dict            Relative move of each market's price.
    loss : int              What the traders that lose lose together; what others win is not set against it.
    below_maintenance : int Accounts that would be liquidated.
    under_water : int       Accounts that would owe more than they have.
    shortfall : int         What these would owe.
    fund : int              Insurance fund now.
    uncovered : int         Part of the shortfall beyond the fund.
    worst_account : str     The one that would owe most, or lose most where none owes; empty without traders.
    """

    name: str
    title: str
    moves: dict[str, float]
    loss: int
    below_maintenance: int
    under_water: int
    shortfall: int
    fund: int
    uncovered: int
    worst_account: str


def library_stresses(state: State) -> tuple[StressResult, ...]:
    """Stress the open positions with every scenario, the costliest first."""
    if state.model is None or np.isnan(state.market.marks).any():
        return ()
    results = [
        stressed(state, entry.title, stress) for entry in scenarios() for stress in stresses(entry.name)
    ]
    return tuple(sorted(results, key=lambda result: (-result.shortfall, -result.loss)))


def stressed(state: State, title: str, stress: NamedStress) -> StressResult:
    """Revalue every trader after the spot moves of a stress; volatilities move nothing that is linear."""
    shock = _shock(state, stress)
    book = state.book
    change = book.lots[FIRST_TRADER:] @ (state.unit * shock)
    equity = book.equity(state.unit)[FIRST_TRADER:] + change
    notional = book.lots[FIRST_TRADER:] * (state.unit * (1.0 + shock))
    needed = state.model_in_force.requirement(notional, Level.MAINTENANCE)
    owing = np.minimum(equity, 0.0)
    worst = int(np.argmin(np.where(owing.any(), owing, change))) if len(change) else -1
    shortfall, fund = int(-owing.sum()), int(book.cash[FUND])
    markets = [listing.underlying for listing in state.listings]
    return StressResult(
        name=stress.name,
        title=f"{title}, rebound" if stress.name.endswith(" rebound") else title,
        moves=dict(zip(markets, shock.tolist(), strict=True)),
        loss=int(-np.minimum(change, 0.0).sum()),
        below_maintenance=int(np.count_nonzero(equity < needed)),
        under_water=int(np.count_nonzero(owing)),
        shortfall=shortfall,
        fund=fund,
        uncovered=max(0, shortfall - fund),
        worst_account=book.names[FIRST_TRADER + worst] if worst >= 0 else "",
    )


def _shock(state: State, stress: NamedStress) -> Vector:
    moves = {move.underlying: move.spot for move in stress.moves}
    return np.array([moves.get(listing.underlying, stress.others) for listing in state.listings])
