"""What does closing cost for many sizes at once, and by how much does a rate grow while it lasts?"""

import numpy as np

from plimsoll.types import Array

__all__ = ["closing_costs", "closing_growth"]


def closing_costs(
    sizes: Array, half_spread: float, slope: float, reference: float, exponent: float, root: float
) -> Array:
    r"""Give :math:`\min(1, \max(h + s (Q / Q_0)^\beta, k \sqrt Q))` for each size, 0 where there is none.

    The fast form of `CostCurve.cost`, which has the definition; stress is in the arguments.

    Parameters
    ----------
    sizes : array        Quote units, 0 or more.
    half_spread, slope : float   Under stress.
    root : float         k: mean cost of one quote unit along the root law.
    """
    walked = half_spread + slope * (sizes / reference) ** exponent
    costs: Array = np.where(sizes > 0.0, np.minimum(np.maximum(walked, root * np.sqrt(sizes)), 1.0), 0.0)
    return costs


def closing_growth(sizes: Array, least: float, detect: float, floor: float, pace: float) -> Array:
    r"""Give :math:`\sqrt{\max(1, H(Q) / H_0)} - 1,\; H(Q) = detect + \max(floor, Q / pace)` for each size.

    The fast form of `ClosingTime.growth`, which has the definition.

    Parameters
    ----------
    sizes : array        Quote units, 0 or more.
    least, detect, floor : hours   H_0, and the two of the curve.
    pace : quote         Closed per hour.
    """
    hours = detect + np.maximum(floor, sizes / pace)
    growth: Array = np.sqrt(np.maximum(1.0, hours / least)) - 1.0
    return growth
