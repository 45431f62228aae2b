"""How does a venue come back after its process ended, however it ended?"""

from collections.abc import Callable
from contextlib import suppress

import msgspec
from msgspec import Struct

from plimsoll.engine.machine import begin, step
from plimsoll.engine.state import State, digest, restore
from plimsoll.errors import Code, PlimsollError
from plimsoll.store.reading import Readable
from plimsoll.store.records import GENESIS, Position, Snapshot

__all__ = ["Recovered", "Retraced", "recover", "retrace"]

_STEP = 1_000
"""Records between two reports of progress."""


class Recovered(Struct, frozen=True):
    """A venue as its journal leaves it.

    Attributes
    ----------
    state : State         Equal, digest for digest, to that of a process that never stopped.
    position : Position   Of the last record that the state includes.
    replayed : int        Records applied after the snapshot, or from the beginning where there was none.
    """

    state: State
    position: Position
    replayed: int


def recover(store: Readable) -> Recovered:
    """Rebuild the state from the newest sound snapshot and the records after it.

    Events that the machine refused when they came are refused again, which changes nothing.

    Raises
    ------
    PlimsollError   `BROKEN_JOURNAL` where records are missing or altered, or where no sound snapshot stands
                    in for those that retention dropped.
    """
    kept = store.latest_snapshot()
    state, position = (
        _beginning(store) if kept is None else (_restored(kept, store), Position(kept.sequence, kept.chain))
    )
    start = position.sequence
    for record in store.read(after=start):
        with suppress(PlimsollError):
            state, _ = step(state, record.event)
        position = record.position
    return Recovered(state, position, position.sequence - start)


def _beginning(source: Readable) -> tuple[State, Position]:
    """Give the state before the oldest record that can be applied, and where that is."""
    if source.base() == GENESIS:
        return begin(), GENESIS
    kept = source.latest_snapshot()
    if kept is None:
        raise PlimsollError(
            Code.BROKEN_JOURNAL,
            f"records to {source.base().sequence} were dropped, and no sound snapshot stands in for them",
            where=source.where,
            remedy="Restore the store from a copy.",
        )
    return _restored(kept, source), Position(kept.sequence, kept.chain)


def _restored(kept: Snapshot, store: Readable) -> State:
    try:
        return restore(kept.state)
    except (msgspec.DecodeError, ValueError) as error:
        raise PlimsollError(
            Code.BROKEN_JOURNAL,
            f"the snapshot is whole, but no state that is known here ({error})",
            where=store.where,
            remedy="Start it with the version that wrote it.",
        ) from None


class Retraced(Struct, frozen=True):
    """A journal taken through the engine again.

    Attributes
    ----------
    state : State
    digest : str          Of the state.
    position : Position   Of the last record.
    start : int           Record after which this began: 0, or a snapshot's where older records are dropped.
    refused : int         Records that the machine refused, as it did when they came.
    snapshots : int       Snapshots that were met on the way, each equal to the state there.
    """

    state: State
    digest: str
    position: Position
    start: int
    refused: int
    snapshots: int


def retrace(source: Readable, advance: Callable[[int], None]) -> Retraced:
    """Apply all records that are kept, and compare the state with every sound snapshot on the way.

    Begins at the first record, or at the newest snapshot where older records are dropped.

    Raises
    ------
    PlimsollError   `BROKEN_JOURNAL` as for `recover`, or where a snapshot is another state than its records
                    lead to.
    """
    state, position = _beginning(source)
    start, refused = position.sequence, 0
    kept = {entry.sequence: entry.digest for entry in source.snapshots() if entry.sound}
    met = 0
    for record in source.read(after=start):
        try:
            state, _ = step(state, record.event)
        except PlimsollError:
            refused += 1
        position = record.position
        if (expected := kept.get(record.sequence)) is not None:
            met += 1
            if digest(state) != expected:
                raise PlimsollError(
                    Code.BROKEN_JOURNAL,
                    "its snapshot is another state than the records lead to",
                    where=f"{source.where}, record {record.sequence}",
                    remedy="Replay it with the version that wrote it; if that differs too, report it.",
                )
        if (record.sequence - start) % _STEP == 0:
            advance(record.sequence - start)
    return Retraced(state, digest(state), position, start, refused, met)
