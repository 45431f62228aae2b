"""What do the twins say of the state that stands on chain at one block?"""

from dataclasses import dataclass

from plimsoll.chain.connection import Bound, Connection
from plimsoll.chain.deployment import Deployment
from plimsoll.chain.engine_state import engine_state
from plimsoll.chain.hashing import extra
from plimsoll.chain.projection import market_name
from plimsoll.chain.twin.attestations import Attestations
from plimsoll.chain.twin.margin_engine import MarginEngine
from plimsoll.chain.twin.positions import unpack
from plimsoll.chain.twin.price_oracle import (
    CHAINLINK,
    ChainlinkRound,
    Feed,
    PriceOracle,
    PythPrice,
    Rules,
)
from plimsoll.chain.twin.quorum import Quorum
from plimsoll.chain.twin.rates import Bounds, MarketRates, Record, SideRates
from plimsoll.chain.twin.requirements import Assessment, Asset, Requirements
from plimsoll.chain.twin.reverts import Message
from plimsoll.chain.twin.risk_parameters import RiskParameters
from plimsoll.errors import PlimsollError

__all__ = ["Holding", "Mirror", "mirrored"]

_CHAINLINK_CALL = bytes.fromhex("feaf968c")
"""`latestRoundData()`."""
_PYTH_CALL = bytes.fromhex("96834ad3")
"""`getPriceUnsafe(bytes32)`."""
_CHAINLINK_TYPES = ("uint80", "int256", "uint256", "uint256", "uint80")
_PYTH_TYPES = ("int64", "uint64", "int32", "uint256")


@dataclass(frozen=True, slots=True)
class Holding:
    """What an account holds on chain: cash in quanta, signed lots by instrument, collateral by asset."""

    account: str
    cash: int
    book: dict[int, int]
    collateral: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Mirror:
    """The twins, filled from one block.

    Attributes
    ----------
    block : int               Its number.
    message : Message         Its second, as contracts see it.
    margin : Requirements     With parameters, oracle, attestations and engine in it.
    engine : MarginEngine     The margin engine, by itself.
    holdings : tuple of Holding
    assessments, exact : tuple of Assessment   What the contract says of each: by rows where they count,
                              and by the exact path.
    fund, shortfall : int     Quanta.
    """

    block: int
    message: Message
    margin: Requirements
    engine: MarginEngine
    holdings: tuple[Holding, ...]
    assessments: tuple[Assessment, ...]
    exact: tuple[Assessment, ...]
    fund: int
    shortfall: int


def mirrored(connection: Connection, deployment: Deployment) -> Mirror:
    """Read everything that margin depends on, at one block, into the twins."""
    block, second = connection.block()
    message = Message("", second)
    parts = {
        part: deployment.bound(connection, part)
        for part in ("oracle", "parameters", "attestations", "engine", "requirements", "house")
    }
    house, requirements = parts["house"], parts["requirements"]
    oracle = _oracle(connection, parts["oracle"], deployment, block)
    margin = Requirements(
        _parameters(parts["parameters"], deployment, oracle, block),
        oracle,
        Attestations(_nobody(), "", 1, 1_000_000_000),
        MarginEngine(),
        least_margin=requirements.read("LEAST_MARGIN", block=block),
        lister="",
    )
    _list(margin, requirements, block)
    engine = engine_state(connection, parts["engine"], len(margin.markets), block)
    margin.engine = engine
    holdings = _holdings(house, block)
    for each in holdings:
        factor, expires = (
            parts["attestations"].read(name, each.account, block=block) for name in ("factors", "expiries")
        )
        margin.attestations.restore(each.account, factor, expires)
    margin.attestations.suspended = parts["attestations"].read("suspended", block=block)
    return Mirror(
        block=block,
        message=message,
        margin=margin,
        engine=engine,
        holdings=holdings,
        assessments=_assessed(house, "assessed", holdings, block),
        exact=_assessed(house, "assessed_exactly", holdings, block),
        fund=house.read("fund", block=block),
        shortfall=house.read("shortfall", block=block),
    )


def _assessed(house: Bound, path: str, holdings: tuple[Holding, ...], block: int) -> tuple[Assessment, ...]:
    return tuple(Assessment(*house.read(path, each.account, block=block)) for each in holdings)


def _nobody() -> Quorum:
    """Make signers for a twin that only reads."""
    return Quorum(("0x" + "11" * 20,), 1, bytes(32))


def _oracle(connection: Connection, contract: Bound, deployment: Deployment, block: int) -> PriceOracle:
    oracle = PriceOracle("", "", lambda feed: _answer(connection, feed, block))
    for name in map(market_name, deployment.markets):
        rules = Rules(*contract.read("rules", name, block=block))
        feeds = tuple(Feed(*each) for each in contract.read("feeds_of", name, block=block))
        oracle.restore(name, rules, feeds, contract.read("state", name, block=block))
    return oracle


def _answer(connection: Connection, feed: Feed, block: int) -> ChainlinkRound | PythPrice | None:
    """Ask a feed as the oracle does; none where it fails or answers in another shape."""
    data: bytes = _CHAINLINK_CALL
    types: tuple[str, ...] = _CHAINLINK_TYPES
    if feed.kind != CHAINLINK:
        data, types = _PYTH_CALL + feed.key, _PYTH_TYPES
    target = {"to": connection.node.to_checksum_address(feed.source), "data": data}
    try:
        answer = bytes(connection.patiently(lambda: connection.node.eth.call(target, block)))
    except PlimsollError:
        return None
    if len(answer) != 32 * len(types):
        return None
    values = extra("eth_abi").decode(types, answer)
    return ChainlinkRound(values[1], values[3]) if feed.kind == CHAINLINK else PythPrice(*values)


def _parameters(contract: Bound, deployment: Deployment, oracle: PriceOracle, block: int) -> RiskParameters:
    twin = RiskParameters(_nobody(), "", "", oracle.volatility)
    twin.paused_until = contract.read("paused_until", block=block)
    for name in map(market_name, deployment.markets):
        market, long, short = contract.read("stored", name, block=block)
        twin.restore(
            MarketRates(market, SideRates(*long), SideRates(*short)),
            Bounds(*contract.read("bounds", name, block=block)),
            Record(*contract.read("record", name, block=block)),
        )
    return twin


def _list(margin: Requirements, contract: Bound, block: int) -> None:
    for number in range(contract.read("market_count", block=block)):
        margin.restore_market(*contract.read("markets", number, block=block))
    for number in range(contract.read("asset_count", block=block)):
        margin.assets.append(Asset(*contract.read("assets", number, block=block)))


def _holdings(house: Bound, block: int) -> tuple[Holding, ...]:
    accounts = [
        house.read("accounts", place, block=block)
        for place in range(house.read("account_count", block=block))
    ]
    return tuple(
        Holding(
            account,
            house.read("cash", account, block=block),
            dict(unpack(house.read("words", account, block=block))),
            house.read("collateral", account, block=block),
        )
        for account in accounts
    )
