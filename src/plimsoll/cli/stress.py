"""What would named scenarios cost the accounts of a venue, and the venue?"""

from typing import TYPE_CHECKING, Annotated

import typer

from plimsoll.cli.book_options import BookFile
from plimsoll.cli.options import Json, Picture, Quiet
from plimsoll.cli.terms import Marks, ParametersFile, ProfileName, QuotesFile, read_terms
from plimsoll.cli.voice import Voice

if TYPE_CHECKING:
    from plimsoll.domain.scenario_sets import NamedStress

__all__ = ["run"]

_ALL = "all"


def run(
    *,
    book: BookFile,
    parameters: ParametersFile = None,
    mark: Marks = None,
    profile: ProfileName = None,
    quotes: QuotesFile = None,
    scenarios: Annotated[
        str,
        typer.Option("--scenarios", metavar="NAMES", help="Of `plimsoll scenarios`, with commas, or all."),
    ] = _ALL,
    within: Annotated[
        int,
        typer.Option("--within", metavar="HOURS", help="Worst move within so many hours.", min=1, max=720),
    ] = 24,
    top: Annotated[int, typer.Option("--top", metavar="N", help="Accounts to list.", min=0)] = 20,
    fund: Annotated[
        float | None,
        typer.Option("--fund", metavar="AMOUNT", help="Insurance fund to compare shortfalls with.", min=0.0),
    ] = None,
    picture: Picture = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Revalue every account in full under named scenarios, as if each happened before anybody could act.

    Of every scenario the worst fall within some hours is taken, and the worst rise where it has one; implied
    volatility rises by 2.5 times the fall. Over margin is what losses exceed maintenance margin by, account
    by account; called are those that end below it; the shortfall is what accounts end up owing, and top two
    what the two largest debtors owe.

    **Examples**

    ```
    plimsoll stress --book book.parquet --parameters parameters.json --scenarios all --top 20
    plimsoll stress --book book.parquet --parameters parameters.json --scenarios ftx-2022 --fund 5000000
    plimsoll stress --book options.csv --profile derive-pmrm2 --quotes quotes.json --picture stress.svg
    ```
    """
    from plimsoll.feeds.books import read_book
    from plimsoll.margin.stress import stress_book
    from plimsoll.report.files import write_whole
    from plimsoll.report.stress import picture_of_stress, show_stress

    voice = Voice.chosen(quiet=quiet, as_json=json)
    held = read_book(book)
    names = {instrument.name for instrument in held.instruments}
    terms = read_terms(parameters, mark or [], profile, quotes, names)
    answer = stress_book(terms.standing(held), _chosen(scenarios, within), top=top, fund=fund)
    voice.tell(lambda console: show_stress(answer, console), lambda: answer)
    if picture is not None:
        write_whole(picture, picture_of_stress(answer).encode())
        voice.remark(f"picture: {picture}")


def _chosen(text: str, within: int) -> "tuple[NamedStress, ...]":
    from plimsoll.scenarios.library import scenarios
    from plimsoll.scenarios.stresses import stresses

    names = [entry.name for entry in scenarios()] if text == _ALL else text.split(",")
    return tuple(stress for name in names for stress in stresses(name.strip(), within_hours=within))
