"""What does it cost to close a position of a given size, and how long does that take?"""

from math import expm1, log, sqrt
from typing import Annotated

from msgspec import Meta, Struct, structs

__all__ = ["LARGEST_COST", "MEAN_OF_ROOT", "PER_CENT", "CostCurve", "flow_alone"]

LARGEST_COST = 1.0
"""Closing costs at most the whole value."""

MEAN_OF_ROOT = 2.0 / 3.0
"""Mean of the square root over [0, 1]: mean cost of selling along the root law over its last unit's."""

PER_CENT = 0.01
"""Depth is the notional that moves a price by so much."""

_SECONDS = 3600.0

Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Positive = Annotated[float, Meta(gt=0.0)]


class CostCurve(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    r"""One market's liquidity, behind every figure that depends on size.

    .. math:: walk_d(Q) = h\,d^{-\beta} + s \Big(\frac{Q}{d\,Q_0}\Big)^\beta, \qquad
        root(Q) = \tfrac{2}{3} Y \sigma \sqrt{Q / V}, \qquad
        cost_{d,t}(Q) = \min\big(1, \max(walk_d(Q\,u_t),\; root(Q))\big)

    is the mean cost of selling Q in a time t into a book of which a share d is left, and

    .. math:: move_{d,t}(Q) = \max\Big(h\,d^{-\beta} + (1 + \beta) s \Big(\frac{Q u_t}{d\,Q_0}\Big)^\beta,\;
        Y \sigma \sqrt{Q / V}\Big), \qquad u_t = \frac{1 - 2^{-t / \lambda}}{\ln 2 \cdot t / \lambda}

    how far its last unit is from the mid. The walk is what the book asks at once, the root what the flow
    asks of a patient seller; the dearer one counts. A book that refills with the half-life lambda
    is emptied only by the share u of what is sold evenly in t, at the end. Charges take the stressed share of
    depth and no time. Non-decreasing in size, volatility and Y, non-increasing in depth, volume and time.

    Attributes
    ----------
    half_spread : share       h: from the mid to the best price.
    slope : share             s: mean cost beyond it of walking the book for the reference size; 0 where no
                              book is known.
    reference : quote         Q_0.
    exponent : float          beta: 1 for a flat book; above 1 where depth thins out away from the mid.
    volatility : log          sigma, per square root of an hour.
    volume : quote            V, traded per hour.
    impact : factor           Y of the square-root law.
    stressed_depth : share    Of normal depth, that charges count on.
    half_life : seconds or None   lambda; None counts on no refill.
    detect_hours, floor_hours : hours   Until selling begins, and the least time that is allowed for it.

    Source: Toth and others (2011) and Almgren and others (2005) for the root, whose figure is the move at the
    end and so a half more than the mean; the walk is fitted by `estimators.cost_curve`.
    """

    half_spread: Share
    slope: Annotated[float, Meta(ge=0.0)]
    reference: Positive
    exponent: Annotated[float, Meta(gt=0.0, le=4.0)]
    volatility: Annotated[float, Meta(ge=0.0)]
    volume: Positive
    impact: Annotated[float, Meta(ge=0.0, le=10.0)] = 0.7
    stressed_depth: Annotated[float, Meta(gt=0.0, le=1.0)] = 0.05
    half_life: Annotated[float, Meta(gt=0.0, le=86_400.0)] | None = None
    detect_hours: Annotated[float, Meta(ge=0.0)] = 0.05
    floor_hours: Annotated[float, Meta(ge=0.0)] = 1.0

    def seen(self, volume: float, impact: float) -> "CostCurve":
        """Give the curve with the flow of a moment: quote per hour, and the move of selling that at once."""
        return structs.replace(self, volume=volume, volatility=impact, impact=1.0)

    def per(self, value: float) -> "CostCurve":
        """Give the curve with sizes counted in lots of so much value."""
        return structs.replace(self, reference=self.reference / value, volume=self.volume / value)

    def used(self, hours: float) -> float:
        """Give u: the share of what is sold evenly in a time that is missing from the book at its end."""
        if self.half_life is None or hours <= 0.0:
            return 1.0
        passed = hours * _SECONDS * log(2.0) / self.half_life
        return -expm1(-passed) / passed

    def walk(self, size: float, depth: float = 1.0) -> float:
        """Give the mean cost of taking the size from the book at once, with a share of normal depth."""
        return self._walked(size, depth, 1.0)

    def rooted(self, size: float) -> float:
        """Give the mean cost of selling the size into the flow."""
        return MEAN_OF_ROOT * self._root(size)

    def paid(self, size: float, depth: float, hours: float = 0.0) -> float:
        """Give the mean cost of selling in so many hours with a share of normal depth."""
        walked = self._walked(size * self.used(hours), depth, 1.0)
        return min(LARGEST_COST, max(walked, self.rooted(size)))

    def move(self, size: float, depth: float, hours: float = 0.0) -> float:
        """Give how far from the mid the last unit is sold."""
        walked = self._walked(size * self.used(hours), depth, 1.0 + self.exponent)
        return max(walked, self._root(size))

    def cost(self, size: float) -> float:
        """Give the cost of closing at once under stress, as a share of the size (quote units)."""
        return self.paid(size, self.stressed_depth)

    def add_on(self, size: float) -> float:
        """Give what a position must hold for its own size, quote units: :math:`Q cost(Q)`.

        Convex up to where closing costs everything.
        """
        return max(size, 0.0) * self.cost(size)

    def largest_size(self, cost: float, depth: float, hours: float = 0.0) -> float:
        """Give the largest size that costs no more: 0 where even the spread does."""
        if cost >= LARGEST_COST:
            return float("inf")
        return min(self._walks(cost, depth, 1.0) / self.used(hours), self._roots(cost / MEAN_OF_ROOT))

    def depth(self, share: float = 1.0) -> float:
        """Give the notional that moves the price by 1 % at once: in the book, or in the flow without one."""
        if self.slope > 0.0:
            return self._walks(PER_CENT, share, 1.0 + self.exponent)
        return self._roots(PER_CENT)

    def horizon_hours(self, size: float, participation: float) -> float:
        r"""Give the time in which a position is closed: detection plus :math:`\max(floor, Q / (\phi V))`."""
        if size <= 0.0:
            return self.detect_hours + self.floor_hours
        pace = participation * self.volume
        return self.detect_hours + max(self.floor_hours, size / pace if pace > 0.0 else float("inf"))

    def pace(self, hours: float, participation: float, cost: float | None, depth: float) -> float:
        """Give what may be sold in so many hours: as the flow takes, and as a limit of cost allows."""
        flow = self.volume * hours * participation
        return flow if cost is None else min(flow, self.largest_size(cost, depth, hours))

    def _walked(self, size: float, depth: float, times: float) -> float:
        if size <= 0.0:
            return 0.0
        thin: float = depth**-self.exponent
        deep: float = (size / self.reference) ** self.exponent
        return thin * (self.half_spread + times * self.slope * deep)

    def _walks(self, cost: float, depth: float, times: float) -> float:
        """Invert `_walked`."""
        left = cost * depth**self.exponent - self.half_spread
        if left <= 0.0:
            return 0.0
        if self.slope == 0.0:
            return float("inf")
        return float(self.reference * (left / (times * self.slope)) ** (1.0 / self.exponent))

    def _root(self, size: float) -> float:
        if size <= 0.0:
            return 0.0
        if self.volume <= 0.0:
            return float("inf")
        return float(self.impact * self.volatility * sqrt(size / self.volume))

    def _roots(self, move: float) -> float:
        """Invert `_root`; nothing can be sold where nothing is traded."""
        if self.volume <= 0.0:
            return 0.0
        scale = self.impact * self.volatility
        return float(self.volume * (move / scale) ** 2) if scale > 0.0 else float("inf")


def flow_alone(volume: float, impact: float) -> CostCurve:
    """Give the curve of a market of which no book is known: quote per hour, and the move of selling that."""
    return CostCurve(
        half_spread=0.0, slope=0.0, reference=1.0, exponent=1.0, volatility=impact, volume=volume, impact=1.0
    )
