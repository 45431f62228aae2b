"""Which margin rates hold, and who may move them how far?

Twin of `RiskParameters.vy`.
"""

from collections.abc import Callable, Sequence

from plimsoll.chain.hashing import Signature
from plimsoll.chain.twin.constants import constants
from plimsoll.chain.twin.quorum import Quorum
from plimsoll.chain.twin.rates import (
    ONE,
    Bounds,
    MarketRates,
    Record,
    SideRates,
    Update,
    after_one_rise,
    followed,
    message_of,
    raised,
    require_move,
    require_sound,
    require_sound_bounds,
    stale_factor,
)
from plimsoll.chain.twin.reverts import ZERO_ADDRESS, Message, atomic, require

__all__ = ["CLOCK_DRIFT", "LONGEST_PAUSE", "RiskParameters", "Volatility"]

_C = constants("RiskParameters")
LONGEST_PAUSE, CLOCK_DRIFT = _C["LONGEST_PAUSE"], _C["CLOCK_DRIFT"]

Volatility = Callable[[Message, bytes], tuple[int, int]]
"""Volatility of a market, billionths per square root of an hour, and when it was seen."""


class RiskParameters:
    """The rates of all markets, and the rules that they move by."""

    def __init__(self, quorum: Quorum, guardian: str, lister: str, volatility: Volatility) -> None:
        self.quorum = quorum
        self.guardian = guardian
        self.lister = lister
        self.volatility = volatility
        self.version = 0
        self.digest = self.evidence = bytes(32)
        self.paused_until = self.pause_allowed = 0
        self._bounds: dict[bytes, Bounds] = {}
        self._rates: dict[bytes, MarketRates] = {}
        self._records: dict[bytes, Record] = {}

    @atomic
    def list_market(
        self, block: Message, rates: MarketRates, bounds: Bounds, reach: int, effective: int
    ) -> None:
        """Open a market with its first rates and the bounds that hold for ever."""
        require(block.sender == self.lister, "parameters: not the lister")
        require(rates.market not in self._bounds, "parameters: listed already")
        require(0 < effective <= block.timestamp, "parameters: effective")
        require_sound_bounds(bounds)
        require_sound(rates.long, bounds)
        require_sound(rates.short, bounds)
        self._bounds[rates.market] = bounds
        self._rates[rates.market] = rates
        self._records[rates.market] = Record(block.timestamp, effective, 0, reach)

    @atomic
    def rotate(
        self,
        block: Message,
        nonce: int,
        deadline: int,
        signers: Sequence[str],
        threshold: int,
        signatures: Sequence[Signature],
    ) -> None:
        """Replace the reporters by what their present quorum signed."""
        self.quorum.rotate(block, nonce, deadline, signers, threshold, signatures)

    def close_listing(self, block: Message) -> None:
        """Give up for ever the right to list markets."""
        require(block.sender == self.lister, "parameters: not the lister")
        self.lister = ZERO_ADDRESS

    @atomic
    def update(self, block: Message, update: Update, signatures: Sequence[Signature]) -> None:
        """Move the rates: all markets or none."""
        self.quorum.accept(block, update.nonce, update.deadline, message_of(update), signatures)
        require(update.version > self.version, "parameters: version")
        require(update.effective <= block.timestamp + CLOCK_DRIFT, "parameters: from the future")
        self.version, self.digest, self.evidence = update.version, update.digest, update.evidence
        paused = self.paused(block)
        for rates in update.rates:
            bounds, record = self.bounds(rates.market), self.record(rates.market)
            require(update.effective > record.effective, "parameters: backwards")
            old, elapsed = self.stored(rates.market), _elapsed(block, record, bounds)
            require_move(old.long, rates.long, bounds, elapsed, paused=paused)
            require_move(old.short, rates.short, bounds, elapsed, paused=paused)
            self._rates[rates.market] = rates
            self._records[rates.market] = Record(
                block.timestamp, update.effective, update.version, record.reach
            )

    @atomic
    def follow(self, block: Message, market: bytes) -> None:
        """Where the reporters are silent, move a market's rates towards what volatility asks."""
        bounds, record = self.bounds(market), self.record(market)
        require(_age(block, record) > bounds.fresh_for, "parameters: not silent")
        require(record.reach != 0, "parameters: no reach")
        volatility, seen = self.volatility(block, market)
        require(block.timestamp <= seen + bounds.fresh_for, "parameters: volatility is stale")
        model = _model(volatility, record, bounds)
        old, elapsed = self.stored(market), _elapsed(block, record, bounds)
        falls = not self.paused(block)
        self._rates[market] = MarketRates(
            market,
            followed(old.long, model, bounds, elapsed, falls=falls),
            followed(old.short, model, bounds, elapsed, falls=falls),
        )
        self._records[market] = record._replace(accepted=block.timestamp, effective=block.timestamp)

    def restore(self, rates: MarketRates, bounds: Bounds, record: Record) -> None:
        """Take over what a contract holds of a market."""
        market = rates.market
        self._rates[market], self._bounds[market], self._records[market] = rates, bounds, record

    def pause(self, block: Message) -> None:
        """Stop new risk and every fall of a rate for a while."""
        require(block.sender == self.guardian, "parameters: not the guardian")
        require(block.timestamp >= self.pause_allowed, "parameters: paused too lately")
        self.paused_until = block.timestamp + LONGEST_PAUSE
        self.pause_allowed = block.timestamp + 2 * LONGEST_PAUSE

    def resume(self, block: Message) -> None:
        """End a pause before its time."""
        require(block.sender == self.guardian, "parameters: not the guardian")
        require(self.paused(block), "parameters: not paused")
        self.paused_until = block.timestamp

    def paused(self, block: Message) -> bool:
        """Say whether new risk is stopped."""
        return block.timestamp < self.paused_until

    def rates(self, block: Message, market: bytes) -> MarketRates:
        """Give the rates that hold now: raised for staleness, initial at least what volatility asks."""
        bounds, record, stored = self.bounds(market), self.record(market), self.stored(market)
        factor = stale_factor(block.timestamp, record.effective, bounds)
        least = self._least_initial(block, market)
        long, short = (_in_force(side, bounds, factor, least) for side in stored[1:])
        return MarketRates(market, long, short)

    def stored(self, market: bytes) -> MarketRates:
        """Give the rates as last published or followed; zero for a market that is not listed."""
        nothing = SideRates(0, 0, 0, 0)
        return self._rates.get(market, MarketRates(market, nothing, nothing))

    def bounds(self, market: bytes) -> Bounds:
        """Give the bounds of a market."""
        require(market in self._bounds, "parameters: no such market")
        return self._bounds[market]

    def record(self, market: bytes) -> Record:
        """Say when a market's rates last changed, and of which version they are."""
        return self._records.get(market, Record(0, 0, 0, 0))

    def _least_initial(self, block: Message, market: bytes) -> int:
        bounds, record = self.bounds(market), self.record(market)
        if self.paused(block):
            return bounds.most
        if record.reach == 0:
            return 0
        return after_one_rise(_model(self.volatility(block, market)[0], record, bounds), bounds)


def _elapsed(block: Message, record: Record, bounds: Bounds) -> int:
    return min(block.timestamp - record.accepted, bounds.fresh_for)


def _age(block: Message, record: Record) -> int:
    return block.timestamp - min(block.timestamp, record.effective)


def _model(volatility: int, record: Record, bounds: Bounds) -> int:
    return min(volatility * record.reach // ONE, bounds.most)


def _in_force(stored: SideRates, bounds: Bounds, factor: int, least_initial: int) -> SideRates:
    maintenance, call, initial = (min(raised(rate, factor), bounds.most) for rate in stored[1:])
    return SideRates(stored.floor, maintenance, call, max(initial, least_initial))
