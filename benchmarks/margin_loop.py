"""What does a rise of margins do to a crash, left alone, raised abruptly, raised as depth allows?

Twenty seeds; a quarter of the news of October 2025, rates of 3 %, raised to 6 % two minutes into the fall.
Prints what is closed by force and how deep prices fall, paired by seed, and draws medians, with bands from
the tenth to the ninetieth part of the seeds, to the file named by the first argument.
"""

import sys
from pathlib import Path

import numpy as np
from msgspec import structs

from plimsoll.report import figures
from plimsoll.report.plot_frame import Slot, document
from plimsoll.report.plots import Trace, course_plot
from plimsoll.sim.cascade import draw_cast
from plimsoll.sim.cascade_outcome import CascadeFacts
from plimsoll.sim.cascade_settings import CascadeSettings
from plimsoll.sim.rises import RISES, run_rise
from plimsoll.sim.shock import anchor

SCENARIO = "october-2025"
COLOURS: dict[str, Slot] = {"none": 7, "abrupt": 0, "guarded": 3}
STYLE = """svg{background:#fff}text{fill:#59626b;font:11px sans-serif}.gridline{stroke:#eceeef}
.line{fill:none;stroke:var(--c);stroke-width:1.6}.band{fill:var(--c);fill-opacity:.16}
.slot-7{--c:#444b52}.slot-0{--c:#d55e00}.slot-3{--c:#0072b2}"""


def main() -> None:
    """Run, print and draw; a second argument replaces the number of seeds."""
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    settings = CascadeSettings()
    settings = structs.replace(
        settings,
        population=structs.replace(settings.population, accounts=1_000),
        shock=structs.replace(settings.shock, seconds=480, onset_second=60, share=0.25, fall_seconds=200.0),
    )
    known = anchor(SCENARIO)
    facts: dict[str, list[CascadeFacts]] = {way: [] for way in RISES}
    worst: dict[str, list[np.ndarray]] = {way: [] for way in RISES}
    for seed in range(1, count + 1):
        cast = draw_cast(known, settings, seed)
        for way in RISES:
            found, series = run_rise(way, cast, settings, maintenance=0.03, rise=2.0, second=180)
            facts[way].append(found)
            worst[way].append((series.price / series.price[0]).min(axis=1))
    _print(facts)
    if len(sys.argv) > 1:
        _draw(worst, Path(sys.argv[1]))


def _print(facts: dict[str, list[CascadeFacts]]) -> None:
    forced = {way: np.array([each.forced for each in found]) for way, found in facts.items()}
    for way, found in facts.items():
        more = forced[way] / forced["none"] - 1.0
        error = more.std(ddof=1) / np.sqrt(len(more))
        fall = np.array([each.deepest_fall for each in found])
        print(
            f"{way:8s} closed by force {100 * more.mean():+6.1f} % ± {100 * error:.1f} "
            f"(median {100 * np.median(more):+.1f} %)   "
            f"deepest fall {100 * fall.mean():.1f} % ± {100 * fall.std(ddof=1):.1f}"
        )


def _draw(worst: dict[str, list[np.ndarray]], path: Path) -> None:
    traces = []
    for way, paths in worst.items():
        low, middle, high = np.quantile(np.stack(paths), [0.1, 0.5, 0.9], axis=0)[:, ::4]
        traces.append(Trace(way, COLOURS[way], middle, low, high))
    times = np.arange(len(worst["none"][0]), dtype=np.float64)[::4]
    drawing = course_plot(times, traces, figures.share)
    path.write_text(
        document("Price of the hardest-hit market over its start", drawing, STYLE), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
