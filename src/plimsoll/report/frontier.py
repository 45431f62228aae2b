"""How does a frontier read: what each part of the guard costs, against what it gives?"""

from collections.abc import Callable
from html import escape
from string import Template

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from plimsoll.backtest.frontier import GUARDED, Variant
from plimsoll.backtest.standing import Standing
from plimsoll.report import figures
from plimsoll.report.page_parts import Page, asset
from plimsoll.report.plots import Dot, scatter_plot
from plimsoll.report.standing_measures import points

__all__ = ["render_frontier", "show_frontier"]

_COLUMNS: tuple[tuple[str, Callable[[Standing], float], Callable[[float], str]], ...] = (
    ("covered", lambda s: s.covered, points),
    ("least", lambda s: s.least_covered, points),
    ("worst year", lambda s: s.worst_year, figures.share),
    ("mean", lambda s: s.mean, figures.share),
    ("at equal", lambda s: s.matched_mean, figures.share),
    ("p99/p1", lambda s: s.largest_spread, lambda value: f"{value:.2f}"),
    ("24 h rise", lambda s: s.worst_rise, figures.share),
    ("24 h call", lambda s: s.liquidity_call, figures.share),
)


def show_frontier(variants: tuple[Variant, ...], found: tuple[Standing, ...], console: Console) -> None:
    """Print a line per variant: first the parts switched off, then each setting moved alone."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", show_edge=False)
    table.add_column("Guard", no_wrap=True)
    for name, _, _ in _COLUMNS:
        table.add_column(name, justify="right")
    family = variants[0].family
    for variant, standing in zip(variants, found, strict=True):
        if variant.family != family:
            family = variant.family
            table.add_row(Text(family, style="dim"))
        style = "bold" if variant.name == GUARDED else ""
        cells = [written(value(standing)) for _, value, written in _COLUMNS]
        table.add_row(variant.name, *cells, style=style)
    console.print(table)


def render_frontier(
    variants: tuple[Variant, ...], found: tuple[Standing, ...], *, title: str, program: str, command: str
) -> str:
    """Write a frontier as a self-contained page without a script."""
    pairs = list(zip(variants, found, strict=True))
    parts = [(v, s) for v, s in pairs if v.family == "part"]
    main = Template(asset("frontier.html")).substitute(
        parts=_table(parts),
        plots=_plots(pairs),
        swept=_table([(v, s) for v, s in pairs if v.family != "part"]),
        command=escape(command),
    )
    return Page(
        kind="frontier",
        title=title,
        lead=_lead(parts),
        program=program,
        main=main,
        styles=("plots.css", "backtest.css"),
    ).written()


def _lead(parts: list[tuple[Variant, Standing]]) -> str:
    """Say what the whole guard costs and gives."""
    guarded, free = parts[0][1], parts[1][1]
    cost = guarded.matched_mean / free.matched_mean - 1.0
    return (
        f"At equal coverage the guard changes the mean requirement by {100.0 * cost:+.1f} %. It takes the "
        f"spread of the rate in time from {free.largest_spread:.1f} to {guarded.largest_spread:.1f} and its "
        f"worst rise in 24 hours from {figures.share(free.worst_rise)} to "
        f"{figures.share(guarded.worst_rise)}."
    )


def _table(pairs: list[tuple[Variant, Standing]]) -> str:
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name, _, _ in _COLUMNS)
    rows = "".join(
        f'<tr><th scope="row">{escape(variant.name)}</th>'
        + "".join(f"<td>{written(value(standing))}</td>" for _, value, written in _COLUMNS)
        + "</tr>"
        for variant, standing in pairs
    )
    return (
        f'<table class="figures"><thead><tr><th scope="col">Guard</th>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _plots(pairs: list[tuple[Variant, Standing]]) -> str:
    parts = [variant.name for variant, _ in pairs if variant.family == "part"]
    families = list(dict.fromkeys(variant.family for variant, _ in pairs))

    def dots(up: Callable[[Standing], float]) -> list[Dot]:
        return [
            Dot(
                standing.matched_mean,
                max(up(standing), 1e-4),  # a logarithmic axis has no zero
                parts.index(variant.name) if variant.name in parts else families.index(variant.family) + 3,
                variant.name,
                large=variant.name in parts,
            )
            for variant, standing in pairs
        ]

    across = "mean requirement at equal coverage"
    spread = scatter_plot(
        dots(lambda s: s.largest_spread),
        "Spread of the rate in time",
        across,
        "p99 / p1",
        written_up=lambda value: f"{value:g}",
    )
    rise = scatter_plot(
        dots(lambda s: s.worst_rise),
        "Worst rise in 24 hours",
        across,
        "relative rise",
        written_up=figures.share,
    )
    breaches = scatter_plot(
        dots(lambda s: 1.0 - s.covered), "Breaches", across, "share of windows", written_up=figures.share
    )
    return spread + rise + breaches
