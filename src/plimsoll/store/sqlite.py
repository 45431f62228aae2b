"""How is the journal kept in one SQLite file beside the engine?"""

import fcntl
import sqlite3
from collections.abc import Sequence
from io import FileIO
from pathlib import Path
from typing import Any, final

from plimsoll.errors import Code, PlimsollError
from plimsoll.store.database import SCHEMA, Change, Insert, Values

__all__ = ["SqliteDatabase"]

_AT_ONCE = "PRAGMA synchronous=FULL"
_LATER = "PRAGMA synchronous=NORMAL"
"""Syncs at checkpoints only: what was acknowledged since would be lost with the power."""

_SETTINGS = (
    "PRAGMA journal_mode=WAL",
    _AT_ONCE,
    "PRAGMA cell_size_check=ON",
    "PRAGMA trusted_schema=OFF",
)
_PATIENCE = 5.0
"""Seconds to wait for a lock of SQLite's own: a checkpoint or an export is over sooner."""

_BROKEN = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_PRIMARY_CODE = 0xFF
"""The lower byte of an extended result code is the code that it is a kind of."""


@final
class SqliteDatabase:
    """A file in write-ahead mode that one process writes and any number read.

    The writer holds a lock on a file beside it, which the system releases when the process ends in any way.

    Parameters
    ----------
    path : Path
    writing : bool   Whether to take the lock and, where there is no such file yet, to create it.

    Raises
    ------
    PlimsollError   `MISSING_FILE`, `STORE_IN_USE`, `STORE_FAILED`, or `BROKEN_JOURNAL` where it is no such
                    database.
    """

    def __init__(self, path: Path, *, writing: bool) -> None:
        self._path = path
        self._writing = writing
        self._connection: sqlite3.Connection | None = None
        if not writing and not path.is_file():
            raise PlimsollError(
                Code.MISSING_FILE, "no such store", where=self.where, remedy="Check the path."
            )
        self._lock = self._locked() if writing else None
        try:
            self._connected()
            if writing:
                self._refuse_damaged()
        except PlimsollError:
            self.close()
            raise

    @property
    def where(self) -> str:
        """The path."""
        return str(self._path)

    def query(self, sql: str, **values: Values) -> list[tuple[Any, ...]]:
        """Read rows."""
        try:
            return self._connected().execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise self._failed(error) from error

    def commit(self, changes: Sequence[Change], *, at_once: bool = True) -> None:
        """Carry out all changes or none; at once means that the log and all before is synced."""
        try:
            connection = self._connected()
            if not at_once:
                connection.execute(_LATER)
            connection.execute("BEGIN IMMEDIATE")
            for change in changes:
                _carry_out(connection, change)
            connection.execute("COMMIT")
            if not at_once:
                connection.execute(_AT_ONCE)
        except sqlite3.Error as error:
            raise self._failed(error) from error

    def close(self) -> None:
        """Leave the file and release its lock."""
        self._disconnect()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _locked(self) -> FileIO:
        beside = self._path.with_name(self._path.name + ".lock")
        try:
            lock = FileIO(beside, "a")
        except OSError as error:
            raise self._unopened(error.strerror or "cannot be written") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise PlimsollError(
                Code.STORE_IN_USE,
                "another process writes to this store",
                where=self.where,
                remedy="Stop it, or give this one a store of its own.",
            ) from None
        return lock

    def _connected(self) -> sqlite3.Connection:
        if self._connection is not None:
            return self._connection
        try:
            mode = "rwc" if self._writing else "ro"
            connection = sqlite3.connect(
                f"{self._path.absolute().as_uri()}?mode={mode}",
                uri=True,
                timeout=_PATIENCE,
                isolation_level=None,
                check_same_thread=False,
            )
            self._connection = connection
            if self._writing:
                for setting in _SETTINGS:
                    connection.execute(setting)
                connection.executescript(SCHEMA.format(integer="INTEGER", bytes="BLOB"))
            connection.execute("SELECT max(sequence) FROM journal")
        except sqlite3.Error as error:
            raise self._failed(error) from error
        return connection

    def _refuse_damaged(self) -> None:
        """Read every page once: an index that has lost touch with its table would let a key in twice."""
        ((found,),) = self.query("PRAGMA integrity_check(1)")
        if found != "ok":
            raise self._broken(str(found))

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _failed(self, error: sqlite3.Error) -> PlimsollError:
        self._disconnect()
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & _PRIMARY_CODE
        if code in _BROKEN or "no such table" in str(error):
            return self._broken(str(error))
        return self._unopened(str(error))

    def _broken(self, what: str) -> PlimsollError:
        return PlimsollError(
            Code.BROKEN_JOURNAL,
            f"is not a whole store of Plimsoll ({what})",
            where=self.where,
            remedy="Restore the file from a copy.",
        )

    def _unopened(self, what: str) -> PlimsollError:
        return PlimsollError(
            Code.STORE_FAILED,
            f"the store did not take or give what was asked ({what})",
            where=self.where,
            remedy="See that disk and path can be written, then send again with the same keys.",
        )


def _carry_out(connection: sqlite3.Connection, change: Change) -> None:
    if isinstance(change, Insert):
        columns, places = ", ".join(change.columns), ", ".join("?" * len(change.columns))
        sql = f"INSERT INTO {change.table} ({columns}) VALUES ({places})"  # noqa: S608 names of ours
        connection.executemany(sql, change.rows)
    else:
        connection.execute(change.sql, change.values)
