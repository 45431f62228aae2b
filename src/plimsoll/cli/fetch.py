"""How do real bars get from an exchange into files?"""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from plimsoll.cli.options import Json, Quiet, market_list, milliseconds, optional_milliseconds
from plimsoll.cli.voice import Progressing, Voice

if TYPE_CHECKING:
    from rich.console import Console

    from plimsoll.feeds.exchange import Exchange
    from plimsoll.feeds.fetch import Fetched, Request

__all__ = ["run"]

_CACHE = Path("data")
_PERCENT = 100


def run(
    *,
    exchange: Annotated[
        str, typer.Option("--exchange", metavar="NAME", help="An exchange that ccxt knows, such as binance.")
    ],
    markets: Annotated[
        str, typer.Option("--markets", metavar="SYMBOLS", help="With commas: BTC/USDT,ETH/USDT.")
    ],
    first: Annotated[
        str, typer.Option("--from", metavar="DATE", help="First bar, UTC: 2024-08-01 or 2024-08-01T12:00.")
    ],
    last: Annotated[
        str | None,
        typer.Option("--to", metavar="DATE", help="Up to this moment, UTC; not included. Default: now."),
    ] = None,
    timeframe: Annotated[
        str, typer.Option("--timeframe", metavar="LENGTH", help="Length of a bar, as the exchange names it.")
    ] = "5m",
    cache: Annotated[
        Path, typer.Option("--cache", metavar="FOLDER", help="Where the files are kept, a market each.")
    ] = _CACHE,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Fetch price bars from an exchange into local Parquet files, through ccxt.

    What was fetched before is kept: an interrupted fetch goes on where it stopped, and a longer one asks only
    for what is missing. The bar that is still open is left out. Needs the extra *exchanges*:
    `pip install 'plimsoll-margin[exchanges]'`.

    **Examples**

    ```
    plimsoll fetch --exchange binance --markets BTC/USDT,ETH/USDT --from 2024-08-01
    plimsoll fetch --exchange kraken --markets BTC/USD --from 2024-01-01 --timeframe 1h
    plimsoll replay --bars data/binance/5m --from 2024-08-03
    ```
    """
    from plimsoll.feeds.exchange import open_exchange
    from plimsoll.feeds.fetch import Request

    voice = Voice.chosen(quiet=quiet, as_json=json)
    end = optional_milliseconds(last, "--to") or time.time_ns() // 1_000_000
    begin = milliseconds(first, "--from")
    requests = [Request(symbol, timeframe, begin, end) for symbol in market_list(markets)]
    opened = open_exchange(exchange)
    with voice.progress() as progress:
        fetched = [_fetched(opened, request, cache, progress) for request in requests]
    voice.tell(
        lambda console: _show(requests, fetched, console),
        lambda: [
            {"symbol": request.symbol} | msgspec.to_builtins(result, builtin_types=(), enc_hook=str)
            for request, result in zip(requests, fetched, strict=True)
        ],
    )


def _fetched(exchange: "Exchange", request: "Request", cache: Path, progress: Progressing) -> "Fetched":
    from plimsoll.feeds.fetch import fetch

    def advance(share: float) -> None:
        progress(request.symbol, round(_PERCENT * share), _PERCENT)

    return fetch(exchange, request, cache, progress=advance)


def _show(requests: "list[Request]", fetched: "list[Fetched]", console: "Console") -> None:
    from rich import box
    from rich.table import Table

    from plimsoll.report import figures

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    table.add_column("market")
    for heading in ("bars", "of them new", "missing"):
        table.add_column(heading, justify="right")
    table.add_column("file")
    for request, result in zip(requests, fetched, strict=True):
        numbers = (figures.count(number) for number in (result.bars, result.added, result.missing))
        table.add_row(request.symbol, *numbers, str(result.path))
    console.print(table)
