"""What does a durable journal ask of a database?"""

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

from msgspec import Struct

__all__ = ["SCHEMA", "Change", "Command", "Database", "Insert", "Values"]

Values: TypeAlias = int | str | bytes | None

SCHEMA = """
CREATE TABLE IF NOT EXISTS base (sequence {integer} PRIMARY KEY, digest {bytes} NOT NULL);
CREATE TABLE IF NOT EXISTS journal (sequence {integer} PRIMARY KEY, key TEXT UNIQUE, writer TEXT NOT NULL,
  event {bytes} NOT NULL, digest {bytes} NOT NULL);
CREATE TABLE IF NOT EXISTS snapshots (sequence {integer} PRIMARY KEY, digest {bytes} NOT NULL,
  chain {bytes} NOT NULL, parts {integer} NOT NULL);
CREATE TABLE IF NOT EXISTS snapshot_parts (sequence {integer} NOT NULL, part {integer} NOT NULL,
  state {bytes} NOT NULL, PRIMARY KEY (sequence, part));
"""
"""Tables, with a place for each database's own name of a 64-bit integer and of bytes.

`base` holds where the kept journal begins, at most one row; `chain` of a snapshot is the journal's digest at
its record; a snapshot whose row is there has all its parts.
"""


class Insert(Struct, frozen=True):
    """Rows to be added to a table, in the order of the columns."""

    table: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[Values, ...]]


class Command(Struct, frozen=True):
    """A statement with named parameters, written ``:name``."""

    sql: str
    values: dict[str, Values]


Change: TypeAlias = Insert | Command


class Database(Protocol):
    """One connection to the tables of `SCHEMA`; calls come one at a time.

    Every method raises `STORE_FAILED` where the database cannot be reached, is full or breaks off,
    `STORE_IN_USE` where somebody else writes to it, `BROKEN_JOURNAL` where its files are damaged. After an
    error the next call connects afresh.
    """

    @property
    def where(self) -> str:
        """What an error calls it; no password in it."""

    def query(self, sql: str, **values: Values) -> list[tuple[Any, ...]]:
        """Read rows."""

    def commit(self, changes: Sequence[Change], *, at_once: bool = True) -> None:
        """Carry out all changes or none.

        Parameters
        ----------
        at_once : yes or no   Whether they survive the loss of process and power once this returns. If not,
                              they survive the loss of the process, and of power once a later commit does.

        Where it raises, the changes may or may not have been made: whoever called reads before writing again.
        """

    def close(self) -> None:
        """Leave the connection and the right to write."""
