"""Who owns what, who may take risk, and who pays when an account cannot?

Twin of `ClearingHouse.vy`, without the tokens themselves: what is paid in is taken to have arrived.
"""

from typing import NamedTuple

from plimsoll.chain.hashing import Signature, keccak, recovered, words
from plimsoll.chain.twin.allocation import Allocation, begun
from plimsoll.chain.twin.constants import constants
from plimsoll.chain.twin.fixed_point import Revert
from plimsoll.chain.twin.ledger import LEAST_DEPOSIT, MOST_AMOUNT, Ledger
from plimsoll.chain.twin.quorum import typed
from plimsoll.chain.twin.requirements import ASSETS, Assessment, Requirements
from plimsoll.chain.twin.reverts import ZERO_ADDRESS, Message, atomic, require

__all__ = ["AUCTION", "HALF_ORDER", "MOST_PAGE", "ORDER_TYPE", "SMALL", "ClearingHouse", "Order"]

_C = constants("ClearingHouse")
ONE, AUCTION, SMALL, MOST_PRICE = _C["ONE"], _C["AUCTION"], _C["SMALL"], _C["MOST_PRICE"]
HALF_ORDER = _C["HALF_ORDER"]
MOST_PAGE = 256
_MARKET_BITS = 13
ORDER_TYPE = (
    "Order(address account,uint256 instrument,int256 lots,uint256 price,uint256 salt,uint64 deadline)"
)


class Order(NamedTuple):
    """What a maker signs: it buys where lots are positive, at a price in quote units per lot."""

    account: str
    instrument: int
    lots: int
    price: int
    salt: int
    deadline: int

    def name(self, domain: bytes) -> bytes:
        """Give the digest that is signed."""
        return typed(domain, keccak(words(keccak(ORDER_TYPE.encode()), *self)))


class ClearingHouse:
    """The ledger, and who may change what of it."""

    def __init__(self, margin: Requirements, domain: bytes, *, guardian: str, lister: str) -> None:
        self.margin = margin
        self.domain = domain
        self.guardian = guardian
        self.lister = lister
        self.winding_down = False
        self.tokens: set[int] = set()
        self.ledger = Ledger()
        self.filled: dict[bytes, int] = {}
        self.auctions: dict[str, int] = {}
        self.payoffs: dict[int, tuple[int, int]] = {}
        self.allocation = Allocation()

    @atomic
    def list_token(self, block: Message, number: int, _token: str) -> None:
        """Name the token of a collateral, once."""
        require(block.sender == self.lister, "house: not the lister")
        require(number < len(self.margin.assets), "house: no such asset")
        require(number not in self.tokens, "house: listed already")
        self.tokens.add(number)

    def close_listing(self, block: Message) -> None:
        """Give up for ever the right to list."""
        require(block.sender == self.lister, "house: not the lister")
        self.lister = ZERO_ADDRESS

    def wind_down(self, block: Message) -> None:
        """End new risk for ever."""
        require(block.sender == self.guardian, "house: not the guardian")
        self.winding_down = True

    @atomic
    def deposit(self, block: Message, amount: int) -> None:
        """Pay in quote currency."""
        self._require_open()
        if block.sender not in self.ledger.accounts:
            require(amount >= LEAST_DEPOSIT, "house: amount")
            self.ledger.enlist(block.sender)
        require(0 < amount <= MOST_AMOUNT, "house: amount")
        self.ledger.add(block.sender, amount)
        self.ledger.basis[block.sender] += amount

    @atomic
    def deposit_collateral(self, block: Message, number: int, amount: int) -> None:
        """Pay in another collateral."""
        self._require_open()
        require(number < ASSETS and number in self.tokens, "house: no such asset")
        require(block.sender in self.ledger.accounts, "house: no account")
        require(0 < amount <= MOST_AMOUNT, "house: amount")
        self.ledger.move_collateral(block.sender, number, amount)

    @atomic
    def withdraw(self, block: Message, amount: int) -> None:
        """Take out quote currency; what is left meets initial margin and is never a debt."""
        self._require_open()
        require(0 < amount <= MOST_AMOUNT, "house: amount")
        self._settle_fixed(block, block.sender)
        self.ledger.add(block.sender, -amount)
        self.ledger.basis[block.sender] = self.ledger.basis.get(block.sender, 0) - amount
        self._require_initial(block, owing=True)
        self.ledger.retire(block.sender)

    @atomic
    def withdraw_collateral(self, block: Message, number: int, amount: int) -> None:
        """Take out another collateral; what is left meets initial margin."""
        self._require_open()
        require(number < ASSETS, "house: amount")
        require(0 < amount <= self.ledger.collateral(block.sender)[number], "house: amount")
        self._settle_fixed(block, block.sender)
        self.ledger.move_collateral(block.sender, number, -amount)
        self._require_initial(block, owing=False)
        self.ledger.retire(block.sender)

    @atomic
    def give_fund(self, _block: Message, amount: int) -> None:
        """Pay into the insurance fund for good; an open shortfall is paid first."""
        self._require_open()
        require(0 < amount <= MOST_AMOUNT, "house: amount")
        paid = min(amount, self.ledger.shortfall)
        self.ledger.shortfall -= paid
        self.ledger.fund += amount - paid

    @atomic
    def fill(self, block: Message, order: Order, signature: Signature, lots: int) -> None:
        """Take the other side of a signed order; the house stands between both."""
        self._require_open()
        require(order.account != block.sender, "house: own order")
        require(block.timestamp <= order.deadline, "house: expired")
        require(order.price <= MOST_PRICE, "house: price")
        name = self._signed(order, signature)
        self.filled[name] = self.filled.get(name, 0) + lots
        require(lots != 0 and (lots > 0) == (order.lots > 0), "house: lots")
        require(abs(self.filled[name]) <= abs(order.lots), "house: filled")
        expiry = self.margin.expiry(block, order.instrument)
        require(expiry == 0 or block.timestamp < expiry, "house: expired")
        cost = lots * order.price
        self._trade(block, order.account, order.instrument, (lots, -cost))
        self._trade(block, block.sender, order.instrument, (-lots, cost))

    @atomic
    def cancel(self, block: Message, order: Order) -> None:
        """Let an order of one's own count as filled."""
        require(order.account == block.sender, "house: not the maker")
        self.filled[order.name(self.domain)] = order.lots

    @atomic
    def start_auction(self, block: Message, account: str) -> None:
        """Put an account up for auction: it is below maintenance, or owes without any position."""
        self._require_open()
        require(account not in self.auctions, "house: in auction")
        self._settle_fixed(block, account)
        found = self.assessed_exactly(block, account)
        require(found.live, "house: no live price")
        require(found.equity < found.maintenance or self.ledger.owes(account), "house: healthy")
        self.auctions[account] = block.timestamp

    @atomic
    def end_auction(self, block: Message, account: str) -> None:
        """Take an account out of auction: back at its call level, and without a debt."""
        self._require_open()
        require(account in self.auctions, "house: no auction")
        self._settle_fixed(block, account)
        found = self.assessed_exactly(block, account)
        require(found.live, "house: no live price")
        restored = found.equity >= found.called and not self.ledger.owes(account)
        require(restored, "house: not restored")
        del self.auctions[account]

    @atomic
    def bid(self, block: Message, account: str, share: int) -> int:
        """Take over a share of all positions of an account in auction, for a premium that grows with time."""
        self._require_open()
        require(account in self.auctions, "house: no auction")
        require(account != block.sender, "house: own account")
        require(0 < share <= ONE, "house: share")
        require(block.sender in self.ledger.accounts, "house: no account")
        self._settle_fixed(block, account)
        self._settle_fixed(block, block.sender)
        before = self.assessed_exactly(block, account)
        require(before.live, "house: no live price")
        require(before.equity < before.called, "house: restored")
        elapsed = min(block.timestamp - self.auctions[account], AUCTION)
        full = before.maintenance * elapsed // AUCTION
        own = min(full, max(before.equity, 0))
        partly = elapsed < AUCTION and before.initial > SMALL
        sold = min(share, _most_share(before, own)) if partly else share
        premium, from_fund = own * sold // ONE, 0
        if before.equity <= 0:
            from_fund = min((full - own) * sold // ONE, self.ledger.fund)
        self._take_over(block, account, block.sender, sold)
        self.ledger.fund -= from_fund
        self.ledger.add(account, -premium)
        self.ledger.add(block.sender, premium + from_fund)
        self._require_initial(block, owing=False)
        after = self.assessed_exactly(block, account)
        if before.equity > 0 and after.maintenance != 0:
            kept = after.equity * before.maintenance >= before.equity * after.maintenance
            require(kept, "house: worse")
        return sold

    @atomic
    def buy_collateral(self, block: Message, account: str, number: int, amount: int) -> int:
        """Buy collateral of an account in auction that owes without any position, at a growing discount."""
        self._require_open()
        self._settle_fixed(block, block.sender)
        owing = account in self.auctions and self.ledger.owes(account)
        require(owing, "house: owes nothing")
        require(account != block.sender and number < ASSETS, "house: own account")
        require(block.sender in self.ledger.accounts, "house: no account")
        price, asset, live = self.margin.collateral_price(block, number)
        require(live, "house: no live price")
        elapsed = min(block.timestamp - self.auctions[account], AUCTION)
        each = max(price * (ONE * AUCTION - asset.haircut * elapsed) // (ONE * AUCTION * 10**12), 1)
        debt = -self.ledger.cash_of(account)
        most = min(self.ledger.collateral(account)[number], (debt * asset.unit + each - 1) // each)
        sold = min(amount, most)
        require(sold != 0, "house: amount")
        cost = (sold * each + asset.unit - 1) // asset.unit
        self.ledger.move_collateral(account, number, -sold)
        self.ledger.move_collateral(block.sender, number, sold)
        self.ledger.add(account, cost)
        self.ledger.add(block.sender, -cost)
        self._require_initial(block, owing=True)
        return sold

    @atomic
    def absorb(self, _block: Message, account: str) -> None:
        """Pay what an account without positions and collateral owes; what the fund lacks is for winners."""
        self._require_open()
        require(self.ledger.owes(account), "house: owes nothing")
        require(not any(self.ledger.collateral(account)), "house: collateral left")
        self.ledger.absorb(account)
        self.auctions.pop(account, None)
        self.ledger.retire(account)

    @atomic
    def begin_allocation(self, block: Message, winner: str) -> None:
        """Begin to divide the shortfall among winners, at prices held from now on; the one named can pay."""
        self._require_open()
        require(self.ledger.shortfall != 0, "house: no shortfall")
        self.allocation = begun(block, self.margin)
        self._settle_fixed(block, winner)
        least = min(self.ledger.shortfall, LEAST_DEPOSIT)
        found = self.allocation.capacity(block, self.margin, self.ledger, winner)
        require(found >= least, "house: no winner")

    @atomic
    def weigh(self, block: Message, count: int) -> None:
        """Find what the next accounts can pay."""
        accounts, done = self.ledger.accounts, self.allocation
        require(done.under_way and done.weighed < len(accounts), "house: nothing to weigh")
        page = accounts[done.weighed : done.weighed + count]
        require(len(page) <= MOST_PAGE, "")
        for account in page:
            self._settle_fixed(block, account)
            done.weigh(done.capacity(block, self.margin, self.ledger, account))

    @atomic
    def charge(self, _block: Message, count: int) -> None:
        """Charge the next accounts; the last one ends the allocation."""
        accounts, done = self.ledger.accounts, self.allocation
        require(done.under_way and done.weighed == len(accounts), "house: weigh first")
        total = min(self.ledger.shortfall + done.allocated, done.weight)
        page = accounts[done.charged : done.charged + count]
        require(len(page) <= MOST_PAGE, "")
        for account in page:
            share = done.charge(total)
            if share:
                self.ledger.add(account, -share)
                self.ledger.shortfall -= share
        if done.charged == len(accounts):
            done.under_way = False

    @atomic
    def fix_settlement(self, block: Message, instrument: int) -> None:
        """Fix what an expired instrument pays, by the first live price after its expiry."""
        self._require_open()
        expiry = self.margin.expiry(block, instrument)
        require(0 < expiry <= block.timestamp, "house: not expired")
        require(self.payoffs.get(instrument, (0, 0))[0] != expiry, "house: fixed already")
        reading = self.margin.price(block, instrument >> _MARKET_BITS)
        require(reading.live and reading.time >= expiry, "house: no live price")
        self.payoffs[instrument] = (expiry, self.margin.payoff(block, instrument, reading.price))

    @atomic
    def settle(self, block: Message, account: str, instrument: int) -> None:
        """Turn an account's lots of an expired instrument into cash."""
        self._require_open()
        fixed, _ = self.payoffs.get(instrument, (0, 0))
        require(fixed == self.margin.expiry(block, instrument), "house: not fixed")
        require(fixed != 0, "house: not fixed")
        lots = self.ledger.book(account).get(instrument, 0)
        require(lots != 0, "house: no position")
        self._settle(account, instrument, lots)

    def assessed(self, block: Message, account: str) -> Assessment:
        """Say what an account has and must hold now."""
        ledger = self.ledger
        return self.margin.assess(
            block, account, ledger.cash_of(account), ledger.book(account), ledger.collateral(account)
        )

    def assessed_exactly(self, block: Message, account: str) -> Assessment:
        """Say the same by the exact path alone: what an auction and a refusal go by."""
        ledger = self.ledger
        return self.margin.assess_exactly(
            block, account, ledger.cash_of(account), ledger.book(account), ledger.collateral(account)
        )

    def _require_initial(self, block: Message, *, owing: bool) -> None:
        """Packed rows may say that the caller meets initial margin; only the exact path may deny it."""
        found = self.assessed(block, block.sender)
        if found.equity < found.initial or (owing and found.liquid < 0):
            found = self.assessed_exactly(block, block.sender)
        require(found.live or found.initial == 0, "house: no live price")
        require(found.equity >= found.initial, "house: below initial margin")
        require(not owing or found.liquid >= 0, "house: a debt")

    def _require_open(self) -> None:
        require(not self.allocation.under_way, "house: allocating")

    def _take_over(self, block: Message, account: str, bidder: str, share: int) -> None:
        spots, _ = self.margin.prices(block)
        for instrument, held in sorted(self.ledger.book(account).items()):
            size = (abs(held) * share + ONE - 1) // ONE
            lots = size if held > 0 else -size
            value = lots * self.margin.mark(block, instrument, spots[instrument >> _MARKET_BITS])
            self.ledger.change(account, instrument, -lots)
            self.ledger.change(bidder, instrument, lots)
            self.ledger.add(account, value)
            self.ledger.add(bidder, -value)
        self.ledger.rebase(account)
        self.ledger.rebase(bidder)

    def _trade(self, block: Message, account: str, instrument: int, change: tuple[int, int]) -> None:
        require(account in self.ledger.accounts, "house: no account")
        self._settle_fixed(block, account)
        lots, paid = change
        held = self.ledger.book(account).get(instrument, 0)
        reduces = (held > 0) != (lots > 0) and abs(lots) <= abs(held)
        before = self.assessed(block, account) if reduces else None
        require(reduces or not self.winding_down, "house: winding down")
        self._book(account, instrument, lots, paid)
        if not _allowed(before, self.assessed(block, account)):
            after = self.assessed_exactly(block, account)
            if reduces:
                self._book(account, instrument, -lots, -paid)
                before = self.assessed_exactly(block, account)
                self._book(account, instrument, lots, paid)
            if not _allowed(before, after):
                require(after.live, "house: no live price")
                raise Revert("house: below initial margin")
        self.ledger.rebase(account)

    def _settle_fixed(self, block: Message, account: str) -> None:
        """Settle what is fixed before an account is judged: its payoff no longer moves, its mark would."""
        for instrument, lots in sorted(self.ledger.book(account).items()):
            fixed, _ = self.payoffs.get(instrument, (0, 0))
            if fixed and fixed == self.margin.expiry(block, instrument):
                self._settle(account, instrument, lots)

    def _settle(self, account: str, instrument: int, lots: int) -> None:
        self.ledger.change(account, instrument, -lots)
        self.ledger.add(account, lots * self.payoffs[instrument][1])
        self.ledger.rebase(account)

    def _book(self, account: str, instrument: int, lots: int, paid: int) -> None:
        self.ledger.change(account, instrument, lots)
        self.ledger.add(account, paid)

    def _signed(self, order: Order, signature: Signature) -> bytes:
        name = order.name(self.domain)
        require(int.from_bytes(signature.s, "big") <= HALF_ORDER, "house: malleable")
        require(recovered(name, signature) == order.account, "house: not signed")
        return name


def _allowed(before: Assessment | None, after: Assessment) -> bool:
    """Say whether a trade meets initial margin, or reduces, keeps the excess and makes no debt."""
    if after.live and after.equity >= after.initial:
        return True
    if before is None or after.equity < min(before.equity, 0):
        return False
    return after.equity - after.maintenance >= before.equity - before.maintenance


def _most_share(before: Assessment, premium: int) -> int:
    """Give the share s that brings equity - s premium to (1 - s) initial, rounded up."""
    if before.equity <= 0:
        return ONE
    left = before.initial - premium
    return ((before.initial - before.equity) * ONE + left - 1) // left
