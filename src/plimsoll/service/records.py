"""What does the service keep beside the journal: bars to calibrate on, charts, effects, answers, the audit?

All of it but the audit can be derived again from the journal; it is kept so that a restart need not. A bar
is written before calibration learns from it, so none that it learnt from is ever missing: what a feed sends
with its tick before the tick, and what is made of ticks after the one that finished it. Bars whose event
never came are dropped on restart. What nobody will read again is dropped behind snapshots.
"""

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import RLock
from typing import Any, TypeVar

import msgspec
import numpy as np
from msgspec import Struct

from plimsoll.domain.bars import Bars
from plimsoll.domain.events import Effect
from plimsoll.errors import Code, PlimsollError
from plimsoll.service.view import Happened, Moment

__all__ = ["Answer", "Audited", "Keeping", "KeptBar", "Records", "Refusal"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS bars (time INTEGER PRIMARY KEY, content BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS moments (time INTEGER PRIMARY KEY, content BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS effects (number INTEGER PRIMARY KEY, content BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS answers (sequence INTEGER PRIMARY KEY, content BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS audit (number INTEGER PRIMARY KEY AUTOINCREMENT, content BLOB NOT NULL);
"""

_Kept = TypeVar("_Kept")
_DAY = 86_400_000


class Keeping(Struct, frozen=True, kw_only=True):
    """How much of each table is kept; None keeps all of it.

    Attributes
    ----------
    effects, moments, audit : int or None   The newest so many.
    bar_days : int or None                  Of bars, before the time of the state.
    """

    effects: int | None = None
    moments: int | None = None
    audit: int | None = None
    bar_days: int | None = None


class KeptBar(Struct, frozen=True, kw_only=True):
    """One bar of every market, as calibration saw it.

    Attributes
    ----------
    time, length : int   Opening and length, milliseconds.
    open, high, low, close, volume : tuple [M]
    pressure : tuple [M]   What a replayed market had not absorbed yet when the bar began; empty for others.
    """

    time: int
    length: int
    open: tuple[float | None, ...]
    high: tuple[float | None, ...]
    low: tuple[float | None, ...]
    close: tuple[float | None, ...]
    volume: tuple[float | None, ...]
    pressure: tuple[float, ...] = ()

    @classmethod
    def of(cls, bar: Bars, pressure: Iterable[float] = ()) -> "KeptBar":
        """Keep the only bar of `bar`."""

        def row(prices: np.ndarray) -> tuple[float | None, ...]:
            return tuple(None if np.isnan(price) else float(price) for price in prices[0])

        return cls(
            time=int(bar.times[0]),
            length=bar.length,
            open=row(bar.open),
            high=row(bar.high),
            low=row(bar.low),
            close=row(bar.close),
            volume=row(bar.volume),
            pressure=tuple(pressure),
        )

    def bars(self, markets: tuple[str, ...]) -> Bars:
        """Give it back as bars of one row."""

        def row(prices: tuple[float | None, ...]) -> np.ndarray:
            return np.array([[np.nan if price is None else price for price in prices]])

        return Bars(
            markets=markets,
            length=self.length,
            times=np.array([self.time], dtype=np.int64),
            open=row(self.open),
            high=row(self.high),
            low=row(self.low),
            close=row(self.close),
            volume=row(self.volume),
        )


class Audited(Struct, frozen=True, kw_only=True):
    """One write that was asked for, carried out or not.

    Attributes
    ----------
    wall : int       When, milliseconds UTC by the service's clock.
    token : str      Identity of the token, never its secret.
    request : str    Method and path.
    key : str        Idempotency key.
    outcome : str    ``written``, also where it was sent again, or the code of the refusal.
    sequence : int   Journal record; 0 where none was written.
    """

    wall: int
    token: str
    request: str
    key: str
    outcome: str
    sequence: int


class Refusal(Struct, frozen=True):
    """Why an event as a whole was refused; the fields of `PlimsollError`."""

    code: Code
    what: str
    where: str
    remedy: str

    @classmethod
    def of(cls, error: PlimsollError) -> "Refusal":
        """Keep an error."""
        return cls(error.code, error.what, error.where, error.remedy)

    def raised(self) -> PlimsollError:
        """Give it as the error it was."""
        return PlimsollError(self.code, self.what, where=self.where, remedy=self.remedy)


class Answer(Struct, frozen=True):
    """What the writer of an event hears.

    Attributes
    ----------
    sequence : int      Journal record.
    time : int          Of the event, milliseconds UTC.
    effects : tuple
    refusal : Refusal or None
    fingerprint : str   Of what was asked for.
    repeated : bool     The key was known: this is what followed when it first came.
    """

    sequence: int
    time: int
    effects: tuple[Effect, ...]
    refusal: Refusal | None
    fingerprint: str
    repeated: bool = False


class Records:
    """A database file beside the journal; calls may come from several threads and wait for each other.

    Parameters
    ----------
    path : Path
    keeping : Keeping

    Raises
    ------
    PlimsollError   `STORE_FAILED` where the file cannot be opened or is no database.
    """

    def __init__(self, path: Path, keeping: Keeping = Keeping()) -> None:  # noqa: B008  frozen
        self._path = path
        self._keeping = keeping
        self._lock = RLock()
        try:
            self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise self._failed(error) from error

    def keep_bars(self, bars: Iterable[KeptBar]) -> None:
        """Write bars so that they survive the end of the process; one of a time that is known stays."""
        self._insert("INSERT OR IGNORE INTO bars VALUES (?, ?)", ((bar.time, _ENCODE(bar)) for bar in bars))

    def bars(self) -> Iterator[KeptBar]:
        """Read all bars, oldest first."""
        return self._read("SELECT content FROM bars ORDER BY time", KeptBar)

    def drop_bars_ending_after(self, time: int) -> None:
        """Forget bars whose event never came."""
        for bar in [bar for bar in self.bars() if bar.time + bar.length > time]:
            self._insert("DELETE FROM bars WHERE time = ?", [(bar.time,)])

    def keep_happened(self, happened: Iterable[Happened], moments: Iterable[Moment]) -> None:
        """Write effects and points of charts."""
        self._insert(
            "INSERT OR REPLACE INTO effects VALUES (?, ?)",
            ((each.number, _ENCODE(each)) for each in happened),
        )
        self._insert(
            "INSERT OR REPLACE INTO moments VALUES (?, ?)", ((each.time, _ENCODE(each)) for each in moments)
        )

    def happened(self, most: int) -> list[Happened]:
        """Read the last effects, oldest first."""
        return [*self._read("SELECT content FROM effects ORDER BY number DESC LIMIT ?", Happened, most)][::-1]

    def moments(self, most: int) -> list[Moment]:
        """Read the last points of the charts, oldest first."""
        return [*self._read("SELECT content FROM moments ORDER BY time DESC LIMIT ?", Moment, most)][::-1]

    def keep_answers(self, answers: Iterable[Answer]) -> None:
        """Write answers to keyed writes."""
        self._insert(
            "INSERT OR REPLACE INTO answers VALUES (?, ?)",
            ((each.sequence, _ENCODE(each)) for each in answers),
        )

    def answer(self, sequence: int) -> Answer | None:
        """Find the answer to the write of a record; None where there is none."""
        found = self._read("SELECT content FROM answers WHERE sequence = ?", Answer, sequence)
        return next(found, None)

    def audit(self, entries: Iterable[Audited]) -> None:
        """Write down writes that were asked for."""
        self._insert("INSERT INTO audit (content) VALUES (?)", ((_ENCODE(entry),) for entry in entries))

    def audited(self, before: int, most: int) -> list[tuple[int, Audited]]:
        """Read the audit backwards from entry `before`: pairs of number and entry."""
        rows = self._rows(
            "SELECT number, content FROM audit WHERE number < ? ORDER BY number DESC LIMIT ?", before, most
        )
        return [(number, msgspec.msgpack.decode(content, type=Audited)) for number, content in rows]

    def trim(self, time: int, base: int) -> None:
        """Drop what is not kept, and the answers to writes that the journal has dropped.

        Parameters
        ----------
        time : int   Of the state, milliseconds UTC.
        base : int   Last record that the journal has dropped; 0 where it has dropped none.
        """
        self._insert("DELETE FROM answers WHERE sequence <= ?", [(base,)])
        if self._keeping.bar_days is not None:
            self._insert("DELETE FROM bars WHERE time < ?", [(time - self._keeping.bar_days * _DAY,)])
        for table, key, kept in (
            ("effects", "number", self._keeping.effects),
            ("moments", "time", self._keeping.moments),
            ("audit", "number", self._keeping.audit),
        ):
            if kept is not None:
                oldest = f"SELECT {key} FROM {table} ORDER BY {key} DESC LIMIT 1 OFFSET ?"  # noqa: S608  names above
                self._insert(f"DELETE FROM {table} WHERE {key} < ({oldest})", [(kept - 1,)])  # noqa: S608

    def close(self) -> None:
        """Leave the file."""
        self._database.close()

    def _insert(self, sql: str, rows: Iterable[tuple[object, ...]]) -> None:
        with self._lock:
            try:
                self._database.execute("BEGIN")
                self._database.executemany(sql, rows)
                self._database.execute("COMMIT")
            except sqlite3.Error as error:
                raise self._failed(error) from error
            finally:
                if self._database.in_transaction:  # of rows that are not all there, none is kept
                    with contextlib.suppress(sqlite3.Error):
                        self._database.execute("ROLLBACK")

    def _read(self, sql: str, kind: type[_Kept], *values: int) -> Iterator[_Kept]:
        for (content,) in self._rows(sql, *values):
            yield msgspec.msgpack.decode(content, type=kind)

    def _rows(self, sql: str, *values: int) -> list[Any]:
        with self._lock:
            try:
                return self._database.execute(sql, values).fetchall()
            except sqlite3.Error as error:
                raise self._failed(error) from error

    def _failed(self, error: sqlite3.Error) -> PlimsollError:
        return PlimsollError(
            Code.STORE_FAILED,
            str(error),
            where=str(self._path),
            remedy="Check that the disk has room and that the folder may be written.",
        )


_ENCODE = msgspec.msgpack.Encoder().encode
