"""What would publishing these parameters do to this book?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from plimsoll.cli.book_options import BookFile, Depths, curves_of, left_out_lines, read_marked_book
from plimsoll.cli.options import Json, Quiet
from plimsoll.cli.terms import read_quotes
from plimsoll.cli.voice import Voice
from plimsoll.feeds.documents import read_parameters

if TYPE_CHECKING:
    from plimsoll.domain.parameters import ParameterSet
    from plimsoll.sim.impact import Impact

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
    quotes: Annotated[
        Path | None,
        typer.Option(
            "--quotes",
            metavar="FILE",
            help="Market to margin a book with options at, as for `plimsoll margin`; JSON or TOML.",
        ),
    ] = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Say, before a set is published, who would be called and how much sold, against what depth.

    The book stands at the prices of the new set. What prices alone force is not counted: only what the change
    does. The branching ratio says whether forced selling feeds itself, under the old set and the new. Where a
    change would force more than the budget, steps are given that do not.

    With `--quotes` the book may hold options: it stands at the quotes and is margined under profile plimsoll
    over the ranges of each set. What is sold is then the delta of what is sold, beside its vega.

    **Examples**

    ```
    plimsoll impact --from old.json --to new.json --book book.parquet
    plimsoll impact --from old.json --to new.json --book book.csv --depth BTC=25e6 --depth ETH=9e6
    plimsoll impact --from old.json --to new.json --book options.csv --quotes quotes.json
    ```
    """
    import msgspec

    from plimsoll.report.impact import show_impact

    voice = Voice.chosen(quiet=quiet, as_json=json)
    in_force, proposed = read_parameters(old), read_parameters(new)
    prices = "the prices of the new set" if quotes is None else "the quotes given"
    if quotes is None:
        found, steps, left_out = _linear(book, depth, in_force, proposed, budget)
    else:
        found, left_out = _with_options(book, depth, in_force, proposed, quotes)
        steps = () if _exceeds(found, budget) else (1.0,)
    voice.tell(
        lambda console: show_impact(found, steps, budget, console, prices),
        lambda: msgspec.to_builtins(found) | {"steps": steps, "left_out": left_out},
    )
    for line in left_out:
        voice.remark(line)


def _exceeds(found: "Impact", budget: float) -> bool:
    """Say whether the change would force more in some market than a share of its depth."""
    return any(each.sold + each.bought > budget * each.depth for each in found.markets)


def _linear(
    book: Path, depth: list[str] | None, in_force: "ParameterSet", proposed: "ParameterSet", budget: float
) -> "tuple[Impact, tuple[float, ...], tuple[str, ...]]":
    """Compare at the prices of the proposed set, and cut what is too much into steps."""
    from plimsoll.domain.settings import ClearingRules
    from plimsoll.sim.impact import impact_of
    from plimsoll.sim.pacing import paced

    marked, left_out = read_marked_book(book, proposed)
    curves = curves_of(depth, marked.markets, marked.interest(), proposed)
    found = impact_of(marked, in_force, proposed, curves, ClearingRules())
    if not _exceeds(found, budget):
        return found, (1.0,), left_out
    return found, paced(marked, in_force, proposed, curves, ClearingRules(), budget), left_out


def _with_options(
    book: Path, depth: list[str] | None, in_force: "ParameterSet", proposed: "ParameterSet", quotes: Path
) -> "tuple[Impact, tuple[str, ...]]":
    """Compare under the own profile, at the quotes."""
    from plimsoll.domain.quotes import market_of
    from plimsoll.domain.settings import ClearingRules
    from plimsoll.feeds.books import read_book
    from plimsoll.sim.option_impact import option_book, option_impact

    held = option_book(read_book(book), market_of(read_quotes(quotes), str(quotes)), proposed)
    curves = curves_of(depth, held.book.markets, held.interest(), proposed)
    found = option_impact(held, in_force, proposed, curves, ClearingRules())
    return found, left_out_lines(held.refused)
