"""How does a program on this machine tell prices as JSON lines, for as long as a test wants?"""

import asyncio
import json
import threading
from types import TracebackType
from typing import Any, Self, TypeAlias

from plimsoll.service.live_feed import wall_clock

__all__ = ["LineSpeaker"]

_EVERY = 0.05

Side: TypeAlias = tuple[tuple[float, float], ...]
"""Price and size of each level, best first."""


class LineSpeaker:
    """A server whose clients hear the prices that were set last, with the present time, many times a second.

    Attributes
    ----------
    port : int
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.port = 0
        self._prices: dict[str, float] = {}
        self._books: dict[str, tuple[Side, Side]] = {}
        self._bytes = b""
        self._loop = asyncio.new_event_loop()
        self._bound = threading.Event()
        self._ended = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))

    def __enter__(self) -> Self:
        self._thread.start()
        self._bound.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()
        self._loop.close()

    def say(self, prices: dict[str, float]) -> None:
        """Tell these prices from now on; none is silence."""
        self._bytes, self._prices = b"", prices

    def show(self, books: dict[str, tuple[Side, Side]]) -> None:
        """Tell these books as well from now on, bids and asks by market."""
        self._books = books

    def say_bytes(self, line: bytes) -> None:
        """Tell this line from now on instead."""
        self._prices, self._bytes = {}, line

    async def _serve(self) -> None:
        talking: set[asyncio.Task[None]] = set()

        async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            talking.add(task)
            try:
                while True:
                    writer.write(self._lines())
                    await writer.drain()
                    await asyncio.sleep(_EVERY)
            except (OSError, asyncio.CancelledError):
                writer.close()

        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._bound.set()
        await self._ended.wait()
        server.close()
        for task in talking:
            task.cancel()
        await asyncio.gather(*talking, return_exceptions=True)

    def _lines(self) -> bytes:
        now = wall_clock()
        told: list[dict[str, Any]] = [
            {"type": "oracle-price", "market": market, "time": now, "price": price, "confidence": 0.0}
            for market, price in self._prices.items()
        ]
        told += [
            {"type": "depth", "market": market, "time": now, "bids": bids, "asks": asks}
            for market, (bids, asks) in self._books.items()
        ]
        return self._bytes + b"".join(json.dumps(line).encode() + b"\n" for line in told)
