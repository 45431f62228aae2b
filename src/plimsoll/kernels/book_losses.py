"""What does every account of a book lose in its worst scenarios?

Positions are compressed sparse rows: those of account a are `first[a]` up to, not including, `last[a]`.
Nothing of size accounts x scenarios is ever held: profits are added up in registers, and the lowest kept.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from plimsoll.kernels.lanes import (
    LANES,
    MOST_BLOCKS,
    below,
    lowest_sum,
    moments,
    neighbours,
    on_lines,
    rows_on_lines,
    store_sums,
)
from plimsoll.kernels.lowest import KEPT, keep_lowest, take_lowest
from plimsoll.types import Array, Matrix, Rows, Vector

__all__ = [
    "PositionRows",
    "book_shortfalls",
    "book_shortfalls_definition",
    "book_worst",
    "book_worst_definition",
    "few_shortfalls",
    "few_worst",
    "strips_for_shortfall",
    "strips_for_worst",
    "tail_mean",
]

_STRIP_BLOCKS = (0,) * MOST_BLOCKS
_STRIP = LANES * MOST_BLOCKS
_MOST_LONE = 2
"""Scenarios beyond whole vectors that are cheaper one by one."""
_ACCOUNTS_TOGETHER = 2048
"""Accounts that are passed through strip by strip, so that a strip stays in the cache meanwhile."""
_ROWS_TOGETHER = 512
"""The same where all profits of each are held, which have to stay there too."""
_MOST_KEPT = LANES * KEPT // 2
"""Longest tail for which lanes that keep so many of the lowest seldom miss one."""


class PositionRows(NamedTuple):
    """Positions of all accounts in compressed sparse rows.

    Attributes
    ----------
    first, last : Rows [A]   Positions of account a are ``first[a]`` up to, not including, ``last[a]``.
    columns : int32 [P]      Row of the price table that each position is in.
    quantity : Vector [P]    Signed, in units of the table's instruments.
    """

    first: Rows
    last: Rows
    columns: NDArray[np.int32]
    quantity: Vector


def book_worst_definition(
    first: Rows, last: Rows, columns: NDArray[np.int32], quantity: Vector, change: Matrix, accounts: Rows
) -> Vector:
    r"""Find the worst scenario of each account.

    .. math:: L_a = \max_s \Big(-\sum_{p \in a} q_p\, \Delta_{c_p, s}\Big)

    Parameters
    ----------
    first, last : Rows [A]; columns : int32 [P]; quantity : Vector [P]
    change : Matrix [I, S]   Profit per unit of each instrument.
    accounts : Rows [B]      Which to answer for.

    Returns
    -------
    Vector [B]   A gain in every scenario is a negative loss; an account without positions loses 0.
    """
    held = [slice(first[a], last[a]) for a in accounts]
    return np.array([-(quantity[rows] @ change[columns[rows]]).min() for rows in held], dtype=np.float64)


def book_shortfalls_definition(
    first: Rows,
    last: Rows,
    columns: NDArray[np.int32],
    quantity: Vector,
    change: Matrix,
    accounts: Rows,
    tail: int,
) -> Vector:
    r"""Average each account's largest losses: :math:`ES_a = \frac{1}{k} \sum_{j \le k} L_{a, (j)}`."""
    held = [slice(first[a], last[a]) for a in accounts]
    losses = [np.sort(-(quantity[rows] @ change[columns[rows]])) for rows in held]
    return np.array([loss[-tail:].mean() for loss in losses], dtype=np.float64)


def strips_for_worst(change: Matrix) -> tuple[Array, Matrix, tuple[int, ...], tuple[int, ...]]:
    """Cut a table into what `book_worst` reads.

    Returns
    -------
    array [N, I, W]    Strips of whole vectors. Where they are wider than the table its last scenario is
                       repeated, so no account sees anything new.
    Matrix [I, R]      The last scenarios by themselves, where few of them would need a vector more.
    tuple, tuple       A zero for each vector of a strip, and for each of the R.
    """
    lone = change.shape[1] % LANES if change.shape[1] > LANES else 0
    lone = lone if lone <= _MOST_LONE else 0
    wide = change[:, : change.shape[1] - lone]
    vectors = -(-wide.shape[1] // LANES)
    count = -(-vectors // MOST_BLOCKS)
    blocks = -(-vectors // count)
    strips = _strips(np.pad(wide, _missing(wide, count * blocks * LANES), mode="edge"), count)
    return strips, change[:, change.shape[1] - lone :].copy(), (0,) * blocks, (0,) * lone


def strips_for_shortfall(change: Matrix) -> Array:
    """Cut a table into strips for `book_shortfalls`: array [N, I, W], with scenarios of 0 after the last."""
    count = -(-change.shape[1] // _STRIP)
    return _strips(np.pad(change, _missing(change, count * _STRIP)), count)


def _missing(change: Matrix, width: int) -> tuple[tuple[int, int], tuple[int, int]]:
    return (0, 0), (0, width - change.shape[1])


def _strips(wide: Matrix, count: int) -> Array:
    """Put a strip's rows side by side: a power of two between them would crowd a few sets of the cache."""
    return on_lines(wide.reshape(len(wide), count, -1).transpose(1, 0, 2))


@njit(cache=True, parallel=True)
def book_worst(
    held: PositionRows,
    strips: Array,
    lone: Matrix,
    accounts: Rows,
    blocks: tuple[int, ...],
    singles: tuple[int, ...],
) -> Vector:
    """`book_worst_definition` over strips from `strips_for_worst`, one pass over positions per strip."""
    found = np.empty(len(accounts))
    for group in prange(_groups(len(accounts))):
        chosen = slice(group * _ACCOUNTS_TOGETHER, (group + 1) * _ACCOUNTS_TOGETHER)
        few_worst(held, strips, lone, accounts[chosen], blocks, singles, found[chosen])
    return found


@njit(cache=True, nogil=True)
def few_worst(
    held: PositionRows,
    strips: Array,
    lone: Matrix,
    accounts: Rows,
    blocks: tuple[int, ...],
    singles: tuple[int, ...],
    found: Vector,
) -> None:
    """`book_worst` on one thread, into `found`: Vector [B]."""
    for b in range(len(accounts)):
        start, stop = held.first[accounts[b]], held.last[accounts[b]]
        lowest = lowest_sum(strips[0], lone, held.columns, held.quantity, start, stop, blocks, singles)
        for strip in range(1, len(strips)):
            next_lowest = lowest_sum(
                strips[strip], lone, held.columns, held.quantity, start, stop, blocks, ()
            )
            lowest = min(lowest, next_lowest)
        found[b] = -lowest


@njit(cache=True, parallel=True)
def book_shortfalls(
    held: PositionRows,
    strips: Array,
    accounts: Rows,
    scenarios: int,
    tail: int,
) -> Vector:
    """`book_shortfalls_definition` over strips from `strips_for_shortfall`, with so many real `scenarios`."""
    found = np.empty(len(accounts))
    for group in prange(_groups(len(accounts))):
        chosen = slice(group * _ACCOUNTS_TOGETHER, (group + 1) * _ACCOUNTS_TOGETHER)
        few_shortfalls(held, strips, accounts[chosen], scenarios, tail, found[chosen])
    return found


@njit(cache=True)
def few_shortfalls(
    held: PositionRows,
    strips: Array,
    accounts: Rows,
    scenarios: int,
    tail: int,
    found: Vector,
) -> None:
    """`book_shortfalls` on one thread, into `found`: Vector [B].

    Only the lowest profits of each account are kept; where some may be missing, and for long tails, all of
    an account's profits are written down and searched.
    """
    if tail <= _MOST_KEPT:
        left = _answer_from_lowest(held, strips, accounts, scenarios, tail, found)
    else:
        left = np.arange(len(accounts))
    for start in range(0, len(left), _ROWS_TOGETHER):
        some = left[start : start + _ROWS_TOGETHER]
        _answer_from_all(held, strips, accounts, some, scenarios, tail, found)


@njit(cache=True)
def _answer_from_lowest(
    held: PositionRows,
    strips: Array,
    accounts: Rows,
    scenarios: int,
    tail: int,
    found: Vector,
) -> Rows:
    """Answer where the lanes kept the whole tail; give the other places in `accounts`."""
    columns, quantity = held.columns, held.quantity
    count, width = len(accounts), strips.shape[2]
    kept = rows_on_lines(count, LANES * KEPT)
    kept[:] = math.inf
    for strip in range(len(strips)):
        real = min(width, scenarios - strip * width)
        for b in range(count):
            a = accounts[b]
            keep_lowest(
                strips[strip], columns, quantity, held.first[a], held.last[a], real, kept[b], _STRIP_BLOCKS
            )
    left = np.empty(count, dtype=np.intp)
    missed = 0
    for b in range(count):
        total, highest, bound = take_lowest(kept[b], tail)
        found[b] = -total / tail
        if not (highest <= bound or len(strips) == 1):
            left[missed] = b
            missed += 1
    return left[:missed]


@njit(cache=True)
def _answer_from_all(
    held: PositionRows,
    strips: Array,
    accounts: Rows,
    some: Rows,
    scenarios: int,
    tail: int,
    found: Vector,
) -> None:
    """Answer for some places of `accounts` from rows of all their profits, held at once."""
    columns, quantity = held.columns, held.quantity
    width = strips.shape[2]
    summed = len(strips) * width
    profits = rows_on_lines(len(some), summed + LANES)  # not a power of two: see `_strips`
    for strip in range(len(strips)):
        place = strip * width
        for row, b in enumerate(some):
            a = accounts[b]
            sums = profits[row, place : place + width]
            store_sums(strips[strip], columns, quantity, held.first[a], held.last[a], sums, _STRIP_BLOCKS)
    for row, b in enumerate(some):
        found[b] = -tail_mean(profits[row, :summed], scenarios, tail)


@njit(cache=True)
def _groups(accounts: int) -> int:
    return (accounts + _ACCOUNTS_TOGETHER - 1) // _ACCOUNTS_TOGETHER


@njit(cache=True)
def tail_mean(row: Vector, scenarios: int, tail: int) -> float:
    r"""Average the `tail` smallest of the first `scenarios` values of a row without sorting them.

    A threshold is moved until nearly `tail` values lie below it; the few too many or too few are then taken
    one by one.
    The same values are averaged as in the definition, in another order.

    Parameters
    ----------
    row : Vector [W]   W a multiple of `STRIDE`; zero from `scenarios` on, and infinite there afterwards.
    """
    threshold, scale = _guess(row, scenarios, tail)
    row[scenarios:] = math.inf
    lower, fewer, upper, more = -math.inf, 0.0, math.inf, float(scenarios)
    count, total = below(row, threshold)
    for _ in range(_MOST_GUESSES):
        if abs(count - tail) <= _CLOSE:
            break
        if count < tail:
            lower, fewer = threshold, count
        else:
            upper, more = threshold, count
        threshold = _next_guess(scale, lower, fewer, upper, more, tail)
        count, total = below(row, threshold)
    if count < tail:
        total += _raised(row, threshold, tail - count)
    elif count > tail:
        total -= _lowered(row, threshold, count, count - tail)
    return total / tail


_CLOSE = 1.0
"""Values too many or too few below the threshold that are cheaper to take by themselves than to search on."""
_MOST_GUESSES = 12
"""Rows of many equal values never come close; after so many guesses their values are taken one by one."""


@njit(cache=True)
def _guess(row: Vector, scenarios: int, tail: int) -> tuple[float, float]:
    """Place the threshold as in a normal sample, and say how fast that sample thins out there."""
    total, squares = moments(row)
    mean = total / scenarios
    deviation = math.sqrt(max(squares / scenarios - mean * mean, 0.0))
    reach = math.sqrt(2.0 * math.log(scenarios / tail + 1.0))
    return mean - deviation * (reach - math.log(4.0 * math.pi * reach) / (2.0 * reach)), deviation / reach


@njit(cache=True)
def _next_guess(scale: float, lower: float, fewer: float, upper: float, more: float, tail: int) -> float:
    """Move where the logarithm of the count would reach the tail's: it falls nearly linearly outwards."""
    if upper == math.inf:
        return lower + scale * max(0.25, math.log(tail / (fewer + 0.5)))
    if lower == -math.inf:
        return upper - scale * max(0.25, math.log(more / tail))
    share = (math.log(tail) - math.log(fewer + 0.5)) / (math.log(more) - math.log(fewer + 0.5))
    return lower + (upper - lower) * min(max(share, 0.05), 0.95)


@njit(cache=True)
def _raised(row: Vector, threshold: float, missing: float) -> float:
    """Add up the next `missing` values at or above a threshold, equal ones counted each."""
    added = 0.0
    count, _ = below(row, threshold)
    while missing > 0.0:
        _, value = neighbours(row, threshold)
        if missing == 1.0:
            return added + value
        threshold = np.nextafter(value, math.inf)
        reached, _ = below(row, threshold)
        taken = min(reached - count, missing)
        added, missing, count = added + taken * value, missing - taken, reached
    return added


@njit(cache=True)
def _lowered(row: Vector, threshold: float, count: float, surplus: float) -> float:
    """Add up the `surplus` largest values below a threshold, equal ones counted each."""
    removed = 0.0
    while surplus > 0.0:
        value, _ = neighbours(row, threshold)
        if surplus == 1.0:
            return removed + value
        threshold = value
        left, _ = below(row, threshold)
        taken = min(count - left, surplus)
        removed, surplus, count = removed + taken * value, surplus - taken, left
    return removed
