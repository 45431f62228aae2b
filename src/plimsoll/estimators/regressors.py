"""Which figures from outside the market were known when a bar closed?"""

import numpy as np

from plimsoll.types import Times, Vector

__all__ = ["as_known", "log_implied_variance"]

_HOURS_PER_YEAR = 24.0 * 365.0


def as_known(moments: Times, times: Times, values: Vector, delay: int = 0) -> Vector:
    """Take the last value that had been published by each moment.

    Parameters
    ----------
    moments : Times [T]   Closing times of bars, milliseconds UTC.
    times : Times [N]     When each value is dated; increasing.
    values : Vector [N]
    delay : int           Milliseconds from its date until a value is known: a daily close is known when its
                          day is over, and a figure of a market in another time zone later still.

    Returns
    -------
    Vector [T]   NaN before the first.
    """
    rows = np.searchsorted(times + delay, moments, side="right") - 1
    known: Vector = np.where(rows >= 0, values[np.maximum(rows, 0)], np.nan)
    return known


def log_implied_variance(index: Vector) -> Vector:
    r"""Turn an implied-volatility index into a regressor of the HAR regression: :math:`\ln(\sigma^2 / 8760)`.

    In the unit of its own averages, log variance per hour, so that its weight reads as theirs do.
    The index looks a month ahead; each horizon's regression finds how much of it belongs to that horizon (on
    BTC 0.7 % less QLIKE an hour ahead, 3.7 % a day ahead: docs/theory/regressors.md).

    Parameters
    ----------
    index : Vector [T]   Per square root of a year (0.6 is 60 %).
    """
    variance: Vector = np.log(index**2 / _HOURS_PER_YEAR)
    return variance
