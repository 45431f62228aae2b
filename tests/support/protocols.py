"""How do tests put the whole protocol on a node of their own, with three reporters?"""

from datetime import UTC, datetime
from pathlib import Path

import msgspec

from plimsoll.chain.compilation import CONTRACTS, compile_contract
from plimsoll.chain.connection import Connection
from plimsoll.chain.deployment import CollateralPlan, FeedPlan, MarketPlan, OptionPlan, Plan, deploy
from plimsoll.chain.hashing import signed
from plimsoll.chain.option_publisher import BoardPlan, list_options, publish_options
from plimsoll.chain.projection import market_name
from plimsoll.chain.publisher import Outcome, publish
from plimsoll.chain.twin.clearing_house import Order
from plimsoll.chain.twin.quorum import domain_of
from plimsoll.domain.parameters import (
    MarketParameters,
    ParameterSet,
    PerPosition,
    Provenance,
    SideEvidence,
    SideParameters,
)
from plimsoll.domain.quotes import Quotes, market_of
from tests.support.evm import ARTEFACTS, MOCKS

__all__ = ["BEGIN", "E6", "EXPIRY", "KEYS", "REPORTERS", "Protocol", "parameter_set"]

BEGIN = 1_767_225_600
EXPIRY = "BTC-10JAN26"
WAD = 10**18
E6, E8 = 10**6, 10**8
KEYS = {name: bytes([0x60 + n]) * 32 for n, name in enumerate(("deployer", "one", "two", "three", "trader"))}
REPORTERS = ("one", "two", "three")


def parameter_set(version=1, maintenance=0.05123456789012, effective=BEGIN):
    def side(rate):
        return SideParameters(
            maintenance=rate, call=rate * 1.1, initial=rate * 1.5, credit=0.01, initial_credit=0.01
        )

    markets = tuple(
        MarketParameters(name, price, side(maintenance), side(maintenance * 0.9))
        for name, price in (("BTC", 50_000.0), ("ETH", 2_500.0))
    )
    evidence = tuple(
        SideEvidence(
            market=name, side=each, windows=900, last=effective, volatility=0.01, scale=0.01,
            residual_quantile=3.0, model=0.04, stressed=0.1, long_run=0.05, floor=0.03, target=0.05,
            maintenance=maintenance, binding="model", borrowed_from=None,
        )
        for name in ("BTC", "ETH")
        for each in ("long", "short")
    )  # fmt: skip
    return ParameterSet(
        version=version,
        effective=effective * 1_000,
        method=PerPosition(markets=markets),
        evidence=evidence,
        provenance=Provenance(program="test", settings="", inputs=()),
    ).sealed()


class Protocol:
    """A node with the protocol on it."""

    def __init__(self, rpc: str, folder: Path) -> None:
        self.rpc, self.folder = rpc, folder
        self.lines = {name: Connection(rpc, key, ARTEFACTS) for name, key in KEYS.items()}
        self.deployer = self.lines["deployer"]
        for line in self.lines.values():
            self.deployer.node.provider.make_request("anvil_setBalance", [line.sender, hex(10**24)])
        roots = (CONTRACTS, MOCKS)
        token = compile_contract("token_mock", roots=roots, cache=ARTEFACTS)
        feed = compile_contract("chainlink_mock", roots=roots, cache=ARTEFACTS)
        self.quote, self.ether = (self.deployer.deploy(token, decimals)[0] for decimals in (6, 18))
        self.feeds = {"BTC": self.deployer.deploy(feed, 8)[0], "ETH": self.deployer.deploy(feed, 8)[0]}
        self.tick(BTC=50_000, ETH=2_500)
        self.plan = Plan(
            quote=self.quote.address,
            guardian=self.deployer.sender,
            reporters=tuple(self.lines[name].sender for name in REPORTERS),
            threshold=2,
            markets=tuple(
                MarketPlan(
                    name=name,
                    feeds=(FeedPlan(source=each.address, heartbeat=10**6),),
                    options=OptionPlan() if name == "BTC" else None,
                )
                for name, each in self.feeds.items()
            ),
            collateral=(CollateralPlan(token=self.ether.address, market="ETH"),),
        )
        self.deployment = deploy(self.deployer, self.plan, parameter_set())
        (folder / "deployment.json").write_bytes(msgspec.json.encode(self.deployment))

    def tick(self, **prices):
        for name, price in prices.items():
            self.feeds[name].send("set_round", 1, round(price * E8), self.deployer.block()[1])

    def publish(self, name, parameters):
        return publish(self.lines[name], self.deployment, parameters, [KEYS[name]], self.folder / "proposals")

    def options(self, names, quotes):
        """List and publish a board of bitcoin as two of the three reporters sign it."""
        keys, folder = [KEYS[name] for name in REPORTERS[:2]], self.folder / "proposals"
        plan = BoardPlan(market="BTC", instruments=names)
        listed = list_options(self.deployer, self.deployment, plan, keys, folder)
        quoted = market_of(quotes, "quotes")
        published = publish_options(self.deployer, self.deployment, ("BTC", 0), quoted, keys, folder)
        assert listed.outcome is published.outcome is Outcome.ACCEPTED

    def quotes(self, **volatilities):
        """Quote bitcoin as of now: spot as the oracle has it, a forward, and volatilities by option."""
        spot = self.deployment.bound(self.deployer, "oracle").read("reading", market_name("BTC"))[0] / WAD
        prices = {"BTC": spot, "BTC-PERP": 1.001 * spot, EXPIRY: 1.002 * spot}
        named = {name.replace("_", "-"): volatility for name, volatility in volatilities.items()}
        moment = datetime.fromtimestamp(self.deployer.block()[1], tz=UTC)
        return Quotes(time=moment, prices=prices, volatilities=named)

    def trade(self, maker, taker, instrument, lots, dollars):
        house = self.deployment.bound(self.lines[taker], "house")
        deadline = self.deployer.block()[1] + 600
        order = Order(self.lines[maker].sender, instrument, lots, round(dollars * E6), 0, deadline)
        digest = order.name(domain_of(self.deployer.chain_id, house.address))
        house.send("fill", order, signed(digest, KEYS[maker]), lots)

    def wait(self, seconds):
        self.deployer.node.provider.make_request("evm_increaseTime", [seconds])
        self.deployer.node.provider.make_request("evm_mine", [])
