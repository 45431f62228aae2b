"""How does a stressed book read: which scenario costs whom how much, and does the fund cover it?"""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from plimsoll.margin.stress import BookStress
from plimsoll.report import figures
from plimsoll.report.bar_picture import Bar, bar_picture
from plimsoll.report.ledger import heading, table_of

__all__ = ["picture_of_stress", "show_stress"]

_REFUSED_SHOWN = 3


def show_stress(stress: BookStress, console: Console) -> None:
    """Print the venue by scenario, then the accounts that end lowest."""
    margined = f"{figures.count(stress.accounts)} accounts"
    console.print(
        f"{margined} with {figures.money(stress.equity)} of equity and "
        f"{figures.money(stress.maintenance)} of maintenance margin"
    )
    heading("The venue in every scenario", console)
    console.print(_venue(stress))
    if stress.worst_accounts:
        heading("The accounts that end lowest, each in its worst scenario", console)
        console.print(_accounts(stress))
    for refused in stress.refused[:_REFUSED_SHOWN]:
        console.print(f"left out: {refused.account}: {refused.what} ({refused.where})")
    if len(stress.refused) > _REFUSED_SHOWN:
        console.print(f"left out: {figures.count(len(stress.refused) - _REFUSED_SHOWN)} more")


def picture_of_stress(stress: BookStress) -> str:
    """Draw the shortfall of each scenario as an SVG document."""
    bars = [Bar(outcome.name, -outcome.shortfall) for outcome in stress.outcomes]
    fund = "" if stress.fund is None else f", against a fund of {figures.money(stress.fund)}"
    note = f"What {figures.count(stress.accounts)} accounts would owe beyond all they have{fund}"
    return bar_picture("Shortfall by scenario", note, bars)


def _venue(stress: BookStress) -> Table:
    headings = ["", "lost", "over margin", "called", "insolvent", "shortfall", "top two"]
    table = table_of(*headings, *(["fund"] if stress.fund is not None else []))
    table.columns[0].no_wrap = True
    for outcome in stress.outcomes:
        cells = [
            outcome.name,
            figures.money(outcome.lost),
            figures.money(outcome.beyond_margin),
            figures.count(outcome.below_maintenance),
            figures.count(outcome.insolvent),
            figures.money(outcome.shortfall),
            figures.money(outcome.cover_two),
        ]
        table.add_row(*cells, *([_cover(stress.fund, outcome.shortfall)] if stress.fund is not None else []))
    return table


def _cover(fund: float | None, shortfall: float) -> Text:
    if fund is None or shortfall <= fund:
        return Text("covers", style="green")
    return Text(figures.share(fund / shortfall), style="red")


def _accounts(stress: BookStress) -> Table:
    table = table_of("", "equity", "maintenance", "profit", "ends at", "in")
    for line in stress.worst_accounts:
        table.add_row(
            line.account,
            figures.money(line.equity),
            figures.money(line.maintenance),
            figures.money(line.profit),
            Text(figures.money(line.after), style="red" if line.after < 0.0 else ""),
            line.scenario,
        )
    return table
