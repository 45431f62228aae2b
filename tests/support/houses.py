"""Which clearing house do tests of the protocol begin with, on the chain and as twins?"""

from typing import Any

from plimsoll.chain.hashing import Signature, signed
from plimsoll.chain.twin.attestations import Attestation, Attestations
from plimsoll.chain.twin.clearing_house import ClearingHouse, Order
from plimsoll.chain.twin.fixed_point import Revert
from plimsoll.chain.twin.positions import unpack
from plimsoll.chain.twin.price_oracle import ChainlinkRound
from plimsoll.chain.twin.quorum import Quorum, domain_of
from plimsoll.chain.twin.requirements import Asset, Requirements
from plimsoll.chain.twin.risk_parameters import RiskParameters
from tests.support.evm import ROLE, Chain, Contract
from tests.support.feeds import RULES, Feeds, oracle_pair
from tests.support.option_desks import Desk
from tests.support.pairs import CHAIN_ID, SIGNERS, Pair, key_of, plain, signatures
from tests.support.reporters import BITCOIN, BOUNDS, ETHER, GUARDIAN, RATES, REACH, REPORTERS, THRESHOLD

__all__ = ["BTC_PERP", "E6", "ETH_PERP", "LOTS", "PRICES", "TRADERS", "WETH", "House"]

E6, E8 = 10**6, 10**8
BTC_PERP, ETH_PERP = 0, 1 << 13
LOTS = {BITCOIN: 10**15, ETHER: 10**16}
"""A thousandth of a bitcoin, a hundredth of an ether."""
PRICES = {BITCOIN: 50_000, ETHER: 2_500}
WETH = 0
_HAIRCUT = 150_000_000
_LEAST_MARGIN = 10 * E6
_PLENTY = 2**100
TRADERS = SIGNERS[5:8] + SIGNERS[:2]
"""Accounts that can sign orders."""


class House:
    """All contracts of the protocol with two perpetuals and one collateral, and all their twins."""

    def __init__(self) -> None:
        self.chain = Chain()
        self.feeds: Feeds
        self.oracle, self.feeds = oracle_pair(self.chain)
        self.feed = {}
        for market, price in PRICES.items():
            self.feed[market] = [self.feeds.chainlink(heartbeat=10**8) for _ in range(3)]
            self.move(market, price)
            self.oracle.both("configure", market, RULES, tuple(self.feed[market]), 10**13)
        self.parameters = self._parameters()
        self.desk = Desk(self.parameters)
        self.world = self.desk.world
        self.attestations = self._attestations()
        self.margin = self._margin()
        self.quote, self.ether = (self.chain.deploy("token_mock", decimals) for decimals in (6, 18))
        self.house = self._house()
        for trader in (*TRADERS, *ROLE.values()):
            self.chain.endow(trader)
            for token in (self.quote, self.ether):
                token.call("mint", trader, _PLENTY)

    def both(self, name: str, *arguments: Any, sender: str) -> Any:
        """Call the clearing house and its twin."""
        return self.house.both(name, *arguments, sender=sender)

    def move(self, market: bytes, price: float, *, feeds: int = 3) -> None:
        """Let the feeds of a market answer a price, in dollars, as of now."""
        for feed in self.feed[market][:feeds]:
            self.feeds.answer(feed, round(price * E8))

    def order(self, maker: str, instrument: int, lots: int, price: float, **changed: Any) -> Order:
        """Write an order at a price in dollars per lot."""
        order = Order(maker, instrument, lots, round(price * E6), 0, self.chain.timestamp + 600)
        return order._replace(**changed)

    def sign(self, order: Order) -> Signature:
        """Sign an order as its maker."""
        return signed(order.name(self.house.twin.domain), key_of(order.account))

    def trade(self, maker: str, taker: str, instrument: int, lots: int, price: float | None = None) -> None:
        """Let a maker buy lots from a taker, at the mark unless a price in dollars per lot is given."""
        each = self.lot_price(instrument) if price is None else price
        salt = len(self.house.twin.filled)
        order = self.order(maker, instrument, lots, each, salt=salt)
        self.both("fill", order, self.sign(order), lots, sender=taker)

    def lot_price(self, instrument: int) -> float:
        """Give the mark of a lot in dollars."""
        number = instrument >> 13
        spot = self.oracle.both("reading", list(LOTS)[number]).price
        return float(self.margin.both("mark", instrument, spot) / E6)

    def equity(self, *accounts: str) -> int:
        """Give what accounts have together, quanta."""
        return sum(self.both("assessed", account, sender=account).equity for account in accounts)

    def attest(self, account: str, factor: int, lasts: int = 86_400) -> None:
        """Have an account's factor attested."""
        now, nonce = self.chain.timestamp, self.attestations.twin.quorum.nonce + 1
        made = Attestation(nonce, now + 60, account, factor, now + lasts, b"\x33" * 32)
        proof = signatures(self.attestations.contract.address, made.message(), REPORTERS[:THRESHOLD])
        self.attestations.both("attest", made, proof)

    def crash(self, market: bytes, price: float, seconds: int = 60) -> None:
        """Let time pass and a market stand elsewhere."""
        self.chain.pass_seconds(seconds)
        for each in PRICES:
            self.move(each, price if each == market else self.standing(each))

    def standing(self, market: bytes) -> float:
        """Give what the feeds of a market answer, in dollars."""
        answer = self.feeds(self.feed[market][0])
        assert isinstance(answer, ChainlinkRound)
        return answer.answer / E8

    def check(self) -> None:
        """Hold every account, the fund and the tokens equal, and the ledger conserved."""
        ledger = self.house.twin.ledger
        accounts = {*ledger.cash, *ledger.accounts}
        call = self.house.contract.call
        for account in accounts:
            assert call("cash", account) == ledger.cash_of(account), account
            assert call("basis", account) == ledger.basis.get(account, 0), account
            assert plain(call("collateral", account)) == ledger.collateral(account), account
            held = unpack(call("words", account))
            assert dict(held) == ledger.book(account), account
        assert [call("accounts", place) for place in range(call("account_count"))] == ledger.accounts
        assert (call("fund"), call("shortfall")) == (ledger.fund, ledger.shortfall)
        held = self.quote.call("balanceOf", self.house.contract.address)
        assert held == sum(ledger.cash.values()) + ledger.fund - ledger.shortfall, "quote is conserved"
        ether = sum(ledger.collateral(account)[WETH] for account in accounts)
        assert self.ether.call("balanceOf", self.house.contract.address) == ether, "collateral is conserved"
        for instrument in {each for account in accounts for each in ledger.book(account)}:
            settled = instrument in self.house.twin.payoffs
            held = sum(ledger.book(account).get(instrument, 0) for account in accounts)
            assert held == 0 or settled, "every lot has its other side until it is settled"

    def refused(self, name: str, *arguments: Any, sender: str) -> str | None:
        """Say why both refuse a call; nothing where they do it."""
        try:
            self.both(name, *arguments, sender=sender)
        except Revert as refusal:
            return refusal.reason
        return None

    def _parameters(self) -> Pair:
        address = self.oracle.contract.address
        contract = self.chain.deploy("RiskParameters", REPORTERS, THRESHOLD, GUARDIAN, address)
        quorum = Quorum(REPORTERS, THRESHOLD, domain_of(CHAIN_ID, contract.address))
        twin = RiskParameters(quorum, GUARDIAN, ROLE["deployer"], self.oracle.twin.volatility)
        pair = Pair(contract, twin)
        for rates in RATES.values():
            pair.both("list_market", rates, BOUNDS, REACH, self.chain.timestamp)
        return pair

    def _attestations(self) -> Pair:
        bounds = (750_000_000, 2_000_000_000)
        contract = self.chain.deploy("Attestations", REPORTERS, THRESHOLD, GUARDIAN, *bounds)
        quorum = Quorum(REPORTERS, THRESHOLD, domain_of(CHAIN_ID, contract.address))
        return Pair(contract, Attestations(quorum, GUARDIAN, *bounds))

    def _margin(self) -> Pair:
        parts = (self.parameters, self.oracle, self.attestations)
        addresses = [*(part.contract.address for part in parts), self.world.contract.address]
        contract = self.chain.deploy("Requirements", *addresses, _LEAST_MARGIN)
        twin = Requirements(
            self.parameters.twin,
            self.oracle.twin,
            self.attestations.twin,
            self.world.twin,
            least_margin=_LEAST_MARGIN,
            lister=ROLE["deployer"],
        )
        pair = Pair(contract, twin)
        for market, lot in LOTS.items():
            pair.both("list_market", market, lot)
        pair.both("list_asset", Asset(ETHER, 10**18, _HAIRCUT))
        return pair

    def _house(self) -> Pair:
        addresses = (self.quote.address, self.margin.contract.address, GUARDIAN)
        contract: Contract = self.chain.deploy("ClearingHouse", *addresses)
        domain = domain_of(CHAIN_ID, contract.address)
        lister = ROLE["deployer"]
        pair = Pair(contract, ClearingHouse(self.margin.twin, domain, guardian=GUARDIAN, lister=lister))
        pair.both("list_token", WETH, self.ether.address)
        return pair
