"""How does a replay read on a terminal?"""

from itertools import groupby

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from plimsoll.report.measures import Measure, best_policies, is_broken, shown_measures
from plimsoll.report.summary import summarise
from plimsoll.sim.outcome import PolicySummary, Replay

__all__ = ["comparison_table", "show_replay"]

_WIDEST_TEXT = 100
"""Columns beyond which a line of prose is hard to follow."""


def show_replay(replay: Replay, console: Console) -> None:
    """Print the comparison of the policies, then what happened in words."""
    width = min(_WIDEST_TEXT, console.width)
    summary = summarise(replay)
    console.print(Text(replay.title, style="bold"))
    console.print(comparison_table(tuple(outcome.summary for outcome in replay.outcomes)))
    console.print()
    console.print(Text(summary.price), width=width)
    for finding in summary.verdict:
        console.print()
        console.print(Text.assemble((finding.judgement, "bold"), " ", finding.grounds), width=width)


def comparison_table(summaries: tuple[PolicySummary, ...]) -> Table:
    """Set the measures below each other and the policies side by side; the best of a row is bold."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", show_edge=False)
    table.add_column("")
    for summary in summaries:
        table.add_column(summary.policy, justify="right")
    for group, measures in groupby(shown_measures(summaries), key=lambda measure: measure.group):
        table.add_row(Text(group, style="dim"))
        for measure in measures:
            table.add_row(_label(measure), *_cells(measure, summaries))
    return table


def _label(measure: Measure) -> Text:
    return Text(f"  {measure.label}")


def _cells(measure: Measure, summaries: tuple[PolicySummary, ...]) -> list[Text]:
    best = best_policies(measure, summaries)
    return [
        Text(measure.written(measure.value(summary)), style=_style(measure, summary, best))
        for summary in summaries
    ]


def _style(measure: Measure, summary: PolicySummary, best: frozenset[str]) -> str:
    if is_broken(measure, summary):
        return "bold red"
    return "bold green" if summary.policy in best else ""
