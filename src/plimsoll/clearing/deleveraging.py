"""Against whom are the positions of bankrupt accounts closed when nobody else takes them?

Queue-based: whoever has gained most with most leverage is asked first. It is here to be compared with the
payment in proportion to profit (`waterfall.pay_shortfall`): it closes positions and not only debts, and it
asks a few for much instead of all for little.
"""

from dataclasses import dataclass

import numpy as np

from plimsoll.clearing.apportion import apportion, parts_down
from plimsoll.types import Lots, Matrix, Quanta, Vector

__all__ = ["Match", "Winners", "deficit_by_position", "match", "queue_scores"]

_LARGEST = 2**63 - 1
"""Beyond it the queue is summed with Python's integers, which do not overflow."""


@dataclass(frozen=True, slots=True)
class Winners:
    """Who can be asked in one instrument.

    Attributes
    ----------
    lots : Lots [A]         Positions.
    profit : Quanta [A]     Unrealised profit of the position.
    capacity : Quanta [A]   What each account can give at most: the lesser of all its profit and its equity.
    score : Vector [A]      From `queue_scores`; the highest is asked first.
    """

    lots: Lots
    profit: Quanta
    capacity: Quanta
    score: Vector


@dataclass(frozen=True, slots=True)
class Match:
    """One instrument and direction, settled: what winners give up is what bankrupt accounts are spared.

    Attributes
    ----------
    lots : Lots [B]        Signed trades of the bankrupt accounts, each closing or shrinking its position.
    spared : Quanta [B]    What each gets above the mark's value.
    winner_lots : Lots [A]   Signed trades of those on the other side.
    given_up : Quanta [A]    What each of them gives up against the mark's value.
    """

    lots: Lots
    spared: Quanta
    winner_lots: Lots
    given_up: Quanta


def queue_scores(profit: Vector, cost: Vector, gross: Vector, equity: Vector) -> Vector:
    r"""Rank accounts for the queue.

    .. math:: score = \frac{profit}{|cost|} \cdot \frac{gross}{equity}

    Parameters
    ----------
    profit, cost : Vector [A]    Of the position in the instrument, quote quanta.
    gross, equity : Vector [A]   Of the whole account, quote quanta.

    Returns
    -------
    Vector [A]   Zero where profit, cost or equity is not positive.

    Source: auto-deleveraging as perpetual venues document it (return on the position times leverage).
    """
    sound = (profit > 0.0) & (cost != 0.0) & (equity > 0.0)
    gain = np.divide(profit, np.abs(cost), out=np.zeros_like(profit), where=sound)
    leverage = np.divide(gross, equity, out=np.zeros_like(profit), where=sound)
    return gain * leverage


def deficit_by_position(deficit: Quanta, notional: Matrix) -> Quanta:
    """Divide what each account lacks over its positions, in proportion to their notional.

    Parameters
    ----------
    deficit : Quanta [B]       Above 0.
    notional : Matrix [B, I]   Of the positions that can be closed this way; the others zero.

    Returns
    -------
    Quanta [B, I]   Sums to `deficit` over each row that has a position; the largest takes what rounding left.
    """
    gross = np.abs(notional)
    total = gross.sum(axis=1, keepdims=True)
    weights = np.divide(gross, total, out=np.zeros_like(gross), where=total > 0.0)
    shares: Quanta = np.floor(deficit[:, None] * weights).astype(np.int64)
    held = np.flatnonzero(total[:, 0] > 0.0)
    largest = gross[held].argmax(axis=1)
    shares[held, largest] += deficit[held] - shares[held].sum(axis=1)
    return shares


def match(closing: Lots, deficit: Quanta, winners: Winners) -> Match:
    r"""Close one instrument's bankrupt positions of one direction against the queue.

    Each bankrupt account closes at its own bankruptcy price, those in the queue at the average of these:

    .. math:: price = mark \mp \frac{\sum_b d_b}{\sum_b |q_b|}

    Whoever is asked gives up no more per lot than the position has gained per lot, and no more in all than
    its capacity; whoever has gained less is passed over. Where the queue is too short, the bankrupt accounts
    share it in proportion to their size.

    Parameters
    ----------
    closing : Lots [B]      Signed trades that would close the positions, all of one sign or zero.
    deficit : Quanta [B]    What each lacks on this position.
    winners : Winners [A]

    Returns
    -------
    Match   With zeros where nobody can be asked.
    """
    wanted = np.abs(closing)
    sign = int(np.sign(closing.sum()))
    total = int(wanted.sum())
    per_lot = -(-sum(map(int, deficit)) // total) if total > 0 else 0
    available = _available(winners, sign, per_lot)
    some = np.flatnonzero(available)
    order = some[np.lexsort((some, -np.abs(winners.lots[some]), -winners.score[some]))]
    taken = np.zeros_like(available)
    taken[order] = _first(available[order], total)
    matched = int(taken.sum())
    closed = apportion(matched, wanted)
    spared = parts_down(deficit, closed, wanted)
    excess = max(sum(map(int, spared)) - matched * per_lot, 0)
    spared = spared - apportion(excess, spared)
    given_up = apportion(sum(map(int, spared)), taken)
    return Match(sign * closed, spared, -sign * taken, given_up)


def _available(winners: Winners, sign: int, per_lot: int) -> Lots:
    """Count the lots that each account on the other side can close at the price."""
    held = np.abs(winners.lots)
    opposite = (np.sign(winners.lots) == sign) & (winners.score > 0.0)
    gained = opposite & (winners.profit // np.maximum(held, 1) >= per_lot)
    affordable = np.maximum(winners.capacity, 0) // per_lot if per_lot > 0 else held
    available: Lots = np.where(gained, np.minimum(held, affordable), 0)
    return available


def _first(available: Lots, total: int) -> Lots:
    """Serve a queue in order until the total is reached."""
    offered = np.minimum(available, total)
    fits = total * max(len(offered), 1) <= _LARGEST
    before = np.cumsum(offered if fits else offered.astype(object)) - offered
    served: Lots = np.clip(total - before, 0, offered).astype(np.int64)
    return served
