"""How are Chainlink's rounds read from a node, over plain HTTP?

A proxy contract is asked for ``latestRoundData()`` every few seconds with ``eth_call``. It answers five words
of 32 bytes: round, answer (signed, with the proxy's decimals), the second it started, the second it was
updated, and the round it was answered in.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, final

import msgspec

from plimsoll.domain.observations import Fault, OraclePrice
from plimsoll.feeds.hermes import http_client
from plimsoll.feeds.sources import Said, refuse

__all__ = ["ChainlinkSource", "Proxy", "read_round"]

LATEST_ROUND_DATA: Final = "0xfeaf968c"
"""First four bytes of keccak256("latestRoundData()")."""
_WORD = 32
_WORDS = 5
_SECOND = 1000
_LATEST_SECOND = 2**40
_MOST_DECIMALS = 36


class Proxy(NamedTuple):
    """A price feed on chain: the market that it is of, its address, and the decimals of its answers."""

    market: str
    address: str
    decimals: int


@final
class ChainlinkSource:
    """Some proxies through one node.

    Parameters
    ----------
    node : str          The node's HTTP address. It may hold a key: it is in no message of this source.
    every : float       Seconds between two questions.
    """

    finite = False

    def __init__(self, name: str, node: str, proxies: Sequence[Proxy], every: float) -> None:
        self.name = name
        self._node = node
        self._proxies = dict(enumerate(proxies))
        self._every = every
        self._http = http_client()

    async def listen(self) -> AsyncIterator[bytes]:
        """Ask for all proxies in one batch, again and again."""
        batch = [_question(number, proxy) for number, proxy in self._proxies.items()]
        try:
            async with self._http.AsyncClient(timeout=10.0) as client:
                while True:
                    answer = await client.post(self._node, json=batch)
                    answer.raise_for_status()
                    yield answer.content
                    await asyncio.sleep(self._every)
        except self._http.HTTPError as error:  # its text holds the address, which may hold a key
            raise ConnectionError(type(error).__name__) from None

    def read(self, message: bytes, received: int) -> Sequence[Said]:
        """Read a batch of answers."""
        try:
            answers = msgspec.json.decode(message)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return refuse(self.name, None, received, Fault.UNREADABLE, str(error))
        answers = answers if isinstance(answers, list) else [answers]
        return [said for answer in answers for said in _answer(self.name, answer, received, self._proxies)]


def read_round(source: str, proxy: Proxy, result: str, received: int) -> Sequence[Said]:
    """Decode what ``latestRoundData()`` returned, hexadecimal."""
    try:
        blob = bytes.fromhex(result.removeprefix("0x"))
    except ValueError:
        return refuse(source, proxy.market, received, Fault.UNREADABLE, "the result is not hexadecimal")
    if len(blob) != _WORDS * _WORD:
        return refuse(source, proxy.market, received, Fault.UNREADABLE, f"{len(blob)} bytes, not five words")
    words = [blob[start : start + _WORD] for start in range(0, len(blob), _WORD)]
    answer = int.from_bytes(words[1], "big", signed=True)
    number, updated, answered = (int.from_bytes(words[place], "big") for place in (0, 3, 4))
    if answer <= 0:
        return refuse(source, proxy.market, received, Fault.BAD_PRICE, "the answer is not positive")
    if not 0 < updated < _LATEST_SECOND:
        return refuse(source, proxy.market, received, Fault.BAD_TIME, "the round is not complete")
    if answered < number:
        return refuse(source, proxy.market, received, Fault.STALE, "the answer is of an earlier round")
    price = answer / 10**proxy.decimals
    return [OraclePrice(source, proxy.market, updated * _SECOND, received, price, 0.0, str(number))]


def _question(number: int, proxy: Proxy) -> dict[str, Any]:
    call = {"to": proxy.address, "data": LATEST_ROUND_DATA}
    return {"jsonrpc": "2.0", "id": number, "method": "eth_call", "params": [call, "latest"]}


def _answer(source: str, answer: Any, received: int, proxies: Mapping[int, Proxy]) -> Sequence[Said]:
    if not isinstance(answer, dict):
        return refuse(source, None, received, Fault.UNREADABLE, "an answer that is no object")
    number = answer.get("id")
    proxy = proxies.get(number) if isinstance(number, int) else None
    if proxy is None:
        return refuse(source, None, received, Fault.UNKNOWN_MARKET, "an answer to no question")
    result = answer.get("result")
    if not isinstance(result, str):
        return refuse(source, proxy.market, received, Fault.UNREADABLE, "the node answered with an error")
    return read_round(source, proxy, result, received)
