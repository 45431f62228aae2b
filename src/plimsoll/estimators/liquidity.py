"""How deep is a market's book, how wide, how fast does it refill, and which way does it lean?

Streaming equals batch: updating snapshot by snapshot gives what one update over all gives. Every figure at t
rests on snapshots up to t only. A crossed book, one out of order, a second one of the same moment and one
that has been stuck for long are counted and left out; a one-sided or empty book counts as the lack of depth
that it is.
"""

from dataclasses import dataclass, replace

import numpy as np

from plimsoll.domain.liquidity import LiquiditySettings, OrderBooks
from plimsoll.kernels.decay import decayed_sums
from plimsoll.kernels.order_book import CROSSED, book_measures, walked_costs
from plimsoll.types import Array, Flags, Matrix, Times, Vector

__all__ = ["LiquidityEstimate", "LiquidityState", "begin_liquidity", "estimate_liquidity", "update_liquidity"]

_SECOND = 1000.0
_LEAST_PAIRS = 30
"""Pairs of snapshots from which on a half-life of depth is told."""


@dataclass(frozen=True, slots=True)
class LiquidityState:
    """What the estimate remembers.

    Attributes
    ----------
    time : int           Of the last snapshot in order, milliseconds; -1 before the first.
    changed : int        When its content last changed.
    last : OrderBooks or None   That snapshot.
    counted : int        Time of the last snapshot that was counted; -1 before the first.
    sums : Matrix [2, K]   Of samples and weights, from `decayed_sums`.
    depth : float        Last depth next to the mid as a logarithm, for resilience; NaN before the first.
    pairs : Vector [6]   Count, seconds, and sums of x, y, xx, xy over successive depths x, y.
    refused : Vector [4]   Snapshots left out: crossed, out of order, of the same moment, stuck.
    """

    time: int
    changed: int
    last: OrderBooks | None
    counted: int
    sums: Matrix
    depth: float
    pairs: Vector
    refused: Vector


@dataclass(frozen=True, slots=True)
class LiquidityEstimate:
    """What the book is like; NaN where it is not known.

    Attributes
    ----------
    spread : float           Best ask less best bid, share of the mid.
    depth : Matrix [2, K]    Bids and asks within each band, quote units.
    reach : float            Mean distance of the farthest level seen from the mid: beyond it depth is only a
                             lower bound.
    lean : float             Bids less asks over both, within the first band: between -1 and 1.
    order_flow : float       Mean order-flow imbalance per snapshot over the mean size of the best levels.
    half_life : float        Seconds in which half of a loss of depth is refilled.
    cost : Vector [G]        Mean cost of walking the dearer side for each size, share of the mid.
    coverage : Vector [G]    Share of sound books that show enough depth for the size, the recent ones more.
    stale : bool             The last snapshot has not changed for too long.
    crossed, disordered, doubled, stuck : int   Snapshots left out, by reason.
    """

    spread: float
    depth: Matrix
    reach: float
    lean: float
    order_flow: float
    half_life: float
    cost: Vector
    coverage: Vector
    stale: bool
    crossed: int
    disordered: int
    doubled: int
    stuck: int


def begin_liquidity(settings: LiquiditySettings) -> LiquidityState:
    """Start without any assumption."""
    columns = _columns(settings)
    return LiquidityState(
        -1, -1, None, -1, np.zeros((2, columns)), np.nan, np.zeros(6), np.zeros(4, dtype=np.int64)
    )


def update_liquidity(state: LiquidityState, settings: LiquiditySettings, books: OrderBooks) -> LiquidityState:
    """Absorb T snapshots."""
    if len(books) == 0:
        return state
    newest = np.maximum.accumulate(np.append(state.time, books.times))[:-1]
    ordered = books.times > newest
    doubled = int(np.count_nonzero(books.times == newest))
    refused = state.refused + np.array([0, np.count_nonzero(~ordered) - doubled, doubled, 0])
    books = books.rows(ordered)
    if len(books) == 0:
        return replace(state, refused=refused)
    changed = _changed(state, books)
    stuck = books.times - changed > settings.stuck_seconds * _SECOND
    measures = book_measures(books.bids, books.asks, np.array(settings.bands))
    usable = ~stuck & (measures[3] != CROSSED)
    refused = refused + np.array([np.count_nonzero(~stuck & (measures[3] == CROSSED)), 0, 0, stuck.sum()])
    after = replace(
        state, time=int(books.times[-1]), changed=int(changed[-1]), last=books.rows(slice(-1, None))
    )
    after = replace(after, refused=refused)
    if not usable.any():
        return after
    samples = _samples(state, settings, books, measures)[usable]
    times = books.times[usable]
    elapsed = np.diff(times, prepend=times[0] if state.counted < 0 else state.counted) / _SECOND
    sums = decayed_sums(samples, elapsed, settings.memory_seconds, state.sums)
    depth, pairs = _paired(state, measures[2][usable], elapsed)
    return replace(after, counted=int(times[-1]), sums=sums, depth=depth, pairs=pairs)


def estimate_liquidity(state: LiquidityState, settings: LiquiditySettings) -> LiquidityEstimate:
    """Read the estimate from the state."""
    bands, sizes = len(settings.bands), len(settings.sizes)
    mean = np.divide(state.sums[0], state.sums[1], out=np.full(state.sums.shape[1], np.nan),
                     where=state.sums[1] > 0.0)  # fmt: skip
    weight = state.sums[1]
    first = 4 + 2 * bands
    sound = max(float(weight[0]), np.finfo(np.float64).tiny)
    best = float(mean[3])
    return LiquidityEstimate(
        spread=float(mean[0]),
        depth=mean[4:first].reshape(2, bands),
        reach=float(mean[1]),
        lean=float((mean[4] - mean[4 + bands]) / max(mean[4] + mean[4 + bands], np.finfo(np.float64).tiny)),
        order_flow=float(mean[2] / best) if best > 0.0 else np.nan,
        half_life=_half_life(state.pairs),
        cost=mean[first : first + sizes],
        coverage=weight[first:] / sound,
        stale=state.time - state.changed > settings.stuck_seconds * _SECOND,
        crossed=int(state.refused[0]),
        disordered=int(state.refused[1]),
        doubled=int(state.refused[2]),
        stuck=int(state.refused[3]),
    )


def _columns(settings: LiquiditySettings) -> int:
    return 4 + 2 * len(settings.bands) + len(settings.sizes)


def _changed(state: LiquidityState, books: OrderBooks) -> Times:
    """Say when the content of each snapshot last changed: Times [T]."""
    first = books.rows(slice(0, 1)) if state.last is None else state.last
    since = books.times[0] if state.last is None else state.changed
    same = np.ones(len(books), dtype=np.bool_)
    for now, before in ((books.bids, first.bids), (books.asks, first.asks)):
        alike = before.shape[1] == now.shape[1]
        same[0] &= alike
        earlier = np.concatenate([before if alike else now[:1], now[:-1]])
        same &= ((now == earlier) | (np.isnan(now) & np.isnan(earlier))).all(axis=(1, 2))
    changed: Times = np.maximum.accumulate(np.where(same, since, books.times))
    return changed


def _samples(
    state: LiquidityState,
    settings: LiquiditySettings,
    books: OrderBooks,
    measures: tuple[Vector, Vector, Array, Vector],
) -> Matrix:
    """Put everything that is averaged into columns: spread, reach, flow, best size, depths, costs."""
    mid, spread, depth, _ = measures
    sizes = np.array(settings.sizes)
    sides = (walked_costs(books.bids, mid, sizes), walked_costs(books.asks, mid, sizes))
    seen = np.stack([_reach(books.bids, mid), _reach(books.asks, mid)]).min(axis=0)
    flow, best = _order_flow(state, books)
    return np.column_stack(
        [spread, seen, flow, best, depth.reshape(len(books), -1), np.maximum(sides[0], sides[1])]
    )


def _reach(levels: Array, mid: Vector) -> Vector:
    away = np.abs(levels[:, :, 0] - mid[:, None]) / mid[:, None]
    there = _there(levels)
    farthest = np.where(there, away, -np.inf).max(axis=1, initial=-np.inf)
    return np.where(np.isfinite(farthest), farthest, np.nan)


def _there(levels: Array) -> Flags:
    price, size = levels[:, :, 0], levels[:, :, 1]
    there: Flags = (price > 0.0) & (size > 0.0) & np.isfinite(price) & np.isfinite(size)
    return there


def _order_flow(state: LiquidityState, books: OrderBooks) -> tuple[Vector, Vector]:
    r"""Give the order-flow imbalance of each snapshot and the mean size of its best levels, base units.

    .. math:: e = 1_{b \ge b'} q_b - 1_{b \le b'} q_b' - 1_{a \le a'} q_a + 1_{a \ge a'} q_a'

    Source: Cont, Kukanov and Stoikov (2014), The price impact of order book events.
    """
    bids, asks = books.bids[:, 0], books.asks[:, 0]
    first = books if state.last is None else state.last
    before = np.concatenate([first.bids[:1, 0], bids[:-1]]), np.concatenate([first.asks[:1, 0], asks[:-1]])
    bought = np.where(bids[:, 0] >= before[0][:, 0], bids[:, 1], 0.0)
    bought = bought - np.where(bids[:, 0] <= before[0][:, 0], before[0][:, 1], 0.0)
    sold = np.where(asks[:, 0] <= before[1][:, 0], asks[:, 1], 0.0)
    sold = sold - np.where(asks[:, 0] >= before[1][:, 0], before[1][:, 1], 0.0)
    known = np.isfinite(bids + asks + before[0] + before[1]).all(axis=1)
    if state.last is None:
        known[0] = False
    return np.where(known, bought - sold, np.nan), np.where(known, 0.5 * (bids[:, 1] + asks[:, 1]), np.nan)


def _paired(state: LiquidityState, depth: Array, elapsed: Vector) -> tuple[float, Vector]:
    """Add successive depths, as logarithms of what lies within the first band on both sides, to the sums."""
    total = depth[:, :, 0].sum(axis=1)
    logs = np.log(np.where(total > 0.0, total, np.nan))
    before = np.append(state.depth, logs[:-1])
    known = np.isfinite(before) & np.isfinite(logs)
    pairs = state.pairs.copy()
    for x, y, seconds in zip(before[known], logs[known], elapsed[known], strict=True):
        pairs += (1.0, seconds, x, y, x * x, x * y)
    return float(logs[-1]), pairs


def _half_life(pairs: Vector) -> float:
    r"""Give the time after which half of a deviation of depth is left: :math:`-\ln 2\, \Delta / \ln \rho`.

    0 where successive depths have nothing in common, infinite where depth does not return.
    """
    count, seconds, x, y, xx, xy = pairs
    if count < _LEAST_PAIRS:
        return float("nan")
    spread = xx - x * x / count
    slope = (xy - x * y / count) / spread if spread > 0.0 else 1.0
    if slope >= 1.0:
        return float("inf")
    return float(-np.log(2.0) * (seconds / count) / np.log(slope)) if slope > 0.0 else 0.0
