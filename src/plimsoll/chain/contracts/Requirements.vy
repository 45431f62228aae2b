# pragma version ~=0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title What does an account have, and what must it hold?
@license Apache-2.0
@author The Plimsoll authors
@notice Values cash, positions and collateral at the oracle's prices, and asks for margin at the rates in force. A market
        in which an account holds the perpetual alone is charged its side's rate; every other market the margin
        engine's worst scenario, times how far the rate exceeds the engine's range. The oracle's doubt is charged on top.
@dev    Money is quote quanta (1e-6); prices have eighteen decimals. Nothing is rounded in an account's favour.
@custom:kill None: it holds nothing and nobody can change a listing. A market without a live price allows no new risk
        by itself.
"""
from interfaces import IMarginEngine
import positions


interface Parameters:
    def rates(market: bytes32) -> MarketRates: view
    def bounds(market: bytes32) -> Bounds: view


interface Oracle:
    def reading(market: bytes32) -> Reading: view


interface Factors:
    def factor(account: address) -> uint256: view


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
    least: uint32
    most: uint32
    rise_per_hour: uint32
    fall_per_hour: uint32
    fresh_for: uint32
    stale_step: uint32
    stale_rise: uint32
    stale_steps: uint32


struct Reading:
    price: uint256
    doubt: uint256
    time: uint256
    live: bool


struct Asset:
    market: bytes32      # whose price it has
    unit: uint256        # of the token per whole
    haircut: uint256     # billionths of its value that do not count


struct Assessment:
    equity: int256          # cash, positions, and collateral after its haircut
    liquid: int256          # cash and positions
    maintenance: uint256
    called: uint256
    initial: uint256
    live: bool              # whether a quorum of feeds stands behind every price used


struct Market:
    name: bytes32
    lot: uint256


struct Run:
    number: uint256         # of the market
    linear: int256          # lots of its perpetual
    lots: uint256           # absolute lots of everything
    mixed: bool             # whether it holds more than the perpetual


event MarketListed:
    number: uint256
    name: bytes32
    lot: uint256


event AssetListed:
    number: uint256
    asset: Asset


event ListingClosed:
    pass


ONE: constant(uint256) = 1_000_000_000
MARKETS: constant(uint256) = 8
ASSETS: constant(uint256) = 8
MAX_WORDS: constant(uint256) = positions.MAX_WORDS
# Of price times lot (1e18 each) over a quantum (1e-6)
TO_QUANTA: constant(uint256) = 10 ** 30
MILLION: constant(uint256) = 1_000_000
CALL: constant(uint256) = 1
PUT: constant(uint256) = 2

PARAMETERS: public(immutable(address))
ORACLE: public(immutable(address))
ATTESTATIONS: public(immutable(address))
ENGINE: public(immutable(address))
LEAST_MARGIN: public(immutable(uint256))
lister: public(address)
markets: public(DynArray[Market, MARKETS])
assets: public(DynArray[Asset, ASSETS])


@deploy
def __init__(parameters: address, oracle: address, attestations: address, engine: address, least_margin: uint256):
    """
    @notice Begin with nothing listed.
    @param parameters Where rates come from.
    @param oracle Where prices come from.
    @param attestations Where factors on initial margin come from.
    @param engine What margins options.
    @param least_margin Quanta that whoever holds a position must hold at least: dust is worth liquidating.
    """
    PARAMETERS = parameters
    ORACLE = oracle
    ATTESTATIONS = attestations
    ENGINE = engine
    LEAST_MARGIN = least_margin
    self.lister = msg.sender


@external
def list_market(name: bytes32, lot: uint256):
    """
    @notice Open the next market by number; its perpetual is the instrument `number << 13`.
    @param name As parameters and oracle know it.
    @param lot 1e18 base units per lot.
    """
    assert msg.sender == self.lister, "requirements: not the lister"
    assert 0 < lot and lot <= 10 ** 24, "requirements: lot"
    reading: Reading = staticcall Oracle(ORACLE).reading(name)
    rates: MarketRates = staticcall Parameters(PARAMETERS).rates(name)
    assert reading.price * lot >= TO_QUANTA, "requirements: lot"
    log MarketListed(number=len(self.markets), name=name, lot=lot)
    self.markets.append(Market(name=name, lot=lot))


@external
def list_asset(asset: Asset):
    """
    @notice Take the next collateral by number.
    @param asset Market whose price it has, its unit, its haircut.
    """
    assert msg.sender == self.lister, "requirements: not the lister"
    assert asset.haircut <= ONE and 0 < asset.unit and asset.unit <= 10 ** 18, "requirements: asset"
    reading: Reading = staticcall Oracle(ORACLE).reading(asset.market)
    log AssetListed(number=len(self.assets), asset=asset)
    self.assets.append(asset)


@external
def close_listing():
    """
    @notice Give up for ever the right to list.
    """
    assert msg.sender == self.lister, "requirements: not the lister"
    self.lister = empty(address)
    log ListingClosed()


@external
@view
def assess(
    account: address, cash: int256, words: uint256[MAX_WORDS], holdings: uint256[ASSETS]
) -> Assessment:
    """
    @notice Value an account and say what it must hold, by packed rows where they count: enough to grant, never to refuse.
    @param account For its attested factor.
    @param cash Quanta, negative where positions were paid for.
    @param words Positions, six a word.
    @param holdings Collateral by asset, in its token's units.
    @return Equity and requirements, quanta.
    """
    return self._assessed(account, cash, words, holdings, True)


@external
@view
def assess_exactly(
    account: address, cash: int256, words: uint256[MAX_WORDS], holdings: uint256[ASSETS]
) -> Assessment:
    """
    @notice Value an account by the exact path alone, which rests on no published row: what refuses and liquidates.
    @param account For its attested factor.
    @param cash Quanta, negative where positions were paid for.
    @param words Positions, six a word.
    @param holdings Collateral by asset, in its token's units.
    @return Equity and requirements, quanta.
    """
    return self._assessed(account, cash, words, holdings, False)


@internal
@view
def _assessed(
    account: address,
    cash: int256,
    words: uint256[MAX_WORDS],
    holdings: uint256[ASSETS],
    packed: bool,
) -> Assessment:
    found: Assessment = Assessment(equity=cash, liquid=cash, maintenance=0, called=0, initial=0, live=True)
    runs: DynArray[Run, MARKETS] = self._runs(words)
    if len(runs) != 0:
        found = self._with_positions(found, runs, words, packed)
        found.maintenance = max(found.maintenance, LEAST_MARGIN)
        found.called = max(found.called, found.maintenance)
        factor: uint256 = staticcall Factors(ATTESTATIONS).factor(account)
        found.initial = max((found.initial * factor + ONE - 1) // ONE, found.called)
    found.equity = found.liquid
    for number: uint256 in range(ASSETS):
        if holdings[number] != 0:
            asset: Asset = self.assets[number]
            reading: Reading = staticcall Oracle(ORACLE).reading(asset.market)
            price: uint256 = reading.price - min(reading.doubt, reading.price)
            # price below 2**96, holdings below 2**128 (the house sees to it), the haircut below 2**30
            worth: uint256 = holdings[number] * price * (ONE - asset.haircut) // (asset.unit * ONE * 10 ** 12)
            found.equity += convert(worth, int256)
            found.live = found.live and reading.live
    return found


@external
@view
def worth(words: uint256[MAX_WORDS], spots: uint256[MARKETS]) -> int256:
    """
    @notice What positions are worth at given prices.
    @param words Positions, six a word.
    @param spots Price by number of the market.
    @return Quanta.
    """
    worth: int256 = 0
    for word: uint256 in words:
        if word == 0:
            break
        for place: uint256 in range(positions.LANES):
            lane: uint256 = (word >> (positions.LANE_BITS * place)) & positions.LANE
            if lane != 0:
                instrument: uint256 = lane >> positions.LOTS_BITS
                worth += positions._signed(lane) * self._mark(instrument, spots[instrument >> 13])
    return worth


@external
@view
def mark(instrument: uint256, price: uint256) -> int256:
    """
    @notice What a lot is worth at a price of its market.
    @param instrument Its id.
    @param price Eighteen decimals.
    @return Quanta.
    """
    return self._mark(instrument, price)


@external
@view
def payoff(instrument: uint256, price: uint256) -> int256:
    """
    @notice What a lot of an expired instrument pays at a settlement price, by its terms alone.
    @param instrument Its id.
    @param price Eighteen decimals.
    @return Quanta, rounded down; who is short pays the same.
    """
    terms: IMarginEngine.Terms = staticcall IMarginEngine(ENGINE).terms(instrument)
    worth: uint256 = price
    if terms.kind == CALL:
        worth = price - min(price, terms.strike)
    elif terms.kind == PUT:
        worth = terms.strike - min(price, terms.strike)
    return convert(worth * terms.lot // TO_QUANTA, int256)


@external
@view
def prices() -> (uint256[MARKETS], bool):
    """
    @notice All markets' prices, and whether every one of them is live.
    @return Eighteen decimals, by number of the market.
    """
    found: uint256[MARKETS] = empty(uint256[MARKETS])
    live: bool = True
    number: uint256 = 0
    for market: Market in self.markets:
        reading: Reading = staticcall Oracle(ORACLE).reading(market.name)
        found[number] = reading.price
        live = live and reading.live
        number += 1
    return found, live


@external
@view
def price(number: uint256) -> Reading:
    """
    @notice A market's price.
    @param number Of the market.
    @return As the oracle reads it.
    """
    return staticcall Oracle(ORACLE).reading(self.markets[number].name)


@external
@view
def collateral_price(number: uint256) -> (uint256, Asset, bool):
    """
    @notice An asset's price and terms.
    @param number Of the asset.
    @return Price with eighteen decimals, the asset, and whether the price is live.
    """
    asset: Asset = self.assets[number]
    reading: Reading = staticcall Oracle(ORACLE).reading(asset.market)
    return reading.price, asset, reading.live


@external
@view
def expiry(instrument: uint256) -> uint256:
    """
    @notice When an instrument expires; reverts where it is not listed.
    @param instrument Its id.
    @return Seconds; zero for a perpetual.
    """
    assert instrument >> 13 < len(self.markets), "requirements: no such market"
    if instrument & 8_191 == 0:
        return 0
    terms: IMarginEngine.Terms = staticcall IMarginEngine(ENGINE).terms(instrument)
    return terms.expiry


@external
@view
def asset_count() -> uint256:
    """
    @notice How many collaterals are listed.
    @return Their number.
    """
    return len(self.assets)


@external
@view
def market_count() -> uint256:
    """
    @notice How many markets are listed.
    @return Their number.
    """
    return len(self.markets)


@internal
@view
def _with_positions(
    before: Assessment, runs: DynArray[Run, MARKETS], words: uint256[MAX_WORDS], packed: bool
) -> Assessment:
    found: Assessment = before
    spots: uint256[MARKETS] = empty(uint256[MARKETS])
    mixed: uint256 = 0  # markets that the engine margins, a bit each
    for run: Run in runs:
        market: Market = self.markets[run.number]
        reading: Reading = staticcall Oracle(ORACLE).reading(market.name)
        spots[run.number] = reading.price
        found.live = found.live and reading.live
        doubt: uint256 = run.lots * ((reading.doubt * market.lot + TO_QUANTA - 1) // TO_QUANTA)
        found.maintenance += doubt
        found.called += doubt
        found.initial += doubt
        if run.mixed:
            mixed |= 1 << run.number
            continue
        rates: MarketRates = staticcall Parameters(PARAMETERS).rates(market.name)
        side: SideRates = rates.long
        if run.linear < 0:
            side = rates.short
        value: int256 = run.linear * convert(reading.price * market.lot // TO_QUANTA, int256)
        notional: uint256 = convert(abs(value), uint256)
        found.liquid += value
        found.maintenance += self._charged(notional, side.maintenance)
        found.called += self._charged(notional, side.call)
        found.initial += self._charged(notional, side.initial)
    if mixed != 0:
        held: uint256[MAX_WORDS] = self._held(words, mixed)
        risks: IMarginEngine.MarketRisk[MARKETS] = self._risks(held, spots, packed)
        for run: Run in runs:
            if run.mixed:
                found = self._with_risk(found, risks[run.number], run.number)
    return found


@internal
@view
def _with_risk(before: Assessment, risk: IMarginEngine.MarketRisk, market: uint256) -> Assessment:
    """
    @notice Add a market that the engine margined; its loss counts for more by steps while its volatilities age.
    """
    found: Assessment = before
    name: bytes32 = self.markets[market].name
    rates: MarketRates = staticcall Parameters(PARAMETERS).rates(name)
    spread: uint256 = staticcall IMarginEngine(ENGINE).spread(market)
    # both are rounded down: the true loss is below their difference and a quantum
    loss: uint256 = convert(risk.value - risk.worst, uint256) + 1
    loss = (loss * self._stale_factor(name, risk.as_of) + ONE - 1) // ONE
    found.liquid += risk.value
    found.maintenance += self._scaled(loss, max(rates.long.maintenance, rates.short.maintenance), spread)
    found.called += self._scaled(loss, max(rates.long.call, rates.short.call), spread)
    found.initial += self._scaled(loss, max(rates.long.initial, rates.short.initial), spread)
    return found


@internal
@view
def _stale_factor(name: bytes32, as_of: uint256) -> uint256:
    """
    @notice What losses are multiplied by because nobody has published since: by the same steps as the market's rates.
    """
    bounds: Bounds = staticcall Parameters(PARAMETERS).bounds(name)
    age: uint256 = block.timestamp - min(block.timestamp, as_of)
    fresh: uint256 = convert(bounds.fresh_for, uint256)
    if age <= fresh:
        return ONE
    steps: uint256 = min((age - fresh) // convert(bounds.stale_step, uint256), convert(bounds.stale_steps, uint256))
    return ONE + steps * convert(bounds.stale_rise, uint256)


@internal
@pure
def _held(words: uint256[MAX_WORDS], mixed: uint256) -> uint256[MAX_WORDS]:
    """
    @notice The positions of the markets that the engine margins: a perpetual alone needs no row of it.
    """
    held: uint256[MAX_WORDS] = empty(uint256[MAX_WORDS])
    filled: uint256 = 0
    for word: uint256 in words:
        if word == 0:
            break
        for place: uint256 in range(positions.LANES):
            lane: uint256 = (word >> (positions.LANE_BITS * place)) & positions.LANE
            if lane != 0 and (mixed >> (lane >> (positions.LOTS_BITS + 13))) & 1 == 1:
                held[filled // positions.LANES] |= lane << (positions.LANE_BITS * (filled % positions.LANES))
                filled += 1
    return held


@internal
@view
def _risks(
    words: uint256[MAX_WORDS], spots: uint256[MARKETS], packed: bool
) -> IMarginEngine.MarketRisk[MARKETS]:
    """
    @notice The packed path where it may decide; where it refuses, the exact one.
    """
    if not packed:
        return staticcall IMarginEngine(ENGINE).exact(words, spots)
    success: bool = False
    answer: Bytes[1_024] = b""
    success, answer = raw_call(
        ENGINE,
        abi_encode(words, spots, method_id=method_id("packed(uint256[17],uint256[8])")),
        max_outsize=1_024,
        is_static_call=True,
        revert_on_failure=False,
    )
    if success:
        return abi_decode(answer, IMarginEngine.MarketRisk[MARKETS])
    return staticcall IMarginEngine(ENGINE).exact(words, spots)


@internal
@view
def _runs(words: uint256[MAX_WORDS]) -> DynArray[Run, MARKETS]:
    """
    @notice What is held of each market; ids ascend, so that a market is one run.
    """
    runs: DynArray[Run, MARKETS] = []
    for word: uint256 in words:
        if word == 0:
            break
        for place: uint256 in range(positions.LANES):
            lane: uint256 = (word >> (positions.LANE_BITS * place)) & positions.LANE
            if lane == 0:
                break
            instrument: uint256 = lane >> positions.LOTS_BITS
            number: uint256 = instrument >> 13
            lots: int256 = positions._signed(lane)
            if len(runs) == 0 or runs[len(runs) - 1].number != number:
                runs.append(Run(number=number, linear=0, lots=0, mixed=False))
            last: uint256 = len(runs) - 1
            runs[last].lots += convert(abs(lots), uint256)
            if instrument & 8_191 == 0:
                runs[last].linear = lots
            else:
                runs[last].mixed = True
    return runs


@internal
@view
def _mark(instrument: uint256, price: uint256) -> int256:
    if instrument & 8_191 == 0:
        return convert(price * self.markets[instrument >> 13].lot // TO_QUANTA, int256)
    return staticcall IMarginEngine(ENGINE).mark(instrument, price)


@internal
@pure
def _charged(notional: uint256, rate: uint32) -> uint256:
    return (notional * convert(rate, uint256) + ONE - 1) // ONE


@internal
@pure
def _scaled(loss: uint256, rate: uint32, spread: uint256) -> uint256:
    """
    @notice The engine's loss, times how far the rate (billionths) exceeds the engine's range (millionths).
    """
    factor: uint256 = max((convert(rate, uint256) * MILLION + spread - 1) // spread, ONE)
    return (loss * factor + ONE - 1) // ONE
