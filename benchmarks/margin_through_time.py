"""What does the guard cost and give on real hours: coverage, mean margin, its spread and its fastest rise?

Maintenance is asked every hour for BTC, ETH and SOL from bars of 2020 on, with what was known then, and
judged from 2021 on: did it cover the adverse excursion of the four hours that followed? Reads
``$PLIMSOLL_DATA/spot_1h_binance.parquet`` and takes some seconds; without the variable it says so and stops.
"""

import os
import sys
from pathlib import Path

import numpy as np
from msgspec import structs

from plimsoll.calibration.cost import GuardCost, guard_cost, guard_kinds
from plimsoll.domain.bars import Bars
from plimsoll.domain.settings import CalibrationSettings, GuardSettings
from plimsoll.feeds.bars import read_bars

__all__ = ["main"]

MARKETS = ("BTC", "ETH", "SOL")
FIRST, JUDGED = 1_577_836_800_000, 1_609_459_200_000
"""1 January 2020 and 1 January 2021, 00:00 UTC."""

DEFAULT = GuardSettings()


def kinds() -> dict[str, CalibrationSettings]:
    """Name the settings that are compared."""
    plain = CalibrationSettings()
    changed: dict[str, dict[str, float]] = {
        "remembering 30 days": {"stress_days": 30},
        "remembering ten years": {"stress_days": 3650},
        "weight 0.3": {"stress_weight": 0.3},
        "weight 0.7": {"stress_weight": 0.7},
        "floor 0.7": {"floor_share": 0.7},
        "0.5 % an hour": {"rise_per_hour": 0.005},
        "1.7 % an hour": {"rise_per_hour": 0.017},
        "a quarter saved, 0.7 % an hour": {"rise_at_once": 0.25, "rise_per_hour": 0.007},
    }
    guards = guard_kinds(DEFAULT) | {
        name: structs.replace(DEFAULT, **change) for name, change in changed.items()
    }
    found = {name: structs.replace(plain, guard=guard) for name, guard in guards.items()}
    averaged = structs.replace(plain, forecaster="ewma")
    return found | {
        "as set, by the average": averaged,
        "no guard, by the average": structs.replace(averaged, guard=guards["no guard"]),
    }


def weighed(bars: Bars, settings: CalibrationSettings) -> list[GuardCost]:
    """Judge every market."""
    found = (
        guard_cost("", bars.select((market,)), settings, settings.guard, since=JUDGED) for market in MARKETS
    )
    return [cost for cost in found if cost is not None]


def main() -> None:
    """Print a line per setting: means over the markets, and the worst of them."""
    folder = os.environ.get("PLIMSOLL_DATA")
    if not folder:
        print("set PLIMSOLL_DATA to a folder of market data to run this (CONTRIBUTING.md says which)")
        sys.exit(0)
    bars = read_bars(Path(folder) / "spot_1h_binance.parquet", markets=MARKETS, first=FIRST)
    print(f"{', '.join(MARKETS)}, long and short; level 99.5 %, horizon 4 h")
    print(f"{'':30} {'covered':>8} {'worst':>8} {'mean':>7} {'p99/p1':>7} {'24 h':>7}")
    for name, settings in kinds().items():
        costs = weighed(bars, settings)
        covered = [cost.covered for cost in costs]
        print(
            f"{name:30} {np.mean(covered):8.3%} {min(covered):8.3%} {np.mean([c.mean for c in costs]):7.2%}"
            f" {np.mean([c.spread for c in costs]):7.1f} {max(c.worst_rise for c in costs):+7.0%}",
            flush=True,
        )


if __name__ == "__main__":
    main()
