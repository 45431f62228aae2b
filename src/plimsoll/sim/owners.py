"""Which owners answer a call, when, and with how much?"""

from dataclasses import dataclass, replace

import numpy as np

from plimsoll.clearing.statuses import Status
from plimsoll.domain.events import Deposited, Effect, StatusChanged
from plimsoll.domain.money import quanta_up
from plimsoll.domain.parameters import Level
from plimsoll.engine.book import FIRST_TRADER
from plimsoll.engine.state import State
from plimsoll.sim.cascade_settings import OwnerSettings
from plimsoll.types import Quanta, Rows, Vector

__all__ = ["Owners", "draw_owners", "heard", "paid_in"]

_NOT_DUE = -1


@dataclass(frozen=True, slots=True)
class Owners:
    """What the owners are about to do. A value.

    Attributes
    ----------
    delay : Vector [A]     Seconds that each needs to answer; infinite for one that does not.
    reserve : Quanta [A]   What each can still pay in, quote quanta.
    due : Rows [A]         Second at which each pays in; -1 where it is not about to.
    """

    delay: Vector
    reserve: Quanta
    due: Rows


def draw_owners(deposits: Quanta, settings: OwnerSettings, generator: np.random.Generator) -> Owners:
    """Draw who answers and how fast.

    Parameters
    ----------
    deposits : Quanta [A]   What each paid in at first.
    """
    count = len(deposits)
    answers = generator.random(count) < settings.answering_share
    delay = settings.delay_seconds / np.log(2.0) * generator.standard_exponential(count)
    return Owners(
        delay=np.where(answers, delay, np.inf),
        reserve=np.floor(settings.reserve * deposits).astype(np.int64),
        due=np.full(count, _NOT_DUE, dtype=np.intp),
    )


def heard(owners: Owners, effects: tuple[Effect, ...], state: State, second: int) -> Owners:
    """Let owners whose accounts were called make up their minds when to pay."""
    called = [
        name
        for effect in effects
        if isinstance(effect, StatusChanged) and effect.after == Status.CALLED.name
        for name in effect.accounts
    ]
    if not called:
        return owners
    rows = state.book.find(tuple(called), "call") - FIRST_TRADER
    answering = rows[np.isfinite(owners.delay[rows]) & (owners.due[rows] == _NOT_DUE)]
    due = owners.due.copy()
    due[answering] = second + 1 + np.floor(owners.delay[answering]).astype(np.intp)
    return replace(owners, due=due)


def paid_in(owners: Owners, state: State, second: int, time: int) -> tuple[Owners, Deposited | None]:
    """Say what is paid in now: what brings an account that is still called to initial margin, or the reserve.

    Returns
    -------
    Owners, Deposited or None   None where nobody pays.
    """
    waiting = np.flatnonzero(owners.due == second)
    if len(waiting) == 0:
        return owners, None
    due = owners.due.copy()
    due[waiting] = _NOT_DUE
    rows = waiting + FIRST_TRADER
    notional = state.book.lots[rows] * state.unit
    equity = state.book.cash[rows] + notional.sum(axis=1)
    needed = state.model_in_force.requirement(notional, Level.INITIAL) - equity
    amounts = np.minimum(quanta_up(np.maximum(needed, 0.0)), owners.reserve[waiting])
    paying = (state.book.status[rows] == Status.CALLED) & (amounts > 0)
    reserve = owners.reserve.copy()
    reserve[waiting[paying]] -= amounts[paying]
    owners = replace(owners, due=due, reserve=reserve)
    if not paying.any():
        return owners, None
    names = tuple(state.book.names[row] for row in rows[paying])
    return owners, Deposited(time, names, tuple(amounts[paying].tolist()))
