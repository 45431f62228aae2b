"""How are Pyth's prices heard from a Hermes server's stream?

The stream is server-sent events over HTTP: lines ``data: {...}`` whose ``parsed`` holds, per feed, a price
and a confidence as whole numbers with a common exponent, and the second at which it was published. What
Hermes says is taken from the server as it is; whoever needs proof checks the signed update on chain.
"""

import importlib
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, final

import msgspec

from plimsoll.domain.observations import Fault, OraclePrice
from plimsoll.errors import Code, PlimsollError
from plimsoll.feeds.sources import Said, refuse, whole

__all__ = ["HermesSource", "http_client", "read_update"]

_PATH = "/v2/updates/price/stream"
_SECOND = 1000
_EXPONENTS = range(-30, 31)
"""Powers of ten that a price may have; Pyth's are -12 to 0."""


@final
class HermesSource:
    """Some feeds of one server.

    Parameters
    ----------
    server : str     ``https://hermes.pyth.network``, or one's own.
    markets : dict   Feed identifier (64 hexadecimal digits, no ``0x``) to market.
    """

    finite = False

    def __init__(self, name: str, server: str, markets: Mapping[str, str]) -> None:
        self.name = name
        self._server = server.rstrip("/")
        self._markets = dict(markets)
        self._http = http_client()

    async def listen(self) -> AsyncIterator[bytes]:
        """Ask for the stream, and give the content of its events."""
        asked = [("ids[]", feed) for feed in self._markets] + [("parsed", "true"), ("encoding", "hex")]
        try:
            async with (
                self._http.AsyncClient(timeout=self._http.Timeout(10.0, read=None)) as client,
                client.stream("GET", self._server + _PATH, params=asked) as answer,
            ):
                answer.raise_for_status()
                async for line in answer.aiter_lines():
                    if line.startswith("data:"):
                        yield line.removeprefix("data:").strip().encode()
        except self._http.HTTPError as error:
            raise ConnectionError(str(error).partition("\n")[0][:200] or type(error).__name__) from error

    def read(self, message: bytes, received: int) -> Sequence[Said]:
        """Read one event."""
        return read_update(self.name, message, received, self._markets)


def read_update(source: str, message: bytes, received: int, markets: Mapping[str, str]) -> Sequence[Said]:
    """Read an update: the object with ``parsed``, the list in it, or one bare price feed of version 1."""
    try:
        update = msgspec.json.decode(message)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return refuse(source, None, received, Fault.UNREADABLE, str(error))
    feeds = update.get("parsed", [update]) if isinstance(update, dict) else update
    if not isinstance(feeds, list):
        return refuse(source, None, received, Fault.UNREADABLE, "no list of price feeds")
    return [said for feed in feeds for said in _feed(source, feed, received, markets)]


def _feed(source: str, feed: Any, received: int, markets: Mapping[str, str]) -> Sequence[Said]:
    if not isinstance(feed, dict) or not isinstance(feed.get("price"), dict):
        return refuse(source, None, received, Fault.UNREADABLE, "a price feed without a price")
    market = markets.get(str(feed.get("id")).lower().removeprefix("0x"))
    if market is None:
        return refuse(
            source, None, received, Fault.UNKNOWN_MARKET, f"no market for feed {str(feed.get('id'))[:70]}"
        )
    quoted = feed["price"]
    price, confidence = whole(quoted, "price"), whole(quoted, "conf")
    exponent, seconds = whole(quoted, "expo"), whole(quoted, "publish_time")
    if price is None or confidence is None or exponent is None or exponent not in _EXPONENTS:
        return refuse(
            source, market, received, Fault.BAD_PRICE, "price, confidence or exponent is no whole number"
        )
    if seconds is None or not 0 <= seconds < 2**40:
        return refuse(source, market, received, Fault.BAD_TIME, "no time of publication")
    metadata = feed.get("metadata")
    slot = metadata.get("slot") if isinstance(metadata, dict) else None
    identity = str(slot) if isinstance(slot, int) else None
    unit = 10.0**exponent
    return [
        OraclePrice(source, market, seconds * _SECOND, received, price * unit, confidence * unit, identity)
    ]


def http_client() -> Any:
    """Give httpx; raises `MISSING_EXTRA`."""
    try:
        return importlib.import_module("httpx")
    except ImportError as error:
        raise PlimsollError(
            Code.MISSING_EXTRA,
            "httpx is not installed",
            where="feed",
            remedy="Run: pip install 'plimsoll-margin[service]'",
        ) from error
