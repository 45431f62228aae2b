"""How much variance passes within a horizon?"""

import numpy as np

from plimsoll.types import Vector

__all__ = ["excursion_scale"]


def excursion_scale(path: Vector, hours_per_bar: float, hours: float) -> float:
    r"""Return the deviation over a horizon from the forecast path, instead of from one number.

    .. math:: \sigma(H) = \sqrt{\sum_{s \le H} v_s}

    with a part of a bar counting in proportion, and the last forecast beyond the path. A root of time applied
    to the first bar would be too high after a crash and too low in a calm, since variance reverts.

    Parameters
    ----------
    path : Vector [n]   Variance of each of the next bars, squared log return (`VarianceForecaster.estimate`).
    """
    bars = hours / hours_per_bar
    whole = min(int(bars), len(path))
    total = float(path[:whole].sum())
    rest = bars - whole
    return float(np.sqrt(total + rest * path[min(whole, len(path) - 1)]))
