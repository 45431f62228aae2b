"""How is the journal kept in a PostgreSQL database that a venue runs already?"""

import importlib
import re
import socket
import ssl
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, final
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from plimsoll.errors import Code, PlimsollError
from plimsoll.store.database import SCHEMA, Change, Insert, Values

__all__ = ["PostgresDatabase"]

_SCHEMA_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_MODES = ("disable", "prefer", "require", "verify-full")
_PORT = 5432
_SILENCE = 30.0
"""Seconds after which a server that does not answer counts as lost."""
_TAKEOVER = 10_000
"""Milliseconds to wait for the right to write: the server may have to notice that its holder died."""
_SIZES = (128, 16, 1)
"""Rows per statement: each size is parsed once a session, and a row alone would cost a round trip each."""
_NO_SUCH_TABLE, _NO_SUCH_SCHEMA, _LOCK_REFUSED = "42P01", "3F000", "55P03"
_DAMAGED = ("XX001", "XX002")
"""Of a table and of an index."""


class _Address(NamedTuple):
    """What a URL says: where the server is, how to connect, in which schema, and what errors may show."""

    endpoint: str | tuple[str, int]
    arguments: dict[str, Any]
    schema: str
    shown: str


@final
class PostgresDatabase:
    """A schema of a PostgreSQL database, through pg8000; one session writes, any number reads.

    The writer holds an advisory lock, which the server releases when the session ends. A session that begins
    to write waits for the one before it to end, so nothing sent by a killed process appears later.

    Parameters
    ----------
    url : str        ``postgresql://user:password@host:port/database?schema=plimsoll&sslmode=verify-full``;
                     ``host`` as a parameter is the folder of a Unix socket. Modes: disable, prefer (default;
                     encrypted where the server can), require (encrypted, the server not checked),
                     verify-full.
    writing : bool   Whether to take the lock and create the tables that are not there.

    Raises
    ------
    PlimsollError   `BAD_SETTING` for the URL, `MISSING_EXTRA`, `MISSING_FILE` where a reader finds no tables,
                    `STORE_IN_USE`, `STORE_FAILED`, `BROKEN_JOURNAL` where the server finds its files damaged.
    """

    def __init__(self, url: str, *, writing: bool) -> None:
        self._address = _address(url)
        self._writing = writing
        self._driver = _driver()
        self._connection: Any = None
        self._prepared: dict[tuple[str, int], Any] = {}
        self._connected()

    @property
    def where(self) -> str:
        """The URL without its password."""
        return self._address.shown

    def query(self, sql: str, **values: Values) -> list[tuple[Any, ...]]:
        """Read rows."""
        try:
            return [tuple(row) for row in self._connected().run(sql, **values)]
        except (self._driver.Error, OSError) as error:
            raise self._failed(error) from error

    def commit(self, changes: Sequence[Change], *, at_once: bool = True) -> None:
        """Carry out all changes or none; at once means that the log and all before is synced."""
        try:
            connection = self._connected()
            connection.run("BEGIN")
            if not at_once:
                connection.run("SET LOCAL synchronous_commit TO OFF")
            for change in changes:
                if isinstance(change, Insert):
                    self._insert(connection, change)
                else:
                    connection.run(change.sql, **change.values)
            connection.run("COMMIT")
        except (self._driver.Error, OSError) as error:
            raise self._failed(error) from error

    def close(self) -> None:
        """Leave the session, and with it the lock."""
        connection, self._connection = self._connection, None
        self._prepared.clear()
        if connection is not None:
            try:
                connection.close()
            except (self._driver.Error, OSError):
                return  # it was lost already

    def _insert(self, connection: Any, change: Insert) -> None:
        for rows in _groups(change.rows):
            known = (change.table, len(rows))
            if known not in self._prepared:
                places = (", ".join(f":v{i}_{j}" for j in range(len(rows[0]))) for i in range(len(rows)))
                marks = ", ".join(f"({place})" for place in places)
                columns = ", ".join(change.columns)
                sql = f"INSERT INTO {change.table} ({columns}) VALUES {marks}"  # noqa: S608 names of ours
                self._prepared[known] = connection.prepare(sql)
            values = {f"v{i}_{j}": value for i, row in enumerate(rows) for j, value in enumerate(row)}
            self._prepared[known].run(**values)

    def _connected(self) -> Any:
        if self._connection is None:
            try:
                self._connection = self._opened()
                self._prepare(self._connection)
            except (self._driver.Error, OSError) as error:
                raise self._failed(error) from error
        return self._connection

    def _opened(self) -> Any:
        """Connect over a socket of our own: pg8000 leaves its open where the server refuses."""
        wire = _reached(self._address.endpoint)
        try:
            return self._driver.Connection(sock=wire, application_name="plimsoll", **self._address.arguments)
        except (self._driver.Error, OSError):
            wire.close()
            raise

    def _prepare(self, connection: Any) -> None:
        schema = self._address.schema
        if self._writing:
            connection.run("SET client_min_messages TO warning")
            connection.run("SET synchronous_commit TO on")
            connection.run(f"SET lock_timeout TO {_TAKEOVER}")
            connection.run("SELECT pg_advisory_lock(hashtext(:name))", name=f"plimsoll {schema}")
            connection.run(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        else:
            connection.run("SET default_transaction_read_only TO on")
        connection.run(f"SET search_path TO {schema}")
        if self._writing:
            connection.run(SCHEMA.format(integer="BIGINT", bytes="BYTEA"))
        connection.run("SELECT max(sequence) FROM journal")

    def _failed(self, error: Exception) -> PlimsollError:
        self.close()
        details = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
        state = details.get("C")
        if state == _LOCK_REFUSED:
            return PlimsollError(
                Code.STORE_IN_USE,
                "another session writes to this store",
                where=self.where,
                remedy="Stop it, or give this one a schema of its own.",
            )
        if state in {_NO_SUCH_TABLE, _NO_SUCH_SCHEMA} and not self._writing:
            return PlimsollError(
                Code.MISSING_FILE, "no such store", where=self.where, remedy="Check database and schema."
            )
        if state in _DAMAGED:
            return PlimsollError(
                Code.BROKEN_JOURNAL,
                f"the server finds its files damaged ({details.get('M', error)})",
                where=self.where,
                remedy="Restore the database from a copy.",
            )
        return PlimsollError(
            Code.STORE_FAILED,
            f"the store did not take or give what was asked ({details.get('M', error)})",
            where=self.where,
            remedy="See that the server is up and has room, then send again with the same keys.",
        )


def _groups(rows: Sequence[tuple[Values, ...]]) -> Iterator[Sequence[tuple[Values, ...]]]:
    """Split rows into groups of the sizes that statements are prepared for."""
    start = 0
    while start < len(rows):
        size = next(size for size in _SIZES if size <= len(rows) - start)
        yield rows[start : start + size]
        start += size


def _address(url: str) -> _Address:
    parts = urlsplit(url)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    schema, mode = query.get("schema", "plimsoll"), query.get("sslmode", "prefer")
    shown = f"postgresql://{parts.hostname or query.get('host', '')}{parts.path}?schema={schema}"
    if not _SCHEMA_NAME.fullmatch(schema) or mode not in _MODES or set(query) - {"schema", "sslmode", "host"}:
        raise PlimsollError(
            Code.BAD_SETTING,
            "schema must be a plain lower-case name, sslmode one of " + ", ".join(_MODES),
            where=shown,
            remedy="Write postgresql://user:password@host:port/database?schema=NAME&sslmode=MODE.",
        )
    arguments = {
        "host": parts.hostname or "localhost",  # whom the certificate must name
        "user": unquote(parts.username or "postgres"),
        "password": unquote(parts.password) if parts.password else None,
        "database": unquote(parts.path.strip("/")) or None,
        "ssl_context": _encryption(mode),
    }
    return _Address(_endpoint(parts, query), arguments, schema, shown)


def _endpoint(parts: SplitResult, query: dict[str, str]) -> str | tuple[str, int]:
    try:
        port = parts.port or _PORT
    except ValueError:
        raise PlimsollError(
            Code.BAD_SETTING, "the port is no number", where="store", remedy="Write host:5432."
        ) from None
    if "host" in query:
        return str(Path(query["host"]) / f".s.PGSQL.{port}")
    return parts.hostname or "localhost", port


def _reached(endpoint: str | tuple[str, int]) -> socket.socket:
    if not isinstance(endpoint, str):
        return socket.create_connection(endpoint, _SILENCE)
    wire = socket.socket(socket.AF_UNIX)
    wire.settimeout(_SILENCE)
    try:
        wire.connect(endpoint)
    except OSError:
        wire.close()
        raise
    return wire


def _encryption(mode: str) -> ssl.SSLContext | bool | None:
    """Give what pg8000 takes: False for none, None for what the server offers, a context to insist."""
    if mode in {"disable", "prefer"}:
        return False if mode == "disable" else None
    context = ssl.create_default_context()
    if mode == "require":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _driver() -> ModuleType:
    try:
        return importlib.import_module("pg8000.native")
    except ImportError:
        raise PlimsollError(
            Code.MISSING_EXTRA,
            "pg8000 is not installed",
            where="store",
            remedy="Run pip install 'plimsoll-margin[service]'.",
        ) from None
