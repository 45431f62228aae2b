# pragma version ~=0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title What is an instrument worth today and in every scenario?
@license Apache-2.0
@author The Plimsoll authors
@notice
    Reads terms, rows and scenarios from the codes that hold them. Money is in 2**-64 quanta per lot, other
    numbers in 2**-96.
"""

import black76
import fixed_point
import market_code
import packed_rows


# What is worked out once per market and call, by scenario; number 0 moves nothing.
struct Grid:
    size: uint256
    power: int256
    multiple: int256[SCENARIOS]
    logarithm: int256[SCENARIOS]
    volatility: int256[SCENARIOS]
    largest: int256


# What is worked out once per expiry: the root of its time, and how far it carries moves of volatility.
struct Tenor:
    expiry: uint256
    root: int256
    multiple: int256


# Where an instrument's market and board are kept.
struct Source:
    # Code of scenarios << 96 | range << 64 | power << 32 | number of scenarios with "nothing moves".
    market: uint256
    lot: uint256
    rows: address
    terms: address
    as_of: uint256


# An instrument at one moment; money in 2**-64 quanta per lot.
struct Option:
    kind: uint256
    forward: int256
    strike: int256
    volatility: int256


ONE: constant(int256) = fixed_point.ONE
SCENARIOS: constant(uint256) = 32
MILLION: constant(int256) = 1_000_000
BILLION: constant(int256) = 1_000_000_000
# Of spot (1e18) times lot (1e18) over quanta (1e-6).
TO_QUANTA: constant(uint256) = 10**30
YEAR: constant(uint256) = 31_536_000
DAY: constant(uint256) = 86_400
# Where code holds the terms, and the bytes of an instrument's: terms as listed, then the logarithm of the strike
# above its money.
TERMS: constant(uint256) = 65
TERM: constant(uint256) = 64
LINEAR: constant(uint256) = 0
CALL: constant(uint256) = 1
PUT: constant(uint256) = 2
# Density of the standard normal at 0.
DENSITY: constant(int256) = 31_607_463_825_455_920_808_620_519_744
# A move of spot may take at most 95 % of it away and add at most four times as much.
LEAST_MULTIPLE: constant(int256) = ONE // 20
LARGEST_MULTIPLE: constant(int256) = 5 * ONE
# A unit of money is 2**-64 quanta; a lot is worth at most 2**44 quanta.
MOST_MONEY: constant(int256) = 2**108
# Black-76 is off by less than this share of forward plus strike: shifted right by so many bits.
ERROR_BITS: constant(uint256) = 53


@internal
@view
def _grid(source: Source, only: uint256) -> Grid:
    """
    @dev Work out a market's scenarios: multiples of spot, their logarithms, moves of volatility in millionths.
         `only` below 32 leaves but one besides today, in place 1.
    """
    word: uint256 = source.market
    packing: uint256[8] = abi_decode(slice(convert(word >> 96, address).code, market_code.WORDS, 256), uint256[8])
    spread: int256 = convert((word >> 64) & (2**32 - 1), int256)
    grid: Grid = empty(Grid)
    grid.size = 1
    grid.power = convert((word >> 32) & (2**32 - 1), int256)
    grid.multiple[0] = ONE
    grid.largest = ONE
    before: int256 = 0
    for s: uint256 in range(1, word & (2**32 - 1), bound=SCENARIOS):
        if only < SCENARIOS and s != only:
            continue
        at: uint256 = grid.size
        cell: uint256 = packing[s >> 2] >> (64 * (s & 3))
        move: int256 = self._signed(cell >> 32)
        if move == before:
            grid.multiple[at] = grid.multiple[at - 1]
            grid.logarithm[at] = grid.logarithm[at - 1]
        else:
            grid.multiple[at] = self._multiple(move, spread)
            grid.logarithm[at] = fixed_point._ln(grid.multiple[at])
            grid.largest = max(grid.largest, grid.multiple[at])
        grid.volatility[at] = self._signed(cell)
        grid.size = at + 1
        before = move
    return grid


@internal
@pure
def _multiple(move: int256, spread: int256) -> int256:
    """
    @dev What a move makes of spot, at least a twentieth and at most five times.
    """
    multiple: int256 = ONE + move * spread * ONE // (MILLION * MILLION)
    assert multiple >= LEAST_MULTIPLE and multiple <= LARGEST_MULTIPLE, "engine: move too large"
    return multiple


@internal
@pure
def _signed(cell: uint256) -> int256:
    """
    @dev The low 32 bits, in two's complement.
    """
    return convert(convert(cell << 224, bytes32), int256) >> 224


@internal
@pure
def _tenor(expiry: uint256, as_of: uint256, now: uint256, power: int256) -> Tenor:
    """
    @dev Root of the years left at `now`, and (30 days / tenor)**power at publication, a day at the least.
    """
    left: uint256 = expiry - now if expiry > now else 0
    days: uint256 = max(expiry - as_of if expiry > as_of else 0, DAY)
    logarithm: int256 = fixed_point._ln(convert((30 * DAY << 96) // days, int256))
    return Tenor(
        expiry=expiry,
        root=fixed_point._sqrt(convert((left << 96) // YEAR, int256)),
        multiple=fixed_point._exp(logarithm * power // MILLION),
    )


@internal
@pure
def _money(price: uint256, lot: uint256) -> int256:
    """
    @dev A price (1e18) for a lot (1e18), in 2**-64 quanta.
    """
    return convert((price * lot << 64) // TO_QUANTA, int256)


@internal
@pure
def _sound(option: Option) -> bool:
    """
    @dev Whether an instrument can be priced: neither worthless nor beyond what a lot may be worth.
    """
    if option.forward <= 0 or option.forward > MOST_MONEY:
        return False
    return option.kind == LINEAR or option.forward << 96 >= option.strike


@internal
@pure
def _values(
    sums: int256[SCENARIOS], grid: Grid, tenor: Tenor, option: Option, lots: int256
) -> int256[SCENARIOS]:
    """
    @notice Add what lots are worth today and in every scenario of a grid.
    @param sums To add to.
    @param grid Of the market.
    @param tenor Of the expiry.
    @param option Sound.
    @param lots Signed.
    @return The sums with them.
    """
    values: int256[SCENARIOS] = sums
    if option.kind == LINEAR:
        for s: uint256 in range(grid.size, bound=SCENARIOS):
            # Money is below 2**109, a multiple below 2**99; lots are below 2**25, and there are 102 positions.
            moved: int256 = unsafe_mul(option.forward, grid.multiple[s]) >> 96
            values[s] = unsafe_add(values[s], unsafe_mul(lots, moved))  # as above
        return values
    moneyness: int256 = fixed_point._ln((option.forward << 96) // option.strike)
    still: int256 = self._still(tenor, option)
    is_call: bool = option.kind == CALL
    for s: uint256 in range(grid.size, bound=SCENARIOS):
        forward: int256 = unsafe_mul(option.forward, grid.multiple[s]) >> 96  # as above
        call: int256 = 0
        delta: int256 = 0
        call, delta = black76._call_and_delta(
            forward,
            option.strike,
            unsafe_add(moneyness, grid.logarithm[s]),  # both are below 2**104
            self._deviation(still, tenor.multiple, grid.volatility[s]),
        )
        # A call is worth its payoff at least.
        if not is_call:
            call = unsafe_sub(call, unsafe_sub(forward, option.strike))  # both are below 2**113
        values[s] = unsafe_add(values[s], unsafe_mul(lots, call))  # as above
    return values


@internal
@pure
def _still(tenor: Tenor, option: Option) -> int256:
    """
    @dev Total deviation while volatility stands still.
    """
    # Volatility is below 2**32 and the root of time below 2**104: below 2**117.
    return unsafe_div(unsafe_mul(option.volatility, tenor.root), MILLION)


@internal
@pure
def _deviation(still: int256, multiple: int256, move: int256) -> int256:
    """
    @dev Total deviation after a move of volatility: not below none, not above what is priced.
    """
    # A move is below 2**31 and a tenor's multiple below 2**101.
    scale: int256 = max(unsafe_add(ONE, unsafe_div(unsafe_mul(move, multiple), MILLION)), 0)
    # Below 2**117 times 2**113.
    return min(unsafe_mul(still, scale) >> 96, black76.DEVIATION_MOST)


@internal
@pure
def _error(largest: int256, option: Option) -> int256:
    """
    @dev More than any value of a lot is off by.
    """
    # Money is below 2**109, a multiple below 2**99.
    return unsafe_add(unsafe_add(unsafe_mul(option.forward, largest) >> 96, option.strike) >> ERROR_BITS, 1)


@internal
@view
def _matches(source: Source, row: uint256, size: uint256, values: int256[SCENARIOS]) -> bool:
    """
    @dev Whether every lane is its value rounded to the nearest unit of the row; lanes without a scenario repeat
         today.
    """
    at: uint256 = packed_rows.ROWS + packed_rows.ROW * row
    words: uint256[2] = abi_decode(slice(source.rows.code, at, packed_rows.ROW), uint256[2])
    exponent: uint256 = words[1] >> packed_rows.EXPONENT_AT
    for s: uint256 in range(SCENARIOS):
        # Four lanes of 14 bits in each cell of 64
        lane: uint256 = (words[s >> 4] >> (16 * (s & 12) + 14 * (s & 3))) & 16_383
        halves: int256 = values[s if s < size else 0] >> (63 + exponent)
        if convert(lane, int256) != (halves + 1) >> 1:
            return False
    return True


@internal
@pure
def _decay(grid: Grid, tenor: Tenor, option: Option, left: uint256) -> uint256:
    """
    @dev The most a lot can lose in a second, quanta: n(0) F s / time left, over all scenarios, rounded up.
    """
    most: int256 = 0
    still: int256 = self._still(tenor, option)
    for s: uint256 in range(grid.size, bound=SCENARIOS):
        # Money is below 2**109, a multiple below 2**99; then below 2**112 times 2**102.
        forward: int256 = unsafe_mul(option.forward, grid.multiple[s]) >> 96
        deviation: int256 = self._deviation(still, tenor.multiple, grid.volatility[s])
        most = max(most, unsafe_mul(forward, deviation) >> 96)  # as above
    # Below 2**118 times 2**95.
    return (convert(unsafe_mul(most, DENSITY) >> 160, uint256) // left) + 1


@internal
@view
def _option(
    terms: address, rows: address, row: uint256, spot: int256, settling: uint256
) -> (Option, uint256):
    """
    @notice Read an instrument's terms, forward and volatility. What expired keeps its forward until it is
            settled, so that no value jumps while rows stand; for settlement the forward is spot.
    @param terms Code of its board's terms.
    @param rows Code of its board's rows.
    @param row Of the board, below 2**16; reverts beyond the last.
    @param spot Of a lot, as `_money` gives it: below 2**160.
    @param settling Seconds: what expired by then is settled at spot; 0 for none.
    @return The instrument, and its expiry.
    """
    # Offsets are below 2**24.
    listed: uint256[2] = abi_decode(slice(terms.code, unsafe_add(TERMS, unsafe_mul(TERM, row)), TERM), uint256[2])
    at: uint256 = unsafe_add(packed_rows.ROWS, unsafe_mul(packed_rows.ROW, row))  # as above
    words: uint256[2] = abi_decode(slice(rows.code, at, packed_rows.ROW), uint256[2])
    expiry: uint256 = (listed[0] >> 128) & (2**40 - 1)
    share: int256 = BILLION
    if expiry == 0 or settling < expiry:
        # A basis is below 2**31 in size.
        share = unsafe_add(BILLION, packed_rows._basis(words[0]))
    return (
        Option(
            kind=listed[0] >> 168,
            forward=unsafe_div(unsafe_mul(spot, share), BILLION),  # below 2**192
            strike=convert(listed[1] & (2**128 - 1), int256),
            volatility=convert(packed_rows._volatility(words[1]), int256),
        ),
        expiry,
    )


@internal
@pure
def _spot(market: uint256, spots: uint256[8]) -> uint256:
    """
    @notice Give the spot of a market that is held.
    @param market Its number, below 8.
    @param spots By market number, 1e18.
    @return Below 2**112.
    """
    assert spots[market] != 0, "engine: no price"
    assert spots[market] < 2**112, "engine: price too large"
    return spots[market]
