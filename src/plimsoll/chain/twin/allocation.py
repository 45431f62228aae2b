"""How is a shortfall divided among winners on chain, a few accounts at a time and exact to the unit?

Twin of the allocation in `ClearingHouse.vy`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from plimsoll.chain.twin.constants import constants
from plimsoll.chain.twin.ledger import Ledger
from plimsoll.chain.twin.requirements import Requirements
from plimsoll.chain.twin.reverts import Message, Part, require

__all__ = ["PATIENCE", "Allocation", "begun"]

PATIENCE = constants("ClearingHouse")["PATIENCE"]
_MARKET_BITS = 13


@dataclass
class Allocation(Part):
    """How far an allocation has come; shares are cut from the running sum of weights."""

    under_way: bool = False
    spots: Sequence[int] = ()
    silent: frozenset[int] = frozenset()
    weighed: int = 0
    charged: int = 0
    weight: int = 0
    running: int = 0
    allocated: int = 0
    weights: dict[int, int] = field(default_factory=dict)

    def capacity(self, block: Message, margin: Requirements, ledger: Ledger, account: str) -> int:
        """Say what an account can pay: its gain, no more than it has; nothing in a silent market."""
        book = ledger.book(account)
        if any(instrument >> _MARKET_BITS in self.silent for instrument in book):
            return 0
        worth = margin.worth(block, book, self.spots)
        liquid = ledger.cash_of(account) + worth
        gain = liquid - ledger.basis.get(account, 0)
        return max(min(gain, liquid), 0) if worth != 0 else 0

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


def begun(block: Message, margin: Requirements) -> Allocation:
    """Hold all prices, and wait for those that are not live until the last one recorded is a day old."""
    spots, _ = margin.prices(block)
    readings = [margin.price(block, number) for number in range(len(margin.markets))]
    silent = [number for number, reading in enumerate(readings) if not reading.live]
    waited = all(block.timestamp > readings[number].time + PATIENCE for number in silent)
    require(waited, "house: no live price")
    return Allocation(under_way=True, spots=spots, silent=frozenset(silent))
