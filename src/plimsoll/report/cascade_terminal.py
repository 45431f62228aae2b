"""How do many simulated cascades read on a terminal?"""

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from plimsoll.report.cascade_measures import MEASURES, values_of, written
from plimsoll.sim.seeds import Cascades

__all__ = ["show_cascades"]


def show_cascades(cascades: Cascades, console: Console) -> None:
    """Print the comparison: mean and standard deviation over seeds, and what is known of the real day."""
    seeds = cascades.settings.seeds
    console.print(Text(f"{cascades.title}, simulated", style="bold"))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", show_edge=False)
    table.add_column("mean ± deviation over seeds" if seeds > 1 else "one seed")
    for name in cascades.settings.policies:
        table.add_column(name, justify="right")
    table.add_column("known", justify="right", style="dim")
    for measure in MEASURES:
        known = measure.wanted
        cells = [written(values_of(cascades, name, measure), measure) for name in cascades.settings.policies]
        shown = "" if known is None else f"{measure.write(known[0])} to {measure.write(known[1])}"
        table.add_row(measure.label, *cells, shown)
    console.print(table)
    console.print()
    console.print(
        Text(
            f"{seeds} seeds; known: the venue with public records on 10 October 2025, margined by constants."
        )
    )
