r"""What is the most that a book can lose within a box of moves, whatever the Greeks leave out?

The bound cuts the way of spot into cells, from today outwards. Within a cell gamma and vega of every option
stay between two known values, so the book's curvature is nowhere below

.. math:: \kappa_c = \sum_i q_i F_i^2 \cdot (\text{least } \gamma_i \text{ if } q_i > 0, \text{ else largest})

and its profit nowhere below the curve that starts with today's slope and has curvature :math:`\kappa_c` in
cell c. A move of volatility from there adds at least :math:`\sum_i q_i \Delta\sigma_i` times the vega that is
worse for the book within cell and move. Long and short of one strike and expiry are netted first, calls with
puts: they share gamma and vega.
"""

import math

import numpy as np

from plimsoll.kernels.curvature import gamma_ranges, vega_ranges, worst_quadratics
from plimsoll.kernels.repricing import LINEAR
from plimsoll.pricing import Chain
from plimsoll.pricing.boxes import MoveBox
from plimsoll.pricing.greeks import UnitGreeks
from plimsoll.types import Array, Matrix, Rows, Vector

__all__ = ["LEGS", "STEP", "BoundedBox"]

STEP = 0.005
"""Width of a cell, a relative move: the narrower, the closer the bound and the longer it takes. Cells stand
on multiples of it, so that a wider range only adds to them and never asks for less."""

LEGS = 4
"""Pieces that a move of volatility is cut into, for the same reason."""


class BoundedBox:
    """A box of one underlying, with the ranges of gamma and vega worked out for any number of books."""

    def __init__(self, chain: Chain, underlying: int, box: MoveBox) -> None:
        self.box = box
        self.rows = np.flatnonzero(chain.underlying == underlying)
        self._forward = chain.forward[chain.slot[self.rows]]
        options = self.rows[chain.kind[self.rows] != LINEAR]
        self._options = options
        self._group, kept = _groups(chain, options)
        self._sides = tuple(
            _Side(chain, kept, box, edges) for edges in (_edges(box.low), _edges(box.high)) if len(edges) > 1
        ) or (_Side(chain, kept, box, np.zeros(2)),)

    def bound(self, quantity: Vector, unit: UnitGreeks) -> float:
        """Give the weighted loss that no move within the box exceeds; 0 where all gain."""
        slope = float(quantity[self.rows] @ (self._forward * unit.delta[self.rows]))
        net = np.zeros(len(self._sides[0].size))
        np.add.at(net, self._group, quantity[self._options])
        return self.box.weight * max(side.bound(slope, net) for side in self._sides)


class _Side:
    """The cells on one side of today's spot."""

    def __init__(self, chain: Chain, rows: Rows, box: MoveBox, edges: Vector) -> None:
        slot = chain.slot[rows]
        forward, root, worth = chain.forward[slot], np.sqrt(chain.tau[slot]), chain.discount[slot]
        k, sigma = np.log(forward / chain.strike[rows]), chain.volatility[rows]
        self.size = forward * worth
        self._edges = edges
        self._everywhere = box.everywhere
        self._gamma = gamma_ranges(k, sigma * root, edges[:-1], edges[1:])
        self._moves = []
        moved = box.volatility[:, rows]
        for move in moved[moved.any(axis=1)] / LEGS:
            legs = []
            for leg in range(LEGS):
                ends = [np.maximum(0.0, sigma + cut * move) * root for cut in (leg, leg + 1)]
                legs.append(vega_ranges(k, np.minimum(*ends), np.maximum(*ends), edges[:-1], edges[1:]))
            self._moves.append((move * chain.strike[rows] * root * worth, tuple(legs)))

    def bound(self, slope: float, net: Vector) -> float:
        """Follow the lower curve outwards; net is Vector [G], per strike and expiry."""
        curvature = _least(net * self.size, self._gamma)
        shift = np.zeros(len(curvature))
        for size, legs in self._moves:
            moved = np.cumsum([_least(net * size, vegas) for vegas in legs], axis=0)
            shift = np.minimum(shift, moved.min(axis=0))
        width = np.diff(self._edges)
        slopes = slope + np.append(0.0, np.cumsum(curvature * width)[:-1])
        profit = np.cumsum(slopes * width + 0.5 * curvature * width * width)
        if not self._everywhere:
            return max(0.0, -float(profit[-1] + shift[-1]))
        deepest = worst_quadratics(slopes, curvature, np.minimum(0.0, width), np.maximum(0.0, width))
        return max(0.0, float((deepest - np.append(0.0, profit[:-1]) - shift).max()))


def _groups(chain: Chain, options: Rows) -> tuple[Rows, Rows]:
    """Give each option's group, by expiry, strike and volatility, and one option of each group."""
    terms = np.stack([chain.slot[options], chain.strike[options], chain.volatility[options]])
    _, kept, group = np.unique(terms, axis=1, return_index=True, return_inverse=True)
    return group.ravel(), options[kept]


def _edges(end: float) -> Vector:
    """Cut the way from 0 to a move at multiples of `STEP`, towards either side."""
    steps = math.ceil(abs(end) / STEP)
    cut: Vector = np.copysign(np.append(np.arange(steps) * STEP, abs(end)), end)
    return cut


def _least(weight: Vector, ranges: tuple[Matrix, Matrix]) -> Array:
    """Add up the worse end of each range, Vector [C]: the least of what is held, else the largest."""
    least, largest = ranges
    long, short = np.flatnonzero(weight > 0.0), np.flatnonzero(weight < 0.0)
    total: Array = weight[long] @ least[long] + weight[short] @ largest[short]
    return total
