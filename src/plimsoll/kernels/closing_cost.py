"""What does closing cost for many sizes at once?"""

import numpy as np

from plimsoll.types import Array

__all__ = ["closing_costs"]


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
