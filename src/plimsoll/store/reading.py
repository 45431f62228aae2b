"""How is any journal read: that of a venue's store, and the file that a replay left?"""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol, final

from plimsoll.store.journal import HEADER, read_journal
from plimsoll.store.location import is_url, open_store
from plimsoll.store.records import GENESIS, Kept, Position, Record, Snapshot, chained

__all__ = ["Readable", "RunFile", "open_journal"]


class Readable(Protocol):
    """What verification, export and replay ask of a journal; `Store` is one."""

    @property
    def where(self) -> str:
        """What an error calls it."""

    def base(self) -> Position:
        """Give the last position that is not kept; the genesis where all is."""

    def read(self, after: int = 0) -> Iterator[Record]:
        """Read records in order; raises `BROKEN_JOURNAL` with the first that is not sound."""

    def snapshots(self) -> tuple[Kept, ...]:
        """List the snapshots."""

    def latest_snapshot(self) -> Snapshot | None:
        """Give the newest sound snapshot."""

    def close(self) -> None:
        """Leave it."""


@final
class RunFile:
    """The file that a replay wrote: events alone, each with a checksum, chained here as they are read."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def where(self) -> str:
        """The path."""
        return str(self._path)

    def base(self) -> Position:
        """All is kept."""
        return GENESIS

    def read(self, after: int = 0) -> Iterator[Record]:
        """Read records in order."""
        return (record for record in chained(read_journal(self._path), "replay") if record.sequence > after)

    def snapshots(self) -> tuple[Kept, ...]:
        """A run keeps none."""
        return ()

    def latest_snapshot(self) -> Snapshot | None:
        """A run keeps none."""
        return None

    def close(self) -> None:
        """Nothing stays open."""


def open_journal(location: str) -> Readable:
    """Open a store's URL or SQLite file, or a run's file, to read; told apart by their first bytes."""
    if not is_url(location):
        path = Path(location)
        if path.is_file() and _first_bytes(path, len(HEADER)) == HEADER:
            return RunFile(path)
    return open_store(location, writing=False)


def _first_bytes(path: Path, count: int) -> bytes:
    with path.open("rb") as file:
        return file.read(count)
