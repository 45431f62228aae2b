"""How do many simulated cascades become one HTML page that needs nothing else?"""

from collections.abc import Callable
from html import escape
from string import Template

import msgspec
import numpy as np

from plimsoll.report import figures
from plimsoll.report.cascade_measures import MEASURES, values_of, written
from plimsoll.report.comparison import Row, comparison
from plimsoll.report.page_parts import Page, asset
from plimsoll.report.plot_frame import Slot, figure, key
from plimsoll.report.plots import Trace, course_plot
from plimsoll.report.row_plots import Dots, Parts, draw_dots, draw_parts
from plimsoll.sim.seeds import Cascades, CascadeTrace
from plimsoll.types import Matrix, Vector

__all__ = ["render_cascades"]

_SLOTS: dict[str, Slot] = {
    "static": 0,
    "static-matched": 1,
    "dynamic": 2,
    "plimsoll": 3,
    "static-guarded": 4,
    "plimsoll-matched": 5,
    "plimsoll-unguarded": 6,
    "static-shrunk": 7,
}
_LOW, _HIGH = 0.1, 0.9
"""Quantiles over seeds that a band goes between."""

_FEEDS_ITSELF = 1.0
_LARGEST_RATIO = 0.5


def render_cascades(cascades: Cascades, *, program: str, command: str) -> str:
    """Write a simulation as a self-contained page without a script.

    Parameters
    ----------
    program : str   Name and version of what made it.
    command : str   The command line that repeats the run.
    """
    main = Template(asset("cascade.html")).substitute(
        table=_table(cascades),
        keys=_keys(cascades),
        courses=_courses(cascades),
        layers=_layers(cascades),
        first=_first(cascades),
        dots=_dots(cascades),
        command=escape(command),
        settings=escape(_settings(cascades)),
    )
    return Page(
        kind="simulation",
        title=cascades.title,
        lead=cascades.narrative,
        facts=_facts(cascades),
        program=program,
        main=main,
        styles=("plots.css",),
    ).written()


def _settings(cascades: Cascades) -> str:
    return msgspec.json.format(msgspec.json.encode(cascades.settings), indent=2).decode()


def _facts(cascades: Cascades) -> tuple[tuple[str, str], ...]:
    settings = cascades.settings
    return (
        ("Shock", f"worst hour of {cascades.scenario}, second by second"),
        ("Markets", ", ".join(cascades.markets)),
        ("Accounts", figures.count(settings.population.accounts)),
        ("Seeds", f"{settings.seeds}, from {settings.seed}"),
        ("Anchors", cascades.source),
    )


def _table(cascades: Cascades) -> str:
    policies = cascades.settings.policies
    rows = []
    for measure in MEASURES:
        cells = [written(values_of(cascades, name, measure), measure) for name in policies]
        cells.append(_range(measure.wanted, measure.write))
        rows.append(Row(measure.label, measure.meaning, [(cell, "") for cell in cells]))
    colours = [(name, _SLOTS[name]) for name in policies]
    return comparison("Mean ± deviation over seeds", colours, rows, beside="10 October 2025")


def _range(wanted: tuple[float, float] | None, write: Callable[[float], str]) -> str:
    return "" if wanted is None else f"{write(wanted[0])} to {write(wanted[1])}"


def _keys(cascades: Cascades) -> str:
    return "".join(key(name, _SLOTS[name]) for name in cascades.settings.policies)


_Pick = Callable[[CascadeTrace], Vector]

_PANELS: tuple[tuple[str, str, _Pick, Callable[[float], str], tuple[float, ...]], ...] = (
    ("Price", "Mean of all markets over their start.", lambda t: t.price, figures.share, ()),
    ("Hardest-hit market", "Its price over its start.", lambda t: t.worst, figures.share, ()),
    ("Depth", "Of all markets, over normal.", lambda t: t.depth, figures.share, ()),
    ("Sold in the book", "By force, notional per second.", lambda t: t.sold, figures.money, ()),
    (
        "Closed against winners",
        "Notional per second.",
        lambda t: t.deleveraged,
        figures.money,
        (),
    ),
    ("Bad debt", "So far.", lambda t: t.bad_debt, figures.money, ()),
    ("Insurance fund", "Balance.", lambda t: t.fund, figures.money, ()),
    (
        "Branching ratio",
        "Largest of any market, at the depth of that moment; the levels are 0.5 and 1.",
        lambda t: np.minimum(t.branching, _MOST_SHOWN),
        lambda value: f"{value:g}",
        (_LARGEST_RATIO, _FEEDS_ITSELF),
    ),
)

_MOST_SHOWN = 5.0
"""Branching ratios beyond it are drawn at it: when depth is gone they run into the hundreds."""


def _courses(cascades: Cascades) -> str:
    times = cascades.runs[0].trace.seconds
    return "".join(
        figure(title, course_plot(times, _lines(cascades, pick, title), write, marked=marked), note=note)
        for title, note, pick, write, marked in _PANELS
    )


def _lines(cascades: Cascades, pick: _Pick, title: str) -> list[Trace]:
    lines = []
    if title == "Price":
        runs = cascades.of(cascades.settings.policies[0])
        value = _over_seeds(np.stack([run.trace.value for run in runs]))
        lines.append(Trace("value outside", "none", value[1], dashed=True))
    for name in cascades.settings.policies:
        low, middle, high = _over_seeds(np.stack([pick(run.trace) for run in cascades.of(name)]))
        lines.append(Trace(name, _SLOTS[name], middle, low, high))
    return lines


def _over_seeds(values: Matrix) -> tuple[Vector, Vector, Vector]:
    low, middle, high = np.quantile(values, [_LOW, 0.5, _HIGH], axis=0)
    return low, middle, high


def _layers(cascades: Cascades) -> str:
    policies = cascades.settings.policies

    def mean(name: str, field: str) -> float:
        return float(np.mean([getattr(run.facts, field) for run in cascades.of(name)]))

    closed = [
        Parts(name, tuple(mean(name, field) for field in ("sold", "taken_over", "deleveraged")))
        for name in policies
    ]
    paid = [
        Parts(name, tuple(mean(name, field) for field in ("fund_paid", "winners_paid", "uncovered")))
        for name in policies
    ]
    return figure(
        "Who took the positions",
        draw_parts(closed, ("book", "backstop", "winners"), figures.money),
        note="Mean over seeds of the notional closed by force.",
    ) + figure(
        "Who paid what was missing",
        draw_parts(paid, ("insurance fund", "winners", "nobody"), figures.money),
        note="Mean over seeds of the bad debt.",
    )


def _first(cascades: Cascades) -> str:
    """Draw the hardest-hit market of the first seed second by second: price, and the depth behind it."""
    drawn = ""
    for name, series in cascades.first.items():
        market = int((series.price / series.price[0]).min(axis=0).argmin())
        times = np.arange(len(series.price), dtype=np.float64)
        pair = [
            Trace("depth", "none", series.depth[:, market] / series.depth[0, market], dashed=True),
            Trace("price", _SLOTS[name], series.price[:, market] / series.price[0, market]),
        ]
        note = f"Price of {series.markets[market]}; dashed: depth."
        drawn += figure(f"Under {name}", course_plot(times, pair, figures.share), note=note)
    return drawn


def _dots(cascades: Cascades) -> str:
    shown = [measure for measure in MEASURES if measure.wanted is not None]
    drawn = ""
    for measure in shown:
        rows = [
            Dots(name, _SLOTS[name], values_of(cascades, name, measure))
            for name in cascades.settings.policies
        ]
        drawn += figure(measure.label, draw_dots(rows, measure.write, measure.wanted), note=measure.meaning)
    return drawn
