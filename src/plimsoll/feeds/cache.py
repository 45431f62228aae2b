"""How are downloaded bars kept, so that a kill at any moment leaves a whole file?"""

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from plimsoll.errors import Code, PlimsollError

__all__ = ["CachedBars", "read_cached", "write_cached"]

_PRICES = ("open", "high", "low", "close", "volume")
_COVERED = "plimsoll_covered"
_SCHEMA = pl.Schema(
    [("symbol", pl.String()), ("ts", pl.Datetime("ms", "UTC")), *((name, pl.Float64()) for name in _PRICES)]
)


@dataclass(frozen=True, slots=True)
class CachedBars:
    """The bars of one market over one span, of which the exchange was asked for every moment.

    Attributes
    ----------
    frame : DataFrame   symbol, ts, open, high, low, close, volume, in the order of time.
    since, until : int  Here is every bar that the exchange has and that opens in [since, until), milliseconds
                        UTC.
    """

    frame: pl.DataFrame
    since: int
    until: int

    def later(self, symbol: str, candles: Sequence[Sequence[float | None]], until: int) -> "CachedBars":
        """Add the bars that open in [self.until, until)."""
        return CachedBars(pl.concat([self.frame, _frame(symbol, candles)]), self.since, until)

    def earlier(self, symbol: str, candles: Sequence[Sequence[float | None]], since: int) -> "CachedBars":
        """Add the bars that open in [since, self.since)."""
        return CachedBars(pl.concat([_frame(symbol, candles), self.frame]), since, self.until)

    def gaps(self, length: int) -> int:
        """Count the bars that are missing between the first and the last one."""
        times = self.frame["ts"].dt.timestamp("ms").to_numpy()
        return int((np.diff(times) // length - 1).sum()) if len(times) else 0


def read_cached(path: Path, since: int) -> CachedBars:
    """Read what is in the cache; nothing yet, from `since` on, where there is no such file."""
    if not path.exists():
        return CachedBars(pl.DataFrame(schema=_SCHEMA), since, since)
    try:
        covered = pl.read_parquet_metadata(path)[_COVERED].split()
        frame = pl.read_parquet(path)
        return CachedBars(frame.match_to_schema(_SCHEMA), int(covered[0]), int(covered[1]))
    except (pl.exceptions.PolarsError, OSError, KeyError, ValueError, IndexError) as error:
        raise PlimsollError(
            Code.UNREADABLE_FILE,
            "is not a file of this cache",
            where=str(path),
            remedy="Move it away, and fetch again.",
        ) from error


def write_cached(path: Path, bars: CachedBars) -> None:
    """Write the file beside its place and put it there in one step; a kill leaves the old or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=".part", dir=path.parent)
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            covered = {_COVERED: f"{bars.since} {bars.until}"}
            bars.frame.write_parquet(file, compression="zstd", metadata=covered)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _frame(symbol: str, candles: Sequence[Sequence[float | None]]) -> pl.DataFrame:
    rows = [(symbol, *candle[: len(_PRICES) + 1]) for candle in candles]
    names = {"symbol": pl.String, "ts": pl.Int64} | dict.fromkeys(_PRICES, pl.Float64)
    frame = pl.DataFrame(rows, schema=names, orient="row", strict=False)
    return frame.with_columns(pl.col("ts").cast(pl.Datetime("ms")).dt.replace_time_zone("UTC"))
