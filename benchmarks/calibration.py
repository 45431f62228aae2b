"""How fast is the live calibrator, beside refitting from scratch, and how fast is a walk over eight years?

Thirty markets with a year of hours behind them take one bar at a time: absorb, then propose. The peer does
what a calibration without a state would: absorb the whole year again. Drawn bars; no file is needed.
"""

import time
from collections.abc import Callable

import numpy as np

from plimsoll.calibration import absorb, begin, propose
from plimsoll.calibration.policies import DEFAULT, RATE_POLICIES
from plimsoll.calibration.series import rate_series
from plimsoll.domain.bars import HOUR, Bars
from plimsoll.domain.parameters import PerPosition, Provenance
from plimsoll.domain.settings import CalibrationSettings

__all__ = ["main"]

MARKETS = tuple(f"M{place:02}" for place in range(30))
YEAR = 8_760
UPDATES = 50
NOWHERE = Provenance(program="benchmark", settings="", inputs=())


def drawn(markets: tuple[str, ...], hours: int) -> Bars:
    """Draw bars whose volatility comes and goes."""
    generator = np.random.default_rng(1)
    shape = (hours, len(markets))
    swing = 0.005 * np.exp(0.6 * np.sin(np.arange(hours) / 400.0))[:, None]
    close = 100.0 * np.exp(np.cumsum(swing * generator.standard_t(4, shape), axis=0))
    opened = np.vstack([close[:1], close[:-1]])
    wide = np.exp(swing * generator.exponential(0.5, shape))
    high, low = np.maximum(opened, close) * wide, np.minimum(opened, close) / wide
    times = HOUR * np.arange(hours, dtype=np.int64)
    return Bars(markets, HOUR, times, opened, high, low, close, generator.exponential(9.0, shape))


def seconds(work: Callable[[], object], repeats: int) -> float:
    """Take the least time of so many runs."""
    found = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return min(found)


def main() -> None:
    """Print the figures and their ratio."""
    bars = drawn(MARKETS, YEAR + UPDATES)
    known = bars.between(0, YEAR * HOUR)
    state = absorb(begin(MARKETS, CalibrationSettings()), known)
    _, state = propose(state, PerPosition, NOWHERE)
    pieces = [bars.between(int(end) - HOUR, int(end)) for end in bars.ends[YEAR:]]
    taken = []
    for piece in pieces:
        start = time.perf_counter()
        state = absorb(state, piece)
        middle = time.perf_counter()
        _, state = propose(state, PerPosition, NOWHERE)
        taken.append((middle - start, time.perf_counter() - middle))
    absorbing, proposing = np.median(np.array(taken[5:]), axis=0) * 1e3 / len(MARKETS)
    scratch = seconds(lambda: absorb(begin(MARKETS, CalibrationSettings()), known), 2) * 1e3 / len(MARKETS)
    print(f"a market's bar, absorbed: {absorbing:.3f} ms; its rates, published: {proposing:.3f} ms")
    print(f"the same from scratch, a year again: {scratch:.1f} ms, {scratch / absorbing:,.0f} times as long")
    years = drawn(("ONE",), 8 * YEAR)
    walk = seconds(lambda: rate_series(years, RATE_POLICIES[DEFAULT]), 2)
    print(f"eight years of hours of one market with {DEFAULT}: {walk:.1f} s")


if __name__ == "__main__":
    main()
