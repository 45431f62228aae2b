"""Where does somebody who has no book of accounts get one to try?"""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from plimsoll.cli.options import Json, Quiet, SetFile
from plimsoll.cli.voice import Voice
from plimsoll.feeds.documents import read_parameters

__all__ = ["run"]


def run(
    *,
    parameters: SetFile,
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="Where to write the book: .parquet or .csv.")
    ],
    accounts: Annotated[
        int, typer.Option("--accounts", metavar="N", help="Accounts in the book.", min=1, max=2_000_000)
    ] = 10_000,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Of the draw.", min=0)] = 1,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Draw a book of accounts and write it as a file that the commands with --book read.

    Sizes, leverage, direction and collateral are drawn as in a replay; each account holds as much of what it
    wants as the set's initial margin admits. No venue's accounts are in it.

    **Examples**

    ```
    plimsoll book --parameters parameters.json --out book.parquet
    plimsoll book --parameters parameters.json --accounts 500 --out book.csv
    ```
    """
    import numpy as np

    from plimsoll.report import figures
    from plimsoll.report.files import write_whole
    from plimsoll.sim.drawn_book import draw_book
    from plimsoll.sim.settings import PopulationSettings
    from plimsoll.store.books import book_bytes

    voice = Voice.chosen(quiet=quiet, as_json=json)
    known = read_parameters(parameters)
    settings = msgspec.structs.replace(PopulationSettings(), accounts=accounts)
    drawn = draw_book(known, settings, seed)
    write_whole(out, book_bytes(drawn, out))
    held = float(np.nansum(np.abs(drawn.sizes) * drawn.prices))
    document = {"accounts": accounts, "holdings": len(drawn.sizes), "gross": held, "markets": drawn.markets}
    voice.tell(
        lambda console: console.print(
            f"{figures.count(accounts)} accounts, {figures.count(len(drawn.sizes))} holdings worth "
            f"{figures.money(held)} in {', '.join(drawn.markets)}"
        ),
        lambda: document,
    )
    voice.remark(f"book: {out}")
