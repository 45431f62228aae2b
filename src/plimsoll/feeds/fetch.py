"""How are bars downloaded, so that an interruption costs nothing and a second run continues?"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from plimsoll.errors import Code, PlimsollError
from plimsoll.feeds.cache import CachedBars, read_cached, write_cached
from plimsoll.feeds.exchange import Candle, Exchange

__all__ = ["Fetched", "Request", "cache_path", "fetch"]

_PAGE = 500
"""Candles asked for at a time: most exchanges give as many, and those that give fewer are asked again."""
_EMPTY_PAGE = 100
"""Bars skipped after an empty answer: the smallest page that an exchange gives, so that none is missed."""
_PAGES_PER_WRITE = 20
_SETTLING = 10_000
"""Milliseconds after its end until a bar counts as complete: clocks differ, and trades come in late."""
_WAITS = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds before each new try, after which a failing exchange is given up."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to download.

    Attributes
    ----------
    symbol : str        As the exchange lists it, such as ``BTC/USDT``.
    timeframe : str     Such as ``5m``.
    first, last : int   Bars that open at or after `first` and close at or before `last`, milliseconds UTC.
    """

    symbol: str
    timeframe: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a download left in the cache.

    Attributes
    ----------
    path : Path      The file; its folder holds the other markets of the exchange and timeframe. `read_bars`
                     reads either.
    bars : int       Bars in the file.
    added : int      Bars that this download brought.
    missing : int    Bars between the first and the last that the exchange does not have.
    """

    path: Path
    bars: int
    added: int
    missing: int


def cache_path(cache: Path, exchange: str, request: Request) -> Path:
    """Name the file of a market: exchange, timeframe, and the symbol with its separators made harmless."""
    symbol = request.symbol.replace("/", "-").replace(":", "_")
    return cache / exchange / request.timeframe / f"{symbol}.parquet"


def fetch(
    exchange: Exchange,
    request: Request,
    cache: Path,
    *,
    now: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    pause: Callable[[float], None] = time.sleep,
    progress: Callable[[float], None] = lambda share: None,
) -> Fetched:
    """Download bars into the cache, beginning where earlier downloads of the same market ended.

    Parameters
    ----------
    exchange : Exchange
    request : Request
    cache : Path         Folder; see `cache_path`.
    now                  Gives the time, milliseconds UTC.
    pause                Waits so many seconds before a new try.
    progress             Is told the share of the span that is done, from 0 to 1.

    A file always covers one span without a hole, to which bars are added at either end; the bar that is still
    open is never stored. On any interruption what has arrived is kept. Raises `EXCHANGE_FAILED` after several
    tries, and what the exchange or the cache raises.
    """
    length = exchange.length(request.timeframe)
    if request.first >= request.last:
        raise PlimsollError(
            Code.EMPTY_RANGE, "the end is not after the start", where="fetch", remedy="Give a later end."
        )
    path = cache_path(cache, exchange.name, request)
    end = min(request.last, now() - _SETTLING) - length + 1
    found = have = written = read_cached(path, request.first)
    try:
        for count, have in enumerate(_extended(exchange, request, found, end, length, pause), start=1):
            progress(_share(have, request.first, end))
            if count % _PAGES_PER_WRITE == 0:
                written = _keep(path, have)
    finally:
        if have is not written:
            _keep(path, have)
    if not len(have.frame):
        raise PlimsollError(
            Code.EMPTY_RANGE,
            "no complete bar in the range asked for",
            where=f"{exchange.name} {request.symbol} {request.timeframe}",
            remedy="Choose other dates; the market may have been listed later.",
        )
    progress(1.0)
    return Fetched(path, len(have.frame), len(have.frame) - len(found.frame), have.gaps(length))


def _keep(path: Path, bars: CachedBars) -> CachedBars:
    """Write what there is; a file without a bar would be one that nothing can read."""
    if len(bars.frame):
        write_cached(path, bars)
    return bars


def _extended(
    exchange: Exchange,
    request: Request,
    have: CachedBars,
    end: int,
    length: int,
    pause: Callable[[float], None],
) -> Iterator[CachedBars]:
    """Extend the span forward to `end`, page by page, then backward to the first moment asked for."""

    def page(since: int, until: int) -> tuple[list[Candle], int]:
        return _sorted_out(_asked(exchange, request, since, pause), since, until, length)

    while have.until < end:
        candles, until = page(have.until, end)
        have = have.later(request.symbol, candles, until)
        yield have
    while request.first < have.since:
        since = reached = max(request.first, have.since - _PAGE * length)
        found: list[Candle] = []
        while reached < have.since:
            candles, reached = page(reached, have.since)
            found += candles
        have = have.earlier(request.symbol, found, since)
        yield have


def _sorted_out(answer: Sequence[Candle], since: int, until: int, length: int) -> tuple[list[Candle], int]:
    """Keep the candles that open in [since, until), and say up to where the answer leaves nothing open.

    An exchange answers with the next bars it has. So if the first lies beyond `until`, there is none before;
    and if there is no answer at all, only the smallest page is taken for empty. A candle without prices is a
    gap.
    """
    by_time = {int(candle[0]): candle for candle in answer if candle[0] is not None and candle[0] >= since}
    inside = sorted(opens for opens in by_time if opens < until)
    if inside:
        candles = [by_time[opens] for opens in inside if None not in by_time[opens][1:5]]
        return candles, inside[-1] + length
    return [], until if by_time else min(since + _EMPTY_PAGE * length, until)


def _asked(
    exchange: Exchange, request: Request, since: int, pause: Callable[[float], None]
) -> Sequence[Candle]:
    """Ask for a page, and again after a while where the connection failed."""
    for wait in _WAITS:
        try:
            return exchange.candles(request.symbol, request.timeframe, since, _PAGE)
        except ConnectionError:
            pause(wait)
    try:
        return exchange.candles(request.symbol, request.timeframe, since, _PAGE)
    except ConnectionError as error:
        raise PlimsollError(
            Code.EXCHANGE_FAILED,
            f"no answer after {len(_WAITS) + 1} tries: {error}",
            where=f"{exchange.name} {request.symbol} {request.timeframe}",
            remedy="What was downloaded is kept; run the same command again to continue.",
        ) from error


def _share(have: CachedBars, first: int, end: int) -> float:
    covered = min(have.until, end) - max(have.since, first)
    return min(max(covered / max(end - first, 1), 0.0), 1.0)
