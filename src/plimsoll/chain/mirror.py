"""What do the twins say of the state that stands on chain at one block?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from plimsoll.chain.connection import Bound, Connection
from plimsoll.chain.deployment import Deployment
from plimsoll.chain.hashing import extra
from plimsoll.chain.projection import market_name
from plimsoll.chain.twin.attestations import Attestations
from plimsoll.chain.twin.fixed_point import Revert
from plimsoll.chain.twin.margin_engine import MarketRisk
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
    margin : Requirements     With parameters, oracle and attestations in it.
    holdings : tuple of Holding
    assessments : tuple of Assessment   What the contract itself says of each.
    fund, shortfall : int     Quanta.
    """

    block: int
    message: Message
    margin: Requirements
    holdings: tuple[Holding, ...]
    assessments: tuple[Assessment, ...]
    fund: int
    shortfall: int


@dataclass(frozen=True, slots=True)
class _Engine:
    """The margin engine itself, asked at the block: its own twin is compared with it by the tests."""

    contract: Bound
    block: int

    def packed(self, positions: Sequence[int], spots: Sequence[int], _now: int) -> Sequence[Any]:
        return self._risks("packed", positions, spots)

    def exact(self, positions: Sequence[int], spots: Sequence[int], _now: int) -> Sequence[Any]:
        return self._risks("exact", positions, spots)

    def mark(self, instrument: int, spot: int, _now: int) -> int:
        return int(self.contract.read("mark", instrument, spot, block=self.block))

    def terms(self, instrument: int) -> tuple[int, int, int, int]:
        kind, expiry, strike, lot = self.contract.read("terms", instrument, block=self.block)
        return kind, expiry, strike, lot

    def spread(self, market: int) -> int:
        return int(self.contract.read("spread", market, block=self.block))

    def _risks(self, path: str, positions: Sequence[int], spots: Sequence[int]) -> Sequence[Any]:
        try:
            found = self.contract.read(path, positions, spots, block=self.block)
        except PlimsollError as refusal:
            raise Revert(refusal.what) from refusal
        return [MarketRisk(market, *each) for market, each in enumerate(found) if any(each)]


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
        _Engine(parts["engine"], block),
        least_margin=requirements.read("LEAST_MARGIN", block=block),
        lister="",
    )
    _list(margin, requirements, block)
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
        holdings=holdings,
        assessments=tuple(
            Assessment(*house.read("assessed", each.account, block=block)) for each in holdings
        ),
        fund=house.read("fund", block=block),
        shortfall=house.read("shortfall", block=block),
    )


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
