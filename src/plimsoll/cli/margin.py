"""What must this account hold, and why?"""

from typing import TYPE_CHECKING, Annotated

import typer

from plimsoll.cli.options import Json, Picture, Quiet
from plimsoll.cli.terms import (
    AccountFile,
    Marks,
    ParametersFile,
    ProfileName,
    QuotesFile,
    instruments_of,
    read_account,
    read_terms,
)
from plimsoll.cli.voice import Voice
from plimsoll.errors import Code, PlimsollError

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from plimsoll.margin.terms import Answer

__all__ = ["run"]


def run(
    *,
    account: AccountFile,
    parameters: ParametersFile = None,
    mark: Marks = None,
    profile: ProfileName = None,
    quotes: QuotesFile = None,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain",
            metavar="",
            help="With --profile, show what each position adds and the worst scenarios; a set shows all.",
        ),
    ] = False,
    picture: Picture = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Say what an account must hold, part by part, and why: under a parameter set or a venue's profile.

    The parts add up to the requirement and the worst scenario is named. A parameter set, named by version
    and digest, margins linear instruments; a profile margins options too, at the quotes given, and profile
    plimsoll over the ranges of the set. Money is in units of the quote currency (USD).

    **Examples**

    ```
    plimsoll margin --parameters parameters.json --account desk.json
    plimsoll margin --parameters parameters.json --account desk.json --mark BTC=52000
    plimsoll margin --profile derive-pmrm2 --quotes quotes.json --account desk.json --explain
    plimsoll margin --profile plimsoll --parameters parameters.json --quotes quotes.json --account desk.json
    ```

    **An account**: an option's premium has left the cash already

    ```
    {"name": "desk",
     "collateral": [{"asset": "USD", "amount": "25000"}],
     "positions": [{"instrument": "BTC-PERP", "quantity": "0.5",
                    "entry_price": "61000"}]}
    ```

    **Quotes**: rates per year, by expiry; volatilities per root of a year

    ```
    {"time": "2026-01-15T08:00:00Z",
     "prices": {"BTC": 95000, "BTC-PERP": 95020, "BTC-27MAR26": 96100},
     "rates": {"BTC-27MAR26": 0.04},
     "volatilities": {"BTC-27MAR26-90000-P": 0.52}}
    ```
    """
    voice = Voice.chosen(quiet=quiet, as_json=json)
    held = read_account(account)
    terms = read_terms(parameters, mark or [], profile, quotes, instruments_of(held))
    answer = terms.answer(held)
    voice.tell(lambda console: _show(answer, console, in_full=explain), lambda: answer)
    if picture is not None:
        _draw(answer, picture)
        voice.remark(f"picture: {picture}")


def _draw(answer: "Answer", path: "Path") -> None:
    from plimsoll.margin.breakdown import Breakdown
    from plimsoll.report.breakdown import picture_of_breakdown
    from plimsoll.report.files import write_whole

    if not isinstance(answer, Breakdown):
        raise PlimsollError(
            Code.BAD_SETTING,
            "a parameter set has no list of scenarios to draw",
            where="--picture",
            remedy="Give --profile and --quotes as well.",
        )
    write_whole(path, picture_of_breakdown(answer).encode())


def _show(answer: "Answer", console: "Console", *, in_full: bool) -> None:
    from plimsoll.margin.breakdown import Breakdown
    from plimsoll.report.breakdown import show_breakdown
    from plimsoll.report.explanation import show_explanation

    if isinstance(answer, Breakdown):
        show_breakdown(answer, console, in_full=in_full)
    else:
        show_explanation(answer, console)
