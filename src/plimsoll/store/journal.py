"""How are the events of a run kept in a file, in order, so that it can be repeated exactly?

A run needs no acknowledgement, key or snapshot: it is repeated as a whole. It needs a file that is the same
to the byte whenever the run is, which no database promises. What a live venue needs is in `durable`.
"""

import hashlib
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from plimsoll.domain.events import Event
from plimsoll.errors import Code, PlimsollError

__all__ = ["HEADER", "FileJournal", "read_journal"]

HEADER = b"plimsoll-journal-1\n"
"""How every such file begins."""
_FRAME = 8
"""Bytes before each record: its length and its CRC-32, four each, little-endian."""


class FileJournal:
    """An append-only file of events, each with its length and checksum.

    The file grows under a temporary name and takes its own when it is closed in good order, so a journal that
    is there is whole.

    Parameters
    ----------
    path : Path   Where the journal is to be; an older one is replaced when this one is closed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._growing = path.with_name(path.name + ".part")
        self._file = self._growing.open("wb")
        self._hash = hashlib.sha256()
        self._encoder = msgspec.msgpack.Encoder()
        self._write(HEADER)

    def append(self, event: Event) -> None:
        """Write one event."""
        record = self._encoder.encode(event)
        frame = len(record).to_bytes(4, "little") + zlib.crc32(record).to_bytes(4, "little")
        self._write(frame + record)

    def digest(self) -> str:
        """Give the SHA-256 of everything written so far."""
        return self._hash.hexdigest()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._growing.replace(self._path)
        else:
            self._file.close()
            self._growing.unlink()

    def _write(self, blob: bytes) -> None:
        self._file.write(blob)
        self._hash.update(blob)


def read_journal(path: Path) -> Iterator[Event]:
    """Read events back in order.

    Raises
    ------
    PlimsollError   `MISSING_FILE`, or `BROKEN_JOURNAL` with the record at which the file stops being one.
    """
    try:
        blob = path.read_bytes()
    except FileNotFoundError:
        raise PlimsollError(
            Code.MISSING_FILE, "no such journal", where=str(path), remedy="Check the path."
        ) from None
    if not blob.startswith(HEADER):
        raise _broken(path, 0, "the file does not begin like a journal")
    decoder = msgspec.msgpack.Decoder(Event)
    place, number = len(HEADER), 0
    while place < len(blob):
        number += 1
        length = int.from_bytes(blob[place : place + 4], "little")
        checksum = int.from_bytes(blob[place + 4 : place + _FRAME], "little")
        record = blob[place + _FRAME : place + _FRAME + length]
        if not record or len(record) != length or zlib.crc32(record) != checksum:
            raise _broken(path, number, "its checksum does not match, or it is cut short")
        try:
            event = decoder.decode(record)
        except msgspec.DecodeError as error:
            raise _broken(path, number, f"it is whole, but no event that is known here ({error})") from None
        yield event
        place += _FRAME + length


def _broken(path: Path, number: int, what: str) -> PlimsollError:
    return PlimsollError(
        Code.BROKEN_JOURNAL,
        what,
        where=f"{path}, record {number}",
        remedy="Run the replay again, or restore the file from a copy.",
    )
