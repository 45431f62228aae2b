"""How do price bars get from a file or a table into `Bars`, and which rows are refused?"""

import hashlib
from pathlib import Path

import numpy as np

from plimsoll.domain.bars import Bars
from plimsoll.errors import Code, PlimsollError
from plimsoll.feeds.checks import check_prices, check_times, check_volumes, common_length
from plimsoll.feeds.columns import ColumnTable
from plimsoll.feeds.tables import BarTable, read_table, table_of
from plimsoll.types import Flags, Matrix, Vector

__all__ = ["bars_from", "file_digest", "read_bars"]


def read_bars(
    path: Path, *, markets: tuple[str, ...] = (), first: int | None = None, last: int | None = None
) -> Bars:
    """Read bars of one or many markets and check every row that was asked for.

    Parameters
    ----------
    path : Path               A ``.parquet``, ``.csv`` or ``.csv.gz`` file, or a folder of such files, in long
                              format: symbol, ts, open, high, low, close and, where known, volume; further
                              columns are ignored.
    markets : tuple of str    Markets (``BTC``) or symbols as stored (``BTC/USD``), in the order wanted;
                              empty for all markets that have a bar in the range.
    first, last : int         Keep bars that open at or after `first` and close at or before `last`,
                              milliseconds UTC; None for no limit.

    Returns
    -------
    Bars   One row per time at which any chosen market has a bar; NaN where a market has none.

    Raises
    ------
    PlimsollError   Every fault of docs/reference/bar-files.md, with the file, the row (the first data row
                    is 1) and the remedy.

    The bar length is the most common step between neighbouring bars of a market, the same for all markets.
    """
    return _checked(read_table(path).choose(markets), markets, first, last)


def bars_from(
    table: ColumnTable, *, markets: tuple[str, ...] = (), first: int | None = None, last: int | None = None
) -> Bars:
    """Take bars from a table in memory, and check every row that was asked for, as `read_bars` does.

    Parameters
    ----------
    table : a polars or pandas data frame, or a mapping of column names to arrays, with the columns of a bar
            file (see `read_bars`), a row per market and bar.
    markets, first, last : as in `read_bars`.

    Raises
    ------
    PlimsollError   As `read_bars` does; in place of the file stands ``table``.
    """
    return _checked(table_of(table).choose(markets), markets, first, last)


def _checked(table: BarTable, markets: tuple[str, ...], first: int | None, last: int | None) -> Bars:
    length = common_length(table)
    wanted = _wanted(table, length, first, last)
    inside = table.take(wanted)
    _refuse_empty(table, inside, listed=bool(markets))
    check_times(inside, length)
    check_prices(inside)
    check_volumes(inside)
    return _grid(inside, length)


def file_digest(path: Path) -> str:
    """Compute the SHA-256 of a file's bytes, in hexadecimal, for the record of a run.

    Of a folder it is that of its files' names and digests, a line each in the order of names.
    """
    if path.is_dir():
        files = sorted(
            entry for entry in path.iterdir() if entry.is_file() and not entry.name.startswith(".")
        )
        lines = "".join(f"{file.name} {file_digest(file)}\n" for file in files)
        return hashlib.sha256(lines.encode()).hexdigest()
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise PlimsollError(
            Code.MISSING_FILE,
            f"cannot be read ({error.strerror})",
            where=str(path),
            remedy="Give the path of an existing file.",
        ) from error


def _wanted(table: BarTable, length: int, first: int | None, last: int | None) -> Flags:
    if first is not None and last is not None and last <= first:
        raise PlimsollError(
            Code.EMPTY_RANGE,
            f"the range asked for begins on {_date(first)} and ends on {_date(last)}",
            where=str(table.path),
            remedy="Let it end after it begins.",
        )
    keep = np.ones(len(table.times), dtype=np.bool_)
    if first is not None:
        keep &= table.times >= first
    if last is not None:
        keep &= table.times + length <= last
    return keep


def _refuse_empty(table: BarTable, inside: BarTable, *, listed: bool) -> None:
    """Refuse a range in which nothing is left, or nothing of a market asked for by name."""
    present = np.bincount(inside.columns, minlength=len(table.markets)) > 0
    if (present.all() if listed else present.any()) and len(inside.times):
        return
    absent = int(np.argmin(present)) if present.any() else 0
    times = table.times[table.columns == absent]
    raise PlimsollError(
        Code.EMPTY_RANGE,
        f"no bar of {table.markets[absent]} in the range asked for",
        where=str(table.path),
        remedy=f"Its bars open from {_date(times.min())} to {_date(times.max())}; choose dates within.",
    )


def _grid(table: BarTable, length: int) -> Bars:
    """Lay the rows out on one grid of times; markets without a bar in the range fall away."""
    present, columns = np.unique(table.columns, return_inverse=True)
    times, rows = np.unique(table.times, return_inverse=True)

    def spread(values: Vector) -> Matrix:
        matrix = np.full((len(times), len(present)), np.nan)
        matrix[rows, columns] = values
        return matrix

    return Bars(
        markets=tuple(table.markets[column] for column in present),
        length=length,
        times=times,
        open=spread(table.open),
        # Rounded prices may leave an open or close outside the range by the tolerance of `check_prices`.
        high=spread(np.maximum.reduce([table.open, table.high, table.close])),
        low=spread(np.minimum.reduce([table.open, table.low, table.close])),
        close=spread(table.close),
        volume=spread(table.volume),
    )


def _date(time: int | np.integer) -> str:
    return f"{np.datetime64(int(time), 'ms').astype('datetime64[m]')} UTC"
