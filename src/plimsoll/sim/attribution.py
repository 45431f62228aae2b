"""Was an account liquidated by prices, by a rise of parameters, or by both together?"""

from collections import deque
from dataclasses import dataclass

import numpy as np

from plimsoll.clearing.statuses import Status
from plimsoll.domain.bars import HOUR
from plimsoll.domain.events import Effect, Liquidated, StatusChanged
from plimsoll.domain.parameters import Level
from plimsoll.engine.state import State
from plimsoll.margin import MarginModel
from plimsoll.types import Rows, Vector

__all__ = ["Attribution", "RiseShare"]

_IN_HAND = (Status.PARTIAL.name, Status.FULL.name)
_FREE = (Status.HEALTHY.name, Status.CALLED.name)


@dataclass(frozen=True, slots=True)
class _Moment:
    """The marks and the margin that held at one moment."""

    time: int
    unit: Vector
    model: MarginModel


@dataclass(frozen=True, slots=True)
class RiseShare:
    """Accounts whose liquidation a rise of parameters brought about, alone or together with prices."""

    alone: int
    together: int


class Attribution:
    """Judges every account whenever it is taken in hand.

    The yardstick is the last moment within the notice at which the account, with the positions it has now,
    met initial margin. With equity E and maintenance M as functions of (marks, parameters), 0 for that moment
    and 1 for now, a rise alone liquidates if ``E(p0) < M(p0, θ1)``; prices alone do if ``E(p1) < M(p1, θ0)``;
    neither alone, and it took both. An account that has not met initial margin within the notice was given
    its notice.

    Parameters
    ----------
    notice_hours : float   N.
    """

    def __init__(self, notice_hours: float) -> None:
        self._notice = round(notice_hours * HOUR)
        self._moments: deque[_Moment] = deque()
        self._sold: dict[str, int] = {}
        self._alone: set[str] = set()
        self._together: set[str] = set()

    @property
    def share(self) -> RiseShare:
        """Accounts so far; one whose liquidations differ in cause counts for the graver one."""
        return RiseShare(len(self._alone), len(self._together - self._alone))

    def remember(self, state: State) -> None:
        """Keep the marks and parameters of this moment, and forget what is older than the notice."""
        if state.model is None:
            return
        self._moments.append(_Moment(state.time, state.unit, state.model))
        while self._moments[0].time < state.time - self._notice:
            self._moments.popleft()

    def judge(self, before: State, after: State, effects: tuple[Effect, ...]) -> None:
        """Look at the accounts that this event took in hand.

        Parameters
        ----------
        before, after : State   Before the event, with the positions that were breached; and after it.
        """
        breached = [
            name
            for effect in effects
            if isinstance(effect, StatusChanged) and effect.after in _IN_HAND and effect.before in _FREE
            for name in effect.accounts
        ]
        if breached and after.model is not None:
            rows = before.book.find(tuple(breached), "attribution")
            self._classify(before, after, after.model, rows)
        for effect in effects:
            if isinstance(effect, Liquidated):
                self._sold.update(dict.fromkeys(effect.accounts, after.time))

    def _classify(self, before: State, after: State, model: MarginModel, rows: Rows) -> None:
        lots, cash = before.book.lots[rows], before.book.cash[rows]
        since = np.array([self._sold.get(before.book.names[row], 0) for row in rows])
        waiting = np.arange(len(rows))
        for moment in reversed(self._moments):
            waiting = waiting[since[waiting] <= moment.time]
            then = lots[waiting] * moment.unit
            equity = cash[waiting] + then.sum(axis=1)
            met = equity >= moment.model.requirement(then, Level.INITIAL)
            found, then, equity = waiting[met], then[met], equity[met]
            waiting = waiting[~met]
            by_rise = equity < model.requirement(then, Level.MAINTENANCE)
            now = lots[found] * after.unit
            by_price = cash[found] + now.sum(axis=1) < moment.model.requirement(now, Level.MAINTENANCE)
            self._alone.update(before.book.names[row] for row in rows[found[by_rise]])
            self._together.update(before.book.names[row] for row in rows[found[~by_rise & ~by_price]])
            if len(waiting) == 0:
                break
