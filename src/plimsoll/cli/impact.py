"""What would publishing these parameters do to this book?"""

from pathlib import Path
from typing import Annotated

import typer

from plimsoll.cli.book_options import BookFile, Depths, curves_of, read_marked_book
from plimsoll.cli.options import Json, Quiet
from plimsoll.cli.voice import Voice
from plimsoll.feeds.documents import read_parameters

__all__ = ["run"]


def run(
    *,
    old: Annotated[Path, typer.Option("--from", metavar="FILE", help="The parameter set in force.")],
    new: Annotated[Path, typer.Option("--to", metavar="FILE", help="The set that would be published.")],
    book: BookFile,
    depth: Depths = None,
    budget: Annotated[
        float,
        typer.Option(
            "--budget",
            metavar="SHARE",
            help="Of depth, that a step may force to be sold.",
            min=1e-6,
            max=100.0,
        ),
    ] = 0.1,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Say, before a set is published, who would be called and how much sold, against what depth.

    The book stands at the prices of the new set. What prices alone force is not counted: only what the change
    does. The branching ratio says whether forced selling feeds itself, under the old set and the new. Where a
    change would force more than the budget, steps are given that do not.

    **Examples**

    ```
    plimsoll impact --from old.json --to new.json --book book.parquet
    plimsoll impact --from old.json --to new.json --book book.csv --depth BTC=25e6 --depth ETH=9e6
    ```
    """
    import msgspec

    from plimsoll.domain.settings import ClearingRules
    from plimsoll.report.impact import show_impact
    from plimsoll.sim.impact import impact_of
    from plimsoll.sim.pacing import paced

    voice = Voice.chosen(quiet=quiet, as_json=json)
    in_force, proposed = read_parameters(old), read_parameters(new)
    marked, left_out = read_marked_book(book, proposed)
    curves = curves_of(depth, marked, proposed)
    found = impact_of(marked, in_force, proposed, curves, ClearingRules())
    over = any(each.sold + each.bought > budget * each.depth for each in found.markets)
    steps = paced(marked, in_force, proposed, curves, ClearingRules(), budget) if over else (1.0,)
    voice.tell(
        lambda console: show_impact(found, steps, budget, console),
        lambda: msgspec.to_builtins(found) | {"steps": steps, "left_out": left_out},
    )
    for line in left_out:
        voice.remark(line)
