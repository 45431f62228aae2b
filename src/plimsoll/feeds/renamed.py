"""How does a source say things in the venue's names instead of its own?"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, final

from msgspec.structs import replace

from plimsoll.domain.observations import Fault
from plimsoll.feeds.sources import Said, Source, refuse

__all__ = ["Renamed"]


@final
class Renamed:
    """A source under another name, with the markets that were asked for under theirs.

    Parameters
    ----------
    source : Source
    markets : dict   What the source calls a market, and what the venue does; others are refused.
    """

    def __init__(self, name: str, source: Source, markets: Mapping[str, str]) -> None:
        self.name = name
        self.finite = source.finite
        self._source = source
        self._markets = dict(markets)

    def listen(self) -> AsyncIterator[Any]:
        """Listen to the source."""
        return self._source.listen()

    def read(self, message: Any, received: int) -> Sequence[Said]:
        """Read one message."""
        return [self._renamed(said, received) for said in self._source.read(message, received)]

    def _renamed(self, said: Said, received: int) -> Said:
        if said.market is None:
            return replace(said, source=self.name)
        market = self._markets.get(said.market)
        if market is None:
            what = f"{said.market[:70]} was not asked for"
            return refuse(self.name, None, received, Fault.UNKNOWN_MARKET, what)[0]
        return replace(said, source=self.name, market=market)
