"""How does the impact of a change of parameters read on a terminal?"""

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from plimsoll.report import figures
from plimsoll.sim.impact import Impact

__all__ = ["show_impact"]

_MOST_NAMES = 8
_MOST_STEPS = 12
_LARGEST_RATIO = 0.5


def show_impact(
    impact: Impact, steps: tuple[float, ...], budget: float, console: Console, prices: str
) -> None:
    """Print who is called and breached, what is sold against which depth, and in how many steps."""
    change = impact.required_after / impact.required_before - 1.0 if impact.required_before > 0.0 else 0.0
    console.print(Text(f"{figures.count(impact.accounts)} accounts at {prices}", style="bold"))
    console.print(
        f"maintenance {figures.money(impact.required_before)} -> {figures.money(impact.required_after)} "
        f"({'+' if change >= 0.0 else ''}{figures.share(change)})"
    )
    console.print(_people("called", impact.called))
    console.print(_people("below maintenance", impact.breached))
    console.print(f"restored {figures.count(impact.restored)}; below before and after {impact.already}")
    console.print()
    console.print(_markets(impact))
    console.print()
    console.print(Text(_pace(steps, budget)), width=min(100, console.width))


def _people(what: str, names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:_MOST_NAMES]) + (", ..." if len(names) > _MOST_NAMES else "")
    return f"{what} {figures.count(len(names))}" + (f": {shown}" if names else "")


def _markets(impact: Impact) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", show_edge=False)
    table.add_column("")
    lists_options = any(each.vega for each in impact.markets)
    heads = ("depth, 1 %", "sold", "bought", "over depth", "price", "branching", "after")
    for head in (*heads, "vega") if lists_options else heads:
        table.add_column(head, justify="right")
    for each in impact.markets:
        after = Text(
            f"{each.branching_after:.2f}", style="bold red" if each.branching_after > _LARGEST_RATIO else ""
        )
        table.add_row(
            each.market,
            figures.money(each.depth),
            figures.money(each.sold),
            figures.money(each.bought),
            figures.share((each.sold + each.bought) / each.depth),
            figures.share(each.move),
            f"{each.branching_before:.2f}",
            after,
            *((figures.money(each.vega),) if lists_options else ()),
        )
    return table


def _pace(steps: tuple[float, ...], budget: float) -> str:
    if not steps:
        return (
            f"Beyond the budget of {figures.share(budget)} of depth. Steps are not worked out for a book "
            "with options: preview a set in between."
        )
    if len(steps) == 1:
        return f"Within the budget of {figures.share(budget)} of depth: it can be published at once."
    shown = ", ".join(figures.share(step) for step in steps[:_MOST_STEPS])
    more = ", ..." if len(steps) > _MOST_STEPS else ""
    return (
        f"Beyond the budget of {figures.share(budget)} of depth. In {len(steps)} steps it stays within: "
        f"{shown}{more} of the change, each once depth has come back."
    )
