"""What is written down of a cascade while it runs?"""

from collections.abc import Callable
from typing import Any

import numpy as np

from plimsoll.clearing.feedback import MOVES, Held, branching_profile, branching_ratio
from plimsoll.clearing.statuses import IN_HAND, Status
from plimsoll.domain.events import (
    Allocated,
    Auctioned,
    Bankrupt,
    Closed,
    Covered,
    Deleveraged,
    Effect,
    Liquidated,
    StatusChanged,
    TakenOver,
)
from plimsoll.domain.instruments import Spot
from plimsoll.domain.money import QUANTA_PER_UNIT, units
from plimsoll.domain.parameters import Level
from plimsoll.engine.book import FIRST_TRADER, FUND
from plimsoll.engine.state import State, digest
from plimsoll.sim.cascade_outcome import CascadeFacts, CascadeSeries
from plimsoll.sim.held import held_by_traders
from plimsoll.sim.market import forced_trade
from plimsoll.sim.market_makers import Quoted
from plimsoll.types import Rows, Vector

__all__ = ["CascadeRecord"]

_MINUTE = 60
_BRANCHING_SECONDS = 600
"""Seconds between two measurements of the branching ratio: each values the whole book a hundred times."""
_IN_HAND = {status.name for status in IN_HAND}


class CascadeRecord:
    """Collects the series and the figures of one run.

    Parameters
    ----------
    markets : tuple [M]; columns : Rows [I]
    prices : Vector [M]   At the start.
    normal : Vector [M]   Normal depth, quote units per 1 %.
    seconds : int         T.
    """

    def __init__(
        self, markets: tuple[str, ...], columns: Rows, prices: Vector, normal: Vector, seconds: int
    ) -> None:
        count = seconds + 1
        self._columns = columns
        self._prices = prices
        self._normal = normal
        self._series = CascadeSeries(
            markets=markets,
            price=np.tile(prices, (count, 1)),
            value=np.tile(prices, (count, 1)),
            depth=np.tile(normal, (count, 1)),
            sold=np.zeros((count, len(markets))),
            taken_over=np.zeros(count),
            deleveraged=np.zeros(count),
            bad_debt=np.zeros(count),
            fund=np.zeros(count),
            measured=np.arange(0.0, count, _BRANCHING_SECONDS),
            branching=np.zeros((-(-count // _BRANCHING_SECONDS), len(markets))),
        )
        self._auctioned = np.zeros(count)
        self._asked: list[int] = []
        self._paid = {"fund": 0, "winners": 0, "uncovered": 0, "answered": 0}
        self._seen: dict[str, set[str]] = {"called": set(), "liquidated": set()}
        self._notes: dict[type, Callable[[int, Any], None]] = {
            StatusChanged: self._note_status,
            Liquidated: self._note_sold,
            TakenOver: self._note_takeover,
            Deleveraged: self._note_deleveraged,
            Auctioned: self._note_auction,
            Closed: self._note_shortfall,
            Bankrupt: self._note_shortfall,
            Covered: self._note_fund,
            Allocated: self._note_allocation,
        }

    def opened(self, state: State) -> None:
        """Write down the venue before the shock."""
        self._opening = state
        self._series.fund[0] = units(state.book.cash[FUND])
        self._measure(0, state, self._normal)

    def answered(self, accounts: int) -> None:
        """Count payments that answer a call."""
        self._paid["answered"] += accounts

    def after_second(self, second: int, market: Quoted, state: State, effects: tuple[Effect, ...]) -> None:
        """Write down one second."""
        series = self._series
        self._state = state
        series.price[second] = self._prices * np.exp(market.log_price)
        series.value[second] = self._prices * np.exp(market.value)
        series.depth[second] = self._normal * market.share
        series.bad_debt[second] = series.bad_debt[second - 1]
        for effect in effects:
            note = self._notes.get(type(effect))
            if note is not None:
                note(second, effect)
        series.fund[second] = units(state.book.cash[FUND])
        if second % _BRANCHING_SECONDS == 0:
            self._measure(second // _BRANCHING_SECONDS, state, series.depth[second])

    def series(self) -> CascadeSeries:
        """Give what happened second by second."""
        return self._series

    def facts(self, policy: str, seed: int, journal: str) -> CascadeFacts:
        """Give the figures of the whole run."""
        series, state = self._series, self._opening
        forced = series.sold.sum(axis=1) + series.taken_over + series.deleveraged + self._auctioned
        total, debt = float(forced.sum()), float(series.bad_debt[-1])
        some = np.flatnonzero(forced)
        traders = held_by_traders(state)
        notional = traders.lots * traders.unit
        positions = np.array([not isinstance(entry.instrument, Spot) for entry in state.listings])
        admitted = float(np.abs(notional[:, positions]).sum()) / QUANTA_PER_UNIT
        return CascadeFacts(
            policy=policy,
            seed=seed,
            accounts=len(state.book.names) - FIRST_TRADER,
            admitted=admitted,
            mean_margin=_share(_required(traders, Level.MAINTENANCE), admitted),
            mean_initial=_share(_required(traders, Level.INITIAL), admitted),
            branching=float(series.branching[0].max()),
            called=len(self._seen["called"]),
            answered=self._paid["answered"],
            liquidated=len(self._seen["liquidated"]),
            forced=total,
            sold=float(series.sold.sum()),
            taken_over=float(series.taken_over.sum()),
            deleveraged=float(series.deleveraged.sum()),
            allocation_share=_share(float(series.deleveraged.sum()), total),
            first_forced=int(some[0]) if len(some) else None,
            first_allocation=min(self._asked, default=None),
            peak_minute_share=_share(_peak_minute(forced), total),
            bad_debt=debt,
            bad_debt_share=_share(debt, total),
            fund_paid=units(self._paid["fund"]),
            winners_paid=units(self._paid["winners"]),
            uncovered=units(self._paid["uncovered"]),
            depth_lost=1.0 - float((series.depth.sum(axis=1) / self._normal.sum()).min()),
            deepest_fall=float((series.price / self._prices).min()) - 1.0,
            deepest_push=1.0 - float((series.price / series.value).min()),
            journal=journal,
            state=digest(self._state),
        )

    def _measure(self, row: int, state: State, depth: Vector) -> None:
        profile = branching_profile(held_by_traders(state), self._columns, depth * QUANTA_PER_UNIT, MOVES)
        self._series.branching[row] = branching_ratio(profile)

    def _note_status(self, _second: int, effect: StatusChanged) -> None:
        if effect.after == Status.CALLED.name and effect.before == Status.HEALTHY.name:
            self._seen["called"].update(effect.accounts)
        if effect.after in _IN_HAND:
            self._seen["liquidated"].update(effect.accounts)

    def _note_sold(self, second: int, effect: Liquidated) -> None:
        place, notional = forced_trade(effect, self._opening.listings)
        self._series.sold[second, self._columns[place]] += abs(notional)

    def _note_takeover(self, second: int, effect: TakenOver) -> None:
        self._series.taken_over[second] += units(effect.notional)

    def _note_deleveraged(self, second: int, effect: Deleveraged) -> None:
        self._series.deleveraged[second] += units(effect.notional)
        self._paid["winners"] += sum(effect.amounts)
        self._asked.append(second)

    def _note_auction(self, second: int, effect: Auctioned) -> None:
        self._auctioned[second] += units(effect.notional)

    def _note_shortfall(self, second: int, effect: Closed | Bankrupt) -> None:
        self._series.bad_debt[second] += units(sum(effect.shortfalls))

    def _note_fund(self, _second: int, effect: Covered) -> None:
        self._paid["fund"] += effect.amount

    def _note_allocation(self, second: int, effect: Allocated) -> None:
        self._paid["winners"] += sum(effect.amounts)
        self._paid["uncovered"] += effect.uncovered
        if effect.accounts:
            self._asked.append(second)


def _required(held: Held, level: Level) -> float:
    return float(held.model.requirement(held.lots * held.unit, level).sum()) / QUANTA_PER_UNIT


def _share(part: float, whole: float) -> float:
    return part / whole if whole > 0.0 else 0.0


def _peak_minute(forced: Vector) -> float:
    """Take the largest sum over a minute by the clock."""
    starts = np.arange(0, len(forced), _MINUTE)
    return float(np.add.reduceat(forced, starts).max())
