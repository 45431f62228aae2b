"""How is a table opened, of a file or in memory, and which of its columns are taken?"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import polars as pl

from plimsoll.errors import Code, PlimsollError
from plimsoll.types import Vector

__all__ = [
    "ENDINGS",
    "IN_MEMORY",
    "ColumnTable",
    "column_names",
    "numbers_of",
    "read_columns",
    "table_columns",
]


class _NamedColumns(Protocol):
    """What a polars and a pandas data frame have in common."""

    @property
    def columns(self) -> Iterable[Any]:
        """Names of the columns."""
        ...

    def __getitem__(self, name: str) -> Any: ...


ColumnTable = _NamedColumns | Mapping[str, Any]
"""A data frame, or a mapping of names to columns."""

IN_MEMORY = Path("table")
"""What stands for the file in an error about a table in memory."""

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


def table_columns(table: ColumnTable, required: tuple[str, ...], optional: tuple[str, ...]) -> pl.DataFrame:
    """Take the columns asked for from a table in memory; optional ones where it has them, others never.

    Raises
    ------
    PlimsollError   `MISSING_COLUMN`, or `UNREADABLE_FILE` where a column is none or of another length.
    """
    named = list(table) if isinstance(table, Mapping) else [str(name) for name in table.columns]
    chosen = _used(IN_MEMORY, named, required, optional)
    try:
        return pl.DataFrame([_series(name, table[name]) for name in chosen])
    except (pl.exceptions.PolarsError, TypeError, ValueError) as error:
        what = f"cannot be read: {str(error).strip().partition(chr(10))[0]}"
        remedy = "Give columns of one length: numbers, and text or times."
        raise PlimsollError(Code.UNREADABLE_FILE, what, where=str(IN_MEMORY), remedy=remedy) from error


def _series(name: str, column: object) -> pl.Series:
    if isinstance(column, pl.Series):
        return column.alias(name)
    values = np.asarray(column)
    if values.ndim != 1:
        raise ValueError(f"column {name} has {values.ndim} dimensions")
    if values.dtype.kind == "M":
        values = values.astype("datetime64[ms]")
    read = pl.Series(name, values.tolist() if values.dtype.kind in "OUS" else values)
    if read.dtype == pl.Object:
        raise ValueError(f"column {name} holds neither numbers, text nor times")
    return read


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
