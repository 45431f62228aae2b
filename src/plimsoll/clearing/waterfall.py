"""Who pays what closed accounts still owe?"""

from dataclasses import dataclass

import numpy as np

from plimsoll.clearing.apportion import apportion
from plimsoll.types import Quanta

__all__ = ["Payments", "pay_shortfall"]


@dataclass(frozen=True, slots=True)
class Payments:
    """How a shortfall is met, in quote quanta; the three parts sum to it exactly.

    Attributes
    ----------
    fund : int              From the insurance fund.
    winners : Quanta [A]    From each account in profit.
    uncovered : int         From nobody: the venue owes it.
    """

    fund: int
    winners: Quanta
    uncovered: int


def pay_shortfall(shortfall: int, fund: int, profit: Quanta, equity: Quanta) -> Payments:
    """Take from the fund first, then from winners in proportion to their profit.

    Nobody pays more than the profit on open positions, nor more than its equity; together they pay no more
    than what the fund left open.

    Parameters
    ----------
    shortfall : int           >= 0.
    fund : int                Balance of the fund.
    profit, equity : Quanta [A]   Unrealised profit and equity of every account that may be asked.
    """
    from_fund = min(shortfall, max(fund, 0))
    left = shortfall - from_fund
    capacity = np.maximum(np.minimum(profit, equity), 0)
    from_winners = min(left, sum(map(int, capacity)))
    return Payments(from_fund, apportion(from_winners, capacity), left - from_winners)
