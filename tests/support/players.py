"""How does a server on this machine play a source's messages: in order, torn off, garbled or silent?

A script is a list of connections, each a list of steps: a number sends the n-th price, bytes are sent as
they are, `GARBAGE` is what no source means, `DROP` ends the connection, `HANG` says nothing more. The last
connection is repeated.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from plimsoll.domain.observations import Observation, OraclePrice, Trade
from plimsoll.feeds.chainlink import ChainlinkSource, Proxy
from plimsoll.feeds.exchange_stream import ExchangeSource
from plimsoll.feeds.hermes import HermesSource
from plimsoll.feeds.lines import SocketLines
from plimsoll.feeds.sources import Source

__all__ = ["DROP", "GARBAGE", "HANG", "PLAYERS", "START", "Script", "expected"]

GARBAGE, DROP, HANG = "garbage", "drop", "hang"
START = 1_765_401_034_000
"""A whole second, for oracles tell no more."""
_FEED = "e62df6c8b4a85fe1a67db44dc12de5db330f7ac66b72dc658afedf0f4a415b43"
_ADDRESS = "0x" + "f4" * 20

Step = int | str | bytes
Script = Sequence[Sequence[Step]]


def _price(number: int) -> float:
    return 3_331.5 - 0.25 * number


def expected(kind: str, number: int) -> Observation:
    """Give the n-th price as the source of this kind means it, but for when it was received."""
    time, price = START + 1_000 * number, _price(number)
    if kind in {"exchange", "lines"}:
        side = "sell" if number % 2 else "buy"
        return Trade(kind, "ETH", time, 0, price, 0.5 + number, side, str(70_000 + number))  # type: ignore[arg-type]
    confidence, identity = (0.75, str(number)) if kind == "hermes" else (0.0, str(900 + number))
    return OraclePrice(kind, "ETH", time, 0, price, confidence, identity)


def _wire(kind: str, step: Step) -> bytes:
    if isinstance(step, bytes):
        return step
    if step == GARBAGE:
        return b'{"channel": "trades", "data": [{"coin": ETH'
    number = int(step)
    seconds, price = START // 1_000 + number, _price(number)
    if kind == "lines":
        return json.dumps(
            {
                "type": "trade",
                "market": "ETH",
                "time": 1_000 * seconds,
                "price": price,
                "size": 0.5 + number,
                "side": "sell" if number % 2 else "buy",
                "identity": 70_000 + number,
            }
        ).encode()
    if kind == "hermes":
        quoted = {"price": str(round(price * 1e8)), "conf": "75000000", "expo": -8, "publish_time": seconds}
        feed = {"id": _FEED, "price": quoted, "ema_price": quoted, "metadata": {"slot": number}}
        return json.dumps({"binary": {"encoding": "hex", "data": []}, "parsed": [feed]}).encode()
    if kind == "chainlink":
        words = (900 + number, round(price * 1e8), seconds, seconds, 900 + number)
        result = "0x" + "".join(word.to_bytes(32, "big").hex() for word in words)
        return json.dumps([{"jsonrpc": "2.0", "id": 0, "result": result}]).encode()
    trade = {"coin": "ETH", "side": "AB"[number % 2 == 0], "px": str(price), "sz": str(0.5 + number)}
    trade |= {"time": 1_000 * seconds, "hash": "0x0", "tid": 70_000 + number, "users": []}  # type: ignore[dict-item]
    return json.dumps({"channel": "trades", "data": [trade]}).encode()


class _Connections:
    """Hands out the script, a connection each."""

    def __init__(self, script: Script) -> None:
        self._left = [list(steps) for steps in script]

    def next(self) -> list[Step]:
        return list(self._left.pop(0) if len(self._left) > 1 else self._left[0])


@asynccontextmanager
async def _tcp(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any],
) -> AsyncIterator[int]:
    tasks: set[asyncio.Task[Any]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def _lines(script: Script) -> AsyncIterator[Source]:
    connections = _Connections(script)

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for step in connections.next():
            if step == DROP:
                return
            if step == HANG:
                await asyncio.Event().wait()
            writer.write(_wire("lines", step) + b"\n")
            await writer.drain()

    async with _tcp(serve) as port:
        yield SocketLines("lines", "127.0.0.1", port)


@asynccontextmanager
async def _hermes(script: Script) -> AsyncIterator[Source]:
    connections = _Connections(script)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        for step in connections.next():
            if step == DROP:
                return
            if step == HANG:
                await asyncio.Event().wait()
            writer.write(b"event: message\ndata: " + _wire("hermes", step) + b"\n\n")
            await writer.drain()

    async with _tcp(serve) as port:
        yield HermesSource("hermes", f"http://127.0.0.1:{port}/", {_FEED: "ETH"})


@asynccontextmanager
async def _chainlink(script: Script) -> AsyncIterator[Source]:
    """A node answers questions: a step each, over as many connections as the client likes."""
    connections = _Connections(script)
    steps: list[Step] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = next(
                int(line.split(b":")[1])
                for line in head.split(b"\r\n")
                if line.lower().startswith(b"content-length")
            )
            assert json.loads(await reader.readexactly(length))[0]["params"][0]["to"] == _ADDRESS
            steps.extend([] if steps else connections.next())
            step = steps.pop(0)
            if step == DROP:
                return
            if step == HANG:
                await asyncio.Event().wait()
            body = _wire("chainlink", step)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    async with _tcp(serve) as port:
        proxy = Proxy("ETH", _ADDRESS, 8)
        yield ChainlinkSource("chainlink", f"http://127.0.0.1:{port}/?key=secret", [proxy], 0.001)


@asynccontextmanager
async def _exchange(script: Script) -> AsyncIterator[Source]:
    """ccxt itself speaks to a WebSocket that plays Hyperliquid's messages."""
    import ccxt.pro
    from websockets.asyncio.server import ServerConnection, serve

    connections = _Connections(script)

    async def handle(socket: ServerConnection) -> None:
        await socket.recv()
        for step in connections.next():
            if step == DROP:
                return
            if step == HANG:
                await socket.wait_closed()
                return
            await socket.send(_wire("exchange", step).decode())

    async with serve(handle, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]

        def connect() -> Any:
            client = ccxt.pro.hyperliquid()
            client.urls["api"]["ws"]["public"] = f"ws://127.0.0.1:{port}"
            client.set_markets([_MARKET])
            return client

        yield ExchangeSource("exchange", connect, ("ETH/USDC:USDC",), ("trades", "depth"))


_MARKET = {
    "id": "1",
    "symbol": "ETH/USDC:USDC",
    "base": "ETH",
    "quote": "USDC",
    "settle": "USDC",
    "baseName": "ETH",
    "type": "swap",
    "swap": True,
    "spot": False,
    "contract": True,
    "linear": True,
    "contractSize": 1.0,
    "precision": {"amount": 1e-4, "price": 1e-2},
    "limits": {},
    "info": {},
}

PLAYERS = {"exchange": _exchange, "hermes": _hermes, "chainlink": _chainlink, "lines": _lines}
"""One per adapter that listens to something else; a new adapter is one line here."""
