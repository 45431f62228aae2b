# pragma version ~=0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title What is a market worth, how sure is that, and how much does it move?
@license Apache-2.0
@author The Plimsoll authors
@notice The median of several feeds of Chainlink's or Pyth's shape. A feed that fails, is stale, unsure, not positive,
        from the future or far from the others does not count; fewer than the quorum make no price. Anyone may record
        the price; the recorded moves give a volatility, and what was recorded last answers, with a margin of doubt
        that grows step by step, where no price can be made.
@dev    Prices are quote currency per base unit, eighteen decimals. Variance is per hour, eighteen decimals.
@custom:kill The guardian's `drop_feed` removes a compromised feed for ever, as long as a quorum remains. There is no
        switch that stops a market: without a quorum it is not live, and its readers allow no new risk.
"""
import data_code
import fixed_point


struct Feed:
    source: address
    kind: uint8          # 0 Chainlink, 1 Pyth
    decimals: uint8      # of a Chainlink feed
    heartbeat: uint32    # seconds after which it does not count
    key: bytes32         # Pyth's identifier


struct Rules:
    quorum: uint32           # least feeds that agree
    deviation: uint32        # billionths from the median; what is farther does not count
    most_doubt: uint32       # billionths of the price; a feed that is less sure does not count
    memory: uint32           # seconds that the volatility looks back
    doubt_step: uint32       # seconds
    doubt_per_step: uint32   # billionths of the price


struct Reading:
    price: uint256
    doubt: uint256
    time: uint256
    live: bool


event Configured:
    market: indexed(bytes32)
    rules: Rules
    feeds: DynArray[Feed, MOST_FEEDS]


event FeedDropped:
    market: indexed(bytes32)
    source: address


event Observed:
    market: indexed(bytes32)
    state: uint256         # time (64 bits), price (96), variance (96)


event ListingClosed:
    pass


PYTH: constant(uint8) = 1
MOST_FEEDS: constant(uint256) = 5
CLOCK_DRIFT: constant(uint256) = 60
ONE: constant(uint256) = 1_000_000_000
UNIT: constant(uint256) = 1_000_000_000_000_000_000
HOUR: constant(uint256) = 3_600
LOW_32: constant(uint256) = 4_294_967_295
LOW_64: constant(uint256) = 18_446_744_073_709_551_615
LOW_96: constant(uint256) = 79_228_162_514_264_337_593_543_950_335
# Words of a listing: rules, then word and key of every feed
LISTING: constant(uint256) = 1 + 2 * MOST_FEEDS
# What a feed may burn: one that burns all it gets must not stop a market
FEED_GAS: constant(uint256) = 200_000
MOST_OBSERVED: constant(uint256) = 32
LOW_160: constant(uint256) = 1_461_501_637_330_902_918_203_684_832_716_283_019_655_932_542_975

GUARDIAN: public(immutable(address))
lister: public(address)
# Code that holds rules and feeds: one cold address and no slot for each feed. Its words are six lanes of 32 bits as in
# `Rules`, then the number of feeds; and for each feed source (160 bits), kind (8), decimals (8), heartbeat (32), and key.
listings: HashMap[bytes32, address]
# time (64 bits), price (96), variance (96)
states: HashMap[bytes32, uint256]


@deploy
def __init__(guardian: address):
    """
    @notice Begin with nothing listed.
    @param guardian May drop feeds.
    """
    GUARDIAN = guardian
    self.lister = msg.sender


@external
def configure(market: bytes32, rules: Rules, feeds: DynArray[Feed, MOST_FEEDS], variance: uint256):
    """
    @notice List a market's feeds and rules, once and for ever, and record its first price.
    @param market Which one.
    @param rules Quorum, guards, memory, steps of doubt.
    @param feeds Up to five.
    @param variance What the volatility begins at, per hour.
    """
    assert msg.sender == self.lister, "oracle: not the lister"
    assert self.listings[market] == empty(address), "oracle: listed already"
    assert 0 < rules.quorum and convert(rules.quorum, uint256) <= len(feeds), "oracle: quorum"
    # A feed that agrees with a majority must be able to outvote the others
    assert 2 * convert(rules.quorum, uint256) > len(feeds), "oracle: quorum"
    assert 0 < rules.memory and 0 < rules.doubt_step, "oracle: rules"
    assert convert(rules.deviation, uint256) <= ONE and convert(rules.most_doubt, uint256) <= ONE, "oracle: rules"
    for feed: Feed in feeds:
        assert feed.kind <= PYTH and feed.decimals <= 18, "oracle: feed"
    self._store_listing(market, rules, feeds)
    reading: Reading = self._median(self._listing(market))
    assert reading.live, "oracle: no quorum"
    self._store(market, reading, variance)
    log Configured(market=market, rules=rules, feeds=feeds)


@external
def close_listing():
    """
    @notice Give up for ever the right to list markets.
    """
    assert msg.sender == self.lister, "oracle: not the lister"
    self.lister = empty(address)
    log ListingClosed()


@external
def drop_feed(market: bytes32, index: uint256):
    """
    @notice Remove a feed for ever; as many as the quorum must remain.
    @param market Whose feed.
    @param index Its place; the last one takes it.
    """
    assert msg.sender == GUARDIAN, "oracle: not the guardian"
    feeds: DynArray[Feed, MOST_FEEDS] = self._feeds(market)
    rules: Rules = self._rules(market)
    assert index < len(feeds), "oracle: no such feed"
    assert len(feeds) > convert(rules.quorum, uint256), "oracle: quorum"
    log FeedDropped(market=market, source=feeds[index].source)
    feeds[index] = feeds[len(feeds) - 1]
    feeds.pop()
    self._store_listing(market, rules, feeds)


@external
def observe(market: bytes32):
    """
    @notice Record the price and let the volatility learn from its move. Anyone may, at every new round.
    @param market Which one.
    """
    listing: uint256[LISTING] = self._listing(market)
    reading: Reading = self._median(listing)
    state: uint256 = self.states[market]
    assert reading.live, "oracle: no quorum"
    assert reading.time > state & LOW_64, "oracle: nothing new"
    self._learn(market, listing[0], reading, state)


@external
def observe_many(markets: DynArray[bytes32, MOST_OBSERVED]) -> uint256:
    """
    @notice Observe several markets in one transaction. Those without a quorum or a new round are passed over, so that
            nobody stops the others by observing one of them first.
    @param markets Which ones.
    @return How many had something new.
    """
    learnt: uint256 = 0
    for market: bytes32 in markets:
        listing: uint256[LISTING] = self._listing(market)
        reading: Reading = self._median(listing)
        state: uint256 = self.states[market]
        if reading.live and reading.time > state & LOW_64:
            self._learn(market, listing[0], reading, state)
            learnt += 1
    return learnt


@external
@view
def reading(market: bytes32) -> Reading:
    """
    @notice The price, its doubt, its time, and whether a quorum of feeds stands behind it now.
    @param market Which one.
    @return Where it is not live, the price last recorded, with a doubt that grows with its age.
    """
    assert self.listings[market] != empty(address), "oracle: no such market"
    listing: uint256[LISTING] = self._listing(market)
    reading: Reading = self._median(listing)
    state: uint256 = self.states[market]
    time: uint256 = state & LOW_64
    if reading.live and reading.time >= time:
        return reading
    price: uint256 = (state >> 64) & LOW_96
    age: uint256 = block.timestamp - min(block.timestamp, time)
    steps: uint256 = 1 + age // ((listing[0] >> 128) & LOW_32)
    doubt: uint256 = min(price * steps * ((listing[0] >> 160) & LOW_32) // ONE, price)
    return Reading(price=price, doubt=doubt, time=time, live=False)


@external
@view
def volatility(market: bytes32) -> (uint256, uint256):
    """
    @notice How much a market moves.
    @param market Which one.
    @return Log return per square root of an hour in billionths, and when it last learnt.
    """
    state: uint256 = self.states[market]
    return isqrt(state >> 160), state & LOW_64


@external
@view
def state(market: bytes32) -> (uint256, uint256, uint256):
    """
    @notice What was recorded last.
    @param market Which one.
    @return Time, price and variance.
    """
    state: uint256 = self.states[market]
    return state & LOW_64, (state >> 64) & LOW_96, state >> 160


@external
@view
def feeds_of(market: bytes32) -> DynArray[Feed, MOST_FEEDS]:
    """
    @notice The feeds that still count.
    @param market Which one.
    @return In no particular order.
    """
    return self._feeds(market)


@external
@view
def rules(market: bytes32) -> Rules:
    """
    @notice When feeds make a price.
    @param market Which one.
    @return As listed.
    """
    return self._rules(market)


@internal
@view
def _listing(market: bytes32) -> uint256[LISTING]:
    """
    @notice Rules and feeds as they are kept; all zero for a market that is not listed.
    """
    kept: address = self.listings[market]
    if kept == empty(address):
        return empty(uint256[LISTING])
    return abi_decode(slice(kept.code, 1, 32 * LISTING), uint256[LISTING])


@internal
@view
def _rules(market: bytes32) -> Rules:
    listing: uint256[LISTING] = self._listing(market)
    word: uint256 = listing[0]
    return Rules(
        quorum=convert(word & LOW_32, uint32),
        deviation=convert((word >> 32) & LOW_32, uint32),
        most_doubt=convert((word >> 64) & LOW_32, uint32),
        memory=convert((word >> 96) & LOW_32, uint32),
        doubt_step=convert((word >> 128) & LOW_32, uint32),
        doubt_per_step=convert((word >> 160) & LOW_32, uint32),
    )


@internal
@view
def _feeds(market: bytes32) -> DynArray[Feed, MOST_FEEDS]:
    listing: uint256[LISTING] = self._listing(market)
    feeds: DynArray[Feed, MOST_FEEDS] = []
    for place: uint256 in range(listing[0] >> 192, bound=MOST_FEEDS):
        word: uint256 = listing[1 + 2 * place]
        feeds.append(
            Feed(
                source=convert(word & LOW_160, address),
                kind=convert((word >> 160) & 255, uint8),
                decimals=convert((word >> 168) & 255, uint8),
                heartbeat=convert((word >> 176) & LOW_32, uint32),
                key=convert(listing[2 + 2 * place], bytes32),
            )
        )
    return feeds


@internal
def _store_listing(market: bytes32, rules: Rules, feeds: DynArray[Feed, MOST_FEEDS]):
    listing: uint256[LISTING] = empty(uint256[LISTING])
    listing[0] = (
        convert(rules.quorum, uint256)
        | (convert(rules.deviation, uint256) << 32)
        | (convert(rules.most_doubt, uint256) << 64)
        | (convert(rules.memory, uint256) << 96)
        | (convert(rules.doubt_step, uint256) << 128)
        | (convert(rules.doubt_per_step, uint256) << 160)
        | (len(feeds) << 192)
    )
    place: uint256 = 1
    for feed: Feed in feeds:
        listing[place] = (
            convert(feed.source, uint256)
            | (convert(feed.kind, uint256) << 160)
            | (convert(feed.decimals, uint256) << 168)
            | (convert(feed.heartbeat, uint256) << 176)
        )
        listing[place + 1] = convert(feed.key, uint256)
        place += 2
    self.listings[market] = data_code._store(concat(b"\x00", abi_encode(listing)))


@internal
def _learn(market: bytes32, rules: uint256, reading: Reading, state: uint256):
    """
    @notice Record a newer price, and the variance that its move makes.
    """
    memory: uint256 = (rules >> 96) & LOW_32
    # both prices are below 2**96, so the ratio in units of 2**-96 is below 2**192
    move: int256 = fixed_point._ln(convert((reading.price << 96) // ((state >> 64) & LOW_96), int256))
    # |move| < 2**104 in these units: no overflow, and eighteen decimals from here on
    size: uint256 = convert(abs(move), uint256) * UNIT >> 96
    variance: uint256 = ((state >> 160) * memory + size * size // UNIT * HOUR) // (
        memory + reading.time - (state & LOW_64)
    )
    self._store(market, reading, variance)


@internal
def _store(market: bytes32, reading: Reading, variance: uint256):
    state: uint256 = reading.time | (reading.price << 64) | (min(variance, LOW_96) << 160)
    self.states[market] = state
    log Observed(market=market, state=state)


@internal
@view
def _median(listing: uint256[LISTING]) -> Reading:
    """
    @notice The median of the feeds that count and agree; not live where they are no quorum.
    """
    # Answers in order of price, as `_asked` gives them.
    sorted: uint256[MOST_FEEDS] = empty(uint256[MOST_FEEDS])
    count: uint256 = 0
    for place: uint256 in range(listing[0] >> 192, bound=MOST_FEEDS):
        answer: uint256 = self._asked(listing[1 + 2 * place], listing[2 + 2 * place], (listing[0] >> 64) & LOW_32)
        if answer != 0:
            to: uint256 = count
            for _: uint256 in range(MOST_FEEDS):
                if to == 0:
                    break
                before: uint256 = sorted[unsafe_sub(to, 1)]  # not 0
                if before <= answer:
                    break
                sorted[to] = before
                to = unsafe_sub(to, 1)  # as above
            sorted[to] = answer
            count = unsafe_add(count, 1)  # at most 5
    quorum: uint256 = listing[0] & LOW_32
    if count == 0 or count < quorum:
        return empty(Reading)
    if count == 1:
        return Reading(
            price=sorted[0] >> 160, doubt=(sorted[0] >> 64) & LOW_96, time=sorted[0] & LOW_64, live=True
        )
    # what agrees with the median stands together
    middle: uint256 = self._middle(sorted, 0, count)
    # Prices are below 2**96, shares below 2**32.
    reach: uint256 = unsafe_mul(middle, (listing[0] >> 32) & LOW_32)
    first: uint256 = count
    end: uint256 = 0
    for place: uint256 in range(count, bound=MOST_FEEDS):
        if unsafe_mul(self._apart(sorted[place] >> 160, middle), ONE) <= reach:  # as above
            first = min(first, place)
            end = unsafe_add(place, 1)  # at most 5
    if end == 0 or unsafe_sub(end, first) < quorum:  # what is first is before the end
        return empty(Reading)
    price: uint256 = self._middle(sorted, first, end)
    doubt: uint256 = 0
    time: uint256 = 0
    for place: uint256 in range(first, end, bound=MOST_FEEDS):
        answer: uint256 = sorted[place]
        doubt = max(doubt, max((answer >> 64) & LOW_96, self._apart(answer >> 160, price)))
        time = max(time, answer & LOW_64)
    return Reading(price=price, doubt=doubt, time=time, live=True)


@internal
@pure
def _middle(sorted: uint256[MOST_FEEDS], first: uint256, end: uint256) -> uint256:
    """
    @notice Median price of the answers from the first to before the end.
    """
    # Places are at most 5, prices below 2**96.
    half: uint256 = unsafe_add(first, end) >> 1
    if (first ^ end) & 1 == 1:
        return sorted[half] >> 160
    return unsafe_add(sorted[unsafe_sub(half, 1)] >> 160, sorted[half] >> 160) >> 1  # as above


@internal
@pure
def _apart(a: uint256, b: uint256) -> uint256:
    if a > b:
        return unsafe_sub(a, b)  # not below
    return unsafe_sub(b, a)  # as above


@internal
@view
def _asked(word: uint256, key: uint256, most_doubt: uint256) -> uint256:
    """
    @notice One feed's price (96 bits), doubt (96) and time (64); 0 where it fails or does not count.
    """
    source: address = convert(word & LOW_160, address)
    price: uint256 = 0
    doubt: uint256 = 0
    time: uint256 = 0
    if (word >> 160) & 255 == 0:
        price, time = self._from_chainlink(source, (word >> 168) & 255)
    else:
        price, doubt, time = self._from_pyth(source, convert(key, bytes32))
    if price > LOW_96 or time > unsafe_add(block.timestamp, CLOCK_DRIFT):  # no time comes near 2**256
        return 0
    if unsafe_add(time, (word >> 176) & LOW_32) < block.timestamp:  # both are small
        return 0
    # A doubt is below 2**64 times 10**18, a price below 2**96, and shares below 2**32.
    if unsafe_mul(doubt, ONE) > unsafe_mul(price, most_doubt):
        return 0
    # A share is at most one, so a doubt that counts is no more than its price.
    return price << 160 | doubt << 64 | time if price != 0 else 0


@internal
@view
def _from_chainlink(source: address, decimals: uint256) -> (uint256, uint256):
    success: bool = False
    answer: Bytes[160] = b""
    success, answer = raw_call(
        source,
        method_id("latestRoundData()"),
        max_outsize=160,
        gas=FEED_GAS,
        is_static_call=True,
        revert_on_failure=False,
    )
    if not success or len(answer) != 160:
        return 0, 0
    # Round, price, two times, round; a price below zero is the largest of all here.
    fields: uint256[5] = abi_decode(answer, uint256[5])
    if fields[1] > LOW_96 or fields[3] > LOW_64:
        return 0, 0
    # Decimals are at most 18: below 2**96 times 10**18.
    return unsafe_mul(fields[1], pow_mod256(10, unsafe_sub(18, decimals))), fields[3]


@internal
@view
def _from_pyth(source: address, key: bytes32) -> (uint256, uint256, uint256):
    success: bool = False
    answer: Bytes[128] = b""
    success, answer = raw_call(
        source,
        concat(method_id("getPriceUnsafe(bytes32)"), key),
        max_outsize=128,
        gas=FEED_GAS,
        is_static_call=True,
        revert_on_failure=False,
    )
    if not success or len(answer) != 128:
        return 0, 0, 0
    # Price, doubt, exponent, time; a price below zero is the largest of all here.
    fields: uint256[4] = abi_decode(answer, uint256[4])
    if fields[0] > LOW_64 or fields[1] > LOW_64 or fields[3] > LOW_64:
        return 0, 0, 0
    # An exponent is from -18 to 0; any other gives a power above 18 here.
    power: uint256 = unsafe_add(fields[2], 18)
    if power > 18:
        return 0, 0, 0
    # Below 2**64 times 10**18.
    scale: uint256 = pow_mod256(10, power)
    return unsafe_mul(fields[0], scale), unsafe_mul(fields[1], scale), fields[3]  # as above
