"""What is deployed under which terms, and where does it stand?"""

from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from plimsoll.chain.connection import Bound, Connection
from plimsoll.chain.projection import market_name, projected
from plimsoll.chain.twin.option_bounds import OptionBounds
from plimsoll.chain.twin.price_oracle import CHAINLINK, PYTH, Feed, Rules
from plimsoll.chain.twin.rates import ONE, Bounds
from plimsoll.domain.parameters import ParameterSet
from plimsoll.errors import Code, PlimsollError

__all__ = [
    "CollateralPlan",
    "Deployment",
    "FeedPlan",
    "Limits",
    "MarketPlan",
    "OptionPlan",
    "Plan",
    "PriceRules",
    "bounds_of",
    "deploy",
    "option_bounds_of",
    "read_deployment",
    "scenarios_of",
]

Address = Annotated[str, Meta(pattern="^0x[0-9a-fA-F]{40}$")]
Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Seconds = Annotated[int, Meta(ge=1, le=2**32 - 1)]
_NOBODY = "0x" + "00" * 20
_HOUR = 3_600
_MILLION = 10**6


class FeedPlan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One price feed: a contract of Chainlink's shape, or of Pyth's where it has an identifier."""

    source: Address
    decimals: Annotated[int, Meta(ge=0, le=18)] = 8
    heartbeat: Seconds = _HOUR
    pyth_id: Annotated[str, Meta(pattern="^0x[0-9a-fA-F]{64}$")] | None = None


class PriceRules(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When feeds make a price, and how volatility learns from it.

    Attributes
    ----------
    deviation : share        Distance from the median beyond which a feed does not count.
    most_doubt : share       Doubt beyond which a feed does not count.
    memory : seconds         That the volatility looks back.
    doubt_step, doubt_per_step   Without a quorum the last price answers, with so much more doubt per step.
    hourly_volatility : share    What the volatility begins at.
    """

    deviation: Share = 0.02
    most_doubt: Share = 0.01
    memory: Seconds = 86_400
    doubt_step: Seconds = 600
    doubt_per_step: Share = 0.002
    hourly_volatility: Share = 0.006


class Limits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a market's rates can never leave, and how fast they may move; fixed for ever at listing.

    Attributes
    ----------
    least, most : share      Of notional.
    rise_per_hour, fall_per_hour : share   Of the rate.
    fresh_for : seconds      After which silence raises rates; speed is counted over no longer.
    stale_step, stale_rise, stale_steps    How silence raises them.
    reach : float            Maintenance asked per hourly volatility when nobody publishes.
    """

    least: Share = 0.002
    most: Share = 1.0
    rise_per_hour: Share = 0.02
    fall_per_hour: Share = 0.1
    fresh_for: Seconds = 7_200
    stale_step: Seconds = _HOUR
    stale_rise: Share = 0.02
    stale_steps: Annotated[int, Meta(ge=0, le=1_000)] = 48
    reach: Annotated[float, Meta(ge=0.0, le=100.0)] = 6.0


class OptionPlan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What reporters can say of a market's options, how fast, and which scenarios margin them; for ever.

    Attributes
    ----------
    least, most : float       Volatilities a year.
    rise_per_hour, fall_per_hour : share   Of a volatility.
    slack : share             Of a forward from spot at expiry, either way; of the perpetual at all times.
    carry : share             How far that widens with a year of tenor.
    shift_per_hour : share    Of spot, that a forward moves against it.
    fresh_for : seconds       That speed is counted over, no longer.
    power : float             Of (30 days / tenor), which carries moves of volatility.
    steps : int               Scenarios of spot on either side of today, evenly over the range.
    volatility_up, volatility_down : share   Moves of volatility in scenarios, beside none.
    """

    least: Annotated[float, Meta(gt=0.0, le=20.0)] = 0.1
    most: Annotated[float, Meta(gt=0.0, le=20.0)] = 5.0
    rise_per_hour: Share = 0.5
    fall_per_hour: Share = 0.25
    slack: Share = 0.005
    carry: Share = 0.3
    shift_per_hour: Share = 0.02
    fresh_for: Seconds = _HOUR
    power: Annotated[float, Meta(ge=0.0, le=1.0)] = 0.3
    steps: Annotated[int, Meta(ge=1, le=5)] = 5
    volatility_up: Annotated[float, Meta(ge=0.0, le=2.0)] = 0.45
    volatility_down: Share = 0.25


class MarketPlan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A market: its name in the parameter set, its feeds, its lot in 1e-18 base units, its options if any."""

    name: str
    feeds: Annotated[tuple[FeedPlan, ...], Meta(min_length=1, max_length=5)]
    lot: Annotated[int, Meta(ge=1)] = 10**15
    prices: PriceRules = PriceRules()
    limits: Limits = Limits()
    options: OptionPlan | None = None


class CollateralPlan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another token that counts as collateral, at a market's price less a haircut."""

    token: Address
    market: str
    decimals: Annotated[int, Meta(ge=0, le=18)] = 18
    haircut: Share = 0.15


class Plan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that a deployment needs to know, as a user writes it down.

    Attributes
    ----------
    quote : address          Token of six decimals that everything is counted in.
    guardian : address       May pause, wind down, suspend and drop feeds.
    reporters : addresses    Sign parameters and attestations.
    threshold : int          How many of them must.
    least_margin : int       Quanta that whoever holds a position must hold at least.
    attested : (share, float)   Bounds of factors on initial margin.
    """

    quote: Address
    guardian: Address
    reporters: Annotated[tuple[Address, ...], Meta(min_length=1, max_length=16)]
    threshold: Annotated[int, Meta(ge=1, le=16)]
    markets: Annotated[tuple[MarketPlan, ...], Meta(min_length=1, max_length=8)]
    collateral: Annotated[tuple[CollateralPlan, ...], Meta(max_length=8)] = ()
    least_margin: Annotated[int, Meta(ge=0)] = 10_000_000
    attested: tuple[Share, Annotated[float, Meta(ge=1.0, le=4.0)]] = (0.75, 2.0)


class Deployment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the contracts stand. `gas` is what each deployment took."""

    chain_id: int
    oracle: str
    parameters: str
    attestations: str
    desk: str
    engine: str
    requirements: str
    house: str
    markets: tuple[str, ...]
    gas: dict[str, int]

    def bound(self, connection: Connection, part: str) -> Bound:
        """Speak to one of the contracts, by its field's name."""
        if connection.chain_id != self.chain_id:
            raise PlimsollError(
                Code.CHAIN_REFUSED,
                f"the deployment is on chain {self.chain_id}, not {connection.chain_id}",
                where=connection.where,
                remedy="Give the node of that chain, or the deployment file of this one.",
            )
        return connection.contract(_CONTRACTS[part], getattr(self, part))


_CONTRACTS = {
    "oracle": "PriceOracle",
    "parameters": "RiskParameters",
    "attestations": "Attestations",
    "desk": "OptionDesk",
    "engine": "MarginEngine",
    "requirements": "Requirements",
    "house": "ClearingHouse",
}


def read_deployment(path: Path) -> Deployment:
    """Read where the contracts stand; raises `MISSING_FILE` where nothing was deployed yet."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Deployment)
    except (OSError, msgspec.DecodeError) as error:
        raise PlimsollError(
            Code.MISSING_FILE,
            "is no deployment",
            where=str(path),
            remedy="Run plimsoll chain deploy first, or name its file with --deployment.",
        ) from error


def bounds_of(limits: Limits) -> Bounds:
    """Write limits as the contract takes them: shares in billionths."""
    return Bounds(
        least=round(limits.least * ONE),
        most=round(limits.most * ONE),
        rise_per_hour=round(limits.rise_per_hour * ONE),
        fall_per_hour=round(limits.fall_per_hour * ONE),
        fresh_for=limits.fresh_for,
        stale_step=limits.stale_step,
        stale_rise=round(limits.stale_rise * ONE),
        stale_steps=limits.stale_steps,
    )


def option_bounds_of(options: OptionPlan) -> OptionBounds:
    """Write bounds as the desk takes them: volatilities in millionths, shares in billionths."""
    return OptionBounds(
        least=round(options.least * _MILLION),
        most=round(options.most * _MILLION),
        rise_per_hour=round(options.rise_per_hour * ONE),
        fall_per_hour=round(options.fall_per_hour * ONE),
        slack=round(options.slack * ONE),
        carry=round(options.carry * ONE),
        shift_per_hour=round(options.shift_per_hour * ONE),
        fresh_for=options.fresh_for,
    )


def scenarios_of(options: OptionPlan) -> tuple[tuple[int, int], ...]:
    """Lay scenarios out in millionths of range and volatility; a fall of volatility alone is left out."""
    spots = [round(_MILLION * step / options.steps) for step in range(-options.steps, options.steps + 1)]
    up, down = round(options.volatility_up * _MILLION), -round(options.volatility_down * _MILLION)
    moves = [(spot, move) for spot in spots for move in (0, up, down)]
    return tuple(move for move in moves if move not in ((0, 0), (0, down)))


def deploy(connection: Connection, plan: Plan, parameters: ParameterSet) -> Deployment:
    """Deploy all contracts, list the markets with the first rates, and close every list for ever.

    Nobody keeps a right to list afterwards, the deployer included; the reporters' quorum lists options.

    Raises
    ------
    PlimsollError   `MISSING_PARAMETERS` for a market without any; `CHAIN_REFUSED`, `CHAIN_FAILED`.
    """
    gas: dict[str, int] = {}
    reporters = sorted((each.lower() for each in plan.reporters), key=lambda each: int(each, 16))
    guardian = plan.guardian.lower()

    def made(part: str, *arguments: Any) -> Bound:
        bound, receipt = connection.deploy(_CONTRACTS[part], *arguments)
        gas[part] = receipt["gasUsed"]
        return bound

    oracle = made("oracle", guardian)
    rates = made("parameters", reporters, plan.threshold, guardian, oracle.address)
    least, most = (round(each * ONE) for each in plan.attested)
    factors = made("attestations", reporters, plan.threshold, guardian, least, most)
    desk = made("desk", reporters, plan.threshold, guardian, rates.address)
    engine = made("engine", desk.address, desk.address, guardian)
    desk.send("bind", engine.address)
    parts = (rates.address, oracle.address, factors.address, engine.address)
    margin = made("requirements", *parts, plan.least_margin)
    house = made("house", plan.quote.lower(), margin.address, guardian)
    _list_markets(connection, plan, parameters, (oracle, rates, margin))
    for number, market in enumerate(plan.markets):
        if market.options:
            bounds, power = option_bounds_of(market.options), round(market.options.power * _MILLION)
            terms = (bounds, market.lot, power, scenarios_of(market.options))
            desk.send("open_market", number, market_name(market.name), *terms)
    for number, collateral in enumerate(plan.collateral):
        unit, haircut = 10**collateral.decimals, round(collateral.haircut * ONE)
        margin.send("list_asset", (market_name(collateral.market), unit, haircut))
        house.send("list_token", number, collateral.token.lower())
    for each in (oracle, rates, desk, margin, house):
        each.send("close_listing")
    return Deployment(
        chain_id=connection.chain_id,
        oracle=oracle.address,
        parameters=rates.address,
        attestations=factors.address,
        desk=desk.address,
        engine=engine.address,
        requirements=margin.address,
        house=house.address,
        markets=tuple(market.name for market in plan.markets),
        gas=gas,
    )


def _list_markets(
    connection: Connection, plan: Plan, parameters: ParameterSet, contracts: tuple[Bound, Bound, Bound]
) -> None:
    oracle, rates, margin = contracts
    bounds = {market.name: bounds_of(market.limits) for market in plan.markets}
    first = {each.market: each for each in projected(parameters, bounds)}
    for market in plan.markets:
        name = market_name(market.name)
        feeds = [_feed(feed) for feed in market.feeds]
        prices = market.prices
        rules = Rules(
            quorum=len(feeds) // 2 + 1,
            deviation=round(prices.deviation * ONE),
            most_doubt=round(prices.most_doubt * ONE),
            memory=prices.memory,
            doubt_step=prices.doubt_step,
            doubt_per_step=round(prices.doubt_per_step * ONE),
        )
        oracle.send("configure", name, rules, feeds, round(prices.hourly_volatility**2 * 10**18))
        effective = min(parameters.effective // 1_000, connection.block()[1])
        reach = round(market.limits.reach * ONE)
        rates.send("list_market", first[name], bounds[market.name], reach, effective)
        margin.send("list_market", name, market.lot)


def _feed(feed: FeedPlan) -> Feed:
    key = bytes.fromhex(feed.pyth_id.removeprefix("0x")) if feed.pyth_id else bytes(32)
    kind = PYTH if feed.pyth_id else CHAINLINK
    return Feed(feed.source.lower(), kind, feed.decimals, feed.heartbeat, key)
