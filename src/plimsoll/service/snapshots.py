"""How is a snapshot taken while the engine works on?

A state is a value, so a thread of its own can write down one that the engine has already left behind.
"""

import logging
import threading

from plimsoll.engine.state import State, digest_of, snapshot
from plimsoll.errors import PlimsollError
from plimsoll.service.records import Records
from plimsoll.service.settings import StoreSettings
from plimsoll.store.durable import Store

__all__ = ["Snapshots"]

_LOG = logging.getLogger("plimsoll.service")


class Snapshots:
    """Takes snapshots one at a time, and drops what the newest makes superfluous.

    Parameters
    ----------
    store : Store
    records : Records         Trimmed behind each snapshot.
    keeping : StoreSettings   When a snapshot is due, and what is kept before it.
    """

    def __init__(self, store: Store, records: Records, keeping: StoreSettings) -> None:
        self._store = store
        self._records = records
        self._keeping = keeping
        self._begun = 0
        self._thread: threading.Thread | None = None

    def resumed(self, sequence: int) -> None:
        """Count from a snapshot that was there."""
        self._begun = sequence

    def is_due(self, sequence: int) -> bool:
        """Say whether enough has happened since the last, and none is under way."""
        busy = self._thread is not None and self._thread.is_alive()
        return not busy and sequence - self._begun >= self._keeping.snapshot_events

    def begin(self, sequence: int, state: State) -> None:
        """Take one beside the engine; where the store fails, the next is tried when it is due."""
        self.wait()
        self._begun = sequence
        self._thread = threading.Thread(target=self._try, args=(sequence, state), name="snapshot")
        self._thread.start()

    def wait(self) -> None:
        """Wait until the one under way is kept."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def take(self, sequence: int, state: State) -> None:
        """Take the last one, unless it is there; raises what the store raises."""
        self.wait()
        if sequence > self._begun:
            self._begun = sequence
            self._write(sequence, state, hurry=True)

    def _try(self, sequence: int, state: State) -> None:
        try:
            self._write(sequence, state, hurry=False)
        except PlimsollError as error:
            _LOG.error("snapshot failed", extra={"code": error.code, "what": str(error)})

    def _write(self, sequence: int, state: State, *, hurry: bool) -> None:
        written = snapshot(state)
        self._store.save_snapshot(sequence, written, digest_of(written), hurry=hurry)
        if self._keeping.kept_events is not None:
            dropped = self._store.drop_old(self._keeping.kept_events)
            _LOG.info("old records dropped", extra={"dropped": dropped})
        self._records.trim(state.time, self._store.base().sequence)
