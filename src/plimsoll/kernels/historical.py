"""Which loss does a history of profits exceed rarely, and how large is it then on average?"""

import math

import numpy as np

from plimsoll.types import Vector

__all__ = ["historical_risk", "historical_risk_definition"]

_RANK_SLACK = 1e-9
"""100 * 0.07 is 7.000000000000001 in floats; the rank must not jump to 8."""


def historical_risk_definition(profits: Vector, share: float) -> tuple[float, float]:
    r"""Read quantile and expected shortfall off the worst profits.

    With :math:`x_{(1)} \le \dots \le x_{(n)}` and :math:`k = \lceil n p \rceil`,

    .. math:: q_p = x_{(k)}, \qquad ES_p = \frac{1}{k} \sum_{j=1}^{k} x_{(j)}

    Parameters
    ----------
    profits : Vector [T]   Losses are negative; any unit of money.
    share : float          p in (0, 1], such as 0.01.

    Returns
    -------
    quantile, shortfall : float   Both profits: negative where money is lost.

    Source: historical simulation as rating agencies and clearing houses publish it (order statistics, no
    interpolation).
    """
    ordered = sorted(profits)
    rank = max(1, math.ceil(len(ordered) * share - _RANK_SLACK))
    return float(ordered[rank - 1]), math.fsum(ordered[:rank]) / rank


def historical_risk(profits: Vector, share: float) -> tuple[float, float]:
    """`historical_risk_definition` by selection instead of sorting."""
    rank = max(1, math.ceil(len(profits) * share - _RANK_SLACK))
    worst = np.partition(profits, rank - 1)[:rank]
    return float(worst[rank - 1]), float(worst.mean())
