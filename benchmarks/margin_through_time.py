"""What does the guard cost and give on real hours: coverage, mean margin, its spread and its fastest rise?

Maintenance is published every hour for BTC, ETH and SOL, as a venue would, from bars of 2020 on, and judged
from 2021 on: did it cover the adverse excursion of the four hours that followed? Reads
``$PLIMSOLL_DATA/spot_1h_binance.parquet`` and takes some minutes; without the variable it says so and stops.
"""

import math
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from msgspec import structs

from plimsoll.calibration import absorb, begin, propose
from plimsoll.domain.bars import HOUR, Bars
from plimsoll.domain.parameters import PerPosition, Provenance
from plimsoll.domain.settings import CalibrationSettings, GuardSettings
from plimsoll.feeds.bars import read_bars
from plimsoll.types import Array, Matrix, Times

__all__ = ["main"]

MARKETS = ("BTC", "ETH", "SOL")
FIRST, JUDGED = 1_577_836_800_000, 1_609_459_200_000
"""1 January 2020 and 1 January 2021, 00:00 UTC."""
DAY = 24
HORIZON = 4

NO_GUARD = GuardSettings(
    stress_weight=0.0, floor_share=0.0, rise_per_hour=None, fall_half_life=0.0, notice_hours=0.0
)
NOWHERE = Provenance(program="benchmark", settings="", inputs=())


@dataclass(frozen=True)
class Published:
    """What was published at the end of each bar; arrays [T, M, 2], long and short."""

    maintenance: Array
    model: Array
    stressed: Array
    long_run: Array


def published(bars: Bars, guard: GuardSettings) -> Published:
    """Publish after every bar, from nothing but that bar and those before it."""
    state = begin(bars.markets, CalibrationSettings(guard=guard))
    first = int(np.searchsorted(bars.times, JUDGED)) - DAY
    state = absorb(state, bars.between(int(bars.times[0]), int(bars.times[first])))
    figures = np.full((len(bars), len(bars.markets), 2, 4), np.nan)
    for row in range(first, len(bars)):
        state = absorb(state, bars.between(int(bars.times[row]), int(bars.ends[row])))
        parameters, state = propose(state, PerPosition, NOWHERE)
        figures[row] = np.reshape(
            [(e.maintenance, e.model, e.stressed, e.long_run) for e in parameters.evidence],
            figures.shape[1:],
        )
    return Published(*np.moveaxis(figures, -1, 0))


def blended_in_rate(raw: Published, guard: GuardSettings) -> Array:
    """Guard the rate instead of the scale: blend, floor and speed limits on what the raw model asks."""
    weight, keep = guard.stress_weight, guard.keep_over(1.0)
    target = (1.0 - weight) * raw.model + weight * raw.stressed
    target = np.maximum(target, guard.floor_share * raw.long_run)
    rate = np.full_like(target, np.nan)
    last = np.full(target.shape[1:], np.nan)
    for row, goal in enumerate(target):
        limited = np.where(
            goal > last, np.minimum(goal, last * math.exp(guard.rise_speed)), goal + (last - goal) * keep
        )
        last = np.where(np.isnan(last), goal, limited)
        rate[row] = last
    return rate


def excursions(bars: Bars) -> Array:
    """Measure the adverse excursion of the four hours after each bar: [T, M, 2], shares of the close."""
    found = np.full((*bars.close.shape, 2), np.nan)
    for row in range(len(bars) - HORIZON):
        after = slice(row + 1, row + 1 + HORIZON)
        if bars.times[row + HORIZON] - bars.times[row] != HORIZON * HOUR:
            continue
        found[row, :, 0] = np.maximum(1.0 - bars.low[after].min(axis=0) / bars.close[row], 0.0)
        found[row, :, 1] = np.maximum(bars.high[after].max(axis=0) / bars.close[row] - 1.0, 0.0)
    return found


def worst_rise(rates: Array, times: Times) -> float:
    """Find the largest relative rise of any rate within 24 hours; hours that are missing count."""
    worst = 0.0
    for lag in range(1, DAY + 1):
        near = times[lag:] - times[:-lag] <= DAY * HOUR
        worst = max(worst, float(np.nanmax(rates[lag:][near] / rates[:-lag][near])) - 1.0)
    return worst


def spread(rates: Matrix) -> float:
    """Divide the 99 % quantile of a rate over time by its 1 % quantile; the mean over the sides."""
    high, low = np.nanquantile(rates, (0.99, 0.01), axis=0)
    return float((high / low).mean())


def show(name: str, rates: Array, worst: Array, times: Times) -> None:
    """Print one line."""
    judged = times >= JUDGED
    rate, move = rates[judged], worst[judged]
    covered = np.where(np.isnan(move) | np.isnan(rate), np.nan, move <= rate)
    shares = np.nanmean(covered, axis=0)
    print(
        f"{name:34} {np.nanmean(covered):8.3%} {shares.min():8.3%} {np.nanmean(rate):8.2%}"
        f" {spread(rate.reshape(len(rate), -1)):7.1f} {worst_rise(rate, times[judged]):+8.0%}",
        flush=True,
    )


def main() -> None:
    """Print a line per setting."""
    folder = os.environ.get("PLIMSOLL_DATA")
    if not folder:
        print("set PLIMSOLL_DATA to a folder of market data to run this (CONTRIBUTING.md says which)")
        sys.exit(0)
    bars = read_bars(Path(folder) / "spot_1h_binance.parquet", markets=MARKETS, first=FIRST)
    worst = excursions(bars)
    default = GuardSettings()
    hours = int((bars.times >= JUDGED).sum())
    print(f"{hours} hours, {', '.join(MARKETS)}, long and short; level 99.5 %, horizon 4 h")
    print(f"{'':34} {'covered':>8} {'worst':>8} {'mean':>8} {'p99/p1':>7} {'24 h':>8}")
    raw = published(bars, NO_GUARD)
    show("no guard", raw.maintenance, worst, bars.times)
    show("guard on the rate", blended_in_rate(raw, default), worst, bars.times)
    for name, guard in (
        ("guard on the scale (default)", default),
        ("- rising 2 % an hour", structs.replace(default, rise_per_hour=0.02)),
        ("- without the floor", structs.replace(default, floor_share=0.0)),
        ("- without the speed limits", structs.replace(default, rise_per_hour=None, fall_half_life=0.0)),
        ("- without the stress blend", structs.replace(default, stress_weight=0.0)),
    ):
        show(name, published(bars, guard).maintenance, worst, bars.times)


if __name__ == "__main__":
    main()
