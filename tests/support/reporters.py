"""Which reporters, markets and bounds do tests of the risk parameters begin with?"""

from typing import Any

from plimsoll.chain.twin.quorum import Quorum, domain_of
from plimsoll.chain.twin.rates import Bounds, MarketRates, SideRates, Update, message_of
from plimsoll.chain.twin.risk_parameters import RiskParameters
from tests.support.evm import ROLE, Chain, Contract
from tests.support.pairs import CHAIN_ID, SIGNERS, Pair, signatures

__all__ = [
    "BITCOIN",
    "BOUNDS",
    "ETHER",
    "GUARDIAN",
    "RATES",
    "REACH",
    "REPORTERS",
    "THRESHOLD",
    "VolatilityPair",
    "parameters_pair",
    "publish",
    "signed_update",
]

REPORTERS = SIGNERS[:5]
THRESHOLD = 3
GUARDIAN = ROLE["keeper"]
BITCOIN, ETHER = (name.encode().ljust(32, b"\0") for name in ("BTC", "ETH"))
BOUNDS = Bounds(
    least=5_000_000,
    most=600_000_000,
    rise_per_hour=20_000_000,
    fall_per_hour=30_000_000,
    fresh_for=7_200,
    stale_step=3_600,
    stale_rise=20_000_000,
    stale_steps=48,
)
RATES = {
    BITCOIN: MarketRates(
        BITCOIN,
        SideRates(30_000_000, 50_000_000, 60_000_000, 80_000_000),
        SideRates(35_000_000, 52_000_000, 65_000_000, 85_000_000),
    ),
    ETHER: MarketRates(
        ETHER,
        SideRates(40_000_000, 70_000_000, 80_000_000, 100_000_000),
        SideRates(40_000_000, 75_000_000, 90_000_000, 110_000_000),
    ),
}
REACH = 8_000_000_000


class VolatilityPair:
    """An oracle's volatility, set on the chain and for the twin alike."""

    def __init__(self, chain: Chain) -> None:
        self.contract = chain.deploy("volatility_mock")
        self.value = (0, 0)

    def set(self, volatility: int, seen: int) -> None:
        """Set both."""
        self.contract.call("set_volatility", volatility, seen)
        self.value = (volatility, seen)

    def __call__(self, _block: object, _market: bytes) -> tuple[int, int]:
        return self.value


def parameters_pair(chain: Chain, *, list_markets: bool = True) -> tuple[Pair, VolatilityPair]:
    """Deploy risk parameters with two listed markets, and their twin."""
    volatility = VolatilityPair(chain)
    contract = chain.deploy("RiskParameters", REPORTERS, THRESHOLD, GUARDIAN, volatility.contract.address)
    quorum = Quorum(REPORTERS, THRESHOLD, domain_of(CHAIN_ID, contract.address))
    pair = Pair(contract, RiskParameters(quorum, GUARDIAN, ROLE["deployer"], volatility))
    if list_markets:
        for rates in RATES.values():
            pair.both("list_market", rates, BOUNDS, REACH, chain.timestamp)
    return pair, volatility


def signed_update(
    pair: Pair, *rates: MarketRates, signers: Any = REPORTERS[:THRESHOLD], **changed: Any
) -> tuple[Update, tuple[Any, ...]]:
    """Make the next update, with what is changed of it, and sign it."""
    now, twin = pair.chain.timestamp, pair.twin
    update = Update(
        twin.quorum.nonce + 1, twin.version + 1, now, now + 600, b"\x11" * 32, b"\x22" * 32, rates
    )._replace(**changed)
    return update, signatures(pair.contract.address, message_of(update), signers)


def publish(
    pair: Pair, *rates: MarketRates, signers: Any = REPORTERS[:THRESHOLD], **changed: Any
) -> Contract:
    """Sign the next update and send it to both."""
    update, signed = signed_update(pair, *rates, signers=signers, **changed)
    pair.both("update", update, signed)
    return pair.contract
