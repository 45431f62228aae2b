"""How much of which position is sold now, and at what price?"""

from dataclasses import dataclass

import numpy as np

from plimsoll.clearing.apportion import apportion
from plimsoll.types import Flags, Lots, Vector

__all__ = [
    "Liquidity",
    "Slice",
    "expected_cost",
    "hours_to_sell",
    "largest_lots",
    "reduction",
    "slices",
    "wanted_lots",
]

LARGEST_IMPACT = 0.5
"""No slice moves the price by more than half: beyond it the square-root law says nothing."""

_MEAN_OF_ROOT = 2.0 / 3.0
"""Mean of the square root over [0, 1]: the average cost of a slice as a share of its last lot's."""


@dataclass(frozen=True, slots=True)
class Liquidity:
    """What a market can take.

    Attributes
    ----------
    volume : Vector [I]   Lots traded per hour.
    impact : Vector [I]   Relative price move from trading one hour's volume at once.
    budget : Vector [I]   Lots that forced selling may take now, in each direction.
    """

    volume: Vector
    impact: Vector
    budget: Vector


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
    r"""Cut what is wanted down to what the market takes, and price it by the square-root law.

    .. math:: displacement = Y \sqrt{Q / V}, \quad average\ cost = \tfrac{2}{3}\, displacement

    All accounts in one direction of one instrument share one slice, in proportion to what they want and at
    one price: no account's result depends on the order of accounts.

    Parameters
    ----------
    wanted : Lots [B, I]   Signed trades.

    Source: Almgren, Thum, Hauptmann and Li (2005); Toth et al. (2011) for the exponent.
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


def largest_lots(volume: Vector, impact: Vector, cost: float) -> Vector:
    r"""Give the largest slice whose mean cost stays within a limit, by the same law that prices slices.

    .. math:: \tfrac{2}{3} Y \sqrt{Q / V} \le c \;\Leftrightarrow\; Q \le V \Big(\frac{3 c}{2 Y}\Big)^2

    Parameters
    ----------
    volume, impact : Vector [I]   As in `Liquidity`; without impact there is no largest.
    cost : float                  c, share of the mark.
    """
    ratio = np.divide(cost / _MEAN_OF_ROOT, impact, out=np.full_like(impact, np.inf), where=impact > 0.0)
    largest: Vector = np.multiply(volume, ratio**2, out=np.zeros_like(volume), where=volume > 0.0)
    return largest


def expected_cost(liquidity: Liquidity) -> Vector:
    """Estimate the cost of selling when the whole budget of a column is used: share of notional [I]."""
    share = np.divide(
        liquidity.budget,
        liquidity.volume,
        out=np.zeros_like(liquidity.volume),
        where=liquidity.volume > 0.0,
    )
    cost: Vector = _MEAN_OF_ROOT * np.minimum(liquidity.impact * np.sqrt(share), LARGEST_IMPACT)
    return cost


def _priced(column: int, lots: Lots, taken: int, sign: int, liquidity: Liquidity) -> Slice:
    move = float(liquidity.impact[column]) * float(np.sqrt(taken / liquidity.volume[column]))
    move = min(move, LARGEST_IMPACT)
    return Slice(column, lots, 1.0 + sign * _MEAN_OF_ROOT * move, sign * move)
