# pragma version ~=0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title What must an account hold for its positions?
@license Apache-2.0
@author The Plimsoll authors
@notice
    Values positions today and in up to 31 scenarios, exactly by Black-76 or from packed rows that anyone can
    check against it; see IMarginEngine for how it is called and docs/theory/on-chain-margin.md for why it
    never rounds in the account's favour. It holds no money and no positions.
@custom:kill The guardian halts the packed path, which rests on published rows; the exact path needs nobody
             and cannot be switched off. A refuted row silences its board at once. The governor can change
             scenarios of markets, never the arithmetic; a new engine is a new deployment that a clearing
             house has to be pointed at.
"""

from interfaces import IMarginEngine
import data_code
import positions
import valuation

implements: IMarginEngine


event MarketOpened:
    market: indexed(uint256)
    lot: uint256
    spread: uint256
    power: uint256
    scenarios: uint256


event RangeSet:
    market: indexed(uint256)
    spread: uint256


event BoardListed:
    market: indexed(uint256)
    board: indexed(uint256)
    instruments: uint256


event Published:
    market: indexed(uint256)
    board: indexed(uint256)
    as_of: uint256
    code: address


event Refuted:
    market: indexed(uint256)
    board: indexed(uint256)
    row: uint256
    challenger: address


event Halted:
    guardian: address


event Resumed:
    governor: address


MARKETS: constant(uint256) = 8
BOARDS: constant(uint256) = 8
SCENARIOS: constant(uint256) = valuation.SCENARIOS
MAX_ROWS: constant(uint256) = 336
ROW: constant(uint256) = valuation.ROW
HEADER: constant(uint256) = valuation.HEADER
MAX_ROW_BYTES: constant(uint256) = 24_528
WEEK: constant(uint256) = 604_800
LINEAR: constant(uint256) = valuation.LINEAR
ONE: constant(int256) = valuation.ONE
# Packed rows hold for so many seconds, while spot stays within one fiftieth of theirs.
MAX_AGE: constant(uint256) = 3_600
DRIFT: constant(uint256) = 50
# Every fourth lane of 16 bits; four lanes of 64, their places, top bits and half the range they may take.
SPACED: constant(uint256) = 65_535 * (1 + 2**64 + 2**128 + 2**192)
LANE: constant(uint256) = 2**64 - 1
SPACES: constant(uint256) = 1 + 2**64 + 2**128 + 2**192
TOPS: constant(uint256) = 2**63 * SPACES
BIAS: constant(uint256) = 2**57 * SPACES
# Scenarios 0, 4, 8 and 12 of four lanes.
NUMBERS: constant(uint256) = 4 * 2**64 + 8 * 2**128 + 12 * 2**192
# Sizes of one market's positions together, each times 2**exponent, stay below this.
GROSS: constant(uint256) = 2**41
# States of a board's rows.
SUPERSEDED: constant(uint256) = 1
REFUTED: constant(uint256) = 2
# Of tenors: with a power of one a move of volatility grows thirtyfold from a month to a day.
MOST_POWER: constant(uint256) = 1_000_000

GOVERNOR: public(immutable(address))
PUBLISHER: public(immutable(address))
GUARDIAN: public(immutable(address))

halted: public(bool)
# Code of scenarios << 96 | range << 64 | power << 32, by market.
_markets: uint256[MARKETS]
_lots: uint256[MARKETS]
# Code of rows << 96 | as_of << 8 | state, and code of terms, by market and board.
_boards: uint256[MARKETS * BOARDS]
_terms: address[MARKETS * BOARDS]


@deploy
def __init__(governor: address, publisher: address, guardian: address):
    """
    @notice Name who may do what, once and for all.
    @param governor Opens markets and lists instruments: a contract that holds to bounds and speed limits.
    @param publisher Publishes forwards, volatilities and rows.
    @param guardian Halts the packed path.
    """
    GOVERNOR = governor
    PUBLISHER = publisher
    GUARDIAN = guardian


@external
@view
def packed(
    words: DynArray[uint256, positions.MAX_WORDS], spots: DynArray[uint256, 8]
) -> DynArray[IMarginEngine.MarketRisk, 8]:
    """
    @notice See IMarginEngine.
    @param words Words of six positions.
    @param spots Spot by market number, 1e18.
    @return One risk per market held.
    """
    risks: DynArray[IMarginEngine.MarketRisk, 8] = []
    sums: uint256[8] = empty(uint256[8])
    rows: address = empty(address)
    key: uint256 = max_value(uint256)
    as_of: uint256 = max_value(uint256)
    stale: uint256 = 0
    charge: uint256 = 0
    gross: uint256 = 0
    for word: uint256 in words:
        rest: uint256 = word
        for _: uint256 in range(positions.LANES):
            if rest == 0:
                break
            at: uint256 = (rest >> (positions.LOTS_BITS + 10)) & 63
            if at != key:
                assert key == max_value(uint256) or at > key, "engine: order"
                if key != max_value(uint256) and at >> 3 != key >> 3:
                    risks.append(self._summed(key >> 3, sums, charge, gross, as_of))
                    sums = empty(uint256[8])
                    as_of = max_value(uint256)
                    charge = 0
                    gross = 0
                key = at
                published: uint256 = 0
                rows, published, stale = self._opened(at, spots)
                as_of = min(as_of, published)
            lots: int256 = positions._signed(rest)
            # The row's own 9 bytes end the first word, its lanes are the second and third; rows start at 32.
            # The number of a row has 10 bits.
            row: Bytes[96] = slice(rows.code, unsafe_add(unsafe_mul((rest >> positions.LOTS_BITS) & 1023, ROW), 9), 96)
            head: uint256 = 0
            low: uint256 = 0
            high: uint256 = 0
            head, low, high = abi_decode(row, (uint256, uint256, uint256))
            # All ones where lots are negative, so that the size is their complement plus one: below 2**26.
            short: uint256 = convert(convert(lots >> 255, bytes32), uint256)
            signed: uint256 = convert(convert(lots, bytes32), uint256)
            size: uint256 = unsafe_sub(signed ^ short, short)  # as just said
            scaled: uint256 = signed << (head & 31)
            # Sizes are shifted by 31 at most, and there are 102 positions.
            gross = unsafe_add(gross, size << (head & 31))
            # The figures of a header are below 2**61 together: below 2**109 a position.
            charge = unsafe_add(charge, unsafe_add(unsafe_mul(size, stale), (short & size) << unsafe_add(head & 31, 1)))
            # Modulo 2**256 on purpose: the sums of four signed lanes, decoded in `_summed`.
            sums[0] = unsafe_add(sums[0], unsafe_mul(low & SPACED, scaled))
            sums[1] = unsafe_add(sums[1], unsafe_mul((low >> 16) & SPACED, scaled))
            sums[2] = unsafe_add(sums[2], unsafe_mul((low >> 32) & SPACED, scaled))
            sums[3] = unsafe_add(sums[3], unsafe_mul((low >> 48) & SPACED, scaled))
            sums[4] = unsafe_add(sums[4], unsafe_mul(high & SPACED, scaled))
            sums[5] = unsafe_add(sums[5], unsafe_mul((high >> 16) & SPACED, scaled))
            sums[6] = unsafe_add(sums[6], unsafe_mul((high >> 32) & SPACED, scaled))
            sums[7] = unsafe_add(sums[7], unsafe_mul((high >> 48) & SPACED, scaled))
            rest = rest >> positions.LANE_BITS
    if key != max_value(uint256):
        risks.append(self._summed(key >> 3, sums, charge, gross, as_of))
    return risks


@internal
@view
def _opened(key: uint256, spots: DynArray[uint256, 8]) -> (address, uint256, uint256):
    """
    @dev Give the code of a board's rows, when they were computed, and what a lot is charged because spot and
         time have moved since.
    """
    board: uint256 = self._boards[key]
    assert board != 0, "engine: not published"
    assert board & SUPERSEDED == 0, "packed: superseded"
    assert board & REFUTED == 0, "packed: refuted"
    rows: address = convert(board >> 96, address)
    header: uint256 = convert(slice(rows.code, 0, HEADER), uint256)
    as_of: uint256 = header >> 208
    then: uint256 = (header >> 96) & (2**112 - 1)
    now: uint256 = valuation._spot(key >> 3, spots)
    age: uint256 = unsafe_sub(block.timestamp, as_of)  # publications are of the past
    moved: uint256 = unsafe_sub(max(now, then), min(now, then))  # the larger less the smaller
    # Both are below 2**112.
    assert age <= MAX_AGE and unsafe_mul(moved, DRIFT) <= then, "packed: stale"
    # Below 2**48 times 2**112, and 2**40 times 2**12; `then` is positive.
    drift: uint256 = unsafe_div(unsafe_mul((header >> 48) & (2**48 - 1), moved), then)
    return rows, as_of, unsafe_add(unsafe_add(drift, 1), unsafe_mul(header & (2**48 - 1), age))


@internal
@view
def _summed(
    market: uint256, sums: uint256[8], charge: uint256, gross: uint256, as_of: uint256
) -> IMarginEngine.MarketRisk:
    """
    @dev Find the least of 32 sums, four lanes at a time. Sizes together are below 2**41 and a lane of a row
         below 2**16, so a sum is within 2**57 of none. With 2**57 added and its scenario's number put below
         it, a sum takes 63 bits: the 64th is free for comparing lanes, and of equal sums the first is taken.
    """
    assert gross < GROSS, "packed: book too large"
    # Modulo 2**256: every lane is now its sum plus 2**57. Nothing crosses a lane from here on.
    least: uint256 = (unsafe_add(sums[0], BIAS) << 5) | NUMBERS
    today: uint256 = (least & LANE) >> 5
    least = self._lesser(least, (unsafe_add(sums[1], BIAS) << 5) | (NUMBERS + SPACES))  # as above
    least = self._lesser(least, (unsafe_add(sums[2], BIAS) << 5) | (NUMBERS + 2 * SPACES))  # as above
    least = self._lesser(least, (unsafe_add(sums[3], BIAS) << 5) | (NUMBERS + 3 * SPACES))  # as above
    least = self._lesser(least, (unsafe_add(sums[4], BIAS) << 5) | (NUMBERS + 16 * SPACES))  # as above
    least = self._lesser(least, (unsafe_add(sums[5], BIAS) << 5) | (NUMBERS + 17 * SPACES))  # as above
    least = self._lesser(least, (unsafe_add(sums[6], BIAS) << 5) | (NUMBERS + 18 * SPACES))  # as above
    least = self._lesser(least, (unsafe_add(sums[7], BIAS) << 5) | (NUMBERS + 19 * SPACES))  # as above
    worst: uint256 = min(
        min(least & LANE, (least >> 64) & LANE), min((least >> 128) & LANE, least >> 192)
    )
    # Sizes, each at most 2**25, times figures below 2**62, a hundred times: far below 2**255.
    held: int256 = unsafe_add(2**57, convert(charge, int256))
    return IMarginEngine.MarketRisk(
        market=market,
        value=unsafe_sub(convert(today, int256), held),  # as above
        worst=unsafe_sub(convert(worst >> 5, int256), held),  # as above
        scenario=worst & 31,
        as_of=as_of,
    )


@internal
@pure
def _lesser(a: uint256, b: uint256) -> uint256:
    """
    @dev Take the lesser of each of four lanes of 63 bits.
    """
    # With the top bit of every lane set in `a` no lane borrows from the next; it stays set where a >= b.
    above: uint256 = unsafe_sub(a | TOPS, b) & TOPS
    # A top bit less one is a mask of the 63 bits below it.
    return a ^ ((a ^ b) & unsafe_sub(above, above >> 63))


@external
@view
def exact(
    words: DynArray[uint256, positions.MAX_WORDS], spots: DynArray[uint256, 8]
) -> DynArray[IMarginEngine.MarketRisk, 8]:
    """
    @notice See IMarginEngine.
    @param words Words of six positions.
    @param spots Spot by market number, 1e18.
    @return One risk per market held.
    """
    return self._exact(words, spots, SCENARIOS)


@external
@view
def single(
    words: DynArray[uint256, positions.MAX_WORDS], spots: DynArray[uint256, 8], scenario: uint256
) -> DynArray[IMarginEngine.MarketRisk, 8]:
    """
    @notice See IMarginEngine.
    @param words Words of six positions.
    @param spots Spot by market number, 1e18.
    @param scenario Number of the scenario.
    @return One risk per market held.
    """
    assert scenario < SCENARIOS, "engine: no such scenario"
    return self._exact(words, spots, scenario)


@internal
@view
def _exact(
    words: DynArray[uint256, positions.MAX_WORDS], spots: DynArray[uint256, 8], only: uint256
) -> DynArray[IMarginEngine.MarketRisk, 8]:
    """
    @dev Reprice every position; `only` below 32 names the one scenario to look at besides today.
    """
    risks: DynArray[IMarginEngine.MarketRisk, 8] = []
    grid: valuation.Grid = empty(valuation.Grid)
    tenor: valuation.Tenor = empty(valuation.Tenor)
    sums: int256[SCENARIOS] = empty(int256[SCENARIOS])
    allowance: int256 = 0
    key: uint256 = max_value(uint256)
    as_of: uint256 = max_value(uint256)
    source: valuation.Source = empty(valuation.Source)
    for word: uint256 in words:
        rest: uint256 = word
        for _: uint256 in range(positions.LANES):
            if rest == 0:
                break
            instrument: uint256 = (rest >> positions.LOTS_BITS) & positions.MAX_ID
            at: uint256 = instrument >> 10
            if at != key:
                assert key == max_value(uint256) or at > key, "engine: order"
                opened: bool = key == max_value(uint256) or at >> 3 != key >> 3
                source = self._source(at)
                if opened:
                    if key != max_value(uint256):
                        risks.append(self._least(key >> 3, grid.size, sums, allowance, as_of, only))
                        sums = empty(int256[SCENARIOS])
                        allowance = 0
                        as_of = max_value(uint256)
                    grid = valuation._grid(source, only)
                key = at
                tenor = empty(valuation.Tenor)
                as_of = min(as_of, source.as_of)
            lots: int256 = positions._signed(rest)
            option: valuation.Option = empty(valuation.Option)
            expiry: uint256 = 0
            option, expiry = valuation._option(source, instrument & 1023, valuation._spot(at >> 3, spots), 0)
            assert valuation._sound(option), "engine: no price"
            if option.kind != LINEAR and expiry != tenor.expiry:
                tenor = valuation._tenor(expiry, source.as_of, block.timestamp, grid.power)
            sums = valuation._values(sums, grid, tenor, option, lots)
            # Lots are below 2**25, money below 2**113, and there are 102 positions.
            allowance = unsafe_add(allowance, unsafe_mul(abs(lots), valuation._error(grid.largest, option)))
            rest = rest >> positions.LANE_BITS
    if key != max_value(uint256):
        risks.append(self._least(key >> 3, grid.size, sums, allowance, as_of, only))
    return risks


@internal
@pure
def _least(
    market: uint256, size: uint256, sums: int256[SCENARIOS], allowance: int256, as_of: uint256, only: uint256
) -> IMarginEngine.MarketRisk:
    """
    @dev Find the least sum and round down to quanta.
    """
    worst: uint256 = 0
    for s: uint256 in range(1, size, bound=SCENARIOS):
        if sums[s] < sums[worst]:
            worst = s
    return IMarginEngine.MarketRisk(
        market=market,
        value=unsafe_sub(sums[0], allowance) >> 64,  # both are below 2**170
        worst=unsafe_sub(sums[worst], allowance) >> 64,  # as above
        scenario=worst if worst == 0 or only == SCENARIOS else only,
        as_of=as_of,
    )


@internal
@view
def _source(key: uint256) -> valuation.Source:
    """
    @dev Where a board that was published is kept.
    """
    board: uint256 = self._boards[key]
    assert board != 0, "engine: not published"
    return valuation.Source(
        market=self._markets[key >> 3],
        lot=self._lots[key >> 3],
        rows=convert(board >> 96, address),
        terms=self._terms[key],
        as_of=(board >> 8) & (2**40 - 1),
    )


@external
@view
def source(market: uint256, board: uint256) -> IMarginEngine.Source:
    """
    @notice See IMarginEngine.
    @param market Number of the market.
    @param board Number of the board.
    @return Where both are kept.
    """
    found: valuation.Source = self._source(self._key(market, board))
    return IMarginEngine.Source(
        market=found.market, lot=found.lot, rows=found.rows, terms=found.terms, as_of=found.as_of
    )


@external
@view
def mark(instrument: uint256, spot: uint256) -> int256:
    """
    @notice See IMarginEngine.
    @param instrument Id of the instrument.
    @param spot Of its market, 1e18.
    @return Quote quanta per lot.
    """
    assert spot < 2**112, "engine: price too large"
    assert instrument < 2**16, "engine: not listed"
    source: valuation.Source = self._source(instrument >> 10)
    option: valuation.Option = empty(valuation.Option)
    expiry: uint256 = 0
    option, expiry = valuation._option(source, instrument & 1023, spot, block.timestamp)
    assert valuation._sound(option), "engine: no price"
    grid: valuation.Grid = empty(valuation.Grid)
    grid.size = 1
    grid.multiple[0] = ONE
    tenor: valuation.Tenor = empty(valuation.Tenor)
    if option.kind != LINEAR:
        tenor = valuation._tenor(expiry, source.as_of, block.timestamp, 0)
    values: int256[SCENARIOS] = valuation._values(empty(int256[SCENARIOS]), grid, tenor, option, 1)
    return max(values[0] - valuation._error(ONE, option), 0) >> 64


@external
@view
def terms(instrument: uint256) -> IMarginEngine.Terms:
    """
    @notice See IMarginEngine.
    @param instrument Id of the instrument.
    @return Kind, expiry, strike and lot.
    """
    assert instrument < 2**16, "engine: not listed"
    listed: address = self._terms[instrument >> 10]
    row: uint256 = instrument & 1023
    assert listed.codesize >= 97 + 32 * row, "engine: not listed"
    word: uint256 = convert(slice(listed.code, 65 + 32 * row, 32), uint256)
    return IMarginEngine.Terms(
        kind=word >> 168,
        expiry=(word >> 128) & (2**40 - 1),
        strike=word & (2**128 - 1),
        lot=self._lots[instrument >> 13],
    )


@external
@view
def committed(market: uint256, board: uint256) -> bytes32:
    """
    @notice See IMarginEngine.
    @param market Number of the market.
    @param board Number of the board.
    @return Hash of the code that holds header and rows.
    """
    word: uint256 = self._boards[self._key(market, board)]
    if word == 0:
        return empty(bytes32)
    return convert(word >> 96, address).codehash


@internal
@pure
def _key(market: uint256, board: uint256) -> uint256:
    """
    @dev Place of a board among all.
    """
    assert market < MARKETS and board < BOARDS, "engine: no such board"
    return (market << 3) | board


@external
def open_market(
    market: uint256, lot: uint256, spread: uint256, power: uint256, scenarios: DynArray[IMarginEngine.Scenario, 31]
):
    """
    @notice See IMarginEngine.
    @param market Number, 0 to 7.
    @param lot 1e18 base units per lot.
    @param spread Size of one unit of a spot move, 1e-6.
    @param power Carries moves of volatility to other tenors, 1e-6.
    @param scenarios Up to 31 that move.
    """
    assert msg.sender == GOVERNOR, "engine: not the governor"
    assert market < MARKETS, "engine: no such market"
    assert lot > 0 and lot < 2**80, "engine: no such lot"
    assert self._lots[market] == 0 or self._lots[market] == lot, "engine: lot is set"
    assert power <= MOST_POWER, "engine: power too large"
    packing: uint256[9] = empty(uint256[9])
    low: IMarginEngine.Scenario = empty(IMarginEngine.Scenario)
    high: IMarginEngine.Scenario = empty(IMarginEngine.Scenario)
    at: uint256 = 0
    for scenario: IMarginEngine.Scenario in scenarios:
        at += 1
        assert abs(scenario.spot) < 2**31 and abs(scenario.volatility) < 2**31, "engine: move too large"
        packing[at >> 2] |= self._cell(scenario) << (64 * (at & 3))
        low.spot = min(low.spot, scenario.spot)
        high.spot = max(high.spot, scenario.spot)
        low.volatility = min(low.volatility, scenario.volatility)
        high.volatility = max(high.volatility, scenario.volatility)
    # The box that holds them all: its low corner above its high one.
    packing[8] = self._cell(low) << 64 | self._cell(high)
    code: address = data_code._store(concat(b"\x00", abi_encode(packing)))
    self._lots[market] = lot
    self._markets[market] = convert(code, uint256) << 96 | power << 32 | (at + 1)
    self._set_range(market, spread)
    log MarketOpened(market=market, lot=lot, spread=spread, power=power, scenarios=at)


@internal
@pure
def _cell(scenario: IMarginEngine.Scenario) -> uint256:
    """
    @dev Moves of spot and volatility, 32 bits each in two's complement.
    """
    spot: uint256 = convert(convert(scenario.spot, bytes32), uint256) & (2**32 - 1)
    return spot << 32 | (convert(convert(scenario.volatility, bytes32), uint256) & (2**32 - 1))


@external
@view
def spread(market: uint256) -> uint256:
    """
    @notice See IMarginEngine.
    @param market Number of the market.
    @return 1e-6.
    """
    assert market < MARKETS, "engine: no such market"
    return (self._markets[market] >> 64) & (2**32 - 1)


@external
def set_range(market: uint256, spread: uint256):
    """
    @notice See IMarginEngine.
    @param market Number of the market.
    @param spread 1e-6.
    """
    assert msg.sender == GOVERNOR, "engine: not the governor"
    assert market < MARKETS and self._markets[market] != 0, "engine: no such market"
    self._set_range(market, spread)
    log RangeSet(market=market, spread=spread)


@internal
def _set_range(market: uint256, spread: uint256):
    """
    @dev Set the range, see that every move fits it, and let no packed row of before count.
    """
    assert spread < 2**32, "engine: move too large"
    word: uint256 = self._markets[market]
    self._markets[market] = (word & ~((2**32 - 1) << 64)) | (spread << 64)
    # The corners of the box, kept behind the scenarios; what lies between needs no look.
    corners: uint256 = convert(slice(convert(word >> 96, address).code, 257, 32), uint256)
    valuation._multiple(valuation._signed(corners >> 96), convert(spread, int256))
    valuation._multiple(valuation._signed(corners >> 32), convert(spread, int256))
    for board: uint256 in range(BOARDS):
        self._supersede((market << 3) | board)


@internal
def _supersede(key: uint256):
    """
    @dev Let a board's packed rows count no longer.
    """
    word: uint256 = self._boards[key]
    if word != 0 and word & SUPERSEDED == 0:
        self._boards[key] = word | SUPERSEDED


@external
def list_board(market: uint256, board: uint256, terms: DynArray[uint256, MAX_ROWS]):
    """
    @notice See IMarginEngine.
    @param market Number of the market.
    @param board Number of the board.
    @param terms By row: kind << 168 | expiry << 128 | strike.
    """
    assert msg.sender == GOVERNOR, "engine: not the governor"
    key: uint256 = self._key(market, board)
    lot: uint256 = self._lots[market]
    assert lot != 0, "engine: no such market"
    for word: uint256 in terms:
        self._listable(word, lot)
    former: address = self._terms[key]
    if former != empty(address):
        count: uint256 = (former.codesize - 65) // 32
        for row: uint256 in range(count, bound=MAX_ROWS):
            word: uint256 = convert(slice(former.code, 65 + 32 * row, 32), uint256)
            expiry: uint256 = (word >> 128) & (2**40 - 1)
            if expiry == 0 or block.timestamp < expiry + WEEK:
                assert row < len(terms) and terms[row] == word, "engine: row is in use"
    self._terms[key] = data_code._store(concat(b"\x00", abi_encode(terms)))
    self._supersede(key)
    log BoardListed(market=market, board=board, instruments=len(terms))


@internal
@pure
def _listable(word: uint256, lot: uint256):
    """
    @dev Refuse what cannot be priced.
    """
    kind: uint256 = word >> 168
    strike: uint256 = word & (2**128 - 1)
    assert kind <= valuation.PUT, "engine: no such kind"
    if kind == LINEAR:
        assert strike == 0, "engine: bad strike"
    else:
        assert (word >> 128) & (2**40 - 1) != 0, "engine: no expiry"
        assert strike < 2**112, "engine: bad strike"
        money: int256 = valuation._money(strike, lot)
        assert money > 0 and money <= valuation.MOST_MONEY, "engine: bad strike"


@external
def publish(
    market: uint256,
    board: uint256,
    as_of: uint256,
    spot: uint256,
    notional: uint256,
    decay: uint256,
    rows: Bytes[MAX_ROW_BYTES],
):
    """
    @notice See IMarginEngine.
    @param market Number of the market.
    @param board Number of the board.
    @param as_of When the rows were computed.
    @param spot That they were computed for, 1e18.
    @param notional Quanta: no row's value moves more per lot when spot doubles.
    @param decay Quanta: no row's value falls more per lot and second.
    @param rows One per listed instrument.
    """
    assert msg.sender == PUBLISHER, "engine: not the publisher"
    key: uint256 = self._key(market, board)
    listed: address = self._terms[key]
    assert listed != empty(address), "engine: not listed"
    assert len(rows) == ROW * ((listed.codesize - 65) // 32), "engine: rows do not match"
    former: uint256 = self._boards[key]
    assert as_of <= block.timestamp and block.timestamp - as_of <= MAX_AGE, "engine: bad time"
    assert as_of > (former >> 8) & (2**40 - 1), "engine: bad time"
    assert spot > 0 and spot < 2**112, "engine: bad price"
    assert notional < 2**48 and decay < 2**48, "engine: bound too large"
    header: uint256 = as_of << 208 | spot << 96 | notional << 48 | decay
    code: address = data_code._store(concat(convert(header, bytes32), rows))
    state: uint256 = SUPERSEDED if self.halted else 0
    self._boards[key] = convert(code, uint256) << 96 | as_of << 8 | state
    log Published(market=market, board=board, as_of=as_of, code=code)


@external
def challenge(market: uint256, board: uint256, row: uint256) -> bool:
    """
    @notice See IMarginEngine.
    @param market Number of the market.
    @param board Number of the board.
    @param row Row of the board.
    @return Whether the row was refuted.
    """
    key: uint256 = self._key(market, board)
    word: uint256 = self._boards[key]
    assert word != 0, "engine: not published"
    assert word & (SUPERSEDED | REFUTED) == 0, "engine: rows do not count"
    assert row <= MAX_ROWS, "engine: not listed"
    if self._holds(key, row, convert(word >> 96, address)):
        return False
    self._boards[key] = word | REFUTED
    log Refuted(market=market, board=board, row=row, challenger=msg.sender)
    return True


@internal
@view
def _holds(key: uint256, row: uint256, rows: address) -> bool:
    """
    @dev Whether a row is what the exact path gives at its own moment, and the header bounds it.
    """
    header: uint256 = convert(slice(rows.code, 0, HEADER), uint256)
    as_of: uint256 = header >> 208
    option: valuation.Option = empty(valuation.Option)
    expiry: uint256 = 0
    source: valuation.Source = self._source(key)
    option, expiry = valuation._option(source, row, (header >> 96) & (2**112 - 1), 0)
    if not valuation._sound(option):
        return False
    grid: valuation.Grid = valuation._grid(source, SCENARIOS)
    tenor: valuation.Tenor = empty(valuation.Tenor)
    if option.kind != LINEAR:
        tenor = valuation._tenor(expiry, as_of, as_of, grid.power)
        if expiry > as_of and valuation._decay(grid, tenor, option, expiry - as_of) > header & (2**48 - 1):
            return False
    # Money is below 2**109, a multiple below 2**99.
    if unsafe_mul(option.forward, grid.largest) >> 160 >= convert((header >> 48) & (2**48 - 1), int256):
        return False
    values: int256[SCENARIOS] = valuation._values(empty(int256[SCENARIOS]), grid, tenor, option, 1)
    return valuation._matches(slice(rows.code, 9 + ROW * row, 96), grid.size, values, valuation._error(grid.largest, option))


@external
def halt():
    """
    @notice See IMarginEngine.
    """
    assert msg.sender == GUARDIAN, "engine: not the guardian"
    self.halted = True
    for key: uint256 in range(MARKETS * BOARDS):
        self._supersede(key)
    log Halted(guardian=msg.sender)


@external
def resume():
    """
    @notice See IMarginEngine.
    """
    assert msg.sender == GOVERNOR, "engine: not the governor"
    self.halted = False
    log Resumed(governor=msg.sender)
