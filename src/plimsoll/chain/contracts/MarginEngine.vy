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
import fixed_point
import market_code
import packed_rows
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
MAX_ROWS: constant(uint256) = packed_rows.MAX_ROWS
MAX_ROW_BYTES: constant(uint256) = packed_rows.MAX_ROW_BYTES
# Above row and lots of a position: market and board.
BOARD_BITS: constant(uint256) = positions.LOTS_BITS + 10
WEEK: constant(uint256) = 604_800
LINEAR: constant(uint256) = valuation.LINEAR
ONE: constant(int256) = valuation.ONE
# Sizes of one market's positions together, each times 2**exponent and 32, stay below this: a lane of a row is below
# 2**14, so a sum is within 2**57 of none, and with 2**57 added and its five bits below it takes 63.
GROSS: constant(uint256) = 2**48
# States of a board's rows.
SUPERSEDED: constant(uint256) = 1
REFUTED: constant(uint256) = 2
PUBLISHED: constant(uint256) = 4
# Of tenors: with a power of one a move of volatility grows thirtyfold from a month to a day.
MOST_POWER: constant(uint256) = 1_000_000

GOVERNOR: public(immutable(address))
PUBLISHER: public(immutable(address))
GUARDIAN: public(immutable(address))

halted: public(bool)
# Code of scenarios << 96 | range << 64 | power << 32, by market.
market_words: public(uint256[MARKETS])
# Code of rows << 96 | as_of << 8 | state, and code of terms, by market and board.
board_words: public(uint256[MARKETS * BOARDS])
listed: public(address[MARKETS * BOARDS])


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
    words: uint256[positions.MAX_WORDS], spots: uint256[8]
) -> IMarginEngine.MarketRisk[8]:
    """
    @notice See IMarginEngine.
    @param words Words of six positions.
    @param spots Spot by market number, 1e18.
    @return Risks by number of the market.
    """
    risks: IMarginEngine.MarketRisk[8] = empty(IMarginEngine.MarketRisk[8])
    sums: packed_rows.Sums = empty(packed_rows.Sums)
    sums.next = packed_rows.SECOND
    sums.rest = words[0]
    found: packed_rows.Worth = empty(packed_rows.Worth)
    held: uint256 = MARKETS
    least: uint256 = 0
    as_of: uint256 = 0
    for _: uint256 in range(MARKETS * BOARDS):
        if sums.rest == 0:
            break
        at: uint256 = (sums.rest >> BOARD_BITS) & 63
        assert at >= least, "engine: order"
        least = unsafe_add(at, 1)  # at most 64
        market: uint256 = at >> 3
        if market != held:
            held = market
            sums.lanes = packed_rows.START
            sums.gross = 0
            sums.charge = 0
            as_of = max_value(uint256)
        board: uint256 = self.board_words[at]
        if board & 255 != PUBLISHED:
            self._refuse(board)
        # The code that `publish` stored answers with as many words as it takes.
        spot: uint256 = spots[market]
        assert spot != 0, "engine: no price"
        assert spot < 2**112, "engine: price too large"
        sums, found = staticcall packed_rows.Rows(convert(board >> 96, address)).add(
            sums, spot, words, skip_contract_check=True
        )
        assert found.fresh != 0, "packed: stale"
        assert sums.gross >> 64 < GROSS, "packed: book too large"
        published: uint256 = (board >> 8) & (2**40 - 1)
        if published < as_of:
            as_of = published
        risks[market] = IMarginEngine.MarketRisk(
            value=found.value, worst=found.worst, scenario=found.scenario, as_of=as_of
        )
    return risks


@internal
@pure
def _refuse(board: uint256):
    """
    @dev Say why a board's rows do not count.
    """
    assert board != 0, "engine: not published"
    assert board & SUPERSEDED == 0, "packed: superseded"
    raise "packed: refuted"


@external
@view
def exact(
    words: uint256[positions.MAX_WORDS], spots: uint256[8]
) -> IMarginEngine.MarketRisk[8]:
    """
    @notice See IMarginEngine.
    @param words Words of six positions.
    @param spots Spot by market number, 1e18.
    @return Risks by number of the market.
    """
    return self._exact(words, spots, SCENARIOS)


@external
@view
def single(
    words: uint256[positions.MAX_WORDS], spots: uint256[8], scenario: uint256
) -> IMarginEngine.MarketRisk[8]:
    """
    @notice See IMarginEngine.
    @param words Words of six positions.
    @param spots Spot by market number, 1e18.
    @param scenario Number of the scenario.
    @return Risks by number of the market.
    """
    assert scenario < SCENARIOS, "engine: no such scenario"
    return self._exact(words, spots, scenario)


@internal
@view
def _exact(
    words: uint256[positions.MAX_WORDS], spots: uint256[8], only: uint256
) -> IMarginEngine.MarketRisk[8]:
    """
    @dev Reprice every position; `only` below 32 names the one scenario to look at besides today.
    """
    risks: IMarginEngine.MarketRisk[8] = empty(IMarginEngine.MarketRisk[8])
    grid: valuation.Grid = empty(valuation.Grid)
    tenor: valuation.Tenor = empty(valuation.Tenor)
    sums: int256[SCENARIOS] = empty(int256[SCENARIOS])
    allowance: int256 = 0
    key: uint256 = max_value(uint256)
    as_of: uint256 = max_value(uint256)
    source: valuation.Source = empty(valuation.Source)
    spot: int256 = 0
    for word: uint256 in words:
        if word == 0:
            break
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
                spot = valuation._money(valuation._spot(at >> 3, spots), source.lot)
                if opened:
                    if key != max_value(uint256):
                        risks[key >> 3] = self._least(grid.size, sums, allowance, as_of, only)
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
            option, expiry = valuation._option(source.terms, source.rows, instrument & 1023, spot, 0)
            assert valuation._sound(option), "engine: no price"
            if option.kind != LINEAR and expiry != tenor.expiry:
                tenor = valuation._tenor(expiry, source.as_of, block.timestamp, grid.power)
            sums = valuation._values(sums, grid, tenor, option, lots)
            # Lots are below 2**25, money below 2**113, and there are 102 positions.
            allowance = unsafe_add(allowance, unsafe_mul(abs(lots), valuation._error(grid.largest, option)))
            rest = rest >> positions.LANE_BITS
    if key != max_value(uint256):
        risks[key >> 3] = self._least(grid.size, sums, allowance, as_of, only)
    return risks


@internal
@pure
def _least(
    size: uint256, sums: int256[SCENARIOS], allowance: int256, as_of: uint256, only: uint256
) -> IMarginEngine.MarketRisk:
    """
    @dev Find the least sum and round down to quanta.
    """
    worst: uint256 = 0
    for s: uint256 in range(1, size, bound=SCENARIOS):
        if sums[s] < sums[worst]:
            worst = s
    return IMarginEngine.MarketRisk(
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
    board: uint256 = self.board_words[key]
    assert board != 0, "engine: not published"
    market: uint256 = self.market_words[key >> 3]
    rows: address = convert(board >> 96, address)
    return valuation.Source(
        market=market,
        lot=self._lot(market),
        rows=rows,
        # What was listed after the rows were published supersedes them.
        terms=packed_rows._terms(rows) if board & SUPERSEDED == 0 else self.listed[key],
        as_of=(board >> 8) & (2**40 - 1),
    )


@internal
@view
def _lot(market: uint256) -> uint256:
    """
    @dev The lot of a market, from its word: kept behind scenarios and box.
    """
    return convert(slice(convert(market >> 96, address).code, market_code.LOT, 32), uint256)


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
    option, expiry = valuation._option(source.terms, source.rows, instrument & 1023, valuation._money(spot, source.lot), block.timestamp)
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
    listed: address = self.listed[instrument >> 10]
    row: uint256 = instrument & 1023
    assert listed.codesize >= valuation.TERMS + valuation.TERM * (row + 1), "engine: not listed"
    word: uint256 = self._term(listed, row)
    return IMarginEngine.Terms(
        kind=word >> 168,
        expiry=(word >> 128) & (2**40 - 1),
        strike=word & (2**128 - 1),
        lot=self._lot(self.market_words[instrument >> 13]),
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
    word: uint256 = self.board_words[self._key(market, board)]
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
    former: uint256 = self.market_words[market]
    assert former == 0 or self._lot(former) == lot, "engine: lot is set"
    assert power <= MOST_POWER, "engine: power too large"
    packing: uint256[10] = empty(uint256[10])
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
    packing[9] = lot
    code: address = market_code._kept(packing)
    self.market_words[market] = convert(code, uint256) << 96 | power << 32 | (at + 1)
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
    return (self.market_words[market] >> 64) & (2**32 - 1)


@external
def set_range(market: uint256, spread: uint256):
    """
    @notice See IMarginEngine.
    @param market Number of the market.
    @param spread 1e-6.
    """
    assert msg.sender == GOVERNOR, "engine: not the governor"
    assert market < MARKETS and self.market_words[market] != 0, "engine: no such market"
    self._set_range(market, spread)
    log RangeSet(market=market, spread=spread)


@internal
def _set_range(market: uint256, spread: uint256):
    """
    @dev Set the range, see that every move fits it, and let no packed row of before count.
    """
    assert spread < 2**32, "engine: move too large"
    word: uint256 = self.market_words[market]
    self.market_words[market] = (word & ~((2**32 - 1) << 64)) | (spread << 64)
    # The corners of the box, kept behind the scenarios; what lies between needs no look.
    corners: uint256 = convert(slice(convert(word >> 96, address).code, market_code.CORNERS, 32), uint256)
    valuation._multiple(valuation._signed(corners >> 96), convert(spread, int256))
    valuation._multiple(valuation._signed(corners >> 32), convert(spread, int256))
    for board: uint256 in range(BOARDS):
        self._supersede((market << 3) | board)


@internal
def _supersede(key: uint256):
    """
    @dev Let a board's packed rows count no longer.
    """
    word: uint256 = self.board_words[key]
    if word != 0 and word & SUPERSEDED == 0:
        self.board_words[key] = word | SUPERSEDED


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
    assert self.market_words[market] != 0, "engine: no such market"
    lot: uint256 = self._lot(self.market_words[market])
    kept: DynArray[uint256, 2 * MAX_ROWS] = []
    for word: uint256 in terms:
        kept.append(word)
        kept.append(self._strike(word, lot))
    former: address = self.listed[key]
    if former != empty(address):
        count: uint256 = (former.codesize - valuation.TERMS) // valuation.TERM
        for row: uint256 in range(count, bound=MAX_ROWS):
            word: uint256 = self._term(former, row)
            expiry: uint256 = (word >> 128) & (2**40 - 1)
            if expiry == 0 or block.timestamp < expiry + WEEK:
                assert row < len(terms) and terms[row] == word, "engine: row is in use"
    self.listed[key] = data_code._store(concat(b"\x00", abi_encode(kept)))
    self._supersede(key)
    log BoardListed(market=market, board=board, instruments=len(terms))


@internal
@pure
def _strike(word: uint256, lot: uint256) -> uint256:
    """
    @dev Refuse what cannot be priced; give the logarithm of the strike above its money, nothing without a strike.
    """
    kind: uint256 = word >> 168
    strike: uint256 = word & (2**128 - 1)
    assert kind <= valuation.PUT, "engine: no such kind"
    if kind == LINEAR:
        assert strike == 0, "engine: bad strike"
        return 0
    assert (word >> 128) & (2**40 - 1) != 0, "engine: no expiry"
    assert strike < 2**112, "engine: bad strike"
    money: int256 = valuation._money(strike, lot)
    assert money > 0 and money <= valuation.MOST_MONEY, "engine: bad strike"
    # A logarithm is below 2**104 in size.
    return convert(convert(fixed_point._ln(money) << 128 | money, bytes32), uint256)


@internal
@view
def _term(listed: address, row: uint256) -> uint256:
    """
    @dev An instrument's terms as they were listed.
    """
    return convert(slice(listed.code, valuation.TERMS + valuation.TERM * row, 32), uint256)


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
    listed: address = self.listed[key]
    assert listed != empty(address), "engine: not listed"
    assert len(rows) == packed_rows.ROW * ((listed.codesize - valuation.TERMS) // valuation.TERM), "engine: rows do not match"
    former: uint256 = self.board_words[key]
    assert as_of <= block.timestamp and block.timestamp - as_of <= packed_rows.MAX_AGE, "engine: bad time"
    assert as_of > (former >> 8) & (2**40 - 1), "engine: bad time"
    assert spot > 0 and spot < 2**112, "engine: bad price"
    assert notional < 2**48 and decay < 2**48, "engine: bound too large"
    header: uint256 = as_of << 208 | spot << 96 | notional << 48 | decay
    code: address = packed_rows._published(header, listed, rows)
    state: uint256 = PUBLISHED | (SUPERSEDED if self.halted else 0)
    self.board_words[key] = convert(code, uint256) << 96 | as_of << 8 | state
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
    word: uint256 = self.board_words[key]
    assert word != 0, "engine: not published"
    assert word & (SUPERSEDED | REFUTED) == 0, "engine: rows do not count"
    assert row <= MAX_ROWS, "engine: not listed"
    if self._holds(key, row, convert(word >> 96, address)):
        return False
    self.board_words[key] = word | REFUTED
    log Refuted(market=market, board=board, row=row, challenger=msg.sender)
    return True


@internal
@view
def _holds(key: uint256, row: uint256, rows: address) -> bool:
    """
    @dev Whether a row is what the exact path gives at its own moment, and the header bounds it.
    """
    header: uint256 = packed_rows._header(rows)
    as_of: uint256 = header >> 208
    option: valuation.Option = empty(valuation.Option)
    expiry: uint256 = 0
    source: valuation.Source = self._source(key)
    option, expiry = valuation._option(source.terms, source.rows, row, valuation._money((header >> 96) & (2**112 - 1), source.lot), 0)
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
    return valuation._matches(source, row, grid.size, values)


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
