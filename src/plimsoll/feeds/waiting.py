"""What waits for the engine when it is slower than the market, and what is left out?

Of states (a book, a ticker, an oracle's price) only the newest of each market waits: an older one that was
not taken yet is of no use to anybody. Trades are facts, so they queue; beyond the limit the oldest is
dropped, and counted as an overflow. Putting never waits, so a slow engine never makes a feed fall behind.
"""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import Iterable
from typing import final

from plimsoll.domain.observations import Fault, Observation, Refusal, Trade

__all__ = ["Waiting"]

_RECENT = 100
"""Refusals kept to be shown; all are counted."""


@final
class Waiting:
    """What came from any number of feeds and was not taken yet.

    Attributes
    ----------
    counts : Counter        Refusals by source and fault.
    replaced : int          States that a newer one replaced before they were taken.
    recent : deque          The last refusals.
    """

    def __init__(self, trades: int) -> None:
        self._trades: deque[Trade] = deque()
        self._limit = trades
        self._states: OrderedDict[tuple[str, str, type], Observation] = OrderedDict()
        self._filled = asyncio.Event()
        self.counts: Counter[tuple[str, Fault]] = Counter()
        self.replaced = 0
        self.recent: deque[Refusal] = deque(maxlen=_RECENT)

    def put(self, observation: Observation) -> None:
        """Let one observation wait."""
        if isinstance(observation, Trade):
            if len(self._trades) >= self._limit:
                oldest = self._trades.popleft()
                what = f"more than {self._limit} trades waited"
                self.note([Refusal(oldest.source, oldest.market, observation.received, Fault.OVERFLOW, what)])
            self._trades.append(observation)
        else:
            key = (observation.source, observation.market, type(observation))
            self.replaced += self._states.pop(key, None) is not None
            self._states[key] = observation
        self._filled.set()

    def note(self, refusals: Iterable[Refusal]) -> None:
        """Count refusals."""
        for refusal in refusals:
            self.counts[refusal.source, refusal.fault] += 1
            self.recent.append(refusal)

    async def take(self) -> tuple[Observation, ...]:
        """Wait until something is there, and take all of it: trades first, then states, each in order."""
        await self._filled.wait()
        taken = (*self._trades, *self._states.values())
        self._trades.clear()
        self._states.clear()
        self._filled.clear()
        return taken
