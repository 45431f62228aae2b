"""What is written down of a cascade while it runs?"""

import numpy as np

from plimsoll.clearing.feedback import MOVES, Held, branching_profile, branching_ratio
from plimsoll.clearing.statuses import IN_HAND, Status
from plimsoll.domain.events import Effect, Liquidated, StatusChanged
from plimsoll.domain.instruments import Spot
from plimsoll.domain.money import QUANTA_PER_UNIT, units
from plimsoll.domain.parameters import Level
from plimsoll.engine.book import FIRST_TRADER, FUND
from plimsoll.engine.layers import Layer, Layers, absorbed
from plimsoll.engine.market_curves import market_depth
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
        self._asked: int | None = None
        self._answered = 0
        self._layers = Layers()
        self._seen: dict[str, set[str]] = {"called": set(), "liquidated": set()}

    def opened(self, state: State) -> None:
        """Write down the venue before the shock."""
        self._opening = state
        self._series.fund[0] = units(state.book.cash[FUND])
        self._measure(0, state)

    def answered(self, accounts: int) -> None:
        """Count payments that answer a call."""
        self._answered += accounts

    def after_second(self, second: int, market: Quoted, state: State, effects: tuple[Effect, ...]) -> None:
        """Write down one second."""
        series = self._series
        self._state = state
        series.price[second] = self._prices * np.exp(market.log_price)
        series.value[second] = self._prices * np.exp(market.value)
        series.depth[second] = self._normal * market.share
        for effect in effects:
            self._note(second, effect)
        self._absorb(second, effects)
        series.fund[second] = units(state.book.cash[FUND])
        if second % _BRANCHING_SECONDS == 0:
            self._measure(second // _BRANCHING_SECONDS, state)

    def series(self) -> CascadeSeries:
        """Give what happened second by second."""
        return self._series

    def facts(self, policy: str, seed: int, journal: str) -> CascadeFacts:
        """Give the figures of the whole run."""
        series, state, paid = self._series, self._opening, self._layers.paid
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
            answered=self._answered,
            liquidated=len(self._seen["liquidated"]),
            forced=total,
            sold=float(series.sold.sum()),
            taken_over=float(series.taken_over.sum()),
            deleveraged=float(series.deleveraged.sum()),
            allocation_share=_share(float(series.deleveraged.sum()), total),
            first_forced=int(some[0]) if len(some) else None,
            first_allocation=self._asked,
            peak_minute_share=_share(_peak_minute(forced), total),
            bad_debt=debt,
            bad_debt_share=_share(debt, total),
            fund_paid=units(paid.get(Layer.FUND, 0)),
            winners_paid=units(paid.get(Layer.QUEUE, 0) + paid.get(Layer.WINNERS, 0)),
            uncovered=units(paid.get(Layer.VENUE, 0)),
            depth_lost=1.0 - float((series.depth.sum(axis=1) / self._normal.sum()).min()),
            deepest_fall=float((series.price / self._prices).min()) - 1.0,
            deepest_push=1.0 - float((series.price / series.value).min()),
            journal=journal,
            state=digest(self._state),
        )

    def _measure(self, row: int, state: State) -> None:
        depth = market_depth(state, self._columns, len(self._prices), normal=False)
        profile = branching_profile(held_by_traders(state), self._columns, depth * QUANTA_PER_UNIT, MOVES)
        self._series.branching[row] = branching_ratio(profile)

    def _note(self, second: int, effect: Effect) -> None:
        if isinstance(effect, Liquidated):
            place, notional = forced_trade(effect, self._opening.listings)
            self._series.sold[second, self._columns[place]] += abs(notional)
        if isinstance(effect, StatusChanged):
            if effect.after == Status.CALLED.name and effect.before == Status.HEALTHY.name:
                self._seen["called"].update(effect.accounts)
            if effect.after in _IN_HAND:
                self._seen["liquidated"].update(effect.accounts)

    def _absorb(self, second: int, effects: tuple[Effect, ...]) -> None:
        """Write down what each layer took in this second, and what is owed so far."""
        before, after = self._layers, absorbed(self._layers, effects, self._opening.listings)

        def took(layer: Layer) -> float:
            return units(after.notional.get(layer, 0) - before.notional.get(layer, 0))

        self._layers = after
        self._series.taken_over[second] = took(Layer.BACKSTOP)
        self._series.deleveraged[second] = took(Layer.QUEUE)
        self._auctioned[second] = took(Layer.AUCTION)
        self._series.bad_debt[second] = units(after.shortfall)
        if self._asked is None and after.first.keys() & {Layer.QUEUE, Layer.WINNERS}:
            self._asked = second


def _required(held: Held, level: Level) -> float:
    return float(held.model.requirement(held.lots * held.unit, level).sum()) / QUANTA_PER_UNIT


def _share(part: float, whole: float) -> float:
    return part / whole if whole > 0.0 else 0.0


def _peak_minute(forced: Vector) -> float:
    """Take the largest sum over a minute by the clock."""
    starts = np.arange(0, len(forced), _MINUTE)
    return float(np.add.reduceat(forced, starts).max())
