"""How do many clients hear of every change, and how can none of them hold up the engine or the others?

The engine only sets a flag. One task writes the message, at most once per interval, and puts it in a bounded
buffer per client; where a client's buffer is full its oldest message is dropped and it is told how many it
missed. A client that takes nothing for too long, talks too much, or whose token no longer holds is
disconnected, and so are all where messages can no longer be written: they may connect again and hear why.
"""

import asyncio
import contextlib
import logging
from collections import deque

import msgspec
from msgspec import Struct
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from plimsoll.errors import PlimsollError
from plimsoll.service.accounts import AccountPage, AccountQuery, accounts_page
from plimsoll.service.branching import Branching
from plimsoll.service.desk import Desk
from plimsoll.service.endpoints import Asked
from plimsoll.service.markets import Announcement, Market, Overview, announcements, markets_of, overview_of
from plimsoll.service.rates import RateLimit
from plimsoll.service.threads import apart
from plimsoll.service.tokens import Scope
from plimsoll.service.view import Happened

__all__ = ["PROTOCOL", "Changed", "ClientBuffer", "Missed", "Streams"]

_LOG = logging.getLogger("plimsoll.service")

PROTOCOL = "plimsoll.v1"
"""Offered as subprotocol; a browser offers ``bearer.TOKEN`` beside it, since it can set no header."""

_POLICY, _TOO_MANY, _TRY_LATER = 1008, 1008, 1013
_MOST_INBOUND = 32
"""Messages that a client may send in its life: it has nothing to say."""
_NEAREST = 25
_LATEST = 20


class Changed(Struct, frozen=True, kw_only=True, tag="changed", tag_field="kind"):
    """The venue after a change."""

    overview: Overview
    markets: tuple[Market, ...]
    announced: tuple[Announcement, ...]
    branching: tuple[Branching, ...]
    nearest: AccountPage
    happened: tuple[Happened, ...]


class Missed(Struct, frozen=True, kw_only=True, tag="missed", tag_field="kind"):
    """Messages that were dropped because the client did not take them."""

    count: int


class ClientBuffer:
    """What waits for one client: at most so many messages, the newest.

    Parameters
    ----------
    most : int
    """

    def __init__(self, most: int) -> None:
        self.waiting: deque[bytes] = deque()
        self.missed = 0
        self.news = asyncio.Event()
        self._most = most

    def put(self, message: bytes) -> int:
        """Add a message; give how many had to be dropped for it."""
        self.waiting.append(message)
        dropped = 0
        while len(self.waiting) > self._most:
            self.waiting.popleft()
            dropped += 1
        self.missed += dropped
        self.news.set()
        return dropped

    async def next(self) -> bytes:
        """Wait for a message; one that says what was missed comes first."""
        while not self.waiting:
            self.news.clear()
            await self.news.wait()
        if self.missed:
            missed, self.missed = self.missed, 0
            return msgspec.json.encode(Missed(count=missed))
        return self.waiting.popleft()


class Streams:
    """All clients of the stream.

    Parameters
    ----------
    desk : Desk
    rates : RateLimit   Counts connections as it does requests: by token, a stranger's guesses by address.
    """

    def __init__(self, desk: Desk, rates: RateLimit) -> None:
        self._desk = desk
        self._rates = rates
        self._clients: set[ClientBuffer] = set()
        self._changed = asyncio.Event()
        self._telling: asyncio.Task[None] | None = None

    async def serve(self, socket: WebSocket) -> None:
        """Serve one client until it leaves."""
        limits = self._desk.settings.limits
        try:
            self._admit(socket)
            room = self._desk.engine
        except PlimsollError as error:
            await socket.close(_POLICY, str(error.code))
            return
        if len(self._clients) >= limits.stream_clients:
            await socket.close(_TRY_LATER, "too many clients")
            return
        client = ClientBuffer(limits.stream_buffer)
        self._clients.add(client)  # before anything is awaited, so that no other takes its place meanwhile
        try:
            await socket.accept(PROTOCOL if PROTOCOL in socket.scope["subprotocols"] else None)
            loop = asyncio.get_running_loop()
            room.on_change(lambda: self._wake(loop))
            await self._exchange(socket, client, self._told())
        finally:
            self._clients.discard(client)

    def _admit(self, socket: WebSocket) -> None:
        """Admit the bearer of a token as an endpoint does."""
        try:
            token = self._desk.tokens.admitted(_presented(socket), Scope.READ)
        except PlimsollError:
            self._rates.take(socket.client.host if socket.client else "unknown")
            raise
        self._rates.take(token.identity)

    def _told(self) -> asyncio.Task[None]:
        """Have a message written now, and give the task that writes them."""
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell())
            self._telling.add_done_callback(_note_end)
        self._changed.set()
        return self._telling

    def _wake(self, loop: asyncio.AbstractEventLoop) -> None:
        """Tell the loop, from the engine's thread, that something changed; at the end there is no loop."""
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(self._changed.set)

    async def _exchange(self, socket: WebSocket, client: ClientBuffer, telling: asyncio.Task[None]) -> None:
        """Send and listen until one of them ends, or nothing is told any more."""
        tasks = {asyncio.create_task(self._send(socket, client)), asyncio.create_task(_listen(socket))}
        await asyncio.wait({*tasks, telling}, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError, OSError):
                await task
        if socket.application_state is WebSocketState.CONNECTED:
            with contextlib.suppress(RuntimeError, OSError, WebSocketDisconnect):
                await socket.close(_TRY_LATER if telling.done() else _TOO_MANY)

    async def _send(self, socket: WebSocket, client: ClientBuffer) -> None:
        """Send what waits, until one message is not taken in time or the token no longer holds."""
        while True:
            message = await client.next()
            try:
                self._desk.tokens.admitted(_presented(socket), Scope.READ)
                async with asyncio.timeout(self._desk.settings.limits.stream_seconds):
                    await socket.send_text(message.decode())
            except TimeoutError:
                _LOG.warning("stream client too slow")
                return
            except PlimsollError as error:
                _LOG.info("stream client not admitted any more", extra={"what": str(error)})
                return

    async def _tell(self) -> None:
        """Write a message when something has changed, and give it to every client."""
        while self._clients:
            await self._changed.wait()
            self._changed.clear()
            if self._clients:
                message = msgspec.json.encode(await self._message())
                dropped = sum(client.put(message) for client in self._clients)
                self._desk.engine.metrics.dropped_messages += dropped
            await asyncio.sleep(self._desk.settings.limits.stream_interval)

    async def _message(self) -> Changed:
        asked = Asked(self._desk, {}, AccountQuery(limit=_NEAREST), None, "", "")
        view = self._desk.view
        guard = self._desk.settings.calibration.guard
        return Changed(
            overview=await apart(overview_of, asked),
            markets=await apart(markets_of, asked),
            announced=announcements(view, guard.rise_per_hour),
            branching=view.insight.branching if view.insight else (),
            nearest=await accounts_page(asked),
            happened=tuple(self._desk.engine.happened.listed()[-_LATEST:]),
        )


def _note_end(telling: asyncio.Task[None]) -> None:
    """Log why messages are no longer written, where it is an error."""
    if not telling.cancelled() and (error := telling.exception()) is not None:
        _LOG.error("the stream has ended", exc_info=error)


async def _listen(socket: WebSocket) -> None:
    """Wait until the client leaves, or has said too much."""
    for _ in range(_MOST_INBOUND):
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return


def _presented(socket: WebSocket) -> str:
    """Take the token from the header, or from the subprotocols that a browser offers."""
    scheme, _, presented = socket.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return presented.strip()
    offered = [name for name in socket.scope["subprotocols"] if name.startswith("bearer.")]
    return offered[0].removeprefix("bearer.") if offered else ""
