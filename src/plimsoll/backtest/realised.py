"""How far did a market move against each side after each moment, once the horizon was over?"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from plimsoll.domain.bars import HOUR, Bars
from plimsoll.errors import Code, PlimsollError
from plimsoll.estimators.volatility import parkinson_variance
from plimsoll.types import Matrix, Times, Vector

__all__ = ["bars_of_horizon", "excursions_after", "excursions_definition", "next_variance"]


def bars_of_horizon(horizon: int, length: int) -> int:
    """Return how many bars a horizon takes; both in milliseconds.

    Raises
    ------
    PlimsollError   `BAD_SETTING` where it is not a whole number of bars: an excursion over another span than
                    the rate was made for proves nothing.
    """
    if horizon < length or horizon % length:
        raise PlimsollError(
            Code.BAD_SETTING,
            f"a horizon of {horizon / HOUR:g} h is not a whole number of bars of {length / HOUR:g} h",
            where="--horizon",
            remedy="Choose a multiple of the bars' length, or give shorter bars.",
        )
    return horizon // length


def excursions_definition(bars: Bars, moments: Times, horizon: int) -> Matrix:
    r"""Measure the adverse excursion of a long and of a short over the horizon that follows each moment.

    .. math:: L^{long}_t = \max\left(0, 1 - \frac{\min_{t < s \le t + H} low_s}{C_t}\right), \quad
              L^{short}_t = \max\left(0, \frac{\max_{t < s \le t + H} high_s}{C_t} - 1\right)

    Parameters
    ----------
    bars : Bars [T, 1]    One market.
    moments : Times [W]   Ends of bars, milliseconds UTC; C is the close of the bar that ends there.
    horizon : int         H, milliseconds.

    Returns
    -------
    Matrix [W, 2]   Shares of the price at the moment, long and short; NaN where a bar of the window is
                    missing or has not come yet, or no bar ends at the moment.
    """
    count = bars_of_horizon(horizon, bars.length)
    found = np.full((len(moments), 2), np.nan)
    contiguous = bars.contiguous()[:, 0]
    for place, moment in enumerate(moments):
        rows = np.flatnonzero(bars.ends == moment)
        if not len(rows):
            continue
        after = slice(rows[0] + 1, rows[0] + 1 + count)
        if len(bars.times[after]) < count or not contiguous[after].all():
            continue
        close = bars.close[rows[0], 0]
        found[place, 0] = max(0.0, 1.0 - bars.low[after, 0].min() / close)
        found[place, 1] = max(0.0, bars.high[after, 0].max() / close - 1.0)
    return found


def excursions_after(bars: Bars, moments: Times, horizon: int) -> Matrix:
    """`excursions_definition` for all moments at once."""
    count = bars_of_horizon(horizon, bars.length)
    found = np.full((len(moments), 2), np.nan)
    if len(bars) <= count:
        return found
    rows = np.searchsorted(bars.ends, moments)
    known = rows < len(bars) - count
    known[known] &= bars.ends[rows[known]] == moments[known]
    whole = np.asarray(sliding_window_view(bars.contiguous()[1:, 0], count).all(axis=1))
    known[known] &= whole[rows[known]]
    start = rows[known]
    lowest = sliding_window_view(bars.low[1:, 0], count).min(axis=1)[start]
    highest = sliding_window_view(bars.high[1:, 0], count).max(axis=1)[start]
    close = bars.close[start, 0]
    found[known, 0] = np.maximum(0.0, 1.0 - lowest / close)
    found[known, 1] = np.maximum(0.0, highest / close - 1.0)
    return found


def next_variance(bars: Bars, moments: Times) -> Vector:
    """Estimate the variance of the bar that begins at each moment, from its range (Parkinson 1980).

    Returns
    -------
    Vector [W]   Squared log return; NaN where there is no such bar, or its high is its low: nothing traded,
                 so that its range says nothing of the variance.
    """
    rows = np.searchsorted(bars.times, moments)
    known = rows < len(bars)
    known[known] &= bars.times[rows[known]] == moments[known]
    found = np.full(len(moments), np.nan)
    found[known] = parkinson_variance(bars)[rows[known], 0]
    found[found == 0.0] = np.nan
    return found
