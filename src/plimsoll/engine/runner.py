"""How are events run: written down first, then applied?"""

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from typing import Protocol

import msgspec

from plimsoll.domain.events import Effect, Event
from plimsoll.engine.machine import begin, step
from plimsoll.engine.state import State
from plimsoll.errors import PlimsollError

__all__ = ["DigestJournal", "Journal", "Runner", "replayed"]


class Journal(Protocol):
    """Where events are written before they are applied."""

    def append(self, event: Event) -> None:
        """Write one event so that it survives the end of the process."""

    def digest(self) -> str:
        """Give the SHA-256 of everything written so far."""


class DigestJournal:
    """Keeps the SHA-256 of what was written and nothing else: for runs that are repeated, not replayed."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._encoder = msgspec.msgpack.Encoder()

    def append(self, event: Event) -> None:
        """Take one event into the digest."""
        self._hash.update(self._encoder.encode(event))

    def digest(self) -> str:
        """Give the SHA-256 of everything written so far."""
        return self._hash.hexdigest()


class Runner:
    """Journal, then step: the one place where the state changes hands. The caller acts on the effects.

    Parameters
    ----------
    journal : Journal
    state : State    Where to go on from; the beginning where none is given.
    """

    def __init__(self, journal: Journal, state: State | None = None) -> None:
        self.journal = journal
        self.state = begin() if state is None else state

    def run(self, event: Event) -> tuple[Effect, ...]:
        """Apply one event and return what is to be acted on.

        An event that the machine refuses is in the journal all the same; replaying refuses it again.
        """
        self.journal.append(event)
        self.state, effects = step(self.state, event)
        return effects


def replayed(events: Iterable[Event], state: State | None = None) -> State:
    """Apply journaled events in order and return the last state; what was refused is refused again."""
    state = begin() if state is None else state
    for event in events:
        with suppress(PlimsollError):
            state, _ = step(state, event)
    return state
