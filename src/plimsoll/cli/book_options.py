"""Which options do the commands share that look at a whole book of accounts?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from plimsoll.errors import Code, PlimsollError

if TYPE_CHECKING:
    from plimsoll.domain.account_books import RefusedAccount
    from plimsoll.domain.cost_curve import CostCurve
    from plimsoll.domain.parameters import ParameterSet
    from plimsoll.sim.book_at_marks import BookAtMarks
    from plimsoll.types import Vector

__all__ = ["BookFile", "Depths", "curves_of", "left_out_lines", "read_marked_book"]

BookFile: TypeAlias = Annotated[
    Path,
    typer.Option("--book", metavar="FILE", help="Accounts: account, instrument, size, price."),
]
Depths: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--depth",
        metavar="MARKET=AMOUNT",
        help="Notional that moves the price by 1 %; repeat it. Default: by the set's cost curve, "
        "or 1.4 % of the book's open interest.",
    ),
]


def read_marked_book(path: Path, parameters: "ParameterSet") -> "tuple[BookAtMarks, tuple[str, ...]]":
    """Read a book at the prices of a set; give what is said of accounts that were left out."""
    from plimsoll.feeds.books import read_book
    from plimsoll.sim.book_at_marks import book_at_marks
    from plimsoll.sim.drawn_book import markets_and_prices

    book = read_book(path)
    markets, prices = markets_and_prices(parameters)
    marked = book_at_marks(book, dict(zip(markets, prices.tolist(), strict=True)))
    return marked, left_out_lines(book.refused)


def left_out_lines(refused: "tuple[RefusedAccount, ...]") -> tuple[str, ...]:
    """Say of each account that was left out, why."""
    return tuple(f"left out: {each.account}: {each.what} ({each.where})" for each in refused)


def curves_of(
    given: list[str] | None, markets: tuple[str, ...], interest: "Vector", parameters: "ParameterSet"
) -> "tuple[CostCurve, ...]":
    """Take each market's curve [M] from the options, else from the set, else assume one by open interest."""
    import numpy as np

    from plimsoll.domain.settings import CalibrationSettings
    from plimsoll.sim.curves import assumed_liquidity, flat_book
    from plimsoll.sim.settings import MarketSettings

    interest = interest.clip(min=1.0)
    assumed = assumed_liquidity(
        markets, interest, np.zeros(len(interest)), MarketSettings(), CalibrationSettings()
    )
    curves = {entry.market: entry.curves[0] for entry in (*assumed, *parameters.liquidity)}
    for text in given or []:
        market, _, amount = text.partition("=")
        if market not in markets:
            raise PlimsollError(
                Code.UNKNOWN_MARKET,
                f"the book holds nothing of {market or text!r}",
                where="--depth",
                remedy=f"Choose among {', '.join(markets)}.",
            )
        known = curves[market]
        curves[market] = flat_book(_positive(amount, text), volume=known.volume, impact=0.0)
    return tuple(curves[market] for market in markets)


def _positive(amount: str, text: str) -> float:
    try:
        number = float(amount)
    except ValueError:
        number = 0.0
    if not 0.0 < number < float("inf"):
        raise PlimsollError(
            Code.BAD_QUANTITY,
            f"cannot read the depth {text!r}",
            where="--depth",
            remedy="Write a market and a notional above zero: --depth BTC=25000000.",
        )
    return number
