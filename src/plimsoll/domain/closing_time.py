"""How does what a position is asked for grow with the time that closing it takes?"""

from collections.abc import Iterable
from math import sqrt
from typing import Annotated

from msgspec import Meta, Struct

from plimsoll.domain.cost_curve import LARGEST_COST, CostCurve

__all__ = ["ClosingTime"]


class ClosingTime(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    r"""A rate covers moves within one horizon; a large position takes longer to close than that.

    .. math:: share(Q) = \min\Big(1,\; r\,\Big(\sqrt{\max(1, H(Q) / H_0)} - 1\Big)\Big), \qquad
        H(Q) = detect + \max(floor, Q / (\phi V)), \quad H_0 = \max(base, H(0))

    is what comes on top of a rate r, as a share of the size Q: nothing up to where closing takes as long as
    the rate covers, continuous there, non-decreasing in size and rate, non-increasing in volume. What is
    held, :math:`Q\,share(Q)`, is convex up to where the share is one. The root is how
    quantiles of excursions grow with the horizon; docs/theory/horizon.md has the measurement.

    Attributes
    ----------
    base_hours : hours      Horizon of the excursions that the rates cover.
    participation : share   phi: of the volume, that closing is thought to be.
    """

    base_hours: Annotated[float, Meta(gt=0.0, le=24.0 * 365)]
    participation: Annotated[float, Meta(gt=0.0, lt=1.0)]

    def least_hours(self, curve: CostCurve) -> float:
        """Give H_0: what the rates cover, or the least time that closing anything takes."""
        return max(self.base_hours, curve.detect_hours + curve.floor_hours)

    def growth(self, curve: CostCurve, size: float) -> float:
        """Give by how much of itself a rate grows for a size: 0 up to where closing outlasts H_0."""
        hours = curve.horizon_hours(abs(size), self.participation)
        return sqrt(max(1.0, hours / self.least_hours(curve))) - 1.0

    def share(self, curves: Iterable[CostCurve], size: float, rate: float) -> float:
        """Give what comes on top of the rate, by the slowest of the curves."""
        return min(LARGEST_COST, rate * max(self.growth(curve, size) for curve in curves))
