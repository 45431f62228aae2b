"""How much of which position is sold now, and at what price?"""

from dataclasses import dataclass

import numpy as np

from plimsoll.clearing.apportion import apportion
from plimsoll.domain.cost_curve import MEAN_OF_ROOT, CostCurve
from plimsoll.types import Flags, Lots, Vector

__all__ = [
    "Liquidity",
    "Slice",
    "expected_cost",
    "hours_to_sell",
    "reduction",
    "slices",
    "wanted_lots",
]

LARGEST_IMPACT = 0.5
"""No slice moves the price by more than half: beyond it the square-root law says nothing."""

_LARGEST_MEAN = MEAN_OF_ROOT * LARGEST_IMPACT


@dataclass(frozen=True, slots=True)
class Liquidity:
    """What a market can take.

    Attributes
    ----------
    curves : tuple of CostCurve [I]   Of each instrument now, with sizes in lots.
    depth : Vector [I]    Share of its normal depth that is left.
    hours : float         In which what is sold now is sold.
    budget : Vector [I]   Lots that forced selling may take now, in each direction.
    """

    curves: tuple[CostCurve, ...]
    depth: Vector
    hours: float
    budget: Vector

    @property
    def volume(self) -> Vector:
        """Lots traded per hour [I]."""
        return np.array([curve.volume for curve in self.curves])


@dataclass(frozen=True, slots=True)
class Slice:
    """Forced trades of many accounts in one instrument and direction, all at one price.

    Attributes
    ----------
    column : int            Instrument, on the I axis.
    lots : Lots [B]         Signed lots that each liquidated account trades: negative sells.
    price_factor : float    Average price over the mark.
    displacement : float    Signed relative move from the mark to the price at the end of the slice.
    """

    column: int
    lots: Lots
    price_factor: float
    displacement: float


def reduction(
    equity: Vector, maintenance: Vector, gross: Vector, cost: Vector, full: Flags, target: float
) -> Vector:
    r"""Find the share of every position to sell so that equity regains the health target.

    .. math:: E - f\, c\, G = \tau (1 - f) M \;\Rightarrow\; f = \frac{\tau M - E}{\tau M - c\, G}

    Selling all positions in proportion keeps hedges whole. The requirement of a share of a book is at most
    that share of the requirement, so the target is reached or passed.

    Parameters
    ----------
    equity, maintenance, gross : Vector [B]   Quote quanta; gross is the notional of all positions.
    cost : Vector [B]     Expected cost of selling, fee included, share of notional.
    full : Flags [B]      Accounts of which everything is sold.
    target : float        Health target, multiple of maintenance.

    Returns
    -------
    Vector [B]   Between 0 and 1; 1 where selling costs more margin than it frees.
    """
    short = target * maintenance - equity
    freed = target * maintenance - cost * gross
    share = np.divide(short, freed, out=np.ones_like(short), where=freed > 0.0)
    return np.where(full, 1.0, np.clip(share, 0.0, 1.0))


def wanted_lots(lots: Lots, share: Vector) -> Lots:
    """Turn shares into whole lots to trade, rounded towards selling more, against each position's sign.

    Parameters
    ----------
    lots : Lots [B, I]   Positions.
    share : Vector [B]   From `reduction`.

    Returns
    -------
    Lots [B, I]   Signed trades; never larger than the position.
    """
    held = np.abs(lots)
    reduced: Lots = np.minimum(np.ceil(held * share[:, None]).astype(np.int64), held)
    return -np.sign(lots) * reduced


def slices(wanted: Lots, liquidity: Liquidity) -> tuple[Slice, ...]:
    r"""Cut what is wanted down to what the market takes, and price it by its cost curve.

    .. math:: displacement = move_{d,t}(Q), \quad average\ cost = cost_{d,t}(Q)

    as `CostCurve` defines them: at the depth that is left, in the time since the last tick.

    All accounts in one direction of one instrument share one slice, in proportion to what they want and at
    one price: no account's result depends on the order of accounts.

    Parameters
    ----------
    wanted : Lots [B, I]   Signed trades.
    """
    made = []
    for column in range(wanted.shape[1]):
        for sign in (-1, 1):
            sizes = np.maximum(sign * wanted[:, column], 0)
            taken = min(int(sizes.sum()), int(liquidity.budget[column]))
            if taken > 0:
                lots = sign * apportion(taken, sizes)
                made.append(_priced(column, lots, taken, sign, liquidity))
    return tuple(made)


def hours_to_sell(wanted: Lots, pace: Vector) -> Vector:
    r"""Say how long the market would need for the slowest position of each account, all accounts together.

    .. math:: t_b = \max_{i : q_{bi} \ne 0} \frac{\sum_a |q_{ai}|}{pace_i}

    with the sum over the accounts that trade in the same direction.

    Parameters
    ----------
    wanted : Lots [B, I]   Signed trades.
    pace : Vector [I]      Lots that forced selling may take per hour.

    Returns
    -------
    Vector [B]   Hours; infinite where a market does not trade.
    """
    slowest = np.zeros(len(wanted))
    for sign in (-1, 1):
        sizes = np.maximum(sign * wanted, 0)
        total = sizes.sum(axis=0, dtype=np.float64)
        hours = np.divide(total, pace, out=np.where(total > 0.0, np.inf, 0.0), where=pace > 0.0)
        slowest = np.maximum(slowest, np.where(sizes > 0, hours, 0.0).max(axis=1, initial=0.0))
    return slowest


def expected_cost(liquidity: Liquidity) -> Vector:
    """Estimate the cost of selling when the whole budget of a column is used: share of notional [I]."""
    return np.array([_paid(liquidity, column, lots) for column, lots in enumerate(liquidity.budget.tolist())])


def _priced(column: int, lots: Lots, taken: int, sign: int, liquidity: Liquidity) -> Slice:
    move = liquidity.curves[column].move(taken, float(liquidity.depth[column]), liquidity.hours)
    price = 1.0 + sign * _paid(liquidity, column, taken)
    return Slice(column, lots, price, sign * min(move, LARGEST_IMPACT))


def _paid(liquidity: Liquidity, column: int, lots: float) -> float:
    paid = liquidity.curves[column].paid(lots, float(liquidity.depth[column]), liquidity.hours)
    return min(paid, _LARGEST_MEAN)
