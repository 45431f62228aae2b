"""How does a venue's requirement read, from its parts to what each position adds?"""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from plimsoll.domain.account_books import QUOTE
from plimsoll.domain.instruments import Option, parse_instrument
from plimsoll.domain.money import units
from plimsoll.margin.breakdown import Breakdown, LevelLoss
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
    console.print(levels_table(breakdown.equity, levels, breakdown.currency))
    if breakdown.parts:
        heading("Maintenance, part by part", console)
        console.print(_parts(breakdown))
    if in_full and breakdown.contributions:
        heading("What each position adds to the loss that decides", console)
        console.print(_contributions(breakdown, breakdown))
        if breakdown.at_initial.contributions != breakdown.contributions:
            heading("The same at initial margin", console)
            console.print(_contributions(breakdown.at_initial, breakdown))
        heading("Worst scenarios", console)
        console.print(_scenarios(breakdown))
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


def _contributions(decided: Breakdown | LevelLoss, breakdown: Breakdown) -> Table:
    """List losses; negative where a position relieves."""
    table, currency = table_of("", "quantity", "mark", "loss", "in"), breakdown.currency
    for line in decided.contributions:
        mark = figures.price(line.mark)
        if currency != QUOTE and isinstance(parse_instrument(line.instrument), Option):
            mark = f"{line.mark:.6f} {currency}"
        loss = exact(line.loss, currency)
        table.add_row(line.instrument, f"{line.quantity:g}", mark, loss, line.scenario)
    if decided.relief:
        table.add_row("not charged", "", "", exact(decided.relief, currency), "")
    table.add_section()
    table.add_row(decided.measure, "", "", Text(exact(decided.loss, currency), style="bold"), "")
    return table


def _parts(breakdown: Breakdown) -> Table:
    return parts_table(breakdown.parts, "maintenance", breakdown.maintenance, breakdown.currency)


def _scenarios(breakdown: Breakdown) -> Table:
    table = table_of("", "profit")
    for scenario in sorted(breakdown.scenarios, key=lambda each: each.amount)[:_WORST_SHOWN]:
        table.add_row(scenario.name, exact(scenario.amount, breakdown.currency))
    return table
