"""How are amounts that are added up by eye set in a table?"""

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from plimsoll.domain.account_books import QUOTE
from plimsoll.domain.money import QUANTA_PER_UNIT, units
from plimsoll.margin.explain import Part

__all__ = ["exact", "heading", "levels_table", "parts_table", "shown_amounts", "table_of"]

_CENT = QUANTA_PER_UNIT // 100


def exact(quanta: int, currency: str = QUOTE) -> str:
    """Write an amount to the cent, or of a coin to the millionth."""
    amount = units(quanta)
    if currency != QUOTE:
        return f"{amount:,.6f} {currency}"
    return f"-${-amount:,.2f}" if round(amount, 2) < 0 else f"${abs(amount):,.2f}"


def shown_amounts(amounts: Sequence[int], total: int, currency: str = QUOTE) -> tuple[int, ...]:
    """Round amounts as `exact` writes them, so that those which are shown add up to the total that is shown.

    What is missing or too much goes, a cent each, to the lines that rounding moved most the other way; one
    that is nothing stays nothing, as long as there is another.

    Parameters
    ----------
    amounts : sequence   Quanta, of which the total is the sum.

    Returns
    -------
    tuple   Quanta, each a whole number of cents, or of a coin's millionths.
    """
    if currency != QUOTE:
        return tuple(amounts)
    cents = [_cents(amount) for amount in amounts]
    missing = _cents(total) - sum(cents)
    step = 1 if missing > 0 else -1
    while missing:
        there = [i for i, cent in enumerate(cents) if cent] or list(range(len(cents)))
        most = max(there, key=lambda i: step * (amounts[i] - cents[i] * _CENT))
        cents[most] += step
        missing -= step
    return tuple(cent * _CENT for cent in cents)


def _cents(quanta: int) -> int:
    return round(100.0 * float(f"{units(quanta):.2f}"))


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


def levels_table(equity: int, levels: tuple[tuple[str, int], ...], currency: str = QUOTE) -> Table:
    """Set equity against each level; what is left is free, what is missing is negative."""
    table = table_of("", "required", "equity over it")
    for name, required in levels:
        free = equity - required
        left = Text(exact(free, currency), style="red" if free < 0 else "")
        table.add_row(name, exact(required, currency), left)
    table.add_section()
    table.add_row("equity", exact(equity, currency), "")
    return table


def parts_table(parts: tuple[Part, ...], name: str, total: int, currency: str = QUOTE) -> Table:
    """List amounts, but none that is written as nothing, and what the lines add up to."""
    table = Table(box=box.SIMPLE, pad_edge=False, show_edge=False, show_header=False, show_footer=False)
    table.add_column()
    table.add_column(justify="right")
    shown = shown_amounts([part.amount for part in parts], total, currency)
    for part, amount in zip(parts, shown, strict=True):
        if amount:
            table.add_row(part.name, exact(amount, currency))
    table.add_section()
    table.add_row(name, Text(exact(total, currency), style="bold"))
    return table
