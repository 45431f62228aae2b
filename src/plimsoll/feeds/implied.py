"""How does the history of an implied-volatility index get from a file into memory?"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from plimsoll.domain.implied import ImpliedHistory
from plimsoll.errors import Code, PlimsollError
from plimsoll.feeds.columns import numbers_of, read_columns
from plimsoll.feeds.tables import times_of
from plimsoll.types import Times, Vector

__all__ = ["read_implied"]

_CLOSES = ("close", "dvol_close")
"""Names of the column taken, the first that a file has; the second is that of files of Deribit's index."""
_PERCENT = 100.0
_LARGEST = 1000.0
"""Percent: ten times the highest that BTC's index has been is no implied volatility."""


def read_implied(files: Mapping[str, Path]) -> ImpliedHistory:
    """Read the index of each market: ts (UTC, of the open) and close, in percent.

    Parameters
    ----------
    files : mapping   Parquet or CSV file of each market.

    Raises
    ------
    PlimsollError   `MISSING_FILE`, `MISSING_COLUMN`, `UNREADABLE_FILE`, `BAD_TIME` for times that do not
                    rise, `BAD_PRICE` for a value that is no volatility, `EMPTY_RANGE` for fewer than two.
    """
    read = {market: _read(path) for market, path in files.items()}
    times = np.unique(np.concatenate([found for found, _ in read.values()]))
    index = np.full((len(times), len(read)), np.nan)
    for column, (found, values) in enumerate(read.values()):
        index[np.searchsorted(times, found), column] = values
    return ImpliedHistory(tuple(read), times, index)


def _read(path: Path) -> tuple[Times, Vector]:
    """Give when each value became known, at the end of its bar, and the values as shares."""
    frame = read_columns(path, ("ts",), _CLOSES, "file of an index")
    name = next((name for name in _CLOSES if name in frame.columns), None)
    if name is None:
        raise PlimsollError(
            Code.MISSING_COLUMN,
            "no column close",
            where=str(path),
            remedy="Name the columns ts and close.",
        )
    times, values = times_of(path, frame["ts"]), numbers_of(frame[name])
    if len(times) < 2:
        raise PlimsollError(
            Code.EMPTY_RANGE, "fewer than two rows", where=str(path), remedy="Give the index's history."
        )
    steps = np.diff(times)
    if steps.min() <= 0:
        raise PlimsollError(
            Code.BAD_TIME,
            "times do not rise",
            where=f"{path}, row {int(np.argmin(steps)) + 2}",
            remedy="Sort the file by time, and keep each time once.",
        )
    sound = (values > 0.0) & (values < _LARGEST)
    if not sound.all():
        row = int(np.argmin(sound))
        raise PlimsollError(
            Code.BAD_PRICE,
            f"an implied volatility of {values[row]}",
            where=f"{path}, row {row + 1}",
            remedy="Give percent above zero, as the index is published (54.2), or take the row out.",
        )
    lengths, counts = np.unique(steps, return_counts=True)
    return times + lengths[np.argmax(counts)], values / _PERCENT
