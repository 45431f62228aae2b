"""What would each scenario of the library do to the positions that are open now?"""

from typing import NamedTuple

import numpy as np
from msgspec import Struct

from plimsoll.domain.money import QUANTA_PER_UNIT
from plimsoll.domain.scenario_sets import NamedStress
from plimsoll.engine.book import FIRST_TRADER, FUND
from plimsoll.engine.state import State
from plimsoll.kernels.valuation import worth
from plimsoll.margin import OptionMargin
from plimsoll.margin.stress import outcome_of
from plimsoll.pricing import build_moves, price_table, spot_moves
from plimsoll.scenarios.library import scenarios
from plimsoll.scenarios.stresses import stresses
from plimsoll.service.margins import margins_of
from plimsoll.types import Vector

__all__ = ["StressResult", "library_stresses", "stressed"]


class StressResult(Struct, frozen=True, kw_only=True):
    """Every account revalued after one joint move, nothing sold on the way. Money is in quote quanta.

    Attributes
    ----------
    name, title : str
    moves : dict            Relative move of each market's price.
    loss : int              What the traders that lose lose together; what others win is not set against it.
    beyond_margin : int     Part of it beyond what each account's maintenance margin covers.
    below_maintenance : int Accounts whose equity would end below today's maintenance margin, as in
                            `margin.stress`: what they must hold now is what the venue counts on.
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
    beyond_margin: int
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
    standing = _standing(state)
    results = [
        _result(state, standing, entry.title, stress)
        for entry in scenarios()
        for stress in stresses(entry.name)
    ]
    return tuple(sorted(results, key=lambda result: (-result.shortfall, -result.loss)))


def stressed(state: State, title: str, stress: NamedStress) -> StressResult:
    """Revalue every trader after the moves of a stress; volatilities move options alone."""
    return _result(state, _standing(state), title, stress)


def _unit_change(state: State, stress: NamedStress, shock: Vector) -> Vector:
    """Give what a lot of each listing gains, quanta [I]; options anew, those that expired are 0."""
    if not isinstance(state.model, OptionMargin):
        return state.unit * shock
    change = np.zeros(len(shock))
    chain = state.model.venue.chain
    gained = price_table(chain, build_moves(stress, chain, {})).change[:, 0]
    change[state.model.live] = gained * state.lot_sizes[state.model.live] * QUANTA_PER_UNIT
    return change


class _Standing(NamedTuple):
    """What traders have, rounded down, and must hold, rounded up, before any stress [A]; quanta."""

    equity: Vector
    maintenance: Vector


def _standing(state: State) -> _Standing:
    margins = margins_of(state)
    return _Standing(margins.equity[FIRST_TRADER:], margins.maintenance[FIRST_TRADER:])


def _result(state: State, standing: _Standing, title: str, stress: NamedStress) -> StressResult:
    book, markets = state.book, [listing.underlying for listing in state.listings]
    shock = spot_moves(stress, markets)
    change = worth(book.lots[FIRST_TRADER:], _unit_change(state, stress, shock))
    after = standing.equity + change
    found = outcome_of(stress.name, change, after, standing.maintenance)
    worst = int(np.argmin(after if found.insolvent else change)) if len(change) else -1
    shortfall, fund = int(found.shortfall), int(book.cash[FUND])
    return StressResult(
        name=stress.name,
        title=f"{title}, rebound" if stress.name.endswith(" rebound") else title,
        moves=dict(zip(markets, shock.tolist(), strict=True)),
        loss=int(found.lost),
        beyond_margin=int(found.beyond_margin),
        below_maintenance=found.below_maintenance,
        under_water=found.insolvent,
        shortfall=shortfall,
        fund=fund,
        uncovered=max(0, shortfall - fund),
        worst_account=book.names[FIRST_TRADER + worst] if worst >= 0 else "",
    )
