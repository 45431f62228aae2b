"""Which log returns may be taken, when bars arrive in pieces and have gaps?"""

from dataclasses import dataclass

import numpy as np

from plimsoll.domain.bars import Bars
from plimsoll.types import Flags, Matrix, Vector

__all__ = ["Joined", "LastClose", "join"]


@dataclass(frozen=True, slots=True)
class LastClose:
    """Where the last piece of bars stopped.

    Attributes
    ----------
    end : int           When its last bar closed, milliseconds UTC; 0 before any bar.
    close : Vector [M]  Its last closes; NaN where a market had no bar.
    """

    end: int
    close: Vector


@dataclass(frozen=True, slots=True)
class Joined:
    """What joins each bar of a piece to the one before.

    Attributes
    ----------
    contiguous : Flags [T, M]  Where the bar before is the direct predecessor.
    before : Matrix [T, M]     Its close; NaN elsewhere.
    returns : Matrix [T, M]    Log close on close; NaN elsewhere.
    """

    contiguous: Flags
    before: Matrix
    returns: Matrix


def join(last: LastClose, bars: Bars) -> tuple[Joined, LastClose]:
    """Join a piece of bars to the piece before; and say where it stops."""
    contiguous = bars.contiguous()
    if last.end == bars.times[0]:
        contiguous[0] = ~np.isnan(last.close) & ~np.isnan(bars.close[0])
    before = np.where(contiguous, np.vstack([last.close, bars.close[:-1]]), np.nan)
    joined = Joined(contiguous, before, np.log(bars.close / before))
    return joined, LastClose(int(bars.ends[-1]), bars.close[-1].copy())
