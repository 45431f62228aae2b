"""Which options do the commands share that walk policies over history, and what do they say together?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from plimsoll.cli.run_folder import RECORD, REPORT, SUMMARY, WALKS
from plimsoll.errors import Code, PlimsollError

if TYPE_CHECKING:
    from plimsoll.backtest.walk import Target
    from plimsoll.domain.settings import CalibrationSettings

__all__ = ["Horizon", "Level", "RunFolder", "refuse_foreign", "target_of"]

RunFolder: TypeAlias = Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Folder of the run.")]
Horizon: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--horizon",
        metavar="HOURS",
        help="Liquidation horizon: 4h, 1h, 30m. Default: that of the settings, 4h.",
    ),
]
Level: TypeAlias = Annotated[
    float | None,
    typer.Option(
        "--level",
        metavar="SHARE",
        help="Share of excursions to cover, per side. Default: that of the settings, 0.995.",
    ),
]

_UNITS = {"m": 1.0 / 60.0, "h": 1.0, "d": 24.0}


def target_of(horizon: str | None, level: float | None, settings: "CalibrationSettings") -> "Target":
    """Put together what rates are to cover: the options come before the settings."""
    from plimsoll.backtest.walk import Target

    return Target(
        horizon_hours=settings.horizon_hours if horizon is None else _hours_of(horizon),
        level=settings.level if level is None else _level_of(level),
    )


def refuse_foreign(out: Path) -> None:
    """Refuse a folder that holds something else than an earlier run; raises `FILE_EXISTS`."""
    known = {WALKS, RECORD, REPORT, SUMMARY}
    if out.exists() and (not out.is_dir() or {entry.name for entry in out.iterdir()} - known):
        raise PlimsollError(
            Code.FILE_EXISTS,
            "holds something that is not an earlier backtest",
            where=str(out),
            remedy="Give --out a new folder, or that of an earlier backtest.",
        )


def _hours_of(text: str) -> float:
    """Read a length of time: ``4h``, ``30m``, ``1d``, or hours as a plain number."""
    number, unit = (text[:-1], text[-1]) if text[-1:] in _UNITS else (text, "h")
    try:
        hours = float(number) * _UNITS[unit]
    except ValueError:
        hours = 0.0
    if not 0.0 < hours < float("inf"):
        raise PlimsollError(
            Code.BAD_SETTING,
            f"cannot read the length of time {text!r}",
            where="--horizon",
            remedy="Write 4h, 30m or 1d.",
        )
    return hours


def _level_of(level: float) -> float:
    """Check a level."""
    if not 0.5 <= level < 1.0:
        raise PlimsollError(
            Code.BAD_SETTING,
            f"a level of {level:g} is not within 0.5 and 1",
            where="--level",
            remedy="Write the share to cover, such as 0.995.",
        )
    return level
