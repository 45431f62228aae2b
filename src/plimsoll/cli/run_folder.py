"""How does the folder of a run come to be whole, or not at all?"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from plimsoll.cli.interruption import end_if_asked
from plimsoll.errors import Code, PlimsollError

__all__ = ["FACTS", "JOURNALS", "RECORD", "REPORT", "SETTINGS", "SUMMARY", "TRACES", "WALKS", "run_folder"]

FACTS = "facts.parquet"
TRACES = "traces.parquet"
JOURNALS = "journals"
RECORD = "run.json"
REPORT = "report.html"
SETTINGS = "settings.json"
SUMMARY = "summary.json"
WALKS = "walks"

_CONTENTS = (JOURNALS, FACTS, TRACES, SETTINGS, SUMMARY, REPORT, RECORD)
"""In the order they are put in place: a folder with a record is complete."""


@contextmanager
def run_folder(target: Path) -> Iterator[Path]:
    """Give a folder beside `target` to write into, and move its contents there once the block has succeeded.

    Where the block fails or is interrupted, nothing is left and an earlier run in `target` is as it was.

    Raises
    ------
    PlimsollError   `FILE_EXISTS` where `target` holds something that is not an earlier run,
                    `UNREADABLE_FILE` where it cannot be written.
    """
    _refuse_foreign(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent))
    except OSError as error:
        raise _unwritable(target, error) from error
    try:
        yield unfinished
        end_if_asked()
        unfinished.chmod(0o755)
        _put_in_place(unfinished, target)
    except OSError as error:
        raise _unwritable(target, error) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _refuse_foreign(target: Path) -> None:
    if target.is_dir() and not (target / RECORD).exists() and any(target.iterdir()):
        raise _exists(target, "is a folder with other things in it")
    if target.exists() and not target.is_dir():
        raise _exists(target, "is a file")


def _put_in_place(unfinished: Path, target: Path) -> None:
    target.mkdir(exist_ok=True)
    for name in reversed(_CONTENTS):
        former = target / name
        if former.is_dir():
            shutil.rmtree(former)
        else:
            former.unlink(missing_ok=True)
    for name in _CONTENTS:
        if (unfinished / name).exists():
            (unfinished / name).replace(target / name)


def _exists(target: Path, what: str) -> PlimsollError:
    return PlimsollError(
        Code.FILE_EXISTS,
        what,
        where=str(target),
        remedy="Give --out a new folder, or that of an earlier run.",
    )


def _unwritable(target: Path, error: OSError) -> PlimsollError:
    return PlimsollError(
        Code.UNREADABLE_FILE,
        f"cannot be written: {(error.strerror or str(error)).lower()}",
        where=str(error.filename or target),
        remedy="Choose a folder with room and permission to write.",
    )
