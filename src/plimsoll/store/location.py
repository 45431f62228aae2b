"""Which store does a path or a URL name?"""

from pathlib import Path

from plimsoll.store.durable import Store
from plimsoll.store.postgres import PostgresDatabase
from plimsoll.store.sqlite import SqliteDatabase

__all__ = ["is_url", "open_store"]

_URLS = ("postgresql://", "postgres://")


def open_store(location: str | Path, *, writing: bool) -> Store:
    """Open the store at a ``postgresql://`` URL, or else in the SQLite file of that path.

    Parameters
    ----------
    location : str or Path
    writing : bool   One process at a time may write; readers see what is durable, and change nothing.

    Raises
    ------
    PlimsollError   As `SqliteDatabase` and `PostgresDatabase` say.
    """
    if is_url(location):
        return Store(PostgresDatabase(str(location), writing=writing))
    return Store(SqliteDatabase(Path(location), writing=writing))


def is_url(location: str | Path) -> bool:
    """Say whether a location is a database's URL and no path."""
    return str(location).startswith(_URLS)
