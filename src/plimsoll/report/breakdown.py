"""How does a venue's requirement read, from its parts to what each position adds?"""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from plimsoll.domain.money import units
from plimsoll.margin.breakdown import Breakdown
from plimsoll.margin.explain import Part
from plimsoll.report import figures
from plimsoll.report.bar_picture import Bar, bar_picture
from plimsoll.report.ledger import exact, heading, levels_table, parts_table, table_of

__all__ = ["picture_of_breakdown", "show_breakdown"]

_VERDICTS = {
    "initial met": ("meets initial margin: it may take new risk or withdraw", "green"),
    "no new risk": ("meets maintenance but not initial margin: it may only reduce risk", "yellow"),
    "liquidated": ("is liquidated: below maintenance", "bold red"),
}
_WORST_SHOWN = 5
_MOST_BARS = 40


def show_breakdown(breakdown: Breakdown, console: Console, *, in_full: bool) -> None:
    """Print what an account has and needs, and in full, what each position adds to the loss that decides."""
    verdict, style = _VERDICTS[breakdown.verdict]
    console.print(Text.assemble((breakdown.account, "bold"), " ", (verdict, style)))
    console.print()
    levels = (
        ("initial, to take new risk", breakdown.initial),
        ("maintenance, not to be liquidated", breakdown.maintenance),
    )
    console.print(levels_table(breakdown.equity, levels))
    if breakdown.parts:
        heading("Maintenance, part by part", console)
        console.print(parts_table(breakdown.parts, "maintenance", breakdown.maintenance))
    if in_full and breakdown.contributions:
        heading("What each position adds to the loss that decides", console)
        console.print(_contributions(breakdown))
        heading("Worst scenarios", console)
        console.print(_scenarios(breakdown.scenarios))
    console.print()
    console.print(f"profile: {breakdown.profile}; worst scenario: {breakdown.worst}")


def picture_of_breakdown(breakdown: Breakdown) -> str:
    """Draw the profit of the whole account by scenario, of many the worst, as an SVG document."""
    scenarios = breakdown.scenarios
    note = f"Profile {breakdown.profile}, at maintenance"
    if len(scenarios) > _MOST_BARS:
        note = f"{note}: the {_MOST_BARS} of {len(scenarios)} scenarios that cost most"
        scenarios = tuple(sorted(scenarios, key=lambda each: each.amount)[:_MOST_BARS])
    bars = [Bar(scenario.name, units(scenario.amount)) for scenario in scenarios]
    return bar_picture(f"{breakdown.account}: profit and loss by scenario", note, bars)


def _contributions(breakdown: Breakdown) -> Table:
    """List losses; negative where a position relieves."""
    table = table_of("", "quantity", "mark", "loss", "in")
    for line in breakdown.contributions:
        table.add_row(
            line.instrument, f"{line.quantity:g}", figures.price(line.mark), exact(line.loss), line.scenario
        )
    if breakdown.relief:
        table.add_row("not charged", "", "", exact(breakdown.relief), "")
    table.add_section()
    table.add_row(breakdown.measure, "", "", Text(exact(breakdown.loss), style="bold"), "")
    return table


def _scenarios(scenarios: tuple[Part, ...]) -> Table:
    table = table_of("", "profit")
    for scenario in sorted(scenarios, key=lambda each: each.amount)[:_WORST_SHOWN]:
        table.add_row(scenario.name, exact(scenario.amount))
    return table
