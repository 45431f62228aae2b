"""What would each scenario of the library do to the positions that are open now?"""

from functools import cache

import numpy as np
from msgspec import Struct

from plimsoll.domain.bars import HOUR
from plimsoll.domain.parameters import Level
from plimsoll.engine.book import FIRST_TRADER, FUND
from plimsoll.engine.state import State
from plimsoll.scenarios.library import path, scenarios
from plimsoll.sim.population import STABLECOINS
from plimsoll.types import Vector

__all__ = ["StressResult", "library_stresses", "stressed", "worst_day"]

_DAY_OF_HOURS = 24
_SEED = 1
"""Of the path within hypothetical scenarios; hourly closes of historical ones do not depend on it."""


class StressResult(Struct, frozen=True, kw_only=True):
    """Every account revalued after one joint move, nothing sold on the way. Money is in quote quanta.

    Attributes
    ----------
    name, title : str
    moves : dict            Relative move of each market's price.
    loss : int              What all traders together lose; negative where they gain.
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


@cache
def worst_day(name: str) -> dict[str, float]:
    r"""Give each market's move over the 24 hours of a scenario in which the mean log return is lowest.

    .. math:: t^* = \arg\min_t \sum_m \ln(p_{t, m} / p_{t - 24h, m})

    A scenario shorter than a day counts from its first hour; a market counts where it has both prices.
    """
    bars = path(name, length=HOUR, seed=_SEED).bars
    logs = np.log(np.vstack([bars.open[:1], bars.close]))
    hours = np.arange(1, len(logs))
    returns = logs[hours] - logs[np.maximum(hours - _DAY_OF_HOURS, 0)]
    row = int(np.argmin(np.nanmean(returns, axis=1)))
    return {m: float(np.expm1(r)) for m, r in zip(bars.markets, returns[row], strict=True) if np.isfinite(r)}


def library_stresses(state: State) -> tuple[StressResult, ...]:
    """Stress the open positions with every scenario, the costliest first."""
    if state.model is None or np.isnan(state.market.marks).any():
        return ()
    results = [stressed(state, entry.name, entry.title, worst_day(entry.name)) for entry in scenarios()]
    return tuple(sorted(results, key=lambda result: (-result.shortfall, -result.loss)))


def stressed(state: State, name: str, title: str, moves: dict[str, float]) -> StressResult:
    """Revalue every trader after relative moves.

    Parameters
    ----------
    moves : dict   By market; one without a figure moves as the mean of those that have one, a stablecoin not.
    """
    shock = _shock(state, moves)
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
        name=name,
        title=title,
        moves=dict(zip(markets, shock.tolist(), strict=True)),
        loss=int(-np.minimum(change, 0.0).sum()),
        below_maintenance=int(np.count_nonzero(equity < needed)),
        under_water=int(np.count_nonzero(owing)),
        shortfall=shortfall,
        fund=fund,
        uncovered=max(0, shortfall - fund),
        worst_account=book.names[FIRST_TRADER + worst] if worst >= 0 else "",
    )


def _shock(state: State, moves: dict[str, float]) -> Vector:
    mean = float(np.mean(list(moves.values()))) if moves else 0.0
    return np.array(
        [
            moves.get(listing.underlying, 0.0 if listing.underlying in STABLECOINS else mean)
            for listing in state.listings
        ]
    )
