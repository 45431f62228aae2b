"""How long does an eight-year hourly walk-forward of one market take, beside refitting every hour?

The peer is what a desk writes first: pandas and NumPy, the whole history anew at every decision. It is timed
on decisions spread evenly over the history, and its total is their mean times the number of decisions. Both
read the same drawn bars; nothing is compiled within the time that is shown.
"""

import time

import numpy as np
import pandas as pd

from plimsoll.backtest.assessment import assess
from plimsoll.backtest.walk import Target
from plimsoll.backtest.walkforward import walk_one
from plimsoll.calibration.policies import DEFAULT, RATE_POLICIES
from plimsoll.domain.bars import HOUR, Bars
from plimsoll.types import Matrix, Vector

__all__ = ["main"]

HOURS = 8 * 365 * 24
SAMPLED = 60
"""Decisions at which the peer is timed."""
WINDOWS = 17_520
HORIZON = 4
LEVEL = 0.995
AGES = (1, 6, 24, 168, 720)
FIRST = 1_483_228_800_000
GRAINS = 6


def drawn_bars() -> Bars:
    """Draw hours whose volatility wanders slowly, from fat-tailed steps."""
    generator = np.random.default_rng(1)
    wander = np.zeros(HOURS)
    noise = 0.05 * generator.standard_normal(HOURS)
    for hour in range(1, HOURS):
        wander[hour] = 0.995 * wander[hour - 1] + noise[hour]
    scale = 0.006 * np.exp(wander) / np.sqrt(GRAINS)
    path = np.cumsum((scale[:, None] * generator.standard_t(4, (HOURS, GRAINS))).ravel())
    grains = path.reshape(HOURS, GRAINS)
    opened = np.concatenate(([0.0], grains[:-1, -1]))

    def prices(logs: Vector) -> Matrix:
        return np.asarray(10_000.0 * np.exp(logs - path.mean()))[:, None]

    return Bars(
        markets=("DRAWN",),
        length=HOUR,
        times=FIRST + HOUR * np.arange(HOURS, dtype=np.int64),
        open=prices(opened),
        high=prices(np.maximum(grains.max(axis=1), opened)),
        low=prices(np.minimum(grains.min(axis=1), opened)),
        close=prices(grains[:, -1]),
        volume=100.0 * np.exp(wander + 0.3 * generator.standard_normal(HOURS))[:, None],
    )


def refit_from_scratch(bars: Bars, row: int) -> Vector:
    """Set both rates from the bars up to `row`: log-HAR by least squares, then the quantile of residuals.

    It has the cascade and no more: neither hour of day, volume and sign, nor guard. So it does less.
    """
    known = slice(0, row + 1)
    high, low = pd.Series(bars.high[known, 0]), pd.Series(bars.low[known, 0])
    close = pd.Series(bars.close[known, 0])
    variance = np.log(high / low) ** 2 / (4.0 * np.log(2.0)) + 1e-12
    columns = {age: np.log(variance.rolling(age).mean()) for age in AGES}
    ahead = np.log(variance[::-1].rolling(HORIZON).mean()[::-1].shift(-1))
    table = pd.DataFrame(columns).assign(constant=1.0)
    fitted = table.notna().all(axis=1) & ahead.notna()
    coefficients, *_ = np.linalg.lstsq(table[fitted].to_numpy(), ahead[fitted].to_numpy(), rcond=None)
    volatility = np.exp(0.5 * (table @ coefficients)) * np.sqrt(HORIZON)
    down = np.log(close / low[::-1].rolling(HORIZON).min()[::-1].shift(-1)).clip(lower=0.0)
    up = np.log(high[::-1].rolling(HORIZON).max()[::-1].shift(-1) / close).clip(lower=0.0)
    recent = slice(-WINDOWS, None)
    tails = [np.nanquantile((moves / volatility).to_numpy()[recent], LEVEL) for moves in (down, up)]
    rates: Vector = np.array(tails) * float(volatility.iloc[-1])
    return rates


def main() -> None:
    """Print the seconds of both and their ratio."""
    bars = drawn_bars()
    target = Target(horizon_hours=float(HORIZON), level=LEVEL)
    warm = bars.between(int(bars.times[0]), int(bars.ends[5_000]))
    assess(walk_one(warm, DEFAULT, RATE_POLICIES[DEFAULT], target), seed=1)
    print(f"{HOURS:,} hourly bars, {HORIZON} h at {LEVEL:.1%}, one process")
    for name, policy in RATE_POLICIES.items():
        walk_one(warm, name, policy, target)
        start = time.perf_counter()
        walk = walk_one(bars, name, policy, target)
        walked = time.perf_counter() - start
        start = time.perf_counter()
        assess(walk, seed=1)
        print(f"{name:24} {walked:7.2f} s to walk  {time.perf_counter() - start:6.2f} s to test", flush=True)
    start = time.perf_counter()
    walk_one(bars, DEFAULT, RATE_POLICIES[DEFAULT], target)
    ours = time.perf_counter() - start
    rows = np.linspace(1_000, HOURS - 1, SAMPLED).astype(int)
    start = time.perf_counter()
    for row in rows.tolist():
        refit_from_scratch(bars, row)
    each = (time.perf_counter() - start) / SAMPLED
    total = each * HOURS
    print(f"refitting from scratch   {1e3 * each:7.1f} ms a decision, {total / 3600.0:.1f} h for all")
    print(f"the default is {total / ours:,.0f} times faster; {1e6 * ours / HOURS:.1f} us a decision")


if __name__ == "__main__":
    main()
