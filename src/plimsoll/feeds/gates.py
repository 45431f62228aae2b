"""Which observations may be believed, and with which code are the others refused?

Checks come in this order; the first that fails refuses. `age = received - time`.

1. bad-price: a price is not positive or a size negative; a book's levels are not in order.
2. ahead, stale: the source's clock is ahead of ours, or what it says is too old.
3. duplicate, late: said before; older than what was said since (a late trade that is fresh is still a fact).
4. crossed: the best bid reaches the best ask.
5. stuck: one side of the book stands still while the other has moved away from it.
6. outlier: far from the median of the last prices. Where several in a row agree on the new place it is taken
   for the market's, so a crash is believed after `confirmations` observations.

A gap in consecutive numbers of trades is reported, and the trade is believed.
"""

from collections import OrderedDict, deque
from itertools import pairwise
from statistics import median
from typing import Annotated, NamedTuple, final

from msgspec import Meta, Struct
from msgspec.structs import replace

from plimsoll.domain.observations import (
    Depth,
    Fault,
    Observation,
    OraclePrice,
    Refusal,
    Ticker,
    Trade,
    price_of,
)

__all__ = ["Admitted", "Gate", "GateSettings"]

Share = Annotated[float, Meta(gt=0.0, le=1.0)]
Seconds = Annotated[float, Meta(gt=0.0, le=86_400.0)]
_MILLISECONDS = 1000


class GateSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a source may do before it is not believed.

    Attributes
    ----------
    longest_age : seconds      Older observations are stale.
    longest_lead : seconds     Times further ahead of our clock are refused.
    stuck_seconds : seconds    A side that stands still for longer may be stuck ...
    stuck_share : share        ... if meanwhile the other has been this far away from where it was.
    outlier_share : share      Farther than this from the median of the last prices is an outlier.
    memory : count             Prices in that median.
    confirmations : count      Outliers in a row, near each other, that are believed.
    identities : count         Trades whose identity is remembered.
    markets : count            Markets, times kinds of values, that are remembered; others are unknown.
    numbered : bool            Whether identities of trades are consecutive whole numbers.
    """

    longest_age: Seconds = 10.0
    longest_lead: Seconds = 2.0
    stuck_seconds: Seconds = 30.0
    stuck_share: Share = 0.002
    outlier_share: Share = 0.05
    memory: Annotated[int, Meta(ge=1, le=1_000)] = 9
    confirmations: Annotated[int, Meta(ge=1, le=100)] = 3
    identities: Annotated[int, Meta(ge=1, le=1_000_000)] = 10_000
    markets: Annotated[int, Meta(ge=1, le=100_000)] = 1_000
    numbered: bool = False


class Admitted(NamedTuple):
    """An observation that is believed, if it is, and what was found wrong."""

    observation: Observation | None
    refusals: tuple[Refusal, ...]


class _Stand(NamedTuple):
    """Where one side of a book stands, since when, and between what the other has been meanwhile."""

    price: float
    time: int
    low: float
    high: float

    def is_stuck(self, now: int, settings: GateSettings) -> bool:
        """Whether this side has stood still for too long while the other moved."""
        still = now - self.time > settings.stuck_seconds * _MILLISECONDS
        return still and self.high - self.low > settings.stuck_share * self.price


class _Memory:
    """What is remembered of one market's observations of one kind."""

    def __init__(self, settings: GateSettings) -> None:
        self.newest = -1
        self.last: Observation | None = None
        self.identities: OrderedDict[str, None] = OrderedDict()
        self.highest: int | None = None
        self.prices: deque[float] = deque(maxlen=settings.memory)
        self.doubtful: list[float] = []
        self.bid: _Stand | None = None
        self.ask: _Stand | None = None


@final
class Gate:
    """The checks of one source; what it remembers is bounded."""

    def __init__(self, settings: GateSettings) -> None:
        self._settings = settings
        self._memories: dict[tuple[str, type], _Memory] = {}

    def admit(self, observation: Observation) -> Admitted:
        """Check one observation; time is what it carries, no clock is read."""
        key = (observation.market, type(observation))
        if key not in self._memories and len(self._memories) >= self._settings.markets:
            what = f"more than {self._settings.markets} markets"
            return Admitted(None, (_refusal(observation, Fault.UNKNOWN_MARKET, what),))
        memory = self._memories.setdefault(key, _Memory(self._settings))
        gap = self._gap(observation, memory)
        fault = _unsound(observation) or self._untimely(observation) or self._repeated(observation, memory)
        if fault is None:
            fault = self._implausible(observation, memory)
        refusals = gap if fault is None else (*gap, _refusal(observation, *fault))
        return Admitted(None if fault else observation, refusals)

    def _untimely(self, said: Observation) -> tuple[Fault, str] | None:
        age = (said.received - said.time) / _MILLISECONDS
        if -age > self._settings.longest_lead:
            return Fault.AHEAD, f"{-age:.1f} s ahead of this machine"
        return (Fault.STALE, f"{age:.1f} s old") if age > self._settings.longest_age else None

    def _gap(self, said: Observation, memory: _Memory) -> tuple[Refusal, ...]:
        """Report numbers of trades that were left out."""
        if not (self._settings.numbered and isinstance(said, Trade) and (said.identity or "").isdecimal()):
            return ()
        number, highest = int(said.identity or 0), memory.highest
        memory.highest = number if highest is None else max(number, highest)
        missing = 0 if highest is None else number - highest - 1
        return (
            (_refusal(said, Fault.GAP, f"{missing} trades missing before {number}"),) if missing > 0 else ()
        )

    def _repeated(self, said: Observation, memory: _Memory) -> tuple[Fault, str] | None:
        if isinstance(said, Trade):
            return self._repeated_trade(said, memory)
        before, memory.last = memory.last, said if said.time >= memory.newest else memory.last
        if before is not None and _same(before, said):
            return Fault.DUPLICATE, "said before"
        if said.time < memory.newest:
            return Fault.LATE, f"{memory.newest - said.time} ms older than what was said since"
        memory.newest = said.time
        return None

    def _repeated_trade(self, said: Trade, memory: _Memory) -> tuple[Fault, str] | None:
        if said.identity is None:
            return None
        if said.identity in memory.identities:
            return Fault.DUPLICATE, "this trade was told before"
        memory.identities[said.identity] = None
        if len(memory.identities) > self._settings.identities:
            memory.identities.popitem(last=False)
        return None

    def _implausible(self, said: Observation, memory: _Memory) -> tuple[Fault, str] | None:
        bid, ask = _touch(said)
        if bid is not None and ask is not None:
            if bid >= ask:
                return Fault.CROSSED, f"bid {bid:g} reaches ask {ask:g}"
            memory.bid = _standing(memory.bid, bid, ask, said.time)
            memory.ask = _standing(memory.ask, ask, bid, said.time)
            for side, stand in (("bid", memory.bid), ("ask", memory.ask)):
                if stand.is_stuck(said.time, self._settings):
                    return Fault.STUCK, f"{side} at {stand.price:g} for {(said.time - stand.time) // 1000} s"
        return self._outlier(price_of(said), memory)

    def _outlier(self, price: float, memory: _Memory) -> tuple[Fault, str] | None:
        share = self._settings.outlier_share
        if memory.prices and abs(price / median(memory.prices) - 1.0) > share:
            near = [one for one in memory.doubtful if abs(price / one - 1.0) <= share]
            memory.doubtful = [*near, price]
            if len(memory.doubtful) <= self._settings.confirmations - 1:
                return Fault.OUTLIER, f"{price:g} beside a median of {median(memory.prices):g}"
            memory.prices.clear()
        memory.doubtful = []
        memory.prices.append(price)
        return None


def _standing(before: _Stand | None, price: float, other: float, time: int) -> _Stand:
    if before is None or before.price != price:
        return _Stand(price, time, other, other)
    return before._replace(low=min(before.low, other), high=max(before.high, other))


def _unsound(said: Observation) -> tuple[Fault, str] | None:
    """Refuse prices and sizes that no market has; comparisons are written so that no NaN passes."""
    if isinstance(said, Depth):
        bids, asks = [price for price, _ in said.bids], [price for price, _ in said.asks]
        ordered = all(a > b for a, b in pairwise(bids)) and all(a < b for a, b in pairwise(asks))
        sizes = all(0.0 <= size < float("inf") for _, size in (*said.bids, *said.asks))
        sound = bool(bids and asks) and ordered and sizes and all(map(_is_price, (*bids, *asks)))
    else:
        sound = all(price is None or _is_price(price) for price in (price_of(said), *_touch(said)))
        size = said.size if isinstance(said, Trade) else 0.0
        width = said.confidence if isinstance(said, OraclePrice) else 0.0
        sound = sound and 0.0 <= size < float("inf") and 0.0 <= width < float("inf")
    return None if sound else (Fault.BAD_PRICE, "a price or size that no market has, or levels out of order")


def _is_price(price: float) -> bool:
    return 0.0 < price < float("inf")


def _touch(said: Observation) -> tuple[float | None, float | None]:
    match said:
        case Depth():
            return said.bids[0][0], said.asks[0][0]
        case Ticker():
            return said.bid, said.ask
        case _:
            return None, None


def _same(before: Observation, said: Observation) -> bool:
    """Compare all but when it was received."""
    return replace(before, received=0) == replace(said, received=0)


def _refusal(said: Observation, fault: Fault, what: str) -> Refusal:
    return Refusal(said.source, said.market, said.received, fault, what)
