"""How does the effect of a trade read: before, after, and what changed?"""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from plimsoll.margin.what_if import WhatIf
from plimsoll.report.ledger import exact, heading, shown_amounts, table_of

__all__ = ["show_what_if"]


def show_what_if(answer: WhatIf, console: Console) -> None:
    """Print where the account stands before and after, and maintenance part by part."""
    trades = ", ".join(f"{trade.quantity:+f} {trade.instrument}" for trade in answer.trades)
    console.print(Text.assemble((answer.account, "bold"), f" after {trades}, at the mark"))
    console.print()
    console.print(_standings(answer))
    if answer.parts:
        heading("Maintenance, part by part", console)
        table = table_of("", "before", "after", "change")
        sides = (
            ([part.before for part in answer.parts], answer.before.maintenance),
            ([part.after for part in answer.parts], answer.after.maintenance),
        )
        before, after = (shown_amounts(amounts, total, answer.currency) for amounts, total in sides)
        for part, first, last in zip(answer.parts, before, after, strict=True):
            if first or last:
                _row(part.name, first, last, table, answer.currency)
        console.print(table)


def _standings(answer: WhatIf) -> Table:
    before, after = answer.before, answer.after
    table = table_of("", "before", "after", "change")
    lines = (
        ("equity", before.equity, after.equity),
        ("initial", before.initial, after.initial),
        ("maintenance", before.maintenance, after.maintenance),
        ("equity over initial", before.equity - before.initial, after.equity - after.initial),
        ("equity over maintenance", before.equity - before.maintenance, after.equity - after.maintenance),
    )
    for name, first, last in lines:
        _row(name, first, last, table, answer.currency)
    table.add_section()
    table.add_row("verdict", before.verdict, after.verdict, "")
    table.add_row("worst scenario", before.worst or "none", after.worst or "none", "")
    return table


def _row(name: str, before: int, after: int, table: Table, currency: str) -> None:
    table.add_row(name, exact(before, currency), exact(after, currency), exact(after - before, currency))
