"""What does it cost to close a position of a given size, and how long does that take?"""

from typing import Annotated

from msgspec import Meta, Struct

__all__ = ["LARGEST_COST", "CostCurve"]

LARGEST_COST = 1.0
"""Closing costs at most the whole value."""

Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Positive = Annotated[float, Meta(gt=0.0)]


class CostCurve(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    r"""One market's liquidity, behind every figure that depends on size.

    .. math:: walk_\delta(Q) = h\,\delta^{-\beta} + s \Big(\frac{Q}{\delta Q_0}\Big)^\beta, \qquad
        cost(Q) = \min\Big(1, \max\big(walk_\delta(Q),\; Y \sigma \sqrt{Q / V}\big)\Big)

    with :math:`\delta` the share of normal depth that is left under stress. The first term walks the book,
    the second is what a patient seller pays; the dearer one counts. Non-decreasing in size, volatility and
    Y, non-increasing in depth and volume.

    Attributes
    ----------
    half_spread : share       h: from the mid to the best price.
    slope : share             s: mean cost beyond it of walking the book for the reference size.
    reference : quote         Q_0.
    exponent : float          beta: 1 for a flat book; above 1 where depth thins out away from the mid.
    volatility : log          sigma, per square root of an hour.
    volume : quote            V, traded per hour.
    impact : factor           Y of the square-root law.
    stressed_depth : share    delta, above 0.
    participation : share     Of the volume that selling may be.
    detect_hours, floor_hours : hours   Until selling begins, and the least time that is allowed for it.

    Source: Toth and others (2011) and Almgren and others (2005) for the root; the walk is fitted by
    `estimators.cost_curve`.
    """

    half_spread: Share
    slope: Annotated[float, Meta(ge=0.0)]
    reference: Positive
    exponent: Annotated[float, Meta(gt=0.0, le=4.0)]
    volatility: Annotated[float, Meta(ge=0.0)]
    volume: Positive
    impact: Annotated[float, Meta(ge=0.0, le=10.0)] = 0.7
    stressed_depth: Annotated[float, Meta(gt=0.0, le=1.0)] = 0.05
    participation: Annotated[float, Meta(gt=0.0, le=1.0)] = 0.1
    detect_hours: Annotated[float, Meta(ge=0.0)] = 0.05
    floor_hours: Annotated[float, Meta(ge=0.0)] = 1.0

    def walk(self, size: float, depth: float = 1.0) -> float:
        """Give the mean cost of taking the size from the book at once, with a share of normal depth."""
        if size <= 0.0:
            return 0.0
        thin: float = depth**-self.exponent
        deep: float = (size / self.reference) ** self.exponent
        return thin * (self.half_spread + self.slope * deep)

    def rooted(self, size: float) -> float:
        """Give the cost of selling the size into the flow: :math:`Y sigma sqrt(Q / V)`."""
        return float(self.impact * self.volatility * (max(size, 0.0) / self.volume) ** 0.5)

    def cost(self, size: float) -> float:
        """Give the cost of closing under stress, as a share of the size (quote units)."""
        return min(LARGEST_COST, max(self.walk(size, self.stressed_depth), self.rooted(size)))

    def add_on(self, size: float) -> float:
        """Give what a position must hold for its own size, quote units: :math:`Q cost(Q)`."""
        return max(size, 0.0) * self.cost(size)

    def largest_size(self, cost: float) -> float:
        """Give the largest size that closes at a cost: what open interest and slices are capped by.

        0 where even the spread costs more.
        """
        if cost >= LARGEST_COST:
            return float("inf")
        left = cost * self.stressed_depth**self.exponent - self.half_spread
        if left <= 0.0:
            return 0.0
        walked = rooted = float("inf")
        if self.slope > 0.0:
            walked = self.reference * (left / self.slope) ** (1.0 / self.exponent)
        if self.impact * self.volatility > 0.0:
            rooted = self.volume * (cost / (self.impact * self.volatility)) ** 2
        return float(min(walked, rooted))

    def horizon_hours(self, size: float) -> float:
        r"""Give the time in which a position is closed: detection plus :math:`\max(floor, Q / (\phi V))`."""
        return self.detect_hours + max(self.floor_hours, max(size, 0.0) / (self.participation * self.volume))

    def pace(self, hours: float, cost: float) -> float:
        """Give the size that may be sold in so many hours: no more than the flow takes or the cost allows."""
        return min(self.participation * self.volume * hours, self.largest_size(cost))
