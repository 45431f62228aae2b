"""How are observations read from lines of JSON or CSV: a file, a program's output, or a socket?

The format is that of this package's own values, so what was recorded from any source is replayed by this
one. JSON: ``{"type": "trade", "market": "BTC", "time": 1760000000000, "price": 61234.5, "size": 0.2, "side":
"buy", "identity": "77"}``, ``depth`` with ``bids`` and ``asks`` (pairs of price and size), ``ticker`` with
``last``, ``oracle-price`` with ``price`` and ``confidence``. CSV: the same names in a header, without depth.
"""

import asyncio
import csv
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any, final

import msgspec

from plimsoll.domain.observations import Depth, Fault, Observation, OraclePrice, Ticker, Trade
from plimsoll.feeds.sources import Said, levels, number, refuse, whole

__all__ = ["LineSource", "SocketLines", "read_line", "recorded_lines"]

_LONGEST = 1 << 20
"""Bytes of a line; a book of some thousand levels fits."""
_MOST_LEVELS = 10_000


@final
class LineSource:
    """Lines from a file, one after the other: the replay of what was recorded.

    Parameters
    ----------
    name : str
    path : Path   ``.csv`` with a header, anything else JSON lines.
    """

    finite = True

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self._path = path
        self._header: tuple[str, ...] | None = None

    async def listen(self) -> AsyncIterator[bytes]:
        """Give the lines of the file."""
        with self._path.open("rb") as file:
            if self._path.suffix == ".csv":
                self._header = tuple(file.readline(_LONGEST).decode("utf-8", "replace").strip().split(","))
            while line := file.readline(_LONGEST):
                yield line
                await asyncio.sleep(0)  # let whoever consumes have a turn

    def read(self, message: bytes, received: int) -> Sequence[Said]:
        """Read one line."""
        return read_line(self.name, message, received, self._header)


@final
class SocketLines:
    """JSON lines from a TCP socket that some other program serves."""

    finite = False

    def __init__(self, name: str, host: str, port: int) -> None:
        self.name = name
        self._host = host
        self._port = port

    async def listen(self) -> AsyncIterator[bytes]:
        """Connect, and give lines until the other side ends."""
        reader, writer = await asyncio.open_connection(self._host, self._port, limit=_LONGEST)
        try:
            while line := await reader.readline():
                yield line
        except ValueError as error:
            raise ConnectionError(f"a line is longer than {_LONGEST} bytes") from error
        finally:
            writer.close()

    def read(self, message: bytes, received: int) -> Sequence[Said]:
        """Read one line."""
        return read_line(self.name, message, received, None)


def recorded_lines(observations: Sequence[Observation]) -> bytes:
    """Write observations as JSON lines that `LineSource` reads."""
    return b"".join(msgspec.json.encode(observation) + b"\n" for observation in observations)


def read_line(source: str, line: bytes, received: int, header: tuple[str, ...] | None) -> Sequence[Said]:
    """Read one line: JSON, or CSV under a header. An empty line is nothing, and no fault.

    `received` in the line, where it is recorded, comes before the one given: a replay has the delays that
    there were.
    """
    if not line.strip():
        return ()
    fields = _json(line) if header is None else _row(line, header)
    if fields is None:
        return refuse(source, None, received, Fault.UNREADABLE, "neither an object nor a row of the header")
    market, time = fields.get("market"), whole(fields, "time")
    if not isinstance(market, str) or not market:
        return refuse(source, None, received, Fault.UNKNOWN_MARKET, "no market is named")
    if time is None or time < 0:
        return refuse(source, market, received, Fault.BAD_TIME, "no time in milliseconds")
    come = whole(fields, "received")
    reader = _READERS.get(str(fields.get("type")))
    if reader is None:
        return refuse(source, market, received, Fault.UNREADABLE, "its type is none of the four")
    read = reader(fields, (source, market, time, received if come is None else come))
    return (read,) if read is not None else refuse(source, market, received, Fault.BAD_PRICE, "no price")


def _json(line: bytes) -> Mapping[str, Any] | None:
    try:
        fields = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return fields if isinstance(fields, dict) else None


def _row(line: bytes, header: tuple[str, ...]) -> Mapping[str, Any] | None:
    try:
        (cells,) = csv.reader([line.decode("utf-8").strip()], strict=True)
    except (UnicodeDecodeError, csv.Error, ValueError):
        return None
    return dict(zip(header, cells, strict=True)) if len(cells) == len(header) else None


_Where = tuple[str, str, int, int]


def _trade(fields: Mapping[str, Any], where: _Where) -> Trade | None:
    price, size, side = number(fields, "price"), number(fields, "size"), fields.get("side")
    if price is None or size is None:
        return None
    return Trade(*where, price, size, side if side in {"buy", "sell"} else None, _text(fields, "identity"))


def _depth(fields: Mapping[str, Any], where: _Where) -> Depth | None:
    bids, asks = (levels(fields.get(side), _MOST_LEVELS) for side in ("bids", "asks"))
    if not bids or not asks:
        return None
    return Depth(*where, bids, asks, whole(fields, "sequence"))


def _ticker(fields: Mapping[str, Any], where: _Where) -> Ticker | None:
    last = number(fields, "last")
    return None if last is None else Ticker(*where, last, number(fields, "bid"), number(fields, "ask"))


def _oracle_price(fields: Mapping[str, Any], where: _Where) -> OraclePrice | None:
    price, confidence = number(fields, "price"), number(fields, "confidence")
    if price is None:
        return None
    return OraclePrice(*where, price, confidence or 0.0, _text(fields, "identity"))


def _text(fields: Mapping[str, Any], name: str) -> str | None:
    value = fields.get(name)
    return str(value)[:200] if isinstance(value, str | int) and value != "" else None


_READERS = {"trade": _trade, "depth": _depth, "ticker": _ticker, "oracle-price": _oracle_price}
