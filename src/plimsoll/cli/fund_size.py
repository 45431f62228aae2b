"""How large must the insurance fund of this book be?"""

from typing import TYPE_CHECKING, Annotated

import typer

from plimsoll.cli.book_options import BookFile, read_marked_book
from plimsoll.cli.options import Json, Quiet, SetFile, SettingsFile
from plimsoll.cli.voice import Voice
from plimsoll.errors import Code
from plimsoll.feeds.documents import read_document, read_parameters

if TYPE_CHECKING:
    from rich.console import Console

    from plimsoll.sim.fund_size import FundSize

__all__ = ["run"]


def run(
    *,
    book: BookFile,
    parameters: SetFile,
    level: Annotated[
        float,
        typer.Option(
            "--level", metavar="SHARE", help="Of crashes that the fund outlasts.", min=0.5, max=0.99999
        ),
    ] = 0.999,
    seeds: Annotated[
        int | None, typer.Option("--seeds", metavar="N", help="Crashes simulated. Default: 30.", min=2)
    ] = None,
    scenario: Annotated[
        list[str] | None,
        typer.Option("--scenario", metavar="NAME", help="Crashes that anchor them; repeat it. Default: all."),
    ] = None,
    settings: SettingsFile = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Size the insurance fund by letting crashes run through the book, and by its two largest debtors.

    Each run takes the worst hour of a crash that happened to the book's markets, at the set's prices, and
    lets forced selling move them. What accounts owe beyond what they have is what the fund must hold: at the
    level, over the runs, and at least what the two worst accounts would owe together in one jump (cover-2).

    **Examples**

    ```
    plimsoll fund-size --book book.parquet --parameters parameters.json
    plimsoll fund-size --book book.csv --parameters parameters.json --level 0.99 --seeds 100
    ```
    """
    from msgspec import structs

    from plimsoll.sim.cascade_settings import CascadeSettings
    from plimsoll.sim.fund_size import fund_size

    voice = Voice.chosen(quiet=quiet, as_json=json)
    remedy = "Correct or remove it; see docs/reference/simulation-settings.md."
    chosen = (
        CascadeSettings(seeds=_SEEDS)
        if settings is None
        else read_document(settings, CascadeSettings, Code.BAD_SETTING, remedy)
    )
    if seeds is not None:
        chosen = structs.replace(chosen, seeds=seeds)
    known = read_parameters(parameters)
    marked, left_out = read_marked_book(book, known)
    with voice.progress() as progress:
        found = fund_size(
            marked, known, chosen, level=level, scenarios=tuple(scenario or ()), progress=progress
        )
    voice.tell(lambda console: _show(found, console), lambda: found)
    for line in left_out:
        voice.remark(line)


_SEEDS = 30


_BASES = {
    "observed": "of the runs",
    "fitted": "beyond the runs, from a fitted tail",
    "largest": "beyond the runs, too few of which left anything: the largest seen",
}


def _show(found: "FundSize", console: "Console") -> None:
    from plimsoll.report import figures

    over = found.fund / found.interest if found.interest > 0.0 else 0.0
    two = found.cover_two
    console.print(f"fund {figures.money(found.fund)}: {figures.share(over)} of open interest", style="bold")
    band = f"between {figures.money(found.low)} and "
    band += "nobody knows what: more runs bound it" if found.high is None else figures.money(found.high)
    console.print(
        f"cascades: {figures.money(found.quantile)} at {found.level:g} ({_BASES[found.basis]}), {band}"
    )
    console.print(
        f"          {found.runs} runs of {len(found.scenarios)} crashes: mean bad debt "
        f"{figures.money(found.mean)}, largest {figures.money(found.largest)}"
    )
    named = " and ".join(two.accounts) or "nobody"
    console.print(f"cover-2:  {figures.money(two.loss)}: {named}, in a {two.side} like {two.scenario}")
