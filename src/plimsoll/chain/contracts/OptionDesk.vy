# pragma version ~=0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Which options are listed, and how far may their volatilities and forwards move?
@license Apache-2.0
@author The Plimsoll authors
@notice The only governor and publisher of a margin engine. What it publishes is signed by k of n reporters, and whatever
        they sign stays within absolute bounds that never change and moves no faster than a speed limit. Markets are
        opened by the lister until it closes the list; options are listed by the quorum; the engine's range follows the
        rates in force, by anybody's call.
@dev    Volatilities are millionths, as the engine's rows hold them; all else is billionths.
@custom:kill None of its own: without k signatures nothing is published, and requirements rise by steps with the age of
        what was. The guardian halts packed rows on the engine; it lifts that here.
"""
from interfaces import IMarginEngine
import packed_rows
import quorum
import valuation

initializes: quorum
exports: (
    quorum.is_signer,
    quorum.threshold,
    quorum.nonce,
    quorum.members,
    quorum.domain,
    quorum.rotate,
)


interface Rates:
    def rates(market: bytes32) -> MarketRates: view


interface Roles:
    def GOVERNOR() -> address: view
    def PUBLISHER() -> address: view


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
    least: uint32            # of a volatility, millionths
    most: uint32
    rise_per_hour: uint32    # of a volatility, billionths of itself
    fall_per_hour: uint32
    slack: uint32            # of a forward from spot at expiry, either way, billionths
    carry: uint32            # how far that widens with a year of tenor, billionths
    shift_per_hour: uint32   # of a forward against spot, either way, billionths
    fresh_for: uint32        # seconds that speed is counted over, no longer


# What bounds come to by now: rises and falls are billionths of a volatility times seconds.
struct Pace:
    least: uint256
    most: uint256
    rise: uint256
    fall: uint256
    slack: uint256
    carry: uint256
    shift: int256


struct Publication:
    market: uint256
    board: uint256
    as_of: uint256
    spot: uint256
    notional: uint256
    decay: uint256


event Bound:
    engine: address


event Opened:
    market: indexed(uint256)
    name: indexed(bytes32)
    bounds: Bounds


event Published:
    market: indexed(uint256)
    board: indexed(uint256)
    as_of: uint256
    rows: bytes32          # their hash


event ListingClosed:
    pass


ONE: constant(uint256) = 1_000_000_000
HOUR: constant(uint256) = 3_600
YEAR: constant(uint256) = 31_536_000
LONGEST_FRESH: constant(uint256) = 86_400
LONGEST_TENOR: constant(uint256) = 63_072_000
MOST_VOLATILITY: constant(uint256) = 20_000_000
MARKETS: constant(uint256) = 8
MAX_ROWS: constant(uint256) = packed_rows.MAX_ROWS
MAX_ROW_BYTES: constant(uint256) = packed_rows.MAX_ROW_BYTES
ROW: constant(uint256) = packed_rows.ROW
LOW_32: constant(uint256) = 4_294_967_295
LOW_40: constant(uint256) = 1_099_511_627_775
PUBLICATION_TYPE: constant(bytes32) = keccak256(
    "Publication(uint256 market,uint256 board,uint256 as_of,uint256 spot,uint256 notional,uint256 decay,bytes rows)"
)
LISTING_TYPE: constant(bytes32) = keccak256(
    "Listing(uint256 nonce,uint64 deadline,uint256 market,uint256 board,uint256[] terms)"
)

PARAMETERS: public(immutable(address))
GUARDIAN: public(immutable(address))
lister: public(address)
engine: public(address)
names: public(HashMap[uint256, bytes32])
bounds_words: HashMap[uint256, uint256]
# of a board, when it was last published (low 64 bits) and the code of the terms that it was published for
standing: HashMap[uint256, uint256]


@deploy
def __init__(
    reporters: DynArray[address, quorum.MOST_SIGNERS], threshold: uint256, guardian: address, parameters: address
):
    """
    @notice Begin with reporters and the rates that ranges follow.
    @param reporters Ascending.
    @param threshold How many of them must sign.
    @param guardian May let packed rows count again after it halted them.
    @param parameters Knows the rates of a market.
    """
    quorum.__init__(reporters, threshold)
    PARAMETERS = parameters
    GUARDIAN = guardian
    self.lister = msg.sender


@external
def bind(engine: address):
    """
    @notice Name the engine, once; it must know this contract as its governor and its publisher.
    @param engine Deployed after this contract.
    """
    assert msg.sender == self.lister, "desk: not the lister"
    assert self.engine == empty(address), "desk: bound already"
    assert staticcall Roles(engine).GOVERNOR() == self, "desk: not the governor"
    assert staticcall Roles(engine).PUBLISHER() == self, "desk: not the publisher"
    self.engine = engine
    log Bound(engine=engine)


@external
def open_market(
    market: uint256,
    name: bytes32,
    bounds: Bounds,
    lot: uint256,
    power: uint256,
    scenarios: DynArray[IMarginEngine.Scenario, 31],
):
    """
    @notice Open a market with its scenarios and the bounds that hold for ever; its range is the maintenance rate.
    @param market Number, as the requirements list it.
    @param name As the parameters know it.
    @param bounds Of volatilities and forwards.
    @param lot 1e18 base units per lot, as the requirements list it.
    @param power Power of (30 days / tenor) that carries moves of volatility, 1e-6.
    @param scenarios Up to 31 that move.
    """
    assert msg.sender == self.lister, "desk: not the lister"
    assert market < MARKETS and self.bounds_words[market] == 0, "desk: opened already"
    self._require_sound_bounds(bounds)
    self.names[market] = name
    self.bounds_words[market] = self._packed_bounds(bounds)
    extcall IMarginEngine(self.engine).open_market(market, lot, self._range(market), power, scenarios)
    log Opened(market=market, name=name, bounds=bounds)


@external
def close_listing():
    """
    @notice Give up for ever the right to open markets.
    """
    assert msg.sender == self.lister, "desk: not the lister"
    self.lister = empty(address)
    log ListingClosed()


@external
def follow_range(market: uint256):
    """
    @notice Set the engine's range to the maintenance rate in force, once they are a twentieth apart. Anyone may; packed
            rows of before count no longer.
    @param market Number of the market.
    """
    assert self.bounds_words[market] != 0, "desk: no such market"
    held: uint256 = staticcall IMarginEngine(self.engine).spread(market)
    asked: uint256 = self._range(market)
    assert 20 * (max(held, asked) - min(held, asked)) >= held, "desk: range is near"
    extcall IMarginEngine(self.engine).set_range(market, asked)


@external
def list_board(
    market: uint256,
    board: uint256,
    terms: DynArray[uint256, MAX_ROWS],
    nonce: uint256,
    deadline: uint64,
    signatures: DynArray[quorum.Signature, quorum.MOST_SIGNERS],
):
    """
    @notice List options; anyone may bring what the reporters signed. The first row of the first board is the perpetual,
            every other one expires within two years.
    @param market Number of the market.
    @param board Number of the board.
    @param terms By row: kind << 168 | expiry << 128 | strike.
    @param nonce The next one.
    @param deadline Last second in which the listing may arrive.
    @param signatures Ascending by signer.
    """
    # abi_encode of an array puts an offset and the length in front: two words that EIP-712 leaves out
    encoded: Bytes[32 * MAX_ROWS + 64] = abi_encode(terms)
    message: bytes32 = keccak256(
        abi_encode(
            LISTING_TYPE, nonce, deadline, market, board, keccak256(slice(encoded, 64, 32 * len(terms)))
        )
    )
    quorum._accept(nonce, deadline, message, signatures)
    row: uint256 = 0
    for word: uint256 in terms:
        if board == 0 and row == 0:
            assert word == 0, "desk: not the perpetual"
        else:
            expiry: uint256 = (word >> 128) & LOW_40
            assert expiry != 0 and expiry <= block.timestamp + LONGEST_TENOR, "desk: expiry"
        row += 1
    extcall IMarginEngine(self.engine).list_board(market, board, terms)


@external
def publish(
    publication: Publication,
    rows: Bytes[MAX_ROW_BYTES],
    signatures: DynArray[quorum.Signature, quorum.MOST_SIGNERS],
):
    """
    @notice Publish a board's forwards, volatilities and packed rows; anyone may bring what the reporters signed. The
            engine takes no moment twice, none that is an hour old and none of the future.
    @param publication Board, moment, spot, and the bounds on how its rows age.
    @param rows One per listed instrument, as the engine takes them.
    @param signatures Ascending by signer.
    """
    quorum._require_signed(
        keccak256(abi_encode(PUBLICATION_TYPE, publication, keccak256(rows))), signatures
    )
    market: uint256 = publication.market
    board: uint256 = publication.board
    bounds: uint256 = self.bounds_words[market]
    assert bounds != 0, "desk: no such market"
    standing: uint256 = self.standing[(market << 8) | board]
    former: address = empty(address)
    if standing != 0:
        former = (staticcall IMarginEngine(self.engine).source(market, board)).rows
    extcall IMarginEngine(self.engine).publish(
        market,
        board,
        publication.as_of,
        publication.spot,
        publication.notional,
        publication.decay,
        rows,
    )
    terms: address = (staticcall IMarginEngine(self.engine).source(market, board)).terms
    known: address = convert(standing >> 64, address)
    pace: Pace = self._pace(bounds, min(block.timestamp - (standing & (2**64 - 1)), bounds >> 224))
    for row: uint256 in range(len(rows) // ROW, bound=MAX_ROWS):
        word: uint256 = self._term(terms, row)
        new: uint256[2] = abi_decode(slice(rows, ROW * row, ROW), uint256[2])
        basis: int256 = packed_rows._basis(new[0])
        volatility: uint256 = packed_rows._volatility(new[1])
        expiry: uint256 = (word >> 128) & LOW_40
        # A forward may be from spot as far as the slack, and the carry of what is left of its tenor.
        limit: int256 = convert(pace.slack + pace.carry * (expiry - min(expiry, publication.as_of)) // YEAR, int256)
        assert abs(basis) <= limit, "desk: forward out of bounds"
        if word >> 168 != 0:
            assert pace.least <= volatility and volatility <= pace.most, "desk: volatility out of bounds"
        if known == terms or self._is_known(known, row, word):
            old: uint256[2] = abi_decode(slice(former.code, packed_rows.ROWS + ROW * row, ROW), uint256[2])
            # It counts from the limit where that has come nearer than it stood.
            moved: int256 = basis - max(min(packed_rows._basis(old[0]), limit), -limit)
            assert abs(moved) <= pace.shift, "desk: forward moves too fast"
            if word >> 168 != 0:
                held: uint256 = packed_rows._volatility(old[1])
                assert volatility <= held + held * pace.rise // (ONE * HOUR), "desk: volatility rises too fast"
                assert volatility >= held - held * pace.fall // (ONE * HOUR), "desk: volatility falls too fast"
    self.standing[(market << 8) | board] = block.timestamp | (convert(terms, uint256) << 64)
    log Published(market=market, board=board, as_of=publication.as_of, rows=keccak256(rows))


@external
def resume():
    """
    @notice Let packed rows count again after the guardian halted them, from their next publication on.
    """
    assert msg.sender == GUARDIAN, "desk: not the guardian"
    extcall IMarginEngine(self.engine).resume()


@external
@view
def bounds(market: uint256) -> Bounds:
    """
    @notice The bounds of a market's options.
    @param market Its number.
    @return As opened.
    """
    assert self.bounds_words[market] != 0, "desk: no such market"
    return self._bounds(market)


@external
@view
def published(market: uint256, board: uint256) -> uint256:
    """
    @notice When a board was last published.
    @param market Its number.
    @param board Its number.
    @return Seconds; zero where it never was.
    """
    return self.standing[(market << 8) | board] & (2**64 - 1)


@internal
@view
def _range(market: uint256) -> uint256:
    """
    @notice The worse side's maintenance rate, in millionths, rounded up.
    """
    rates: MarketRates = staticcall Rates(PARAMETERS).rates(self.names[market])
    worse: uint256 = convert(max(rates.long.maintenance, rates.short.maintenance), uint256)
    return (worse + 999) // 1_000


@internal
@view
def _term(terms: address, row: uint256) -> uint256:
    return convert(slice(terms.code, valuation.TERMS + valuation.TERM * row, 32), uint256)


@internal
@view
def _is_known(known: address, row: uint256, word: uint256) -> bool:
    """
    @notice Whether the row was published before, for other rows beside it but under the same terms.
    """
    if known == empty(address) or valuation.TERMS + valuation.TERM * row >= known.codesize:
        return False
    return self._term(known, row) == word


@internal
@pure
def _pace(bounds: uint256, elapsed: uint256) -> Pace:
    """
    @notice What the bounds of a market come to after so many seconds.
    """
    return Pace(
        least=bounds & LOW_32,
        most=(bounds >> 32) & LOW_32,
        rise=((bounds >> 64) & LOW_32) * elapsed,
        fall=((bounds >> 96) & LOW_32) * elapsed,
        slack=(bounds >> 128) & LOW_32,
        carry=(bounds >> 160) & LOW_32,
        shift=convert(((bounds >> 192) & LOW_32) * elapsed // HOUR, int256),
    )


@internal
@pure
def _require_sound_bounds(bounds: Bounds):
    assert 0 < bounds.least and bounds.least <= bounds.most, "desk: bounds"
    assert convert(bounds.most, uint256) <= MOST_VOLATILITY, "desk: bounds"
    assert 0 < bounds.rise_per_hour and convert(bounds.rise_per_hour, uint256) <= ONE, "desk: bounds"
    assert 0 < bounds.fall_per_hour and 0 < bounds.fresh_for, "desk: bounds"
    assert convert(bounds.fresh_for, uint256) <= LONGEST_FRESH, "desk: bounds"
    assert convert(bounds.fall_per_hour, uint256) * convert(bounds.fresh_for, uint256) < ONE * HOUR, "desk: bounds"
    # A forward stays positive however long its tenor
    widest: uint256 = convert(bounds.slack, uint256) + convert(bounds.carry, uint256) * LONGEST_TENOR // YEAR
    assert widest < ONE and 0 < bounds.shift_per_hour, "desk: bounds"


@internal
@view
def _bounds(market: uint256) -> Bounds:
    word: uint256 = self.bounds_words[market]
    return Bounds(
        least=convert(word & LOW_32, uint32),
        most=convert((word >> 32) & LOW_32, uint32),
        rise_per_hour=convert((word >> 64) & LOW_32, uint32),
        fall_per_hour=convert((word >> 96) & LOW_32, uint32),
        slack=convert((word >> 128) & LOW_32, uint32),
        carry=convert((word >> 160) & LOW_32, uint32),
        shift_per_hour=convert((word >> 192) & LOW_32, uint32),
        fresh_for=convert(word >> 224, uint32),
    )


@internal
@pure
def _packed_bounds(bounds: Bounds) -> uint256:
    return (
        convert(bounds.least, uint256)
        | (convert(bounds.most, uint256) << 32)
        | (convert(bounds.rise_per_hour, uint256) << 64)
        | (convert(bounds.fall_per_hour, uint256) << 96)
        | (convert(bounds.slack, uint256) << 128)
        | (convert(bounds.carry, uint256) << 160)
        | (convert(bounds.shift_per_hour, uint256) << 192)
        | (convert(bounds.fresh_for, uint256) << 224)
    )
