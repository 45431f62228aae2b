# pragma version ~=0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Which margin rates hold, and who may move them how far?
@license Apache-2.0
@author The Plimsoll authors
@notice Rates per market and side arrive signed by k of n reporters. Whatever they sign stays within absolute bounds
        that never change, moves no faster than a speed limit, and keeps floor <= maintenance <= call <= initial.
        Silence raises rates step by step; after it, anyone may let them follow the volatility seen on chain.
        The guardian can only make margins safer, for a while.
@dev    Rates are billionths of notional. A market's eight rates are one storage word.
@custom:kill The guardian's `pause` stops new risk and every fall of a rate for at most `LONGEST_PAUSE` at a time. There
        is no other switch: without reporters the rates rise by steps and then follow the oracle's volatility.
"""
import quorum

initializes: quorum
exports: (
    quorum.is_signer,
    quorum.threshold,
    quorum.nonce,
    quorum.members,
    quorum.domain,
    quorum.rotate,
)


interface Volatility:
    def volatility(market: bytes32) -> (uint256, uint256): view


struct SideRates:
    floor: uint32
    maintenance: uint32
    call: uint32
    initial: uint32


struct MarketRates:
    market: bytes32
    long: SideRates
    short: SideRates


struct Bounds:
    least: uint32           # of a floor
    most: uint32            # of an initial rate
    rise_per_hour: uint32   # of maintenance, billionths of itself
    fall_per_hour: uint32   # of every rate
    fresh_for: uint32       # seconds; also the longest time that speed is counted over
    stale_step: uint32      # seconds
    stale_rise: uint32      # billionths per step
    stale_steps: uint32     # no more steps than these


struct Record:
    accepted: uint64        # block time of the last change
    effective: uint64       # moment that the rates speak of
    version: uint64
    reach: uint64           # maintenance asked per hourly volatility, billionths; carries the horizon


struct Update:
    nonce: uint256
    version: uint64
    effective: uint64
    deadline: uint64
    digest: bytes32
    evidence: bytes32
    rates: DynArray[MarketRates, MOST_MARKETS]


event Listed:
    market: indexed(bytes32)
    bounds: Bounds
    reach: uint64


event UpdateAccepted:
    nonce: indexed(uint256)
    version: indexed(uint64)
    effective: uint64
    digest: bytes32
    evidence: bytes32


event RatesMoved:
    market: indexed(bytes32)
    rates: uint256


event Paused:
    until: uint256


event Resumed:
    pass


event ListingClosed:
    pass


ONE: constant(uint256) = 1_000_000_000
HOUR: constant(uint256) = 3_600
MOST_MARKETS: constant(uint256) = 32
LONGEST_PAUSE: constant(uint256) = 604_800
CLOCK_DRIFT: constant(uint256) = 60
LOW_32: constant(uint256) = 4_294_967_295
LOW_64: constant(uint256) = 18_446_744_073_709_551_615
SIDE_TYPE: constant(bytes32) = keccak256("SideRates(uint32 floor,uint32 maintenance,uint32 call,uint32 initial)")
MARKET_TYPE: constant(bytes32) = keccak256(
    "MarketRates(bytes32 market,SideRates long,SideRates short)SideRates(uint32 floor,uint32 maintenance,uint32 call,uint32 initial)"
)
UPDATE_TYPE: constant(bytes32) = keccak256(
    "Update(uint256 nonce,uint64 version,uint64 effective,uint64 deadline,bytes32 digest,bytes32 evidence,MarketRates[] rates)MarketRates(bytes32 market,SideRates long,SideRates short)SideRates(uint32 floor,uint32 maintenance,uint32 call,uint32 initial)"
)

ORACLE: public(immutable(address))
GUARDIAN: public(immutable(address))
lister: public(address)
version: public(uint64)
digest: public(bytes32)
evidence: public(bytes32)
paused_until: public(uint256)
pause_allowed: public(uint256)
bounds_words: HashMap[bytes32, uint256]
rates_words: HashMap[bytes32, uint256]
record_words: HashMap[bytes32, uint256]


@deploy
def __init__(
    reporters: DynArray[address, quorum.MOST_SIGNERS],
    threshold: uint256,
    guardian: address,
    oracle: address,
):
    """
    @notice Begin with reporters, a guardian and the oracle whose volatility rates follow.
    @param reporters Ascending.
    @param threshold How many of them must sign.
    @param guardian May pause.
    @param oracle Knows `volatility(market)`: billionths per square root of an hour, and when.
    """
    quorum.__init__(reporters, threshold)
    ORACLE = oracle
    GUARDIAN = guardian
    self.lister = msg.sender


@external
def list_market(rates: MarketRates, bounds: Bounds, reach: uint64, effective: uint64):
    """
    @notice Open a market with its first rates and the bounds that hold for ever.
    @param rates First rates.
    @param bounds Absolute bounds, speed limits and the steps of staleness.
    @param reach Maintenance asked per hourly volatility, billionths.
    @param effective Moment that the rates speak of.
    """
    assert msg.sender == self.lister, "parameters: not the lister"
    assert self.bounds_words[rates.market] == 0, "parameters: listed already"
    assert effective != 0 and convert(effective, uint256) <= block.timestamp, "parameters: effective"
    self._require_sound_bounds(bounds)
    self._require_sound(rates.long, bounds)
    self._require_sound(rates.short, bounds)
    self.bounds_words[rates.market] = self._packed_bounds(bounds)
    record: Record = Record(
        accepted=convert(block.timestamp, uint64), effective=effective, version=0, reach=reach
    )
    log Listed(market=rates.market, bounds=bounds, reach=reach)
    self._store(rates, record)


@external
def close_listing():
    """
    @notice Give up for ever the right to list markets.
    """
    assert msg.sender == self.lister, "parameters: not the lister"
    self.lister = empty(address)
    log ListingClosed()


@external
def update(update: Update, signatures: DynArray[quorum.Signature, quorum.MOST_SIGNERS]):
    """
    @notice Move the rates; anyone may bring what the quorum signed. All markets move or none.
    @param update Nonce, version, deadline, digest of the parameter set, hash of its evidence, and the rates.
    @param signatures Ascending by signer.
    """
    quorum._accept(update.nonce, update.deadline, self._message(update), signatures)
    assert update.version > self.version, "parameters: version"
    assert convert(update.effective, uint256) <= block.timestamp + CLOCK_DRIFT, "parameters: from the future"
    self.version = update.version
    self.digest = update.digest
    self.evidence = update.evidence
    log UpdateAccepted(
        nonce=update.nonce,
        version=update.version,
        effective=update.effective,
        digest=update.digest,
        evidence=update.evidence,
    )
    paused: bool = self._paused()
    for rates: MarketRates in update.rates:
        bounds: Bounds = self._bounds(rates.market)
        record: Record = self._record(rates.market)
        assert update.effective > record.effective, "parameters: backwards"
        old: MarketRates = self._stored(rates.market)
        elapsed: uint256 = self._elapsed(record, bounds)
        self._require_move(old.long, rates.long, bounds, elapsed, paused)
        self._require_move(old.short, rates.short, bounds, elapsed, paused)
        record.accepted = convert(block.timestamp, uint64)
        record.effective = update.effective
        record.version = update.version
        self._store(rates, record)


@external
def follow(market: bytes32):
    """
    @notice Where the reporters are silent, move a market's rates towards what volatility on chain asks. Anyone may.
    @param market Which one.
    """
    bounds: Bounds = self._bounds(market)
    record: Record = self._record(market)
    assert self._age(record) > convert(bounds.fresh_for, uint256), "parameters: not silent"
    assert record.reach != 0, "parameters: no reach"
    volatility: uint256 = 0
    seen: uint256 = 0
    volatility, seen = staticcall Volatility(ORACLE).volatility(market)
    assert block.timestamp <= seen + convert(bounds.fresh_for, uint256), "parameters: volatility is stale"
    model: uint256 = self._model(volatility, record, bounds)
    old: MarketRates = self._stored(market)
    elapsed: uint256 = self._elapsed(record, bounds)
    falls: bool = not self._paused()
    moved: MarketRates = MarketRates(
        market=market,
        long=self._followed(old.long, model, bounds, elapsed, falls),
        short=self._followed(old.short, model, bounds, elapsed, falls),
    )
    record.accepted = convert(block.timestamp, uint64)
    record.effective = convert(block.timestamp, uint64)
    self._store(moved, record)


@external
def pause():
    """
    @notice Stop new risk and every fall of a rate for a while; maintenance stays, so that nobody is liquidated by it.
    """
    assert msg.sender == GUARDIAN, "parameters: not the guardian"
    assert block.timestamp >= self.pause_allowed, "parameters: paused too lately"
    self.paused_until = block.timestamp + LONGEST_PAUSE
    self.pause_allowed = block.timestamp + 2 * LONGEST_PAUSE
    log Paused(until=self.paused_until)


@external
def resume():
    """
    @notice End a pause before its time.
    """
    assert msg.sender == GUARDIAN, "parameters: not the guardian"
    assert self._paused(), "parameters: not paused"
    self.paused_until = block.timestamp
    log Resumed()


@external
@view
def rates(market: bytes32) -> MarketRates:
    """
    @notice The rates that hold now: as published, raised for staleness, initial at least what volatility asks.
    @param market Which one.
    @return Rates, billionths of notional.
    """
    bounds: Bounds = self._bounds(market)
    record: Record = self._record(market)
    stored: MarketRates = self._stored(market)
    raised: uint256 = self._stale_factor(record, bounds)
    least: uint256 = self._least_initial(market, record, bounds)
    return MarketRates(
        market=market,
        long=self._in_force(stored.long, bounds, raised, least),
        short=self._in_force(stored.short, bounds, raised, least),
    )


@external
@view
def stored(market: bytes32) -> MarketRates:
    """
    @notice The rates as last published or followed.
    @param market Which one.
    @return Rates, billionths of notional.
    """
    return self._stored(market)


@external
@view
def bounds(market: bytes32) -> Bounds:
    """
    @notice The bounds of a market.
    @param market Which one.
    @return As listed.
    """
    return self._bounds(market)


@external
@view
def record(market: bytes32) -> Record:
    """
    @notice When a market's rates last changed, and of which version they are.
    @param market Which one.
    @return The record.
    """
    return self._record(market)


@external
@view
def paused() -> bool:
    """
    @notice Whether a pause is on.
    @return True while new risk is stopped.
    """
    return self._paused()


@internal
@view
def _paused() -> bool:
    return block.timestamp < self.paused_until


@internal
@pure
def _require_sound_bounds(bounds: Bounds):
    assert 0 < bounds.least and bounds.least <= bounds.most, "parameters: bounds"
    assert convert(bounds.most, uint256) <= ONE, "parameters: bounds"
    assert 0 < bounds.fall_per_hour and convert(bounds.fall_per_hour, uint256) < ONE, "parameters: bounds"
    assert 0 < bounds.rise_per_hour and convert(bounds.rise_per_hour, uint256) <= ONE, "parameters: bounds"
    assert 0 < bounds.fresh_for and bounds.fresh_for <= 86_400, "parameters: bounds"
    assert 0 < bounds.stale_step and bounds.stale_steps <= 1_000, "parameters: bounds"
    assert convert(bounds.stale_rise, uint256) * HOUR <= convert(bounds.rise_per_hour, uint256) * convert(
        bounds.stale_step, uint256
    ), "parameters: stale rise"
    assert convert(bounds.fall_per_hour, uint256) * convert(bounds.fresh_for, uint256) < ONE * HOUR, "parameters: bounds"


@internal
@pure
def _require_sound(rates: SideRates, bounds: Bounds):
    assert bounds.least <= rates.floor, "parameters: below the bound"
    assert rates.floor <= rates.maintenance, "parameters: floor above maintenance"
    assert rates.maintenance <= rates.call, "parameters: maintenance above call"
    assert rates.call <= rates.initial, "parameters: call above initial"
    assert rates.initial <= bounds.most, "parameters: above the bound"
    assert convert(rates.initial, uint256) >= self._after_one_rise(convert(rates.maintenance, uint256), bounds), "parameters: notice"


@internal
@pure
def _after_one_rise(rate: uint256, bounds: Bounds) -> uint256:
    """
    @notice The most that a maintenance rate can become by the next update: initial margin covers it.
    """
    raised: uint256 = rate + self._share(rate, bounds.rise_per_hour, convert(bounds.fresh_for, uint256))
    return min(raised, convert(bounds.most, uint256))


@internal
@pure
def _share(rate: uint256, per_hour: uint32, elapsed: uint256) -> uint256:
    return rate * convert(per_hour, uint256) * elapsed // (ONE * HOUR)


@internal
@pure
def _require_move(old: SideRates, new: SideRates, bounds: Bounds, elapsed: uint256, paused: bool):
    self._require_sound(new, bounds)
    most: uint256 = convert(old.maintenance, uint256) + self._share(
        convert(old.maintenance, uint256), bounds.rise_per_hour, elapsed
    )
    assert convert(new.maintenance, uint256) <= most, "parameters: rises too fast"
    falling: uint256 = elapsed
    if paused:
        falling = 0
    self._require_fall(old.floor, new.floor, bounds, falling)
    self._require_fall(old.maintenance, new.maintenance, bounds, falling)
    self._require_fall(old.call, new.call, bounds, falling)
    self._require_fall(old.initial, new.initial, bounds, falling)


@internal
@pure
def _require_fall(old: uint32, new: uint32, bounds: Bounds, elapsed: uint256):
    rate: uint256 = convert(old, uint256)
    assert convert(new, uint256) >= rate - self._share(rate, bounds.fall_per_hour, elapsed), "parameters: falls too fast"


@internal
@pure
def _followed(old: SideRates, model: uint256, bounds: Bounds, elapsed: uint256, falls: bool) -> SideRates:
    """
    @notice Maintenance as near to the model as the limits allow; call and initial keep their proportion, rounded up.
    """
    rate: uint256 = convert(old.maintenance, uint256)
    lowest: uint256 = rate
    if falls:
        lowest = max(rate - self._share(rate, bounds.fall_per_hour, elapsed), convert(old.floor, uint256))
    highest: uint256 = min(rate + self._share(rate, bounds.rise_per_hour, elapsed), convert(bounds.most, uint256))
    moved: uint256 = min(max(model, lowest), highest)
    ceiling: uint256 = convert(bounds.most, uint256)
    call: uint256 = min((convert(old.call, uint256) * moved + rate - 1) // rate, ceiling)
    initial: uint256 = min((convert(old.initial, uint256) * moved + rate - 1) // rate, ceiling)
    initial = max(initial, self._after_one_rise(moved, bounds))
    return SideRates(
        floor=old.floor,
        maintenance=convert(moved, uint32),
        call=convert(call, uint32),
        initial=convert(initial, uint32),
    )


@internal
@view
def _elapsed(record: Record, bounds: Bounds) -> uint256:
    """
    @notice Seconds that speed is counted over: since the last change, no longer than a set stays fresh.
    """
    return min(block.timestamp - convert(record.accepted, uint256), convert(bounds.fresh_for, uint256))


@internal
@view
def _age(record: Record) -> uint256:
    """
    @notice Seconds since the moment that the rates speak of; drifting clocks make it zero, never negative.
    """
    return block.timestamp - min(block.timestamp, convert(record.effective, uint256))


@internal
@view
def _stale_factor(record: Record, bounds: Bounds) -> uint256:
    age: uint256 = self._age(record)
    fresh: uint256 = convert(bounds.fresh_for, uint256)
    if age <= fresh:
        return ONE
    steps: uint256 = min((age - fresh) // convert(bounds.stale_step, uint256), convert(bounds.stale_steps, uint256))
    return ONE + steps * convert(bounds.stale_rise, uint256)


@internal
@view
def _least_initial(market: bytes32, record: Record, bounds: Bounds) -> uint256:
    if self._paused():
        return convert(bounds.most, uint256)
    if record.reach == 0:
        return 0
    volatility: uint256 = 0
    seen: uint256 = 0
    volatility, seen = staticcall Volatility(ORACLE).volatility(market)
    return self._after_one_rise(self._model(volatility, record, bounds), bounds)


@internal
@pure
def _model(volatility: uint256, record: Record, bounds: Bounds) -> uint256:
    return min(volatility * convert(record.reach, uint256) // ONE, convert(bounds.most, uint256))


@internal
@pure
def _in_force(stored: SideRates, bounds: Bounds, raised: uint256, least_initial: uint256) -> SideRates:
    most: uint256 = convert(bounds.most, uint256)
    initial: uint256 = min(self._raised(stored.initial, raised), most)
    return SideRates(
        floor=stored.floor,
        maintenance=convert(min(self._raised(stored.maintenance, raised), most), uint32),
        call=convert(min(self._raised(stored.call, raised), most), uint32),
        initial=convert(max(initial, least_initial), uint32),
    )


@internal
@pure
def _raised(rate: uint32, factor: uint256) -> uint256:
    return (convert(rate, uint256) * factor + ONE - 1) // ONE


@internal
def _store(rates: MarketRates, record: Record):
    word: uint256 = self._packed_side(rates.long) | (self._packed_side(rates.short) << 128)
    self.rates_words[rates.market] = word
    self.record_words[rates.market] = (
        convert(record.accepted, uint256)
        | (convert(record.effective, uint256) << 64)
        | (convert(record.version, uint256) << 128)
        | (convert(record.reach, uint256) << 192)
    )
    log RatesMoved(market=rates.market, rates=word)


@internal
@view
def _stored(market: bytes32) -> MarketRates:
    word: uint256 = self.rates_words[market]
    return MarketRates(market=market, long=self._side(word), short=self._side(word >> 128))


@internal
@view
def _record(market: bytes32) -> Record:
    word: uint256 = self.record_words[market]
    return Record(
        accepted=convert(word & LOW_64, uint64),
        effective=convert((word >> 64) & LOW_64, uint64),
        version=convert((word >> 128) & LOW_64, uint64),
        reach=convert(word >> 192, uint64),
    )


@internal
@view
def _bounds(market: bytes32) -> Bounds:
    word: uint256 = self.bounds_words[market]
    assert word != 0, "parameters: no such market"
    return Bounds(
        least=convert(word & LOW_32, uint32),
        most=convert((word >> 32) & LOW_32, uint32),
        rise_per_hour=convert((word >> 64) & LOW_32, uint32),
        fall_per_hour=convert((word >> 96) & LOW_32, uint32),
        fresh_for=convert((word >> 128) & LOW_32, uint32),
        stale_step=convert((word >> 160) & LOW_32, uint32),
        stale_rise=convert((word >> 192) & LOW_32, uint32),
        stale_steps=convert(word >> 224, uint32),
    )


@internal
@pure
def _packed_bounds(bounds: Bounds) -> uint256:
    return (
        convert(bounds.least, uint256)
        | (convert(bounds.most, uint256) << 32)
        | (convert(bounds.rise_per_hour, uint256) << 64)
        | (convert(bounds.fall_per_hour, uint256) << 96)
        | (convert(bounds.fresh_for, uint256) << 128)
        | (convert(bounds.stale_step, uint256) << 160)
        | (convert(bounds.stale_rise, uint256) << 192)
        | (convert(bounds.stale_steps, uint256) << 224)
    )


@internal
@pure
def _side(word: uint256) -> SideRates:
    return SideRates(
        floor=convert(word & LOW_32, uint32),
        maintenance=convert((word >> 32) & LOW_32, uint32),
        call=convert((word >> 64) & LOW_32, uint32),
        initial=convert((word >> 96) & LOW_32, uint32),
    )


@internal
@pure
def _packed_side(side: SideRates) -> uint256:
    return (
        convert(side.floor, uint256)
        | (convert(side.maintenance, uint256) << 32)
        | (convert(side.call, uint256) << 64)
        | (convert(side.initial, uint256) << 96)
    )


@internal
@pure
def _message(update: Update) -> bytes32:
    packed: DynArray[bytes32, MOST_MARKETS] = []
    for rates: MarketRates in update.rates:
        packed.append(
            keccak256(
                abi_encode(MARKET_TYPE, rates.market, self._side_hash(rates.long), self._side_hash(rates.short))
            )
        )
    # abi_encode of an array puts an offset and the length in front: two words that EIP-712 leaves out
    encoded: Bytes[32 * MOST_MARKETS + 64] = abi_encode(packed)
    return keccak256(
        abi_encode(
            UPDATE_TYPE,
            update.nonce,
            update.version,
            update.effective,
            update.deadline,
            update.digest,
            update.evidence,
            keccak256(slice(encoded, 64, 32 * len(packed))),
        )
    )


@internal
@pure
def _side_hash(side: SideRates) -> bytes32:
    return keccak256(abi_encode(SIDE_TYPE, side))
