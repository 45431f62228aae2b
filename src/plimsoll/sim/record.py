"""What is written down of a policy while it runs?"""

import numpy as np

from plimsoll.clearing.feedback import branching_profile, branching_ratio
from plimsoll.clearing.statuses import IN_HAND, Status
from plimsoll.domain.bars import HOUR, Bars
from plimsoll.domain.events import Effect, Liquidated, StatusChanged
from plimsoll.domain.money import QUANTA_PER_UNIT, units
from plimsoll.domain.parameters import Level
from plimsoll.engine.book import FIRST_TRADER, FUND
from plimsoll.engine.layers import Layer, Layers, absorbed
from plimsoll.engine.market_curves import market_depth
from plimsoll.engine.state import State, digest
from plimsoll.sim.attribution import RiseShare
from plimsoll.sim.held import held_by_traders
from plimsoll.sim.market import forced_trade
from plimsoll.sim.outcome import PolicyOutcome, PolicySummary
from plimsoll.types import Array, Matrix, Rows, Vector

__all__ = ["Record"]

_DAY_OF_HOURS = 24
_HALF_DAY = 12 * HOUR


class Record:
    """Collects the series and the figures of one policy.

    Requirements of all accounts are added up once an hour, when parameters may have changed, and held in
    between.

    Parameters
    ----------
    columns : Rows [I]   Market of each listing.
    bars : Bars [T, M]   Undisturbed.
    state : State        After the opening, at the end of the first bar.
    """

    def __init__(self, policy: str, columns: Rows, bars: Bars, state: State) -> None:
        count, markets = bars.close.shape
        self._policy = policy
        self._columns = columns
        self._bars = bars
        self._state = state
        self._price = np.tile(bars.close[0], (count, 1))
        self._maintenance = np.full((count, markets, 2), np.nan)
        self._initial = np.full((count, markets, 2), np.nan)
        self._status = np.zeros((count, len(Status)))
        self._liquidated = np.zeros((count, markets))
        self._fund = np.zeros(count)
        self._bad_debt = np.zeros(count)
        self._held = np.zeros(count)
        self._held_initial = np.zeros(count)
        self._open = np.zeros(count)
        self._seen: dict[str, set[str]] = {"called": set(), "liquidated": set()}
        self._branching = 0.0
        self._layers = Layers()
        self.after_bar(0, state, ())
        self._admitted = self._open[0]

    def after_bar(self, row: int, state: State, effects: tuple[Effect, ...]) -> None:
        """Write down one bar."""
        self._state = state
        for effect in effects:
            self._note(row, effect)
        self._layers = absorbed(self._layers, effects, state.listings)
        self._price[row, self._columns] = state.market.marks
        self._status[row] = np.bincount(state.book.status[FIRST_TRADER:], minlength=len(Status))
        self._fund[row] = units(state.book.cash[FUND])
        self._bad_debt[row] = units(self._layers.shortfall)
        if row == 0 or self._bars.ends[row] // HOUR != self._bars.ends[row - 1] // HOUR:
            self._add_up(row, state)
        else:
            for series in (self._maintenance, self._initial, self._held, self._held_initial, self._open):
                series[row] = series[row - 1]

    def outcome(self, rises: RiseShare, journal: str) -> PolicyOutcome:
        """Close the record."""
        return PolicyOutcome(
            policy=self._policy,
            price=self._price,
            maintenance=self._maintenance,
            initial=self._initial,
            called=self._status[:, Status.CALLED],
            liquidating=self._status[:, list(IN_HAND)].sum(axis=1),
            liquidated=self._liquidated,
            fund=self._fund,
            bad_debt=self._bad_debt,
            margin_held=self._held,
            initial_held=self._held_initial,
            open_notional=self._open,
            summary=self._summary(rises, journal),
        )

    def _summary(self, rises: RiseShare, journal: str) -> PolicySummary:
        undisturbed = _forward_filled(self._bars.close)
        paid, taken = self._layers.paid, self._layers.notional
        return PolicySummary(
            policy=self._policy,
            accounts=len(self._state.book.names) - FIRST_TRADER,
            admitted=float(self._admitted),
            mean_margin=_mean_share(self._held, self._open),
            mean_initial=_mean_share(self._held_initial, self._open),
            worst_rise=_worst_rise(self._maintenance, max(1, _DAY_OF_HOURS * HOUR // self._bars.length)),
            called=len(self._seen["called"]),
            liquidated=len(self._seen["liquidated"]),
            liquidated_by_rise=rises.alone,
            liquidated_with_rise=rises.together,
            liquidated_notional=float(self._liquidated.sum()),
            auctioned=units(taken.get(Layer.AUCTION, 0)),
            taken_over=units(taken.get(Layer.BACKSTOP, 0)),
            bad_debt=units(self._layers.shortfall),
            fund_paid=units(paid.get(Layer.FUND, 0)),
            allocated=units(paid.get(Layer.QUEUE, 0) + paid.get(Layer.WINNERS, 0)),
            uncovered=units(paid.get(Layer.VENUE, 0)),
            branching=self._branching,
            deepest_impact=float(max(0.0, (1.0 - self._price / undisturbed).max())),
            journal=journal,
            state=digest(self._state),
        )

    def _note(self, row: int, effect: Effect) -> None:
        if isinstance(effect, StatusChanged):
            if effect.after == Status.CALLED.name and effect.before == Status.HEALTHY.name:
                self._seen["called"].update(effect.accounts)
            if effect.after in (Status.PARTIAL.name, Status.FULL.name):
                self._seen["liquidated"].update(effect.accounts)
        elif isinstance(effect, Liquidated):
            place, notional = forced_trade(effect, self._state.listings)
            self._liquidated[row, self._columns[place]] += abs(notional)

    def _measure_branching(self, state: State) -> None:
        depth = market_depth(state, self._columns, len(self._bars.markets), normal=True)
        profile = branching_profile(held_by_traders(state), self._columns, depth * QUANTA_PER_UNIT)
        self._branching = max(self._branching, float(branching_ratio(profile).max()))

    def _add_up(self, row: int, state: State) -> None:
        if state.model is None:
            return
        if row == 0 or self._bars.ends[row] // _HALF_DAY != self._bars.ends[row - 1] // _HALF_DAY:
            self._measure_branching(state)
        notional = state.book.lots[FIRST_TRADER:] * state.unit
        self._held[row] = state.model.requirement(notional, Level.MAINTENANCE).sum() / QUANTA_PER_UNIT
        self._held_initial[row] = state.model.requirement(notional, Level.INITIAL).sum() / QUANTA_PER_UNIT
        self._open[row] = np.abs(notional).sum() / QUANTA_PER_UNIT
        self._maintenance[row, self._columns] = state.model.standalone(Level.MAINTENANCE)
        self._initial[row, self._columns] = state.model.standalone(Level.INITIAL)


def _mean_share(part: Vector, whole: Vector) -> float:
    """Average a share over the bars in which there is a whole."""
    there = whole > 0.0
    return float((part[there] / whole[there]).mean()) if there.any() else 0.0


def _worst_rise(rates: Array, bars: int) -> float:
    """Find the largest relative rise of any rate [T, M, 2] within so many bars."""
    worst = 0.0
    for lag in range(1, min(bars, len(rates) - 1) + 1):
        worst = max(worst, float((rates[lag:] / rates[:-lag]).max()) - 1.0)
    return worst


def _forward_filled(prices: Matrix) -> Matrix:
    """Put the last known price where one is missing; the first row is known."""
    row = np.where(np.isnan(prices), 0, np.arange(len(prices))[:, None])
    filled: Matrix = np.take_along_axis(prices, np.maximum.accumulate(row, axis=0), axis=0)
    return filled
