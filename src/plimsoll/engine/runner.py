"""How are events run: written down first, then applied, then acted on?"""

from collections.abc import Callable, Iterable
from typing import Protocol

from plimsoll.domain.events import Effect, Event
from plimsoll.engine.machine import begin, step
from plimsoll.engine.state import State

__all__ = ["Journal", "Runner", "replayed"]


class Journal(Protocol):
    """Where events are written before they are applied."""

    def append(self, event: Event) -> None:
        """Write one event so that it survives the end of the process."""


class Runner:
    """Journal, then step, then act: the one place where the state changes hands.

    Parameters
    ----------
    journal : Journal
    act : callable   Receives the state after each event and its effects.
    state : State    Where to go on from; the beginning where none is given.
    """

    def __init__(
        self, journal: Journal, act: Callable[[State, tuple[Effect, ...]], None], state: State | None = None
    ) -> None:
        self._journal = journal
        self._act = act
        self.state = begin() if state is None else state

    def run(self, event: Event) -> tuple[Effect, ...]:
        """Apply one event.

        An event that the machine refuses is in the journal all the same; replaying refuses it again.
        """
        self._journal.append(event)
        self.state, effects = step(self.state, event)
        self._act(self.state, effects)
        return effects


def replayed(events: Iterable[Event], state: State | None = None) -> State:
    """Apply journaled events in order and return the state that they lead to."""
    state = begin() if state is None else state
    for event in events:
        state, _ = step(state, event)
    return state
