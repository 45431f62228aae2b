"""Which log returns may be taken, when bars arrive in pieces and have gaps?"""

from dataclasses import dataclass

import numpy as np

from plimsoll.domain.bars import Bars
from plimsoll.types import Flags, Matrix, Vector

__all__ = ["LastClose", "join"]


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


def join(last: LastClose, bars: Bars) -> tuple[Matrix, Flags, LastClose]:
    """Take the log returns of a piece of bars, the first of them against the piece before.

    Returns
    -------
    returns : Matrix [T, M]    Log close on close; NaN where the bar before is missing.
    contiguous : Flags [T, M]  Where the bar before is the direct predecessor.
    last : LastClose           Where this piece stops.
    """
    contiguous = bars.contiguous()
    before = np.vstack([last.close, bars.close[:-1]])
    if last.end == bars.times[0]:
        contiguous[0] = ~np.isnan(last.close) & ~np.isnan(bars.close[0])
    returns = np.where(contiguous, np.log(bars.close / np.where(contiguous, before, bars.close)), np.nan)
    return returns, contiguous, LastClose(int(bars.ends[-1]), bars.close[-1].copy())
