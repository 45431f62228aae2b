"""At which prices of one market is an account liquidated?"""

from typing import Annotated

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

__all__ = ["run"]


def run(
    *,
    account: AccountFile,
    market: Annotated[
        str, typer.Option("--market", metavar="NAME", help="Market that moves, such as BTC; others stay.")
    ],
    parameters: ParametersFile = None,
    mark: Marks = None,
    profile: ProfileName = None,
    quotes: QuotesFile = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Say how far one market may move, up and down, before an account is liquidated, all else held.

    Everything is repriced in full at each price tried. Spot, perpetual and forwards of the market move in
    proportion; volatilities stay where they are by strike. Account and quotes are files as
    `plimsoll margin --help` shows them.

    **Examples**

    ```
    plimsoll liquidation-price --parameters parameters.json --account desk.json --market ETH
    plimsoll liquidation-price --profile derive-pmrm2 --quotes quotes.json --account desk.json --market BTC
    ```
    """
    from plimsoll.margin.liquidation_price import liquidation_prices
    from plimsoll.report.liquidation_price import show_liquidation_prices

    voice = Voice.chosen(quiet=quiet, as_json=json)
    held = read_account(account)
    terms = read_terms(parameters, mark or [], profile, quotes, instruments_of(held))
    prices = liquidation_prices(held, market.strip().upper(), terms)
    voice.tell(lambda console: show_liquidation_prices(prices, console), lambda: prices)
