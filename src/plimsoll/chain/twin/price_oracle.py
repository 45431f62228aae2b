"""What is a market worth, how sure is that, and how much does it move?

Twin of `PriceOracle.vy`. What a feed's contract answers comes from a function; nothing where it fails.
"""

from collections.abc import Callable, Sequence
from math import isqrt
from typing import NamedTuple

from plimsoll.chain.twin.constants import constants
from plimsoll.chain.twin.fixed_point import ln
from plimsoll.chain.twin.reverts import ZERO_ADDRESS, Message, atomic, require

__all__ = [
    "CHAINLINK",
    "PYTH",
    "Answers",
    "ChainlinkRound",
    "Feed",
    "PriceOracle",
    "PythPrice",
    "Reading",
    "Rules",
]

CHAINLINK = 0
PYTH = 1
_C = constants("PriceOracle")
CLOCK_DRIFT, ONE, UNIT, HOUR = _C["CLOCK_DRIFT"], _C["ONE"], _C["UNIT"], _C["HOUR"]
MOST_PRICE, MOST_TIME = _C["LOW_96"], _C["LOW_64"]


class Feed(NamedTuple):
    """Where a price comes from; `kind` is `CHAINLINK` or `PYTH`, `key` is Pyth's identifier."""

    source: str
    kind: int
    decimals: int
    heartbeat: int
    key: bytes


class Rules(NamedTuple):
    """When feeds make a price; shares in billionths, times in seconds."""

    quorum: int
    deviation: int
    most_doubt: int
    memory: int
    doubt_step: int
    doubt_per_step: int


class Reading(NamedTuple):
    """A price and its doubt, eighteen decimals, its second, and whether a quorum stands behind it."""

    price: int
    doubt: int
    time: int
    live: bool


class ChainlinkRound(NamedTuple):
    """What `latestRoundData` answers, in part."""

    answer: int
    updated_at: int


class PythPrice(NamedTuple):
    """What `getPriceUnsafe` answers."""

    price: int
    conf: int
    expo: int
    publish_time: int


Answers = Callable[[Feed], ChainlinkRound | PythPrice | None]
"""What a feed answers now; none where its contract fails."""

_NOTHING = Reading(0, 0, 0, live=False)


class _State(NamedTuple):
    time: int
    price: int
    variance: int


class PriceOracle:
    """The feeds of all markets, the prices last recorded, and the variances learnt from them."""

    def __init__(self, guardian: str, lister: str, answers: Answers) -> None:
        self.guardian = guardian
        self.lister = lister
        self.answers = answers
        self._rules: dict[bytes, Rules] = {}
        self._feeds: dict[bytes, tuple[Feed, ...]] = {}
        self._states: dict[bytes, _State] = {}

    @atomic
    def configure(
        self, block: Message, market: bytes, rules: Rules, feeds: Sequence[Feed], variance: int
    ) -> None:
        """List a market's feeds and rules, once and for ever, and record its first price."""
        require(block.sender == self.lister, "oracle: not the lister")
        require(market not in self._rules, "oracle: listed already")
        require(0 < rules.quorum <= len(feeds), "oracle: quorum")
        require(2 * rules.quorum > len(feeds), "oracle: quorum")
        require(rules.memory > 0 and rules.doubt_step > 0, "oracle: rules")
        require(rules.deviation <= ONE and rules.most_doubt <= ONE, "oracle: rules")
        for feed in feeds:
            require(feed.kind <= PYTH and feed.decimals <= 18, "oracle: feed")
        self._rules[market], self._feeds[market] = rules, tuple(feeds)
        reading = self._median(block, market)
        require(reading.live, "oracle: no quorum")
        self._store(market, reading, variance)

    def close_listing(self, block: Message) -> None:
        """Give up for ever the right to list markets."""
        require(block.sender == self.lister, "oracle: not the lister")
        self.lister = ZERO_ADDRESS

    @atomic
    def drop_feed(self, block: Message, market: bytes, index: int) -> None:
        """Remove a feed for ever; as many as the quorum must remain."""
        require(block.sender == self.guardian, "oracle: not the guardian")
        feeds = list(self._feeds.get(market, ()))
        require(index < len(feeds), "oracle: no such feed")
        require(len(feeds) > self._rules[market].quorum, "oracle: quorum")
        feeds[index] = feeds[-1]
        self._feeds[market] = tuple(feeds[:-1])

    @atomic
    def observe(self, block: Message, market: bytes) -> None:
        r"""Record the price and let the variance v learn from its move r over dt seconds, with memory tau.

        .. math::
            v' = \frac{v \tau + 3600\, r^2}{\tau + dt}
        """
        reading = self._median(block, market)
        require(reading.live, "oracle: no quorum")
        require(reading.time > self._states[market].time, "oracle: nothing new")
        self._learn(market, reading)

    @atomic
    def observe_many(self, block: Message, markets: Sequence[bytes]) -> int:
        """Observe every market that has something new; say how many had."""
        learnt = 0
        for market in markets:
            reading = self._median(block, market)
            if reading.live and reading.time > self._states[market].time:
                self._learn(market, reading)
                learnt += 1
        return learnt

    def _learn(self, market: bytes, reading: Reading) -> None:
        state = self._states[market]
        memory = self._rules[market].memory
        size = abs(ln((reading.price << 96) // state.price)) * UNIT >> 96
        variance = (state.variance * memory + size * size // UNIT * HOUR) // (
            memory + reading.time - state.time
        )
        self._store(market, reading, variance)

    def restore(
        self, market: bytes, rules: Rules, feeds: tuple[Feed, ...], state: tuple[int, int, int]
    ) -> None:
        """Take over what a contract holds; the state is time, price and variance."""
        self._rules[market], self._feeds[market] = rules, feeds
        self._states[market] = _State(*state)

    def state(self, _block: Message, market: bytes) -> tuple[int, int, int]:
        """Give time, price and variance last recorded."""
        return self._states.get(market, _State(0, 0, 0))

    def reading(self, block: Message, market: bytes) -> Reading:
        """Give the price; where no quorum stands behind one, the last recorded, with growing doubt."""
        require(market in self._rules, "oracle: no such market")
        rules, state = self._rules[market], self._states[market]
        reading = self._median(block, market)
        if reading.live and reading.time >= state.time:
            return reading
        age = block.timestamp - min(block.timestamp, state.time)
        steps = 1 + age // rules.doubt_step
        doubt = min(state.price * steps * rules.doubt_per_step // ONE, state.price)
        return Reading(state.price, doubt, state.time, live=False)

    def volatility(self, _block: Message, market: bytes) -> tuple[int, int]:
        """Give the log return per square root of an hour in billionths, and when it last learnt."""
        state = self._states.get(market, _State(0, 0, 0))
        return isqrt(state.variance), state.time

    def feeds_of(self, _block: Message, market: bytes) -> tuple[Feed, ...]:
        """Give the feeds that still count."""
        return self._feeds.get(market, ())

    def _store(self, market: bytes, reading: Reading, variance: int) -> None:
        self._states[market] = _State(reading.time, reading.price, min(variance, MOST_PRICE))

    def _median(self, block: Message, market: bytes) -> Reading:
        if market not in self._rules:
            return _NOTHING
        rules = self._rules[market]
        asked = (self._asked(block, feed, rules) for feed in self._feeds[market])
        found = sorted((one for one in asked if one.live), key=lambda one: one.price)
        if not found:
            return _NOTHING
        middle = _middle(found)
        agreed = [one for one in found if abs(one.price - middle) * ONE <= middle * rules.deviation]
        if not agreed or len(agreed) < rules.quorum:
            return _NOTHING
        price = _middle(agreed)
        doubt = max(max(one.doubt, abs(one.price - price)) for one in agreed)
        return Reading(price, doubt, max(one.time for one in agreed), live=True)

    def _asked(self, block: Message, feed: Feed, rules: Rules) -> Reading:
        answer = self.answers(feed)
        if isinstance(answer, ChainlinkRound) and feed.kind == CHAINLINK:
            one = _from_chainlink(feed, answer)
        elif isinstance(answer, PythPrice) and feed.kind == PYTH:
            one = _from_pyth(answer)
        else:
            return _NOTHING
        if not 0 < one.price <= MOST_PRICE or one.time > block.timestamp + CLOCK_DRIFT:
            return _NOTHING
        if block.timestamp - min(block.timestamp, one.time) > feed.heartbeat:
            return _NOTHING
        if one.doubt * ONE > one.price * rules.most_doubt:
            return _NOTHING
        return one._replace(live=True)


def _middle(found: Sequence[Reading]) -> int:
    half = len(found) // 2
    if len(found) % 2 == 1:
        return found[half].price
    return (found[half - 1].price + found[half].price) // 2


def _from_chainlink(feed: Feed, answer: ChainlinkRound) -> Reading:
    if not 0 < answer.answer <= MOST_PRICE or answer.updated_at > MOST_TIME:
        return _NOTHING
    return Reading(answer.answer * 10 ** (18 - feed.decimals), 0, answer.updated_at, live=False)


def _from_pyth(answer: PythPrice) -> Reading:
    largest = max(answer.price, answer.conf, answer.publish_time)
    if answer.price <= 0 or largest > MOST_TIME or not -18 <= answer.expo <= 0:
        return _NOTHING
    scale = 10 ** (18 + answer.expo)
    return Reading(answer.price * scale, answer.conf * scale, answer.publish_time, live=False)
