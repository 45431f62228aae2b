"""In which folder does a venue keep its files?

An external venue has one. Every replay has one of its own, numbered: an unfinished replay of the same
settings is gone on with, anything else begins a new one, and nothing that was written before is touched.
"""

import hashlib
from pathlib import Path

import msgspec

from plimsoll.errors import Code, PlimsollError
from plimsoll.scenarios.library import scenario
from plimsoll.service.records import Records
from plimsoll.service.settings import ServiceSettings

__all__ = ["venue_folder"]

_NAME = "replay-{number:04}"
_SETTINGS = "settings.sha256"


def venue_folder(root: Path, settings: ServiceSettings) -> Path:
    """Choose and make the folder; raises `UNREADABLE_FILE` where it cannot be made."""
    if settings.feed == "external":
        return _made(root / "venue")
    numbered = sorted(root.glob("replay-[0-9][0-9][0-9][0-9]"))
    named = _digest(settings)
    if numbered and _may_go_on(numbered[-1], named, scenario(settings.replay.scenario).last):
        return numbered[-1]
    number = int(numbered[-1].name.rpartition("-")[2]) + 1 if numbered else 1
    folder = _made(root / _NAME.format(number=number))
    (folder / _SETTINGS).write_text(named, encoding="utf-8")
    return folder


def _may_go_on(folder: Path, named: str, ends: int) -> bool:
    """Say whether the replay is of these settings and has not come to its end."""
    marker = folder / _SETTINGS
    if not marker.is_file() or marker.read_text(encoding="utf-8") != named:
        return False
    if not (folder / "desk.sqlite").is_file():
        return True
    records = Records(folder / "desk.sqlite")
    try:
        return all(bar.time + bar.length < ends for bar in records.bars())
    finally:
        records.close()


def _digest(settings: ServiceSettings) -> str:
    """Name what decides a replay; its pace does not."""
    chosen = msgspec.structs.replace(settings.replay, pace=1.0)
    return hashlib.sha256(msgspec.json.encode((chosen, settings.clearing, settings.calibration))).hexdigest()


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise PlimsollError(
            Code.UNREADABLE_FILE,
            f"the folder cannot be made: {(error.strerror or str(error)).lower()}",
            where=str(folder),
            remedy="Give another with --data.",
        ) from error
    return folder
