"""What is known of each crash by the hour, and of the days before it?"""

from datetime import UTC, datetime
from functools import cache

import msgspec
import numpy as np
from msgspec import Struct

from plimsoll.domain.bars import HOUR, Bars
from plimsoll.scenarios.packaged import Figures, read_figures, read_index
from plimsoll.types import Matrix, Times

__all__ = ["Crash", "bars_of", "crashes", "daily_history", "milliseconds", "relative_volume"]

_FIRST_DAY = datetime(2017, 8, 17, tzinfo=UTC)
_DAY = 24 * HOUR


class Crash(Struct, frozen=True, forbid_unknown_fields=True):
    """What the index says of a crash whose hours the package knows."""

    title: str
    summary: str
    first: datetime


@cache
def crashes() -> tuple[str, dict[str, Crash]]:
    """Read the source of the figures, and the crashes by name in the order of time."""
    entries = dict(read_index("historical"))
    source = entries.pop("source")
    return msgspec.convert(source, str), msgspec.convert(entries, dict[str, Crash])


def daily_history(before: int) -> Bars:
    """Give the daily bars of BTC and ETH that have ended at `before`, milliseconds UTC, or earlier.

    Returns
    -------
    Bars [T, 2]   From 2017-08-17 on; T is 0 where `before` is no later. Volumes are unknown (NaN).

    Causality: bar t ends at ``times[t] + length <= before``, and its figures are those of that day and of the
    close before it alone; nothing after `before` plays a part.
    """
    bars = bars_of(read_figures("daily"), milliseconds(_FIRST_DAY), _DAY)
    return bars.between(milliseconds(_FIRST_DAY), before)


def bars_of(figures: Figures, first: int, length: int) -> Bars:
    """Make bars of highs, lows and closes; `first` opens the first one, both times in milliseconds.

    The figures state no opens: a bar opens at the close before it, moved into its own range where rounding or
    a gap of the source left it outside, and the first bar at the geometric middle of its range.
    """
    opens = np.empty_like(figures.close)
    opens[0] = np.sqrt(figures.high[0] * figures.low[0])
    opens[1:] = figures.close[:-1]
    times: Times = first + length * figures.offsets
    return Bars(
        markets=figures.markets,
        length=length,
        times=times,
        open=np.clip(opens, figures.low, figures.high),
        high=figures.high.copy(),
        low=figures.low.copy(),
        close=figures.close.copy(),
        volume=np.full_like(figures.close, np.nan),
    )


def relative_volume(bars: Bars) -> Matrix:
    """Assume the volume [T, M] that a bar's range suggests: 1 in a bar of median range, and in proportion.

    The figures state no volumes. That volume and range grow alike, with an elasticity of one, is an
    assumption; the unit is the market's own volume in a median bar of these.
    """
    ranges = np.log(bars.high / bars.low)
    return np.asarray(ranges / np.median(ranges, axis=0))


def milliseconds(moment: datetime) -> int:
    """Count milliseconds since 1970 UTC of a moment whose zone is stated."""
    return round(moment.timestamp() * 1000)
