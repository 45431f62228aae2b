"""How is a bar file opened, and what do its columns, symbols and timestamps mean?"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from plimsoll.domain.markets import market_name
from plimsoll.errors import Code, PlimsollError
from plimsoll.feeds.columns import ENDINGS, IN_MEMORY, ColumnTable, numbers_of, read_columns, table_columns
from plimsoll.types import Flags, Rows, Times, Vector

__all__ = ["BarTable", "read_table", "table_of", "times_of"]

_REQUIRED = ("symbol", "ts", "open", "high", "low", "close")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
# Whole-number timestamps by size (bound, multiply, divide): every bound is the year 5138 in its own unit and
# 1973 in the next finer one. Below the smallest lie dates written as numbers (20200312), which are no times.
_SMALLEST_EPOCH = 10**8
_EPOCH_UNITS = ((10**11, 1000, 1), (10**14, 1, 1), (10**17, 1, 1000), (2**63, 1, 10**6))


@dataclass(frozen=True, slots=True)
class BarTable:
    """The rows of a bar file, in the file's order, not yet checked.

    Attributes
    ----------
    path : Path              The file, or the folder of files.
    files : tuple of Path    File of each column number.
    markets : tuple of str   Market of each column number.
    symbols : tuple of str   Symbol as stored, for each column number.
    rows : Rows [N]          Row number in its file; the first data row is 1.
    columns : Rows [N]       Column number of each row.
    times : Times [N]        Opening time, milliseconds UTC.
    open, high, low, close, volume : Vector [N]   NaN where the file has no number.
    """

    path: Path
    files: tuple[Path, ...]
    markets: tuple[str, ...]
    symbols: tuple[str, ...]
    rows: Rows
    columns: Rows
    times: Times
    open: Vector
    high: Vector
    low: Vector
    close: Vector
    volume: Vector

    def take(self, keep: Flags) -> "BarTable":
        """Keep the flagged rows and every column number."""
        return replace(
            self,
            rows=self.rows[keep],
            columns=self.columns[keep],
            times=self.times[keep],
            open=self.open[keep],
            high=self.high[keep],
            low=self.low[keep],
            close=self.close[keep],
            volume=self.volume[keep],
        )

    def choose(self, wanted: tuple[str, ...]) -> "BarTable":
        """Keep the markets or stored symbols in `wanted`, in that order; all of them when it is empty."""
        chosen = [self._find(name) for name in wanted or dict.fromkeys(self.markets)]
        numbers = np.full(len(self.markets), -1, dtype=np.intp)
        numbers[chosen] = np.arange(len(chosen))
        kept = self.take(numbers[self.columns] >= 0)
        return replace(
            kept,
            files=tuple(self.files[column] for column in chosen),
            markets=tuple(self.markets[column] for column in chosen),
            symbols=tuple(self.symbols[column] for column in chosen),
            columns=numbers[kept.columns],
        )

    def _find(self, name: str) -> int:
        market = market_name(name)
        exact = self.symbols.count(name) and name != market
        known = self.symbols if exact else self.markets
        found = [column for column, entry in enumerate(known) if entry == (name if exact else market)]
        if not found:
            raise PlimsollError(
                Code.UNKNOWN_MARKET,
                f"no market {market}",
                where=str(self.path),
                remedy=f"Choose among {', '.join(dict.fromkeys(self.markets))}.",
            )
        if len(found) > 1:
            both = " and ".join(f"{self.symbols[column]} in {self.files[column].name}" for column in found)
            raise PlimsollError(
                Code.AMBIGUOUS_MARKET,
                f"{both} both name market {market}",
                where=str(self.path),
                remedy=f"Keep one of them, or ask for one by its full symbol: {self.symbols[found[0]]}.",
            )
        return found[0]

    def error(self, code: Code, index: int, what: str, remedy: str) -> PlimsollError:
        """Make the error about the row at `index` of this table."""
        where = (
            f"{self.files[self.columns[index]]}, row {self.rows[index]} ({self.symbols[self.columns[index]]})"
        )
        return PlimsollError(code, what, where=where, remedy=remedy)


def read_table(path: Path) -> BarTable:
    """Open a bar file, or a folder of them, and give the columns their meaning; no value is judged yet.

    Timestamps are bar opens: a datetime of any unit (in its zone, or UTC where it has none), a date, ISO 8601
    text, or a whole number since 1970 read by the first row's size as seconds, milli-, micro- or nanoseconds.
    """
    if not path.is_dir():
        return _read_file(path)
    files = [file for file in sorted(path.iterdir()) if file.name.endswith(ENDINGS)]
    if not files:
        raise PlimsollError(
            Code.MISSING_FILE,
            "no .parquet or .csv file in this folder",
            where=str(path),
            remedy="Give a bar file, or the folder that holds them itself.",
        )
    return _joined(path, [_read_file(file) for file in files])


def _joined(path: Path, tables: list[BarTable]) -> BarTable:
    ahead = np.cumsum([0] + [len(table.symbols) for table in tables])
    return BarTable(
        path=path,
        files=tuple(file for table in tables for file in table.files),
        markets=tuple(market for table in tables for market in table.markets),
        symbols=tuple(symbol for table in tables for symbol in table.symbols),
        rows=np.concatenate([table.rows for table in tables]),
        columns=np.concatenate(
            [table.columns + before for table, before in zip(tables, ahead, strict=False)], dtype=np.intp
        ),
        times=np.concatenate([table.times for table in tables]),
        open=np.concatenate([table.open for table in tables]),
        high=np.concatenate([table.high for table in tables]),
        low=np.concatenate([table.low for table in tables]),
        close=np.concatenate([table.close for table in tables]),
        volume=np.concatenate([table.volume for table in tables]),
    )


def _read_file(path: Path) -> BarTable:
    return _told(path, read_columns(path, _REQUIRED, ("volume",), "bar file"))


def table_of(table: ColumnTable) -> BarTable:
    """Give the columns of a table in memory their meaning, as `read_table` does a file's."""
    return _told(IN_MEMORY, table_columns(table, _REQUIRED, ("volume",)))


def _told(path: Path, frame: pl.DataFrame) -> BarTable:
    if not len(frame):
        raise PlimsollError(Code.EMPTY_RANGE, "no rows", where=str(path), remedy="Give at least two bars.")
    symbols, columns = _symbols(path, frame["symbol"])
    return BarTable(
        path=path,
        files=(path,) * len(symbols),
        markets=tuple(market_name(symbol) for symbol in symbols),
        symbols=symbols,
        rows=np.arange(1, len(frame) + 1, dtype=np.intp),
        columns=columns,
        times=times_of(path, frame["ts"]),
        open=numbers_of(frame["open"]),
        high=numbers_of(frame["high"]),
        low=numbers_of(frame["low"]),
        close=numbers_of(frame["close"]),
        volume=numbers_of(frame["volume"]) if "volume" in frame.columns else np.full(len(frame), np.nan),
    )


def _symbols(path: Path, column: pl.Series) -> tuple[tuple[str, ...], Rows]:
    text = column.cast(pl.String)
    if text.null_count():
        raise PlimsollError(
            Code.UNKNOWN_MARKET,
            "no symbol",
            where=f"{path}, row {_first(text.is_null()) + 1}",
            remedy="Fill in the symbol or remove the row.",
        )
    names = text.unique(maintain_order=True)
    numbers = {name: number for number, name in enumerate(names)}
    columns = text.replace_strict(numbers, return_dtype=pl.Int64).to_numpy().astype(np.intp)
    return tuple(names), columns


def times_of(path: Path, column: pl.Series) -> Times:
    """Read timestamps as milliseconds UTC, in any form that `read_table` names; raises `BAD_TIME`."""
    if column.dtype == pl.String:
        column = _parsed(column.str.strip_chars())
    if column.dtype == pl.Date:
        column = column.cast(pl.Datetime("ms"))
    if column.null_count():
        raise _bad_time(path, _first(column.is_null()), "no timestamp, or one that is not ISO 8601")
    if isinstance(column.dtype, pl.Datetime):
        # polars counts from 1970 UTC whatever the zone is; without one the clock's time is taken for UTC.
        return np.asarray(column.dt.timestamp("ms").to_numpy(), dtype=np.int64)
    if not column.dtype.is_integer():
        raise _bad_time(path, 0, f"timestamps of type {column.dtype}")
    numbers = np.asarray(column.to_numpy(), dtype=np.int64)
    small = np.abs(numbers) < _SMALLEST_EPOCH
    if small.any():
        raise _bad_time(path, int(np.argmax(small)), f"timestamp {numbers[np.argmax(small)]} is before 1973")
    multiply, divide = next((up, down) for bound, up, down in _EPOCH_UNITS if abs(int(numbers[0])) < bound)
    return numbers * multiply // divide


def _parsed(text: pl.Series) -> pl.Series:
    """Read text as whole numbers or, where the first row is none, as ISO 8601; null where it is neither."""
    numbers = text.cast(pl.Int64, strict=False)
    if numbers[0] is not None:
        return numbers
    return pl.Series([_iso_time(entry) for entry in text], dtype=pl.Int64).cast(pl.Datetime("ms"))


def _iso_time(text: str | None) -> int | None:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // _MILLISECOND


def _bad_time(path: Path, index: int, what: str) -> PlimsollError:
    remedy = "Write the bar's opening time as ISO 8601, a datetime, or a whole number since 1970, UTC."
    return PlimsollError(Code.BAD_TIME, what, where=f"{path}, row {index + 1}", remedy=remedy)


def _first(flags: pl.Series) -> int:
    found = flags.arg_max()
    return 0 if found is None else found
