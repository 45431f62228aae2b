"""Which positions are reduced first, so that margin is relieved at the least cost?

In proportion is safe and dear: a hedge is sold with what it hedges, and the deep market no sooner than the
thin one. Here each step sells a part of the position, or of all of them, whose sale brings the account
nearest to its health target per unit of cost, with the whole portfolio margined anew every time.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from plimsoll.types import Array, Flags, Lots, Matrix, Vector

__all__ = ["Relief", "ReliefTerms", "choose_reductions", "ruined_share"]

PARTS = 8
"""A step sells an eighth of a position: fine enough to change over to the next one, coarse enough to end."""

HALVINGS = 12
"""The last step is cut back by bisection, to within 1/4,096 of itself."""


@dataclass(frozen=True, slots=True)
class ReliefTerms:
    """By what reductions are judged.

    Attributes
    ----------
    margin : callable      Lots [C, I] to maintenance requirement [C], quote quanta.
    cost : Vector [I]      Of selling one lot, quote quanta, above 0.
    profit : Matrix [S, I]   Scenarios: profit per lot, quote quanta. Linear in lots for options too, which
                           are repriced.
    target : float         Health target, multiple of maintenance.
    """

    margin: Callable[[Lots], Vector]
    cost: Vector
    profit: Matrix
    target: float

    def deficit(self, lots: Lots, equity: Array) -> Array:
        """Say how far accounts are from their health target: quote quanta, of the shape of `equity`."""
        needed = self.margin(lots.reshape(-1, lots.shape[-1])).reshape(equity.shape)
        deficit: Array = self.target * needed - equity
        return deficit

    def spent(self, trades: Lots) -> Array:
        """Give the cost of trades, one figure for each row of lots."""
        spent: Array = np.abs(trades) @ self.cost
        return spent


@dataclass(frozen=True, slots=True)
class Relief:
    """What was chosen.

    Attributes
    ----------
    trades : Lots [B, I]   Signed, against the positions.
    enough : Flags [B]     The health target is met, or maintenance was and nothing had to be done.
    """

    trades: Lots
    enough: Flags


def ruined_share(lots: Lots, equity: Array, profit: Matrix) -> Array:
    r"""Say in which share of the scenarios an account ends with less than nothing.

    .. math:: \frac{1}{S} \#\{s : E + \sum_i q_i \pi_{si} < 0\}

    Parameters
    ----------
    lots : Lots [..., I]; equity : array [...]
    profit : Matrix [S, I]   Profit per lot.
    """
    outcome = equity[..., None] + lots @ profit.T
    return np.asarray((outcome < 0.0).mean(axis=-1))


def choose_reductions(lots: Lots, equity: Vector, terms: ReliefTerms) -> Relief:
    r"""Choose what each account sells to regain its health target.

    With deficit :math:`D = \tau M(q) - E`, each step takes, of all candidates c that lower it,

    .. math:: \arg\max_c \frac{D(q, E) - D(q + c, E - k(c))}{k(c)}

    with k the cost. A candidate that would raise the share of scenarios in which the account is ruined is not
    taken. Exact at every step, greedy over the steps: a better sequence may exist. An account that meets its
    maintenance is not touched, and no position grows or changes sides.

    Parameters
    ----------
    lots : Lots [B, I]     Positions.
    equity : Vector [B]    Quote quanta.

    Returns
    -------
    Relief   Not enough where no step helps: the caller then sells everything.
    """
    trades, equity = np.zeros_like(lots), equity.astype(np.float64)
    enough: Flags = equity >= terms.margin(lots)
    ruin = ruined_share(lots, equity, terms.profit)
    going = np.flatnonzero(~enough)
    for _ in range(PARTS * lots.shape[1] + 1):
        if len(going) == 0:
            break
        held = lots[going] + trades[going]
        found, step = _best(held, equity[going], _steps(lots[going], held), terms, ruin[going])
        going, held, step = going[found], held[found], step[found]
        has, allowed = equity[going], ruin[going]
        met = terms.deficit(held + step, has - terms.spent(step)) <= 0.0
        step[met] = _cut_back(held[met], has[met], step[met], terms, allowed[met])
        trades[going] += step
        equity[going] -= terms.spent(step)
        enough[going[met]] = True
        going = going[~met]
    return Relief(trades, enough)


def _steps(lots: Lots, held: Lots) -> Lots:
    """List what can be sold next: an eighth of each position, and of all together: Lots [B, I + 1, I]."""
    part = -np.sign(held) * np.minimum(-(-np.abs(lots) // PARTS), np.abs(held))
    alone = part[:, :, None] * np.eye(lots.shape[1], dtype=np.int64)
    each: Lots = np.concatenate([alone, part[:, None, :]], axis=1)
    return each


def _best(held: Lots, equity: Vector, steps: Lots, terms: ReliefTerms, ruin: Vector) -> tuple[Flags, Lots]:
    """Find each account's best step, and whether there is any: Flags [B], Lots [B, I]."""
    spent = terms.spent(steps)
    after, left = held[:, None, :] + steps, equity[:, None] - spent
    gain = terms.deficit(held, equity)[:, None] - terms.deficit(after, left)
    allowed = (gain > 0.0) & (spent > 0.0) & (ruined_share(after, left, terms.profit) <= ruin[:, None])
    score = np.divide(gain, spent, out=np.full(gain.shape, -np.inf), where=allowed)
    return np.any(allowed, axis=1), steps[np.arange(len(steps)), score.argmax(axis=1)]


def _cut_back(held: Lots, equity: Vector, step: Lots, terms: ReliefTerms, ruin: Vector) -> Lots:
    """Shrink the step that meets the target to what is needed, by bisection."""
    low, high = np.zeros(len(held)), np.ones(len(held))
    for _ in range(HALVINGS if len(held) > 0 else 0):
        middle = 0.5 * (low + high)
        tried = _part_of(step, middle)
        left = equity - terms.spent(tried)
        suffices = terms.deficit(held + tried, left) <= 0.0
        suffices &= ruined_share(held + tried, left, terms.profit) <= ruin
        low, high = np.where(suffices, low, middle), np.where(suffices, middle, high)
    return _part_of(step, high)


def _part_of(step: Lots, share: Vector) -> Lots:
    """Take a share of a step, in whole lots rounded towards selling more."""
    part: Lots = np.sign(step) * np.ceil(np.abs(step) * share[:, None]).astype(np.int64)
    return part
