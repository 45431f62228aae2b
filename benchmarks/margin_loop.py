"""What does a rise of margins do to a crash, left alone, raised abruptly, raised as depth allows?

Twenty seeds; a quarter of the news of October 2025, rates of 3 %, raised to 6 % two minutes into the fall.
Prints what is closed by force and how deep prices fall, paired by seed, and draws to the file named by the
first argument what each rise has closed by force so far beyond what was closed without it, over all that was
closed without it: the mean over seeds, in a band of two standard errors.
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
from plimsoll.types import Vector

SCENARIO = "october-2025"
COLOURS: dict[str, Slot] = {"abrupt": 0, "guarded": 3}
STYLE = """svg{background:#fff}text{fill:#59626b;font:11px sans-serif}.gridline{stroke:#eceeef}
.line{fill:none;stroke:var(--c);stroke-width:1.6}.band{fill:var(--c);fill-opacity:.16}
.slot-0{--c:#d55e00}.slot-3{--c:#0072b2}"""


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
    closed: dict[str, list[Vector]] = {way: [] for way in RISES}
    for seed in range(1, count + 1):
        cast = draw_cast(known, settings, seed)
        for way in RISES:
            found, series = run_rise(way, cast, settings, maintenance=0.03, rise=2.0, second=180)
            facts[way].append(found)
            closed[way].append(np.cumsum(series.sold.sum(axis=1) + series.taken_over + series.deleveraged))
    _print(facts)
    if len(sys.argv) > 1:
        _draw(closed, Path(sys.argv[1]))


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


def _draw(closed: dict[str, list[Vector]], path: Path) -> None:
    alone = np.stack(closed["none"])
    times = np.arange(float(alone.shape[1]))[::_EVERY]
    traces = []
    for way in RISES[1:]:
        more = ((np.stack(closed[way]) - alone) / alone[:, -1:])[:, ::_EVERY]
        mean, error = more.mean(axis=0), more.std(axis=0, ddof=1) / np.sqrt(len(more))
        traces.append(Trace(way, COLOURS[way], mean, mean - 2.0 * error, mean + 2.0 * error))
    title = "Closed by force beyond what was closed with margins left alone"
    path.write_text(document(title, course_plot(times, traces, figures.share), STYLE), encoding="utf-8")


_EVERY = 4
"""Seconds between two points of a line."""


if __name__ == "__main__":
    main()
