"""How is a table of a file opened, and which of its columns are taken?"""

from pathlib import Path

import numpy as np
import polars as pl

from plimsoll.errors import Code, PlimsollError
from plimsoll.types import Vector

__all__ = ["ENDINGS", "column_names", "numbers_of", "read_columns"]

ENDINGS = (".parquet", ".csv", ".csv.gz")
"""Kinds of files that are read."""


def read_columns(path: Path, required: tuple[str, ...], optional: tuple[str, ...], kind: str) -> pl.DataFrame:
    """Read the columns asked for, in that order; optional ones where the file has them, others never.

    Parameters
    ----------
    kind : str   What the file is, for the reader of an error: ``bar file``.

    Raises
    ------
    PlimsollError   `MISSING_FILE`, `MISSING_COLUMN`, or `UNREADABLE_FILE`. Columns of a CSV file are text.
    """
    columns = _used(path, column_names(path, kind), required, optional)
    try:
        if path.name.endswith(".parquet"):
            return pl.read_parquet(path, columns=columns)
        return pl.read_csv(path, infer_schema=False).select(columns)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _unreadable(path, str(error).strip().partition("\n")[0]) from error


def column_names(path: Path, kind: str) -> list[str]:
    """Name the columns of a file, in its order; raises as `read_columns` does."""
    if not path.exists():
        raise PlimsollError(
            Code.MISSING_FILE,
            "no such file",
            where=str(path),
            remedy=f"Give the path of an existing {kind}.",
        )
    try:
        if path.name.endswith(".parquet"):
            return list(pl.read_parquet_schema(path))
        if path.name.endswith(ENDINGS):
            return pl.read_csv(path, infer_schema=False, n_rows=0).columns
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _unreadable(path, str(error).strip().partition("\n")[0]) from error
    raise _unreadable(path, f"unknown kind of file {path.suffix or path.name}")


def numbers_of(column: pl.Series) -> Vector:
    """Cast to float64; text that is no number becomes NaN, which the checks refuse with its row."""
    if column.dtype == pl.String:
        column = column.str.strip_chars()
    numbers = column.cast(pl.Float64, strict=False).fill_null(float("nan"))
    return np.asarray(numbers.to_numpy(), dtype=np.float64)


def _used(path: Path, found: list[str], required: tuple[str, ...], optional: tuple[str, ...]) -> list[str]:
    missing = [name for name in required if name not in found]
    if missing:
        more = f" and, where known, {', '.join(optional)}" if optional else ""
        raise PlimsollError(
            Code.MISSING_COLUMN,
            f"no column {', '.join(missing)}; found {', '.join(found)}",
            where=str(path),
            remedy=f"Name the columns {', '.join(required)}{more}.",
        )
    return [name for name in (*required, *optional) if name in found]


def _unreadable(path: Path, what: str) -> PlimsollError:
    remedy = "Give a .parquet, .csv or .csv.gz file that is whole."
    return PlimsollError(Code.UNREADABLE_FILE, f"cannot be read: {what}", where=str(path), remedy=remedy)
