"""How is a journal written out, to be read by other programs?"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from plimsoll.errors import Code, PlimsollError

if TYPE_CHECKING:
    from plimsoll.store.records import Record

__all__ = ["write_records"]

_STEP = 1_000
"""Records between two reports of progress."""


def write_records(records: "Iterator[Record]", path: Path, advance: Callable[[int], None]) -> int:
    """Write records as JSON lines or Parquet, by the ending of `path`, and return how many there were.

    The file grows under a temporary name, so what is there is whole. Lines are written as they are read;
    a Parquet file is put together in memory.

    Raises
    ------
    PlimsollError   `BAD_SETTING` for another ending, `UNREADABLE_FILE` where the folder cannot be written to.
    """
    writers = {".jsonl": _write_lines, ".parquet": _write_table}
    if path.suffix not in writers:
        raise PlimsollError(
            Code.BAD_SETTING,
            f"no format is known by the ending {path.suffix or '(none)'}",
            where="--out",
            remedy="Name the file .jsonl or .parquet.",
        )
    growing = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        written = writers[path.suffix](_rows(records, advance), growing)
        growing.replace(path)
    except OSError as error:
        raise PlimsollError(
            Code.UNREADABLE_FILE,
            f"cannot be written: {error.strerror or error}",
            where=str(path),
            remedy="Choose a folder with room and permission to write.",
        ) from error
    finally:
        growing.unlink(missing_ok=True)
    return written


def _rows(records: "Iterator[Record]", advance: Callable[[int], None]) -> Iterator[dict[str, Any]]:
    for number, record in enumerate(records):
        if number % _STEP == 0:
            advance(number)
        event = msgspec.to_builtins(record.event)
        yield {
            "sequence": record.sequence,
            "time": event["time"],
            "type": event["type"],
            "key": record.key,
            "writer": record.writer,
            "digest": record.digest,
            "event": event,
        }


def _write_lines(rows: Iterator[dict[str, Any]], path: Path) -> int:
    encoder = msgspec.json.Encoder()
    count = 0
    with path.open("wb") as file:
        for row in rows:
            file.write(encoder.encode(row) + b"\n")
            count += 1
    return count


def _write_table(rows: Iterator[dict[str, Any]], path: Path) -> int:
    import polars as pl

    names = ("sequence", "time", "type", "key", "writer", "digest", "event")
    columns: dict[str, list[Any]] = {name: [] for name in names}
    for row in rows:
        row["event"] = msgspec.json.encode(row["event"]).decode()
        for name in names:
            columns[name].append(row[name])
    frame = pl.DataFrame(columns, schema=dict.fromkeys(names, pl.String) | dict.fromkeys(names[:2], pl.Int64))
    time = pl.col("time").cast(pl.Datetime("ms", "UTC"))
    frame.with_columns(time).write_parquet(path, compression="zstd")
    return len(frame)
