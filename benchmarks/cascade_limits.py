"""Where does a venue break: harder news, thinner books, more levered longs, makers who leave sooner?

One thing at a time is moved away from the default, for the venue's constants with and without exposure caps
and for the calibrated rates, at the constants' margin and in full, both with caps. Caps are set for the
default depth: a venue that believes in twice the depth there is has caps twice too wide. Prints mean and
largest bad debt over what was closed by force, and the share closed against winners, and draws both to the
file named by the first argument; a second replaces the number of seeds, a third that of accounts.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from msgspec import structs

from plimsoll.engine.runner import DigestJournal, Runner
from plimsoll.report import figures
from plimsoll.report.plot_frame import Axis, Drawing, Slot, document, path
from plimsoll.scenarios.library import daily_history, scenario
from plimsoll.sim.cascade import draw_cast, run_cascade
from plimsoll.sim.cascade_outcome import CascadeFacts
from plimsoll.sim.cascade_policies import cascade_parameters, exposure_of
from plimsoll.sim.cascade_settings import CascadeSettings
from plimsoll.sim.shock import anchor
from plimsoll.types import Matrix, Vector

SCENARIO = "october-2025"
POLICIES: dict[str, Slot] = {"static": 0, "static-guarded": 4, "plimsoll-matched": 5, "plimsoll": 3}
BOUNDS = (0.001, 0.05)
"""Bad debt, and what is closed against winners, over closed by force: a guarded policy is to stay below."""

Change = Callable[[CascadeSettings, float], CascadeSettings]


@dataclass(frozen=True, slots=True)
class Sweep:
    """One thing that is moved, and where to."""

    label: str
    values: tuple[float, ...]
    change: Change


def harder(base: CascadeSettings, share: float) -> CascadeSettings:
    """Let news bring so much of the scenario's deepest fall."""
    return structs.replace(base, shock=structs.replace(base.shock, share=share))


def thinner(base: CascadeSettings, part: float) -> CascadeSettings:
    """Let makers quote so much of the depth that caps believe in."""
    return structs.replace(base, makers=structs.replace(base.makers, depth=part * base.makers.depth))


def longer(base: CascadeSettings, share: float) -> CascadeSettings:
    """Let so many accounts be long."""
    return structs.replace(base, population=structs.replace(base.population, long_share=share))


def shyer(base: CascadeSettings, exponent: float) -> CascadeSettings:
    """Let depth fall with so high a power of volatility."""
    return structs.replace(base, makers=structs.replace(base.makers, withdrawal=exponent))


SWEEPS = (
    Sweep("news, share of the fall known", (0.5, 0.72, 1.0, 1.3, 1.7), harder),
    Sweep("depth, over what caps believe", (1.0, 0.5, 0.25, 0.1), thinner),
    Sweep("accounts that are long", (0.5, 0.6, 0.7, 0.8, 0.9), longer),
    Sweep("makers' withdrawal, exponent", (0.3, 0.56, 0.8, 1.1), shyer),
)


def facts_of(name: str, base: CascadeSettings, settings: CascadeSettings, seed: int) -> CascadeFacts:
    """Run one seed; caps, and the margin that goes with them, are set for the depth of `base`."""
    cast = draw_cast(anchor(SCENARIO), settings, seed)
    known = structs.replace(settings, makers=structs.replace(settings.makers, depth=base.makers.depth))
    parameters = cascade_parameters(name, cast, known, daily_history(scenario(SCENARIO).first))
    believed = base.makers.depth / settings.makers.depth
    runner = Runner(DigestJournal())
    exposure = exposure_of(name)
    return run_cascade(name, parameters, cast, settings, runner, exposure=exposure, believed=believed)[0]


Found: TypeAlias = dict[str, Matrix]
"""Of each policy, values by seeds: Matrix [V, S]."""


def swept(sweep: Sweep, base: CascadeSettings, seeds: int) -> tuple[Found, Found]:
    """Run all policies over all values and seeds, and print a line each.

    Returns
    -------
    Found, Found   Bad debt, and what was closed against winners, over closed by force.
    """
    debts: Found = {}
    queues: Found = {}
    for name in POLICIES:
        rows = []
        for value in sweep.values:
            settings = sweep.change(base, value)
            found = [facts_of(name, base, settings, seed) for seed in range(1, seeds + 1)]
            debt = np.array([facts.bad_debt_share for facts in found])
            queue = np.array([facts.allocation_share for facts in found])
            fall = np.mean([facts.deepest_fall for facts in found])
            print(
                f"{sweep.label:30s} {value:5.2f} {name:17s} bad debt {100 * debt.mean():6.3f} % "
                f"(to {100 * debt.max():.3f})   against winners {100 * queue.mean():5.1f} % "
                f"(to {100 * queue.max():.1f})   deepest fall {100 * fall:.0f} %",
                flush=True,
            )
            rows.append((debt, queue))
        debts[name], queues[name] = np.swapaxes(np.array(rows), 0, 1)
    return debts, queues


STYLE = """svg{background:#fff}text{fill:#59626b;font:11px sans-serif}.gridline{stroke:#eceeef}
.hair{stroke:#b0b6bb;stroke-dasharray:3 3}.line{fill:none;stroke:var(--c);stroke-width:1.6}
.dot{fill:var(--c)}.whisker{stroke:var(--c);stroke-opacity:.45}
.slot-0{--c:#d55e00}.slot-4{--c:#e69f00}.slot-5{--c:#56b4e9}.slot-3{--c:#0072b2}"""
LEFT, TOP, PANEL, GAP, ROW, BETWEEN, FOOT = 58, 34, 190, 14, 150, 16, 36
LOWEST = 1e-5
DEBT_TICKS, QUEUE_TICKS = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1), (0.0, 0.25, 0.5, 0.75, 1.0)
DEBT = Axis(LOWEST, DEBT_TICKS[-1], TOP + ROW, TOP, logarithmic=True)
QUEUE = Axis(0.0, 1.0, TOP + ROW + BETWEEN + ROW, TOP + ROW + BETWEEN)


def panel(found: Found, place: int, y: Axis, ticks: tuple[float, ...], bound: float) -> str:
    """Draw one figure of one sweep: a line through means for each policy, whiskers to the outermost seeds."""
    start = LEFT + place * (PANEL + GAP)
    x = across(place)
    parts = [
        f'<line class="gridline" x1="{start}" x2="{start + PANEL}" y1="{y.at(v):.1f}" y2="{y.at(v):.1f}"/>'
        for v in ticks
    ]
    parts.append(f'<path class="hair" d="M{start} {y.at(bound):.1f}h{PANEL}"/>')
    for offset, (name, slot) in enumerate(POLICIES.items()):
        places = np.arange(float(len(SWEEPS[place].values))) + 0.05 * (offset - 1.5)
        parts.append(series(places, found[name], slot, x, y))
    return "".join(parts)


def across(place: int) -> Axis:
    """Place the values of a sweep beside each other."""
    start = LEFT + place * (PANEL + GAP)
    return Axis(0.0, len(SWEEPS[place].values) - 1.0, start + 14, start + PANEL - 14)


def series(places: Vector, found: Matrix, slot: Slot, x: Axis, y: Axis) -> str:
    """Draw one policy; what is below the axis is drawn at its foot."""
    shown = np.clip(found, y.low, y.high)
    middle = np.clip(found.mean(axis=1), y.low, y.high)
    whiskers = "".join(
        f'<line class="whisker slot-{slot}" x1="{x.at(at):.1f}" x2="{x.at(at):.1f}" '
        f'y1="{y.at(float(row.min())):.1f}" y2="{y.at(float(row.max())):.1f}"/>'
        for at, row in zip(places.tolist(), shown, strict=True)
    )
    dots = "".join(
        f'<circle class="dot slot-{slot}" cx="{x.at(at):.1f}" cy="{y.at(value):.1f}" r="2.6"/>'
        for at, value in zip(places.tolist(), middle.tolist(), strict=True)
    )
    return f'{whiskers}<path class="line slot-{slot}" d="{path(x, y, places, middle)}"/>{dots}'


def labels() -> str:
    """Write the axes and the legend."""
    sides = [(DEBT, v, ("≤ " if v == LOWEST else "") + f"{100 * v:g}%") for v in DEBT_TICKS]
    sides += [(QUEUE, v, figures.share(v)) for v in QUEUE_TICKS]
    parts = [
        f'<text x="{LEFT - 6}" y="{y.at(v) + 4:.1f}" text-anchor="end">{words}</text>'
        for y, v, words in sides
    ]
    parts += [
        f'<circle class="dot slot-{slot}" cx="{LEFT + 130 * k + 6}" cy="14" r="4"/>'
        f'<text x="{LEFT + 130 * k + 15}" y="18">{name}</text>'
        for k, (name, slot) in enumerate(POLICIES.items())
    ]
    for place, sweep in enumerate(SWEEPS):
        x, foot = across(place), QUEUE.start
        middle = 0.5 * (x.start + x.end)
        parts.append(f'<text x="{middle}" y="{foot + 31}" text-anchor="middle">{sweep.label}</text>')
        parts += [
            f'<text x="{x.at(k):.1f}" y="{foot + 15}" text-anchor="middle">{value:g}</text>'
            for k, value in enumerate(sweep.values)
        ]
    for y, words in ((DEBT, "bad debt over closed by force"), (QUEUE, "closed against winners")):
        parts.append(f'<text x="{LEFT + 4}" y="{y.end + 12:.1f}">{words}</text>')
    return "".join(parts)


def drawing(found: list[tuple[Found, Found]]) -> Drawing:
    """Put the sweeps beside each other, bad debt above what was closed against winners."""
    panels = "".join(
        panel(debts, place, DEBT, DEBT_TICKS, BOUNDS[0]) + panel(queues, place, QUEUE, QUEUE_TICKS, BOUNDS[1])
        for place, (debts, queues) in enumerate(found)
    )
    width = LEFT + len(SWEEPS) * (PANEL + GAP)
    return Drawing(labels() + panels, height=int(QUEUE.start) + FOOT, width=width)


def main() -> None:
    """Run, print and draw."""
    seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    accounts = int(sys.argv[3]) if len(sys.argv) > 3 else 3_000
    base = CascadeSettings()
    base = structs.replace(
        base,
        population=structs.replace(base.population, accounts=accounts),
        shock=structs.replace(base.shock, seconds=600, onset_second=60),
    )
    found = [swept(sweep, base, seeds) for sweep in SWEEPS]
    if len(sys.argv) > 1:
        title = "Bad debt over closed by force, by what is moved"
        Path(sys.argv[1]).write_text(document(title, drawing(found), STYLE), encoding="utf-8")


if __name__ == "__main__":
    main()
