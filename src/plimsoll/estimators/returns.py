"""Which log returns may be taken, when bars arrive in pieces and have gaps?"""

from dataclasses import dataclass

import numpy as np

from plimsoll.domain.bars import HOUR, Bars
from plimsoll.types import Flags, Matrix, Times, Vector

__all__ = ["Joined", "LastClose", "join", "nothing_heard"]


@dataclass(frozen=True, slots=True)
class LastClose:
    """Where the last piece of bars stopped.

    Attributes
    ----------
    end : int           When its last bar closed, milliseconds UTC; 0 before any bar.
    close : Vector [M]  Its last closes; NaN where a market had no bar.
    price : Vector [M]  The last known closes, however long ago; NaN before the first.
    heard : Times [M]   When they closed, milliseconds UTC; 0 before the first.
    """

    end: int
    close: Vector
    price: Vector
    heard: Times


def nothing_heard(markets: int) -> LastClose:
    """Start before any bar."""
    unknown = np.full(markets, np.nan)
    return LastClose(0, unknown, unknown, np.zeros(markets, dtype=np.int64))


@dataclass(frozen=True, slots=True)
class Joined:
    """What joins each bar of a piece to the one before.

    Attributes
    ----------
    contiguous : Flags [T, M]  Where the bar before is the direct predecessor.
    before : Matrix [T, M]     Its close; NaN elsewhere.
    returns : Matrix [T, M]    Log close on close; NaN elsewhere.
    crossed : Matrix [T, M]    Log of the open over the last known close, in the first bar after a gap; NaN
                               elsewhere.
    waited : Matrix [T, M]     Hours from that close to the end of that bar; NaN elsewhere.
    missing : Matrix [T, M]    Milliseconds without a bar before each bar; NaN where there is none, and before
                               the first.
    """

    contiguous: Flags
    before: Matrix
    returns: Matrix
    crossed: Matrix
    waited: Matrix
    missing: Matrix


def join(last: LastClose, bars: Bars) -> tuple[Joined, LastClose]:
    """Join a piece of bars to the piece before; and say where it stops."""
    contiguous = bars.contiguous()
    if last.end == bars.times[0]:
        contiguous[0] = ~np.isnan(last.close) & ~np.isnan(bars.close[0])
    before = np.where(contiguous, np.vstack([last.close, bars.close[:-1]]), np.nan)
    prices, heard = _last_known(last, bars)
    gap = ~contiguous & ~np.isnan(bars.close) & ~np.isnan(prices[:-1])
    crossed = np.log(bars.open / np.where(gap, prices[:-1], np.nan))
    missing = np.where(gap | contiguous, bars.times[:, None] - heard[:-1], np.nan)
    waited = np.where(gap, (missing + bars.length) / HOUR, np.nan)
    joined = Joined(contiguous, before, np.log(bars.close / before), crossed, waited, missing)
    return joined, LastClose(int(bars.ends[-1]), bars.close[-1].copy(), prices[-1], heard[-1])


def _last_known(last: LastClose, bars: Bars) -> tuple[Matrix, Times]:
    """Carry the last known close of each market forward, and when it closed; [T + 1, M] each."""
    prices = np.vstack([last.price, bars.close])
    known = np.where(np.isnan(prices), 0, np.arange(len(prices))[:, None])
    rows = np.maximum.accumulate(known, axis=0)
    ends = np.vstack([last.heard, np.broadcast_to(bars.ends[:, None], bars.close.shape)])
    return np.take_along_axis(prices, rows, axis=0), np.take_along_axis(ends, rows, axis=0)
