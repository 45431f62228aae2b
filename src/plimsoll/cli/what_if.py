"""What would a trade change in what an account must hold?"""

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated

import typer

from plimsoll.cli.options import Json, Quiet
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
    from plimsoll.margin.what_if import Trade

__all__ = ["run"]


def run(
    *,
    account: AccountFile,
    add: Annotated[
        list[str],
        typer.Option(
            "--add", metavar="INSTRUMENT:QUANTITY", help="A trade, signed, in base units; repeat it for more."
        ),
    ],
    parameters: ParametersFile = None,
    mark: Marks = None,
    profile: ProfileName = None,
    quotes: QuotesFile = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Say what trades at the mark would change: equity, initial, maintenance and its parts, before and after.

    The premium of an option and the price of an asset are paid from the cash, or into it; fees are left out.
    Account and quotes are files as `plimsoll margin --help` shows them.

    **Examples**

    ```
    plimsoll what-if --parameters parameters.json --account desk.json --add ETH-PERP:+10
    plimsoll what-if --profile span-16 --quotes quotes.json --account desk.json --add BTC-27MAR26-90000-P:+10
    ```
    """
    from plimsoll.margin.what_if import what_if
    from plimsoll.report.what_if import show_what_if

    voice = Voice.chosen(quiet=quiet, as_json=json)
    held = read_account(account)
    trades = tuple(_trade(text) for text in add)
    names = instruments_of(held) | {trade.instrument for trade in trades}
    answer = what_if(held, trades, read_terms(parameters, mark or [], profile, quotes, names))
    voice.tell(lambda console: show_what_if(answer, console), lambda: answer)


def _trade(text: str) -> "Trade":
    from plimsoll.margin.what_if import Trade

    name, _, quantity = text.rpartition(":")
    try:
        return Trade(name.strip().upper(), Decimal(quantity))
    except InvalidOperation as error:
        raise PlimsollError(
            Code.BAD_QUANTITY,
            f"cannot read the trade {text!r}",
            where="--add",
            remedy="Write an instrument and a signed quantity: --add BTC-27MAR26-90000-P:+10.",
        ) from error
