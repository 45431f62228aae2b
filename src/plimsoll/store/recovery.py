"""How does a venue come back after its process ended, however it ended?"""

from contextlib import suppress

import msgspec
from msgspec import Struct

from plimsoll.engine.machine import begin, step
from plimsoll.engine.state import State, restore
from plimsoll.errors import Code, PlimsollError
from plimsoll.store.durable import Store
from plimsoll.store.records import GENESIS, Position

__all__ = ["Recovered", "recover"]


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


def recover(store: Store) -> Recovered:
    """Rebuild the state from the newest sound snapshot and the records after it.

    Events that the machine refused when they came are refused again, which changes nothing.

    Raises
    ------
    PlimsollError   `BROKEN_JOURNAL` where records are missing or altered, or where no sound snapshot stands
                    in for those that retention dropped.
    """
    kept = store.latest_snapshot()
    base = store.base()
    if kept is None and base != GENESIS:
        raise PlimsollError(
            Code.BROKEN_JOURNAL,
            f"records to {base.sequence} were dropped, and no sound snapshot stands in for them",
            where=store.where,
            remedy="Restore the store from a copy.",
        )
    state, start = (begin(), 0) if kept is None else (_restored(kept.state, store), kept.sequence)
    position = base if kept is None else store.position(start)
    for record in store.read(after=start):
        with suppress(PlimsollError):
            state, _ = step(state, record.event)
        position = record.position
    return Recovered(state, position, position.sequence - start)


def _restored(kept: bytes, store: Store) -> State:
    try:
        return restore(kept)
    except (msgspec.DecodeError, ValueError) as error:
        raise PlimsollError(
            Code.BROKEN_JOURNAL,
            f"the snapshot is whole, but no state that is known here ({error})",
            where=store.where,
            remedy="Start it with the version that wrote it.",
        ) from None
