"""How is a file written so that it is either whole or not there?"""

import os
import tempfile
from pathlib import Path

import msgspec

from plimsoll.errors import Code, PlimsollError

__all__ = ["write_json", "write_whole"]


def write_json(path: Path, document: object) -> None:
    """Write a value as JSON that a person can read, as `write_whole` does."""
    write_whole(path, msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")


def write_whole(path: Path, content: bytes) -> None:
    """Write a file under another name beside its place, then move it there in one step.

    Raises
    ------
    PlimsollError   `UNREADABLE_FILE` where the folder cannot be written to; nothing is left in it then.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    except OSError as error:
        raise _unwritable(path, error) from error
    unfinished = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), 0o644)
        unfinished.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        unfinished.unlink(missing_ok=True)


def _unwritable(path: Path, error: OSError) -> PlimsollError:
    return PlimsollError(
        Code.UNREADABLE_FILE,
        f"cannot be written: {error.strerror}",
        where=str(path),
        remedy="Choose a folder that exists or can be made, with room and permission to write.",
    )
