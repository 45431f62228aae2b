"""How are an exchange's trades, books and tickers heard over its WebSocket, through ccxt?"""

import asyncio
import importlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, final

from plimsoll.domain.markets import market_name
from plimsoll.domain.observations import Depth, Fault, Ticker, Trade
from plimsoll.errors import Code, PlimsollError
from plimsoll.feeds.sources import Said, levels, number, refuse, whole

__all__ = ["ExchangeSource", "Heard", "open_exchange_source", "read_unified"]

CHANNELS = ("trades", "depth", "ticker")
_METHODS = {"trades": "watch_trades", "depth": "watch_order_book", "ticker": "watch_ticker"}
_LEVELS = 20
_WAITING = 1_000
"""Messages between ccxt and the reader; beyond, ccxt's own caches hold what comes."""


class Heard(NamedTuple):
    """One message in ccxt's unified form."""

    channel: str
    symbol: str
    content: Any


@final
class ExchangeSource:
    """Channels of some markets of one exchange.

    Parameters
    ----------
    connect : callable   Makes a client of `ccxt.pro`; a lost connection is left with its client.
    symbols : tuple      As the exchange lists them: ``BTC/USDT:USDT``.
    channels : tuple     Of `trades`, `depth`, `ticker`.
    """

    finite = False

    def __init__(
        self,
        name: str,
        connect: Callable[[], Any],
        symbols: tuple[str, ...],
        channels: tuple[str, ...] = CHANNELS,
    ) -> None:
        self.name = name
        self._connect = connect
        self._symbols = symbols
        self._channels = channels
        self._errors = _ccxt("ccxt")

    async def listen(self) -> AsyncIterator[Heard]:
        """Watch every channel of every market; the first that fails ends all."""
        client = self._connect()
        heard: asyncio.Queue[Heard] = asyncio.Queue(_WAITING)
        watching = [
            asyncio.ensure_future(_watch(client, channel, symbol, heard))
            for channel in self._channels
            for symbol in self._symbols
        ]
        failing = asyncio.ensure_future(asyncio.wait(watching, return_when=asyncio.FIRST_COMPLETED))
        try:
            while True:
                taking = asyncio.ensure_future(heard.get())
                await asyncio.wait({taking, failing}, return_when=asyncio.FIRST_COMPLETED)
                if not taking.done():
                    taking.cancel()
                    break
                yield taking.result()
            for ended in failing.result()[0]:
                self._raise(ended)
        finally:
            for task in (failing, *watching):
                task.cancel()
            await asyncio.gather(failing, *watching, return_exceptions=True)
            with suppress(OSError, self._errors.BaseError):
                await client.close()

    def read(self, message: Heard, received: int) -> Sequence[Said]:
        """Read one message."""
        return read_unified(self.name, message, received)

    def _raise(self, ended: "asyncio.Task[None]") -> None:
        error = ended.exception()
        if isinstance(error, self._errors.BadSymbol | self._errors.NotSupported):
            raise PlimsollError(
                Code.UNKNOWN_MARKET,
                f"{self.name} has no such market or channel",
                where=", ".join(self._symbols),
                remedy="Write it as the exchange lists it: BTC/USDT or, for a perpetual, BTC/USDT:USDT.",
            ) from error
        # Whatever else ccxt stumbles over, a message it cannot read among them, a new connection is tried.
        raise ConnectionError(f"{type(error).__name__}: {error}".partition("\n")[0][:200])


async def _watch(client: Any, channel: str, symbol: str, heard: "asyncio.Queue[Heard]") -> None:
    watch = getattr(client, _METHODS[channel])
    while True:
        content = await watch(symbol)
        if channel == "depth":  # ccxt goes on changing the book that it gave
            content = dict(content)
            for side in ("bids", "asks"):
                content[side] = [list(level) for level in content[side][:_LEVELS]]
        await heard.put(Heard(channel, symbol, content))


def open_exchange_source(
    name: str, symbols: tuple[str, ...], channels: tuple[str, ...] = CHANNELS
) -> ExchangeSource:
    """Listen to an exchange by the name that ccxt gives it; raises `BAD_SETTING`, `MISSING_EXTRA`."""
    streams = _ccxt("ccxt.pro")
    if name not in streams.exchanges:
        raise PlimsollError(
            Code.BAD_SETTING,
            f"ccxt streams no exchange {name}",
            where="exchange",
            remedy="Give a name from ccxt's list, such as binance, kraken or hyperliquid.",
        )
    return ExchangeSource(name, lambda: getattr(streams, name)({"enableRateLimit": True}), symbols, channels)


def read_unified(source: str, heard: Heard, received: int) -> Sequence[Said]:
    """Read a message in ccxt's unified form."""
    market = market_name(heard.symbol)
    reader = {"trades": _trades, "depth": _depth, "ticker": _ticker}[heard.channel]
    said = reader(heard.content, source, market, received)
    return refuse(source, market, received, Fault.UNREADABLE, f"no {heard.channel}") if said is None else said


def _trades(content: Any, source: str, market: str, received: int) -> Sequence[Said] | None:
    if not isinstance(content, Sequence) or isinstance(content, str | bytes):
        return None
    said: list[Said] = []
    for trade in content:
        fields = trade if isinstance(trade, Mapping) else {}
        time, price, size = whole(fields, "timestamp"), number(fields, "price"), number(fields, "amount")
        side, identity = fields.get("side"), fields.get("id")
        if time is None or price is None or size is None:
            said.extend(
                refuse(source, market, received, Fault.UNREADABLE, "a trade lacks time, price or size")
            )
            continue
        known = side if side in {"buy", "sell"} else None
        said.append(
            Trade(
                source,
                market,
                time,
                received,
                price,
                size,
                known,
                None if identity is None else str(identity),
            )
        )
    return said


def _depth(content: Any, source: str, market: str, received: int) -> Sequence[Said] | None:
    if not isinstance(content, Mapping):
        return None
    bids, asks = (levels(content.get(side), _LEVELS) for side in ("bids", "asks"))
    if not bids or not asks:
        return None
    time = whole(content, "timestamp")
    return [
        Depth(
            source, market, received if time is None else time, received, bids, asks, whole(content, "nonce")
        )
    ]


def _ticker(content: Any, source: str, market: str, received: int) -> Sequence[Said] | None:
    if not isinstance(content, Mapping):
        return None
    last = next(
        (found for name in ("last", "close", "markPrice") if (found := number(content, name)) is not None),
        None,
    )
    if last is None:
        return None
    time = whole(content, "timestamp")
    return [
        Ticker(
            source,
            market,
            received if time is None else time,
            received,
            last,
            number(content, "bid"),
            number(content, "ask"),
        )
    ]


def _ccxt(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise PlimsollError(
            Code.MISSING_EXTRA,
            "ccxt is not installed",
            where="feed",
            remedy="Run: pip install 'plimsoll-margin[exchanges]'",
        ) from error
