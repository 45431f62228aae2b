"""Which options do several commands share, and how are their values read?"""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from plimsoll.errors import Code, PlimsollError
from plimsoll.feeds.documents import read_document

if TYPE_CHECKING:
    from plimsoll.domain.settings import CalibrationFile

__all__ = [
    "Accounts",
    "BarsFile",
    "First",
    "Json",
    "Last",
    "Markets",
    "Picture",
    "Quiet",
    "SetFile",
    "SettingsFile",
    "Workers",
    "market_list",
    "milliseconds",
    "optional_milliseconds",
    "read_calibration",
]

BarsFile: TypeAlias = Annotated[
    Path,
    typer.Option(
        "--bars",
        metavar="FILE",
        help="Bars, Parquet or CSV: symbol, ts (UTC, of the open), open, high, low, close, volume if known.",
    ),
]
Markets: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--markets", metavar="NAMES", help="Markets, with commas: BTC,ETH. Default: all in the file."
    ),
]
First: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--from", metavar="DATE", help="First bar, UTC: 2021-05-12 or 2021-05-12T08:30. Default: all."
    ),
]
Last: TypeAlias = Annotated[
    str | None,
    typer.Option("--to", metavar="DATE", help="Up to this moment, UTC; not included. Default: all."),
]
SettingsFile: TypeAlias = Annotated[
    Path | None,
    typer.Option("--settings", metavar="FILE", help="JSON or TOML; what it leaves out keeps its default."),
]
SetFile: TypeAlias = Annotated[
    Path,
    typer.Option("--parameters", metavar="FILE", help="Parameter set that `plimsoll calibrate --out` wrote."),
]
Accounts: TypeAlias = Annotated[
    int | None, typer.Option("--accounts", metavar="N", help="Accounts in the book. Default: 10000.")
]
Workers: TypeAlias = Annotated[
    int | None,
    typer.Option("--workers", metavar="N", min=1, help="Processes. Default: one per processor."),
]
Picture: TypeAlias = Annotated[
    Path | None,
    typer.Option("--picture", metavar="FILE", help="Draw profit and loss by scenario: an SVG file to write."),
]
Quiet: TypeAlias = Annotated[bool, typer.Option("--quiet", metavar="", help="Print nothing but errors.")]
Json: TypeAlias = Annotated[
    bool,
    typer.Option("--json", metavar="", help="Print the result as one JSON document on stdout, nothing else."),
]


def read_calibration(path: Path | None) -> "CalibrationFile":
    """Read the settings of a calibration; the defaults where no file is given."""
    from plimsoll.domain.settings import CalibrationFile

    if path is None:
        return CalibrationFile()
    remedy = "Correct or remove it; `plimsoll calibrate --help` shows a settings file."
    return read_document(path, CalibrationFile, Code.BAD_SETTING, remedy)


def market_list(text: str | None) -> tuple[str, ...]:
    """Split names at commas; empty where none are given, which means all."""
    if text is None:
        return ()
    names = tuple(name.strip() for name in text.split(","))
    if not all(names) or len(set(names)) < len(names):
        raise PlimsollError(
            Code.UNKNOWN_MARKET,
            f"cannot read the list {text!r}",
            where="--markets",
            remedy="Give each market once, with commas between: --markets BTC,ETH.",
        )
    return names


def milliseconds(text: str, option: str) -> int:
    """Read a date or time as milliseconds since 1970 UTC; one without a zone is UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise PlimsollError(
            Code.EMPTY_RANGE,
            f"cannot read the date {text!r}",
            where=option,
            remedy="Write 2021-05-12 or 2021-05-12T08:30.",
        ) from error
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def optional_milliseconds(text: str | None, option: str) -> int | None:
    """Read a date where one is given."""
    return None if text is None else milliseconds(text, option)
