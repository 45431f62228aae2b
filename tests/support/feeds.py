"""How do tests set the same price feeds for a contract and for its twin?"""

from plimsoll.chain.twin.price_oracle import (
    CHAINLINK,
    PYTH,
    ChainlinkRound,
    Feed,
    PriceOracle,
    PythPrice,
    Rules,
)
from tests.support.evm import ROLE, Chain, Contract
from tests.support.pairs import Pair

__all__ = ["HEARTBEAT", "PYTH_KEY", "RULES", "Feeds", "oracle_pair"]

HEARTBEAT = 4_000
PYTH_KEY = b"\x5a" * 32
RULES = Rules(
    quorum=2,
    deviation=50_000_000,
    most_doubt=20_000_000,
    memory=86_400,
    doubt_step=600,
    doubt_per_step=1_000_000,
)


class Feeds:
    """Mocks of feeds on a chain; what they answer is also known to twins."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self._contracts: dict[str, Contract] = {}
        self._answers: dict[str, ChainlinkRound | PythPrice] = {}

    def chainlink(self, heartbeat: int = HEARTBEAT, decimals: int = 8) -> Feed:
        """Deploy a feed of Chainlink's shape."""
        contract = self.chain.deploy("chainlink_mock", decimals)
        self._contracts[contract.address] = contract
        return Feed(contract.address, CHAINLINK, decimals, heartbeat, bytes(32))

    def pyth(self, heartbeat: int = HEARTBEAT) -> Feed:
        """Deploy a feed of Pyth's shape."""
        contract = self.chain.deploy("pyth_mock")
        self._contracts[contract.address] = contract
        return Feed(contract.address, PYTH, 0, heartbeat, PYTH_KEY)

    def answer(
        self, feed: Feed, price: int, *, time: int | None = None, doubt: int = 0, expo: int = -8
    ) -> None:
        """Let a feed answer a price, in its own decimals."""
        moment = self.chain.timestamp if time is None else time
        contract = self._contracts[feed.source]
        if feed.kind == CHAINLINK:
            contract.call("set_round", 1, price, moment)
            self._answers[feed.source] = ChainlinkRound(price, moment)
        else:
            contract.call("set_price", feed.key, (price, doubt, expo, moment))
            self._answers[feed.source] = PythPrice(price, doubt, expo, moment)

    def __call__(self, feed: Feed) -> ChainlinkRound | PythPrice | None:
        answer = self._answers.get(feed.source)
        if feed.kind == PYTH and isinstance(answer, PythPrice) and answer.publish_time == 0:
            return None
        if answer is None and feed.kind == CHAINLINK and feed.source in self._contracts:
            return ChainlinkRound(0, 0)
        return answer


def oracle_pair(chain: Chain) -> tuple[Pair, Feeds]:
    """Deploy an oracle that knows no market yet, and its twin."""
    feeds = Feeds(chain)
    contract = chain.deploy("PriceOracle", ROLE["keeper"])
    return Pair(contract, PriceOracle(ROLE["keeper"], ROLE["deployer"], feeds)), feeds
