"""Which files were recorded of which market, as the options of a calibration name them?"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from plimsoll.errors import Code, PlimsollError

if TYPE_CHECKING:
    from plimsoll.domain.liquidity import Recording

__all__ = ["BooksFiles", "ImpliedFiles", "Recorded", "TradesFiles"]

ImpliedFiles: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--implied",
        metavar="MARKET=FILE",
        help="Index of 30-day implied volatility, percent: ts, close; repeat it. For margining options.",
    ),
]
BooksFiles: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--books",
        metavar="MARKET=FILE",
        help="Recorded order books: ts, bid_price_0, bid_size_0, ask_price_0, ...; repeat it. "
        "For cost curves.",
    ),
]
TradesFiles: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--trades",
        metavar="MARKET=FILE",
        help="Trades recorded with the books: ts, price, size, side; repeat it. Default: volume and "
        "volatility of the bars.",
    ),
]


@dataclass(frozen=True, slots=True)
class Recorded:
    """Files by market: an index of implied volatility, books, and the trades that belong to them."""

    implied: dict[str, Path]
    books: dict[str, Path]
    trades: dict[str, Path]

    @classmethod
    def named(
        cls,
        implied: list[str] | None,
        books: list[str] | None,
        trades: list[str] | None,
        markets: tuple[str, ...],
    ) -> "Recorded":
        """Read `MARKET=FILE` texts; each market of the bars once, and no trades without books."""
        walked = _files(books, "--books", "books.parquet", markets)
        flow = _files(trades, "--trades", "trades.parquet", markets)
        for market in flow:
            if market not in walked:
                raise PlimsollError(
                    Code.BAD_SETTING,
                    f"trades of {market} without its books",
                    where="--trades",
                    remedy=f"Give --books {market}=FILE as well: a cost curve is fitted to both.",
                )
        return cls(_files(implied, "--implied", "index.parquet", markets), walked, flow)

    @property
    def files(self) -> tuple[Path, ...]:
        """All of them, for the provenance."""
        return (*self.implied.values(), *self.books.values(), *self.trades.values())

    def recordings(self, stuck_seconds: float) -> "dict[str, Recording]":
        """Read books and trades; raises what the readers raise."""
        from plimsoll.domain.liquidity import Recording
        from plimsoll.feeds.recordings import read_books, read_trades

        return {
            market: Recording(
                read_books(path, stuck_seconds),
                read_trades(self.trades[market]) if market in self.trades else None,
            )
            for market, path in self.books.items()
        }


def _files(given: list[str] | None, option: str, example: str, markets: tuple[str, ...]) -> dict[str, Path]:
    files: dict[str, Path] = {}
    for text in given or []:
        market, _, path = text.partition("=")
        if market not in markets or market in files or not path:
            raise PlimsollError(
                Code.UNKNOWN_MARKET,
                f"cannot read the file of a market {text!r}",
                where=option,
                remedy=f"Write a market and a file, each market once: {option} {markets[0]}={example}.",
            )
        files[market] = Path(path)
    return files
