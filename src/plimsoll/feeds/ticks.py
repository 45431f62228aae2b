"""Which tick of the engine follows from what the feeds say?

Per listing, of the sources that are fresh:

    mark   = weighted median of each source's latest price (mid of a book, last of a ticker, oracle's price)
    spread = max(the same of the confidences stated, the same of |price - mark|) / mark
    volume = c * (quote volume traded in the last hour, per hour covered) + (1 - c) * assumed volume,
             c the share of that hour that was listened to
    impact = Y * volatility of the market's published cost curve, or the forecast's volatility where that is
             higher; without a curve d * sqrt(volume / D), where selling D moves the best bid by d: the least
             favourable of both sides of the latest book, for cost grows with the root of size
    depth  = what the fresh books show of the published curve's depth (`feeds.depth_left`); 1 without a curve

A tick has a mark for every listing. Where one has no fresh source, `tick` makes none and names the listing;
`marks` and `tick_at` leave it to the caller which mark such a listing keeps.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from math import sqrt
from types import MappingProxyType
from typing import Annotated, NamedTuple, final

from msgspec import Meta, Struct

from plimsoll.domain.cost_curve import CostCurve
from plimsoll.domain.events import Ticked
from plimsoll.domain.observations import Depth, Fault, Observation, OraclePrice, Refusal, Trade, price_of
from plimsoll.estimators.oracle_median import weighted_price
from plimsoll.feeds.depth_left import BooksHeard, DepthReading

__all__ = ["TickBuilder", "TickSettings"]

_HOUR = 3_600_000
_MINUTE = 60_000
_SOURCE = "ticks"


class TickSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How sources become a tick.

    Attributes
    ----------
    markets : tuple of str [I]   What feeds call each listing's market, in the order of the listings.
    weights : dict               Weight of each source in the mark, whole numbers; others have no say.
    longest_age : seconds        A source whose last price came longer ago is not asked.
    longest_ages : dict          The same of sources that speak more rarely, in seconds.
    assumed_volume : tuple [I]   Quote volume per hour to begin with.
    assumed_impact : float       Relative move from trading an hour's volume at once, without a book.
    curves : dict                Published cost curve of each market that has one.
    """

    markets: tuple[str, ...]
    weights: dict[str, Annotated[int, Meta(ge=1, le=1_000_000)]]
    assumed_volume: tuple[Annotated[float, Meta(ge=0.0)], ...]
    longest_age: Annotated[float, Meta(gt=0.0, le=86_400.0)] = 10.0
    longest_ages: dict[str, Annotated[float, Meta(gt=0.0, le=86_400.0)]] = {}
    assumed_impact: Annotated[float, Meta(ge=0.0, le=10.0)] = 0.02
    curves: dict[str, CostCurve] = {}

    def age_of(self, source: str) -> float:
        """Give the longest age of a source's word, seconds."""
        return self.longest_ages.get(source, self.longest_age)


class _Price(NamedTuple):
    """A source's latest price, what it vouches for, and when it came."""

    price: float
    confidence: float
    received: int


@final
class TickBuilder:
    """Keeps the latest of every source, and an hour of volume by the minute."""

    def __init__(self, settings: TickSettings, begun: int) -> None:
        self._settings = settings
        self._begun = begun
        self._prices: dict[str, dict[str, _Price]] = {market: {} for market in settings.markets}
        self._depths: dict[str, Depth] = {}
        self._volumes: dict[str, deque[list[float]]] = {market: deque() for market in settings.markets}
        self._books = {
            market: BooksHeard(curve, settings.weights) for market, curve in settings.curves.items()
        }
        self.readings: dict[str, dict[str, DepthReading]] = {}

    def take(self, observations: Iterable[Observation]) -> None:
        """Take what gates believed; markets and sources that were not named are left aside."""
        for said in observations:
            if said.market not in self._prices or said.source not in self._settings.weights:
                continue
            if isinstance(said, Trade):
                self._count(said)
            else:
                stated = said.confidence if isinstance(said, OraclePrice) else 0.0
                self._prices[said.market][said.source] = _Price(price_of(said), stated, said.received)
            if isinstance(said, Depth):
                self._depths[said.market] = said
                if said.market in self._books:
                    self._books[said.market].take(said)

    def tick(self, now: int) -> Ticked | tuple[Refusal, ...]:
        """Make a tick of this moment, milliseconds UTC, or name every listing that has no fresh price."""
        marks = self.marks(now)
        missing = [m for m, mark in zip(self._settings.markets, marks, strict=True) if mark is None]
        if missing:
            return tuple(Refusal(_SOURCE, market, now, Fault.STALE, "no fresh source") for market in missing)
        return self.tick_at(now, [mark for mark in marks if mark is not None])

    def marks(self, now: int) -> tuple[float | None, ...]:
        """Give each listing's mark [I]; None where no source is fresh."""
        found = (self._agreed(market, now) for market in self._settings.markets)
        return tuple(None if agreed is None else agreed[0] for agreed in found)

    def spreads(self, now: int) -> tuple[float | None, ...]:
        """Give how far each listing's fresh sources are apart, as a share of its mark [I]; None without."""
        found = (self._agreed(market, now) for market in self._settings.markets)
        return tuple(None if agreed is None else agreed[1] / agreed[0] for agreed in found)

    def tick_at(
        self, now: int, marks: Sequence[float], volatility: Mapping[str, float] = MappingProxyType({})
    ) -> Ticked:
        """Make a tick of these marks [I], with the volume, the impact and the depth that were heard.

        `volatility` is what was forecast of each market, log per square root of an hour. What each source's
        books show stands in `readings` afterwards, by market and source.
        """
        volume = [
            self._volume(market, assumed, now)
            for market, assumed in zip(self._settings.markets, self._settings.assumed_volume, strict=True)
        ]
        impact = [
            self._impact(market, per_hour, volatility.get(market, 0.0))
            for market, per_hour in zip(self._settings.markets, volume, strict=True)
        ]
        return Ticked(now, tuple(marks), tuple(volume), tuple(impact), self._depth(now))

    def _depth(self, now: int) -> tuple[float, ...]:
        """Say what is left of each listing's depth; nothing where all of it is."""
        ages = {source: self._settings.age_of(source) for source in self._settings.weights}
        left = {market: books.share(now, ages) for market, books in self._books.items()}
        self.readings = {market: books.readings() for market, books in self._books.items()}
        shares = tuple(left.get(market) or 1.0 for market in self._settings.markets)
        return shares if min(shares) < 1.0 else ()

    def _agreed(self, market: str, now: int) -> tuple[float, float] | None:
        """Give the price and the confidence of the sources that are fresh."""
        fresh = {
            source: latest
            for source, latest in self._prices[market].items()
            if now - latest.received <= self._settings.age_of(source) * 1_000
        }
        if not fresh:
            return None
        return weighted_price(
            [latest.price for latest in fresh.values()],
            [latest.confidence for latest in fresh.values()],
            [self._settings.weights[source] for source in fresh],
        )

    def _count(self, trade: Trade) -> None:
        minutes = self._volumes[trade.market]
        minute = trade.received // _MINUTE
        if not minutes or minutes[-1][0] < minute:
            minutes.append([minute, 0.0])
        minutes[-1][1] += trade.price * trade.size

    def _volume(self, market: str, assumed: float, now: int) -> float:
        minutes = self._volumes[market]
        while minutes and (minutes[0][0] + 1) * _MINUTE <= now - _HOUR:
            minutes.popleft()
        covered = min(1.0, max(0.0, (now - self._begun) / _HOUR))
        traded = sum(quote for _, quote in minutes)  # covered * (traded / covered), whatever covered is
        return traded + (1.0 - covered) * assumed

    def _impact(self, market: str, volume: float, volatility: float) -> float:
        curve = self._settings.curves.get(market)
        if curve is not None:
            return curve.impact * max(curve.volatility, volatility)
        book = self._depths.get(market)
        if book is None or volume <= 0.0:
            return self._settings.assumed_impact
        moves = [_move(side) for side in (book.bids, book.asks)]
        impacts = [move * sqrt(volume / depth) for move, depth in moves if move > 0.0 and depth > 0.0]
        return max(impacts, default=self._settings.assumed_impact)


def _move(side: tuple[tuple[float, float], ...]) -> tuple[float, float]:
    """Give the relative move through all levels that are shown, and the quote value that they hold."""
    best, worst = side[0][0], side[-1][0]
    return abs(worst / best - 1.0), sum(price * size for price, size in side)
