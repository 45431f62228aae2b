"""How does what the guard did, and what it cost, read?"""

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from plimsoll.calibration.cost import GuardCost
from plimsoll.report import figures

__all__ = ["show_costs"]


def show_costs(costs: dict[str, tuple[GuardCost, ...]], console: Console) -> None:
    """Print a table per market: a line with the guard as set, with each part off, and with none."""
    for market, rows in costs.items():
        console.print()
        if not rows:
            console.print(f"{market}: too little history to weigh the guard on")
            continue
        title = f"What the guard did to {market}, {figures.count(rows[0].hours)} hours judged"
        console.print(Text(title, style="bold"))
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
        for place, heading in enumerate(("guard", "covered", "mean rate", "p99 / p1", "worst rise in 24 h")):
            table.add_column(heading, justify="right" if place else "left")
        for row in rows:
            table.add_row(
                row.guard,
                f"{row.covered:.2%}",
                figures.share(row.mean),
                f"{row.spread:.1f}",
                f"{row.worst_rise:+.0%}",
            )
        console.print(table)
