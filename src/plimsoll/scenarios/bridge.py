"""How are the minutes of an hour drawn when only its open, high, low and close are known?

Within each coarse bar the log price is a Brownian bridge from open to close, run on a clock of uneven speed.
Of several draws the one whose extremes come nearest to the known ones is kept, and the parts of it that leave
the span between open and close are stretched so that the extremes are met. Method, assumptions and failure
modes are on the page docs/theory/scenario-bridge.md.
"""

import math

import numpy as np

from plimsoll.domain.bars import Bars
from plimsoll.scenarios.motion import STEP, check_length, check_seed, pinned, summarise, with_extremes
from plimsoll.types import Array, Matrix, Times, Vector

__all__ = ["ACTIVITY", "CORRELATION", "bridge"]

CORRELATION = 0.8
"""Correlation of any two markets' noise: minutes of BTC and ETH had 0.77 in a calm week, 0.88 in a crash."""
ACTIVITY = 0.8
"""Standard deviation of the log of the clock's speed: gives minute returns the fat tails of those days."""
_MEMORY = 20
"""Steps after which the clock's speed has forgotten most: ten minutes."""
_DRAWS = 16
"""Draws to choose from, twice: more bring the extremes nearer before stretching, but little is gained."""
_RANGE_WEIGHT = 0.5
_TREND_WEIGHT = 2.0 * math.log(2.0) - 1.0
"""Weights of the Garman-Klass variance: 0.5 * range**2 - (2 ln 2 - 1) * (close - open)**2, in logs."""


def bridge(coarse: Bars, length: int, seed: int) -> Bars:
    """Draw bars of `length` within coarse bars, keeping every coarse open, high, low and close exactly.

    Parameters
    ----------
    coarse : Bars   Hourly or daily bars, say; [T, M].
    length : int    Length of the bars to draw, milliseconds: whole minutes that divide the coarse length.
    seed : int      Not negative. The same seed draws the same bars.

    Returns
    -------
    Bars   [T * coarse.length / length, M]; NaN wherever the coarse bar is. The volume is spread evenly.

    Each coarse bar is drawn from its own figures, its opening time and the seed alone, so that more coarse
    bars before or after change nothing; and at any `length` the bars are made of the same points.
    """
    check_length(length, coarse.length)
    check_seed(seed)
    count = coarse.length // length
    open_, high, low, close = (np.empty((len(coarse) * count, len(coarse.markets))) for _ in range(4))
    for row, time in enumerate(coarse.times):
        generator = np.random.default_rng(np.random.SeedSequence((seed, int(time))))
        known = coarse.open[row], coarse.high[row], coarse.low[row], coarse.close[row]
        points = _points(*known, steps=coarse.length // STEP, generator=generator)
        here = slice(row * count, (row + 1) * count)
        open_[here], high[here], low[here], close[here] = summarise(points, count)
    return Bars(
        markets=coarse.markets,
        length=length,
        times=_times(coarse.times, length, count),
        open=open_,
        high=high,
        low=low,
        close=close,
        volume=np.repeat(coarse.volume / count, count, axis=0),
    )


def _times(coarse: Times, length: int, count: int) -> Times:
    return (coarse[:, None] + length * np.arange(count)).ravel()


def _points(
    open_: Vector, high: Vector, low: Vector, close: Vector, *, steps: int, generator: np.random.Generator
) -> Matrix:
    """Draw prices [3 * steps + 1, M] within one coarse bar; NaN for a market without one."""
    trend, top, bottom = np.log(close / open_), np.log(high / open_), np.log(low / open_)
    scale = np.sqrt(np.maximum(_RANGE_WEIGHT * (top - bottom) ** 2 - _TREND_WEIGHT * trend**2, 0.0))
    clock = _clock(steps, generator)
    common = pinned(generator.standard_normal((steps, _DRAWS, 1)), clock)
    own = pinned(generator.standard_normal((steps, _DRAWS, len(open_))), clock)
    line = clock[:, None, None] * trend
    shared, single = math.sqrt(CORRELATION) * scale, math.sqrt(1.0 - CORRELATION) * scale
    best = _misfit(line + shared * common + single * own[:, :1], top, bottom).sum(axis=1).argmin()
    candidates = line + shared * common[:, [best]] + single * own
    chosen = _misfit(candidates, top, bottom).argmin(axis=0)
    drawn = np.take_along_axis(candidates, chosen[None, None, :], axis=1)[:, 0]
    visited = with_extremes(drawn, np.diff(clock)[:, None] * scale**2, generator)
    return _pin_extremes(_stretched(visited, trend, top, bottom), open_, high, low, close)


def _clock(steps: int, generator: np.random.Generator) -> Vector:
    """Draw the share [steps + 1] of the bar's activity that has passed at each point, from 0 to 1."""
    kernel = np.exp(-np.arange(4 * _MEMORY) / _MEMORY)
    noise = generator.standard_normal(steps + len(kernel) - 1)
    speed = np.exp(ACTIVITY * np.convolve(noise, kernel / np.linalg.norm(kernel), mode="valid"))
    passed = np.concatenate(([0.0], np.cumsum(speed)))
    return np.asarray(passed / passed[-1])


def _misfit(paths: Array, top: Vector, bottom: Vector) -> Matrix:
    """Say how far the extremes of paths [N + 1, K, M] lie from the known ones, in ranges squared: [K, M]."""
    span = np.where(top > bottom, top - bottom, 1.0)
    miss = (paths.max(axis=0) - top) ** 2 + (paths.min(axis=0) - bottom) ** 2
    return np.asarray(np.nan_to_num(miss / span**2))


def _stretched(path: Matrix, trend: Vector, top: Vector, bottom: Vector) -> Matrix:
    """Stretch what lies above and below the span of open and close, so that the extremes are the known ones.

    Between open and close nothing changes. Where the open or the close is itself an extreme, what lies beyond
    it is reflected.
    """
    upper, lower = np.maximum(trend, 0.0), np.minimum(trend, 0.0)
    above, below = np.maximum(path - upper, 0.0), np.maximum(lower - path, 0.0)
    stretched: Matrix = np.clip(path, lower, upper)
    stretched += _factor(above, top - upper) * above
    stretched -= _factor(below, lower - bottom) * below
    return stretched


def _factor(beyond: Matrix, room: Vector) -> Vector:
    reach = beyond.max(axis=0)
    return np.asarray(np.where(room > 0.0, room / np.where(reach > 0.0, reach, 1.0), -1.0))


def _pin_extremes(path: Matrix, open_: Vector, high: Vector, low: Vector, close: Vector) -> Matrix:
    """Turn log prices [N + 1, M] into prices with the known ends and extremes, to the last bit.

    Rounding moves a price by some 1e-16 of itself; a draw that never left the span of open and close, which
    hardly happens, makes one point the extreme.
    """
    prices = np.clip(open_ * np.exp(path), low, high)
    columns = np.arange(path.shape[1])
    inner = np.nan_to_num(path[1:-1])
    highest, lowest = inner.argmax(axis=0) + 1, inner.argmin(axis=0) + 1
    prices[highest, columns] = np.where(high > np.maximum(open_, close), high, prices[highest, columns])
    prices[lowest, columns] = np.where(low < np.minimum(open_, close), low, prices[lowest, columns])
    prices[0], prices[-1] = open_, close
    return prices
