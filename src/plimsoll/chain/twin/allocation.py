"""How is a shortfall divided among winners on chain, a few accounts at a time and exact to the unit?

Twin of the allocation in `ClearingHouse.vy`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from plimsoll.chain.twin.reverts import Part

__all__ = ["Allocation"]


@dataclass
class Allocation(Part):
    """How far an allocation has come; shares are cut from the running sum of weights."""

    under_way: bool = False
    spots: Sequence[int] = ()
    weighed: int = 0
    charged: int = 0
    weight: int = 0
    running: int = 0
    allocated: int = 0
    weights: dict[int, int] = field(default_factory=dict)

    def weigh(self, capacity: int) -> None:
        """Note what the next account can pay."""
        self.weights = {**self.weights, self.weighed: capacity}
        self.weight += capacity
        self.weighed += 1

    def charge(self, total: int) -> int:
        r"""Give the share of the next account of a total L.

        .. math::
            share_i = \lfloor L W_i / W \rfloor - \lfloor L W_{i-1} / W \rfloor, \quad W_i = w_0 + \dots + w_i

        The shares sum to L, and as L <= W none exceeds its weight.
        """
        share = 0
        if self.weight != 0:
            self.running += self.weights[self.charged]
            share = total * self.running // self.weight - self.allocated
        self.allocated += share
        self.charged += 1
        return share
