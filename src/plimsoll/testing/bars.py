"""Where do tests get bars that are wild, full of holes, and the same for the same seed?"""

from dataclasses import replace

import numpy as np

from plimsoll.domain.bars import HOUR, Bars
from plimsoll.types import Flags

__all__ = ["START", "holed", "joined", "rows_of", "same_up_to", "wild_bars"]

START = 1_577_836_800_000
"""1 January 2020, 00:00 UTC."""
_GRAIN = 8
"""Prices drawn within each bar, from which its high and low are taken."""


def wild_bars(
    seed: int,
    count: int,
    *,
    markets: tuple[str, ...] = ("BTC", "ETH"),
    length: int = HOUR,
    start: int = START,
    first: float = 5_000.0,
    volatility: float = 0.01,
) -> Bars:
    """Draw bars whose volatility comes and goes, with common fat-tailed moves and a jump now and then."""
    generator = np.random.default_rng(seed)
    wide = len(markets)
    swing = 1.0 + 0.8 * np.sin(np.arange(count * _GRAIN) / (11.0 * _GRAIN))[:, None]
    common = generator.standard_t(3, (count * _GRAIN, 1))
    own = generator.standard_t(4, (count * _GRAIN, wide))
    jumps = (generator.random((count * _GRAIN, 1)) < 0.02 / _GRAIN) * generator.normal(
        0.0, 6.0, (count * _GRAIN, 1)
    )
    scale = volatility * np.sqrt(length / HOUR / _GRAIN)
    moves = scale * swing * (0.7 * common + 0.6 * own + jumps)
    prices = first / (1.0 + 20.0 * np.arange(wide)) * np.exp(np.cumsum(moves, axis=0))
    grains = prices.reshape(count, _GRAIN, wide)
    close = grains[:, -1]
    opened = np.vstack([grains[:1, 0], close[:-1]])
    return Bars(
        markets=markets,
        length=length,
        times=start + length * np.arange(count, dtype=np.int64),
        open=opened,
        high=np.maximum(grains.max(axis=1), opened),
        low=np.minimum(grains.min(axis=1), opened),
        close=close,
        volume=generator.exponential(80.0, (count, wide)),
    )


def holed(bars: Bars, seed: int, share: float) -> Bars:
    """Take whole rows out, and blank stretches of single markets."""
    generator = np.random.default_rng(seed)
    blank = generator.random(bars.close.shape) < share
    blank[1:] |= blank[:-1] & (generator.random(bars.close[1:].shape) < 0.7)
    keep = generator.random(len(bars)) >= share / 2.0
    keep[0] = True

    def masked(prices: np.ndarray) -> np.ndarray:
        return np.where(blank, np.nan, prices)

    return rows_of(
        replace(
            bars,
            open=masked(bars.open),
            high=masked(bars.high),
            low=masked(bars.low),
            close=masked(bars.close),
            volume=masked(bars.volume),
        ),
        keep,
    )


def rows_of(bars: Bars, chosen: Flags | slice) -> Bars:
    """Keep some rows."""
    return replace(
        bars,
        times=bars.times[chosen],
        open=bars.open[chosen],
        high=bars.high[chosen],
        low=bars.low[chosen],
        close=bars.close[chosen],
        volume=bars.volume[chosen],
    )


def joined(first: Bars, second: Bars) -> Bars:
    """Put two pieces of one length and the same markets behind each other."""
    return replace(
        first,
        times=np.append(first.times, second.times),
        open=np.vstack([first.open, second.open]),
        high=np.vstack([first.high, second.high]),
        low=np.vstack([first.low, second.low]),
        close=np.vstack([first.close, second.close]),
        volume=np.vstack([first.volume, second.volume]),
    )


def same_up_to(bars: Bars, row: int, other: Bars) -> Bars:
    """Keep the rows before `row`, and take the rest from other bars."""
    return joined(rows_of(bars, slice(0, row)), rows_of(other, slice(row, None)))
