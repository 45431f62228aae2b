"""How long does it take to close this position, and how much variance passes until then?"""

from typing import Annotated

import numpy as np
from msgspec import Meta, Struct

from plimsoll.types import Vector

__all__ = ["HorizonSettings", "effective_hours", "excursion_scale"]


class HorizonSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What passes between the breach and the last sale.

    Attributes
    ----------
    detection_hours : hours   Heartbeat, finality and the keeper's delay.
    participation : share     Of traded volume that forced sales may be.
    least_hours : hours       No horizon is shorter: 1 for majors, 4 by default, 24 for the long tail.
    """

    detection_hours: Annotated[float, Meta(ge=0.0, le=24.0)] = 0.1
    participation: Annotated[float, Meta(gt=0.0, le=1.0)] = 0.075
    least_hours: Annotated[float, Meta(gt=0.0, le=720.0)] = 4.0


def effective_hours(size: float, volume_per_hour: float, settings: HorizonSettings) -> float:
    r"""Return the horizon of one position.

    .. math:: H = \max\left(H_{least},\; H_{detect} + \frac{|Q|}{\phi V_h}\right)

    Parameters
    ----------
    size, volume_per_hour : float   In the same unit. Without volume nothing can be sold: infinite.
    """
    if size == 0.0:
        return settings.least_hours
    if not volume_per_hour > 0.0:
        return float("inf")
    needed = settings.detection_hours + abs(size) / (settings.participation * volume_per_hour)
    return max(settings.least_hours, needed)


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
