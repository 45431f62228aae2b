"""What does an account have, and what must it hold?

Twin of `Requirements.vy`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from plimsoll.chain.twin.attestations import Attestations
from plimsoll.chain.twin.constants import constants
from plimsoll.chain.twin.fixed_point import Revert
from plimsoll.chain.twin.positions import pack
from plimsoll.chain.twin.price_oracle import PriceOracle, Reading
from plimsoll.chain.twin.rates import MarketRates, stale_factor
from plimsoll.chain.twin.reverts import ZERO_ADDRESS, Message, atomic, require
from plimsoll.chain.twin.risk_parameters import RiskParameters

__all__ = ["ASSETS", "MARKETS", "Assessment", "Asset", "Engine", "Requirements", "Risk"]

_C = constants("Requirements")
ONE, MILLION, TO_QUANTA = _C["ONE"], _C["MILLION"], _C["TO_QUANTA"]
MARKETS, ASSETS = _C["MARKETS"], _C["ASSETS"]
MOST_LOT = 10**24
_PERPETUAL = 8_191
_MARKET_BITS = 13
_CALL, _PUT = _C["CALL"], _C["PUT"]


class Asset(NamedTuple):
    """A collateral: market whose price it has, its token's units per whole, billionths that do not count."""

    market: bytes
    unit: int
    haircut: int


class Assessment(NamedTuple):
    """What an account has and must hold, quote quanta."""

    equity: int
    liquid: int
    maintenance: int
    called: int
    initial: int
    live: bool


class Risk(Protocol):
    """One market's risk, as the margin engine gives it."""

    @property
    def market(self) -> int:
        """Its number."""

    @property
    def value(self) -> int:
        """What positions are worth today, quanta."""

    @property
    def worst(self) -> int:
        """What they are worth in the worst scenario."""

    @property
    def as_of(self) -> int:
        """When the oldest of what they are valued with was published."""


class Engine(Protocol):
    """What of the margin engine is asked for options."""

    def packed(self, positions: Sequence[int], spots: Sequence[int], now: int) -> Sequence[Risk]:
        """Sum packed rows."""

    def exact(self, positions: Sequence[int], spots: Sequence[int], now: int) -> Sequence[Risk]:
        """Reprice in every scenario."""

    def mark(self, instrument: int, spot: int, now: int) -> int:
        """Value a lot."""

    def terms(self, instrument: int) -> tuple[int, int, int, int]:
        """Give kind, expiry, strike and lot."""

    def spread(self, market: int) -> int:
        """Give a market's range in millionths."""


_Path = Callable[[Sequence[int], Sequence[int], int], Sequence[Risk]]


class _Market(NamedTuple):
    name: bytes
    lot: int


class Requirements:
    """What values accounts and asks for margin; it holds nothing."""

    def __init__(
        self,
        parameters: RiskParameters,
        oracle: PriceOracle,
        attestations: Attestations,
        engine: Engine | None,
        *,
        least_margin: int,
        lister: str,
    ) -> None:
        self.parameters = parameters
        self.oracle = oracle
        self.attestations = attestations
        self.engine = engine
        self.least_margin = least_margin
        self.lister = lister
        self.markets: list[_Market] = []
        self.assets: list[Asset] = []

    @atomic
    def list_market(self, block: Message, name: bytes, lot: int) -> None:
        """Open the next market by number."""
        require(block.sender == self.lister, "requirements: not the lister")
        require(0 < lot <= MOST_LOT, "requirements: lot")
        reading = self.oracle.reading(block, name)
        self.parameters.rates(block, name)
        require(reading.price * lot >= TO_QUANTA, "requirements: lot")
        self.markets.append(_Market(name, lot))

    @atomic
    def list_asset(self, block: Message, asset: Asset) -> None:
        """Take the next collateral by number."""
        require(block.sender == self.lister, "requirements: not the lister")
        require(asset.haircut <= ONE and 0 < asset.unit <= 10**18, "requirements: asset")
        self.oracle.reading(block, asset.market)
        self.assets.append(asset)

    def close_listing(self, block: Message) -> None:
        """Give up for ever the right to list."""
        require(block.sender == self.lister, "requirements: not the lister")
        self.lister = ZERO_ADDRESS

    def restore_market(self, name: bytes, lot: int) -> None:
        """Take over the next market that a contract holds."""
        self.markets.append(_Market(name, lot))

    def assess(
        self, block: Message, account: str, cash: int, book: Mapping[int, int], holdings: Sequence[int]
    ) -> Assessment:
        """Value an account and say what it must hold, by packed rows where they count.

        Parameters
        ----------
        cash : int        Quanta.
        book : Mapping    Signed lots by instrument.
        holdings : Sequence [ASSETS]   Collateral in its tokens' units.
        """
        return self._assessed(block, account, cash, book, (holdings, self._packed_first))

    def assess_exactly(
        self, block: Message, account: str, cash: int, book: Mapping[int, int], holdings: Sequence[int]
    ) -> Assessment:
        """Value an account by the exact path alone, which rests on no published row."""
        return self._assessed(block, account, cash, book, (holdings, self._exactly))

    def _exactly(self, words: Sequence[int], spots: Sequence[int], now: int) -> Sequence[Risk]:
        return self._engine().exact(words, spots, now)

    def _packed_first(self, words: Sequence[int], spots: Sequence[int], now: int) -> Sequence[Risk]:
        try:
            return self._engine().packed(words, spots, now)
        except Revert:
            return self._exactly(words, spots, now)

    def _assessed(
        self,
        block: Message,
        account: str,
        cash: int,
        book: Mapping[int, int],
        given: tuple[Sequence[int], _Path],
    ) -> Assessment:
        holdings, path = given
        found = Assessment(cash, cash, 0, 0, 0, live=True)
        if book:
            found = self._with_positions(block, found, book, path)
            maintenance = max(found.maintenance, self.least_margin)
            called = max(found.called, maintenance)
            factor = self.attestations.factor(block, account)
            initial = max((found.initial * factor + ONE - 1) // ONE, called)
            found = found._replace(maintenance=maintenance, called=called, initial=initial)
        equity, live = found.liquid, found.live
        for number, amount in enumerate(holdings):
            if amount:
                asset = self.assets[number]
                reading = self.oracle.reading(block, asset.market)
                price = reading.price - min(reading.doubt, reading.price)
                equity += amount * price * (ONE - asset.haircut) // (asset.unit * ONE * 10**12)
                live = live and reading.live
        return found._replace(equity=equity, live=live)

    def worth(self, block: Message, book: Mapping[int, int], spots: Sequence[int]) -> int:
        """Value positions at given prices, by number of the market."""
        return sum(
            lots * self.mark(block, instrument, spots[instrument >> _MARKET_BITS])
            for instrument, lots in book.items()
        )

    def mark(self, block: Message, instrument: int, price: int) -> int:
        """Value a lot at a price of its market."""
        if instrument & _PERPETUAL == 0:
            return price * self.markets[instrument >> _MARKET_BITS].lot // TO_QUANTA
        return self._engine().mark(instrument, price, block.timestamp)

    def payoff(self, _block: Message, instrument: int, price: int) -> int:
        """Give what a lot of an expired instrument pays at a settlement price."""
        kind, _, strike, lot = self._engine().terms(instrument)
        worth = {_CALL: price - min(price, strike), _PUT: strike - min(price, strike)}.get(kind, price)
        return worth * lot // TO_QUANTA

    def prices(self, block: Message) -> tuple[tuple[int, ...], bool]:
        """Give all markets' prices by number, and whether every one is live."""
        readings = [self.oracle.reading(block, market.name) for market in self.markets]
        spots = [reading.price for reading in readings] + [0] * (MARKETS - len(readings))
        return tuple(spots), all(reading.live for reading in readings)

    def price(self, block: Message, number: int) -> Reading:
        """Give a market's price."""
        return self.oracle.reading(block, self.markets[number].name)

    def collateral_price(self, block: Message, number: int) -> tuple[int, Asset, bool]:
        """Give an asset's price, its terms, and whether the price is live."""
        require(number < len(self.assets), "")
        asset = self.assets[number]
        reading = self.oracle.reading(block, asset.market)
        return reading.price, asset, reading.live

    def expiry(self, _block: Message, instrument: int) -> int:
        """Say when an instrument expires; zero for a perpetual."""
        require(instrument >> _MARKET_BITS < len(self.markets), "requirements: no such market")
        return 0 if instrument & _PERPETUAL == 0 else self._engine().terms(instrument)[1]

    def _with_positions(
        self, block: Message, before: Assessment, book: Mapping[int, int], path: _Path
    ) -> Assessment:
        spots = [0] * MARKETS
        mixed: set[int] = set()
        found = before
        for number in sorted({instrument >> _MARKET_BITS for instrument in book}):
            held = {each: lots for each, lots in book.items() if each >> _MARKET_BITS == number}
            require(number < len(self.markets), "")
            market = self.markets[number]
            reading = self.oracle.reading(block, market.name)
            spots[number] = reading.price
            each = (reading.doubt * market.lot + TO_QUANTA - 1) // TO_QUANTA
            doubt = sum(map(abs, held.values())) * each
            found = _charged(found, 0, (doubt, doubt, doubt))._replace(live=found.live and reading.live)
            if held.keys() == {number << _MARKET_BITS}:
                rates = self.parameters.rates(block, market.name)
                value = held[number << _MARKET_BITS] * (reading.price * market.lot // TO_QUANTA)
                side = (rates.short if value < 0 else rates.long)[1:]
                found = _charged(found, value, [_share(abs(value), rate) for rate in side])
            else:
                mixed.add(number)
        held = {each: lots for each, lots in book.items() if each >> _MARKET_BITS in mixed}
        for risk in path(pack(held.items()), spots, block.timestamp) if held else ():
            found = self._with_risk(block, found, risk)
        return found

    def _with_risk(self, block: Message, before: Assessment, risk: Risk) -> Assessment:
        name = self.markets[risk.market].name
        rates, spread = self.parameters.rates(block, name), self._engine().spread(risk.market)
        stale = stale_factor(block.timestamp, risk.as_of, self.parameters.bounds(name))
        loss = _share(risk.value - risk.worst + 1, stale)
        return _charged(before, risk.value, [_scaled(loss, rate, spread) for rate in _worse(rates)])

    def _engine(self) -> Engine:
        if self.engine is None:
            raise Revert("")
        return self.engine


def _charged(found: Assessment, value: int, parts: Sequence[int]) -> Assessment:
    maintenance, called, initial = parts
    return found._replace(
        liquid=found.liquid + value,
        maintenance=found.maintenance + maintenance,
        called=found.called + called,
        initial=found.initial + initial,
    )


def _worse(rates: MarketRates) -> list[int]:
    return [max(pair) for pair in zip(rates.long[1:], rates.short[1:], strict=True)]


def _share(notional: int, rate: int) -> int:
    return (notional * rate + ONE - 1) // ONE


def _scaled(loss: int, rate: int, spread: int) -> int:
    """Scale the engine's loss by how far the rate exceeds the engine's range."""
    return _share(loss, max((rate * MILLION + spread - 1) // spread, ONE))
