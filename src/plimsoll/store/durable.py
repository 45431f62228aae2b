"""How are events kept so that what was acknowledged is there after any crash, once and in order?"""

import hashlib
import time
from collections.abc import Iterator, Sequence
from threading import RLock
from typing import Any, final

from plimsoll.errors import Code, PlimsollError
from plimsoll.store.database import Change, Command, Database, Insert, Values
from plimsoll.store.records import (
    GENESIS,
    Entry,
    Kept,
    Position,
    Receipt,
    Record,
    Snapshot,
    decode_event,
    encode_event,
    link,
)

__all__ = ["Store"]

_COLUMNS = ("sequence", "key", "writer", "event", "digest")
_PAGE = 256
"""Records read at a time; the largest events (openings of many accounts) are some megabytes each."""
_KEYS = 500
"""Keys looked up at a time: SQLite before 3.32 took at most 999 parameters."""
_PART = 1 << 18
"""Bytes of a snapshot written at a time, so that events need not wait for the whole of it."""
_PAUSE = 0.02
"""Seconds between two parts of a snapshot that is taken beside other work: a part keeps the store for some
milliseconds, and events should seldom find it so."""
_DROPPED = 10_000
"""Records dropped at a time, for the same reason."""


@final
class Store:
    """The journal of a venue and its snapshots, in any `Database`.

    Calls may come from several threads; they wait for each other, and `save_snapshot` and `drop_old` let
    others in between.

    Parameters
    ----------
    database : Database
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = RLock()
        self._last: Position | None = None

    @property
    def where(self) -> str:
        """What an error calls it."""
        return self._database.where

    def append(self, entries: Sequence[Entry]) -> tuple[Receipt, ...]:
        """Write entries in order, all in one transaction; they are durable when this returns.

        An entry whose key is in the journal, or came earlier in `entries`, is not written again: its receipt
        is `repeated` and holds the first one's sequence.

        Returns
        -------
        tuple of Receipt   One per entry.

        Raises
        ------
        PlimsollError   `STORE_FAILED`, `STORE_IN_USE`, `BAD_ENTRY`: nothing is acknowledged. All entries may
                        have been written or none, so send again with the same keys.
        """
        with self._lock:
            position = self._tail()
            known = self._sequences([entry.key for entry in entries if entry.key is not None])
            receipts: list[Receipt] = []
            rows: list[tuple[Values, ...]] = []
            for entry in entries:
                if entry.key is not None and entry.key in known:
                    receipts.append(Receipt(known[entry.key], repeated=True))
                    continue
                event = encode_event(entry.event, f"{self.where}, record {position.sequence + 1}")
                position = position.then(entry.key, entry.writer, event)
                digest = bytes.fromhex(position.digest)
                rows.append((position.sequence, entry.key, entry.writer, event, digest))
                receipts.append(Receipt(position.sequence, repeated=False))
                if entry.key is not None:
                    known[entry.key] = position.sequence
            if rows:
                self._last = None  # read afresh where this fails: the rows may be there all the same
                self._commit(Insert("journal", _COLUMNS, rows))
                self._last = position
            return tuple(receipts)

    def sequence_of(self, key: str) -> int | None:
        """Give the record that a key came with first; None where it is new, or its record was dropped."""
        return self._sequences([key]).get(key)

    def read(self, after: int = 0) -> Iterator[Record]:
        """Read records in order, each checked against the chain.

        Parameters
        ----------
        after : int   Records up to and including this one are left out.

        Raises
        ------
        PlimsollError   `BROKEN_JOURNAL` with the record that is missing or altered; `EMPTY_RANGE` where
                        retention has dropped records after `after`.
        """
        position = self.position(after)
        while page := self._query(
            "SELECT sequence, key, writer, event, digest FROM journal"
            " WHERE sequence > :after ORDER BY sequence LIMIT :page",
            after=position.sequence,
            page=_PAGE,
        ):
            for row in page:
                record = self._checked(position, row)
                yield record
                position = record.position

    def base(self) -> Position:
        """Give the last position that retention has dropped; the genesis where all is kept."""
        found = self._query("SELECT sequence, digest FROM base ORDER BY sequence DESC LIMIT 1")
        return Position(int(found[0][0]), _hex(found[0][1])) if found else GENESIS

    def last(self) -> Position:
        """Give the position of the last record; at once, where this store has written it."""
        known = self._last
        if known is not None:
            return known
        found = self._query("SELECT sequence, digest FROM journal ORDER BY sequence DESC LIMIT 1")
        return Position(int(found[0][0]), _hex(found[0][1])) if found else self.base()

    def position(self, sequence: int) -> Position:
        """Give the position of a record; raises `EMPTY_RANGE` where it is not kept."""
        digest = self._digest(sequence)
        if digest is None:
            raise PlimsollError(
                Code.EMPTY_RANGE,
                f"record {sequence} is not kept",
                where=self.where,
                remedy=f"Records {self.base().sequence + 1} to {self.last().sequence} are.",
            )
        return Position(sequence, digest)

    def save_snapshot(self, sequence: int, state: bytes, digest: str, *, hurry: bool = True) -> None:
        """Keep the state after a record; a kept one of the same record stays.

        Parameters
        ----------
        sequence : int   Of the last record that the state includes.
        state : bytes    `engine.state.snapshot`.
        digest : str     SHA-256 of `state` in hexadecimal, as `engine.state.digest` gives it.
        hurry : bool     Whether nothing else needs the store meanwhile.
        """
        if hashlib.sha256(state).hexdigest() != digest:
            raise self._broken(sequence, "the state to be kept does not match its digest")
        chain = bytes.fromhex(self.position(sequence).digest)
        if self._query("SELECT 1 FROM snapshots WHERE sequence = :sequence", sequence=sequence):
            return
        parts = range(0, len(state), _PART)  # these count only once the row that names them is there
        self._commit(Command("DELETE FROM snapshot_parts WHERE sequence = :sequence", {"sequence": sequence}))
        for number, start in enumerate(parts):
            part = (sequence, number, state[start : start + _PART])
            self._commit(Insert("snapshot_parts", ("sequence", "part", "state"), [part]), at_once=False)
            time.sleep(0.0 if hurry else _PAUSE)
        whole = (sequence, bytes.fromhex(digest), chain, len(parts))
        self._commit(Insert("snapshots", ("sequence", "digest", "chain", "parts"), [whole]))

    def latest_snapshot(self) -> Snapshot | None:
        """Give the newest snapshot that matches its digest and the journal; None where there is none."""
        rows = self._query("SELECT sequence, digest, chain, parts FROM snapshots ORDER BY sequence DESC")
        return next((found for row in rows if (found := self._snapshot(row)) is not None), None)

    def snapshots(self) -> tuple[Kept, ...]:
        """List the snapshots in order, and whether each matches its digest and the journal."""
        rows = self._query("SELECT sequence, digest, chain, parts FROM snapshots ORDER BY sequence")
        return tuple(Kept(row[0], _hex(row[1]), self._snapshot(row) is not None) for row in rows)

    def drop_old(self, margin: int) -> int:
        """Drop what is not needed to go on from the newest sound snapshot.

        Parameters
        ----------
        margin : int   Records to keep before that snapshot, and with them their keys and snapshots.

        Returns
        -------
        int   Records dropped.
        """
        newest = self.latest_snapshot()
        if newest is None:
            return 0
        base, end = self.base().sequence, newest.sequence - margin
        for sequence in (*range(base + _DROPPED, end, _DROPPED), end):
            if sequence > base:
                self._drop(self.position(sequence))
        return max(0, end - base)

    def close(self) -> None:
        """Leave the database."""
        with self._lock:
            self._database.close()

    def _drop(self, position: Position) -> None:
        place: dict[str, Values] = {"sequence": position.sequence}
        self._commit(
            Command("DELETE FROM base", {}),
            Insert("base", ("sequence", "digest"), [(position.sequence, bytes.fromhex(position.digest))]),
            Command("DELETE FROM journal WHERE sequence <= :sequence", place),
            Command("DELETE FROM snapshots WHERE sequence < :sequence", place),
            Command("DELETE FROM snapshot_parts WHERE sequence < :sequence", place),
        )

    def _tail(self) -> Position:
        """Give the last position, checked against the record before it where it was read."""
        if self._last is None:
            last = self.last()
            for _record in self.read(after=max(self.base().sequence, last.sequence - 1)):
                continue
            self._last = last
        return self._last

    def _sequences(self, keys: list[str]) -> dict[str, int]:
        """Look up the records of keys that are known."""
        known: dict[str, int] = {}
        for start in range(0, len(keys), _KEYS):
            some = {f"key{number}": key for number, key in enumerate(keys[start : start + _KEYS])}
            places = ", ".join(f":{name}" for name in some)
            sql = f"SELECT key, sequence FROM journal WHERE key IN ({places})"  # noqa: S608 key0, key1, ...
            known |= {key: int(sequence) for key, sequence in self._query(sql, **some)}
        return known

    def _digest(self, sequence: int) -> str | None:
        base = self.base()
        if sequence == base.sequence:
            return base.digest
        found = self._query("SELECT digest FROM journal WHERE sequence = :sequence", sequence=sequence)
        return _hex(found[0][0]) if found else None

    def _checked(self, before: Position, row: tuple[Any, ...]) -> Record:
        if row[0] != before.sequence + 1:
            raise self._broken(before.sequence + 1, "it is missing")
        sequence, key, writer, event, digest = row
        # A damaged SQLite file may give any type in any column, and no error.
        sound = isinstance(key, str | None) and isinstance(writer, str) and isinstance(event, bytes)
        if not sound or link(before, key, writer, event) != _hex(digest):
            raise self._broken(sequence, "it does not match its digest")
        decoded = decode_event(event, f"{self.where}, record {sequence}")
        return Record(sequence, key, writer, decoded, _hex(digest))

    def _snapshot(self, row: tuple[Any, ...]) -> Snapshot | None:
        """Put a snapshot together; None where it does not match its digest or the journal."""
        sequence, digest, chain, parts = row
        if self._digest(sequence) != _hex(chain):
            return None
        found = self._query(
            "SELECT state FROM snapshot_parts WHERE sequence = :sequence ORDER BY part", sequence=sequence
        )
        state = b"".join(part[0] for part in found if isinstance(part[0], bytes))
        if len(found) != parts or hashlib.sha256(state).hexdigest() != _hex(digest):
            return None
        return Snapshot(sequence, state, _hex(digest), _hex(chain))

    def _query(self, sql: str, **values: Values) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._database.query(sql, **values)

    def _commit(self, *changes: Change, at_once: bool = True) -> None:
        with self._lock:
            try:
                self._database.commit(changes, at_once=at_once)
            except PlimsollError:
                self._last = None  # somebody else may have written since the connection broke
                raise

    def _broken(self, sequence: int, what: str) -> PlimsollError:
        return PlimsollError(
            Code.BROKEN_JOURNAL,
            what,
            where=f"{self.where}, record {sequence}",
            remedy="Restore the store from a copy.",
        )


def _hex(digest: Any) -> str:
    """Write a digest down; whatever is none becomes the empty text, which matches nothing."""
    return digest.hex() if isinstance(digest, bytes) else ""
