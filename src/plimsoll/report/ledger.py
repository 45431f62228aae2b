"""How are amounts that are added up by eye set in a table?"""

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from plimsoll.domain.money import units
from plimsoll.margin.explain import Part

__all__ = ["exact", "heading", "levels_table", "parts_table", "table_of"]


def exact(quanta: int) -> str:
    """Write an amount to the cent."""
    amount = units(quanta)
    return f"-${-amount:,.2f}" if round(amount, 2) < 0 else f"${abs(amount):,.2f}"


def heading(text: str, console: Console) -> None:
    """Print a heading with an empty line above."""
    console.print()
    console.print(Text(text, style="bold"))


def table_of(*headings: str) -> Table:
    """Begin a table: the first column is words, the others are figures."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for place, title in enumerate(headings):
        table.add_column(title, justify="left" if place == 0 else "right")
    return table


def levels_table(equity: int, levels: tuple[tuple[str, int], ...]) -> Table:
    """Set equity against each level; what is left is free, what is missing is negative."""
    table = table_of("", "required", "equity over it")
    for name, required in levels:
        free = equity - required
        table.add_row(name, exact(required), Text(exact(free), style="red" if free < 0 else ""))
    table.add_section()
    table.add_row("equity", exact(equity), "")
    return table


def parts_table(parts: tuple[Part, ...], name: str, total: int) -> Table:
    """List amounts and what they add up to."""
    table = Table(box=box.SIMPLE, pad_edge=False, show_edge=False, show_header=False, show_footer=False)
    table.add_column()
    table.add_column(justify="right")
    for part in parts:
        table.add_row(part.name, exact(part.amount))
    table.add_section()
    table.add_row(name, Text(exact(total), style="bold"))
    return table
