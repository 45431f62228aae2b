# pragma version ~=0.4.3
# pragma nonreentrancy on
# SPDX-License-Identifier: Apache-2.0
"""
@title Who owns what, who may take risk, and who pays when an account cannot?
@license Apache-2.0
@author The Plimsoll authors
@notice Holds quote currency and other collateral, stands between both sides of every matched trade, checks initial margin
        at trade and withdrawal, sells what cannot be held in parts by Dutch auction, and takes what is still owed from
        the insurance fund, then from winners in proportion to their gains, exact to the unit. Anyone may call all of it.
@dev    Money is units of the quote token, which has six decimals. Positions are whole lots and prices whole units per
        lot, so that no trade and no settlement rounds: cash + fund - shortfall is always what the contract holds.
@custom:kill The guardian's `wind_down` ends new risk for ever: every trade must then reduce both sides, while
        withdrawals, auctions and settlements go on. Nobody can move what an account may withdraw, and no role can
        freeze it. What holds it up is an allocation, until anyone has turned its pages: each takes at least ten units,
        or all that is missing, from winners, and where nobody has won none begins.
"""
import positions

initializes: positions


interface Token:
    def transfer(to: address, amount: uint256) -> bool: nonpayable
    def transferFrom(owner: address, to: address, amount: uint256) -> bool: nonpayable
    def balanceOf(owner: address) -> uint256: view


interface Margin:
    def assess(
        account: address, cash: int256, words: uint256[17], holdings: uint256[ASSETS]
    ) -> Assessment: view
    def assess_exactly(
        account: address, cash: int256, words: uint256[17], holdings: uint256[ASSETS]
    ) -> Assessment: view
    def worth(words: uint256[17], spots: uint256[MARKETS]) -> int256: view
    def mark(instrument: uint256, price: uint256) -> int256: view
    def payoff(instrument: uint256, price: uint256) -> int256: view
    def prices() -> (uint256[MARKETS], bool): view
    def price(number: uint256) -> Reading: view
    def collateral_price(number: uint256) -> (uint256, Asset, bool): view
    def expiry(instrument: uint256) -> uint256: view
    def asset_count() -> uint256: view
    def market_count() -> uint256: view


struct Assessment:
    equity: int256
    liquid: int256
    maintenance: uint256
    called: uint256
    initial: uint256
    live: bool


struct Reading:
    price: uint256
    doubt: uint256
    time: uint256
    live: bool


struct Asset:
    market: bytes32
    unit: uint256
    haircut: uint256


struct Order:
    account: address
    instrument: uint256
    lots: int256           # signed: the maker buys where positive
    price: uint256         # quote units per lot
    salt: uint256
    deadline: uint64


struct Signature:
    v: uint8
    r: bytes32
    s: bytes32


event TokenListed:
    number: uint256
    token: address


event ListingClosed:
    pass


event Deposited:
    account: indexed(address)
    asset: uint256         # NOT_COLLATERAL for quote currency
    amount: uint256


event Withdrawn:
    account: indexed(address)
    asset: uint256
    amount: uint256


event Traded:
    maker: indexed(address)
    taker: indexed(address)
    instrument: uint256
    lots: int256
    price: uint256


event OrderCancelled:
    order: indexed(bytes32)


event AuctionStarted:
    account: indexed(address)


event AuctionEnded:
    account: indexed(address)


event Sold:
    account: indexed(address)
    bidder: indexed(address)
    share: uint256
    premium: uint256
    from_fund: uint256


event CollateralSold:
    account: indexed(address)
    bidder: indexed(address)
    asset: uint256
    amount: uint256
    cost: uint256


event Absorbed:
    account: indexed(address)
    from_fund: uint256
    shortfall: uint256


event AllocationBegun:
    spots: uint256[MARKETS]


event Charged:
    account: indexed(address)
    amount: uint256


event AllocationEnded:
    uncovered: uint256


event SettlementFixed:
    instrument: indexed(uint256)
    payoff: int256


event Settled:
    account: indexed(address)
    instrument: indexed(uint256)
    amount: int256


event FundGiven:
    amount: uint256


event WoundDown:
    pass


ONE: constant(uint256) = 1_000_000_000
MARKETS: constant(uint256) = 8
ASSETS: constant(uint256) = 8
NOT_COLLATERAL: constant(uint256) = 255
MOST_AMOUNT: constant(uint256) = 2 ** 120
MOST_PRICE: constant(uint256) = 2 ** 80
LEAST_DEPOSIT: constant(uint256) = 10_000_000
AUCTION: constant(uint256) = 1_200
SMALL: constant(uint256) = 100_000_000
# Seconds that an allocation waits for the price of a market
PATIENCE: constant(uint256) = 86_400
HALF_ORDER: constant(uint256) = 57_896_044_618_658_097_711_785_492_504_343_953_926_418_782_139_537_452_191_302_581_570_759_080_747_168
DOMAIN_TYPE: constant(bytes32) = keccak256(
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
ORDER_TYPE: constant(bytes32) = keccak256(
    "Order(address account,uint256 instrument,int256 lots,uint256 price,uint256 salt,uint64 deadline)"
)

QUOTE: public(immutable(address))
MARGIN: public(immutable(address))
GUARDIAN: public(immutable(address))
lister: public(address)
winding_down: public(bool)

tokens: public(address[ASSETS])
cash: public(HashMap[address, int256])
basis: public(HashMap[address, int256])
holdings: HashMap[address, uint256[ASSETS]]
filled: public(HashMap[bytes32, int256])
auctions: public(HashMap[address, uint256])
payoffs: public(HashMap[uint256, int256])
# boards, a bit each, of which something was ever fixed
settling: uint256
fixed: public(HashMap[uint256, uint256])
fund: public(uint256)
shortfall: public(uint256)

accounts: public(HashMap[uint256, address])
places: HashMap[address, uint256]
account_count: public(uint256)

allocating: public(bool)
weighed: public(uint256)
charged: public(uint256)
weight: public(uint256)
running: uint256
allocated: uint256
spots: uint256[MARKETS]
# markets whose price an allocation no longer waits for, a bit each
silent: uint256
weights: HashMap[uint256, uint256]


@deploy
def __init__(quote: address, margin: address, guardian: address):
    """
    @notice Begin with an empty ledger.
    @param quote The quote token, six decimals.
    @param margin What values accounts and asks for margin.
    @param guardian May end new risk.
    """
    QUOTE = quote
    MARGIN = margin
    GUARDIAN = guardian
    self.lister = msg.sender


# What the guardian and the lister may do


@external
def list_token(number: uint256, token: address):
    """
    @notice Name the token of a collateral, once.
    @param number Of the asset, as the requirements list it.
    @param token Its contract.
    """
    assert msg.sender == self.lister, "house: not the lister"
    assert number < staticcall Margin(MARGIN).asset_count(), "house: no such asset"
    assert self.tokens[number] == empty(address) and token != QUOTE, "house: listed already"
    self.tokens[number] = token
    log TokenListed(number=number, token=token)


@external
def close_listing():
    """
    @notice Give up for ever the right to list.
    """
    assert msg.sender == self.lister, "house: not the lister"
    self.lister = empty(address)
    log ListingClosed()


@external
def wind_down():
    """
    @notice End new risk for ever.
    """
    assert msg.sender == GUARDIAN, "house: not the guardian"
    self.winding_down = True
    log WoundDown()


# What owners do with their own


@external
def deposit(amount: uint256):
    """
    @notice Pay in quote currency.
    @param amount Units.
    """
    self._require_open()
    self._enlist(msg.sender, amount)
    self._pull(QUOTE, amount)
    self.cash[msg.sender] += convert(amount, int256)
    self.basis[msg.sender] += convert(amount, int256)
    log Deposited(account=msg.sender, asset=NOT_COLLATERAL, amount=amount)


@external
def deposit_collateral(number: uint256, amount: uint256):
    """
    @notice Pay in another collateral.
    @param number Of the asset.
    @param amount Units of its token.
    """
    self._require_open()
    assert number < ASSETS and self.tokens[number] != empty(address), "house: no such asset"
    assert self.places[msg.sender] != 0, "house: no account"
    self._pull(self.tokens[number], amount)
    self.holdings[msg.sender][number] += amount
    assert self.holdings[msg.sender][number] <= MOST_AMOUNT, "house: amount"
    log Deposited(account=msg.sender, asset=number, amount=amount)


@external
def withdraw(amount: uint256):
    """
    @notice Take out quote currency; what is left must meet initial margin, and is never a debt.
    @param amount Units.
    """
    self._require_open()
    assert 0 < amount and amount <= MOST_AMOUNT, "house: amount"
    self._settle_fixed(msg.sender)
    self.cash[msg.sender] -= convert(amount, int256)
    self.basis[msg.sender] -= convert(amount, int256)
    self._require_initial(msg.sender, True)
    self._retire(msg.sender)
    self._push(QUOTE, amount)
    log Withdrawn(account=msg.sender, asset=NOT_COLLATERAL, amount=amount)


@external
def withdraw_collateral(number: uint256, amount: uint256):
    """
    @notice Take out another collateral; what is left must meet initial margin.
    @param number Of the asset.
    @param amount Units of its token.
    """
    self._require_open()
    assert number < ASSETS and 0 < amount and amount <= self.holdings[msg.sender][number], "house: amount"
    self._settle_fixed(msg.sender)
    self.holdings[msg.sender][number] -= amount
    self._require_initial(msg.sender, False)
    self._retire(msg.sender)
    self._push(self.tokens[number], amount)
    log Withdrawn(account=msg.sender, asset=number, amount=amount)


@external
def give_fund(amount: uint256):
    """
    @notice Pay into the insurance fund for good; what winners are still to pay is paid first.
    @param amount Units.
    """
    self._require_open()
    self._pull(QUOTE, amount)
    paid: uint256 = min(amount, self.shortfall)
    self.shortfall -= paid
    self.fund += amount - paid
    log FundGiven(amount=amount)


@external
def fill(order: Order, signature: Signature, lots: int256):
    """
    @notice Take the other side of a signed order; the house stands between both.
    @param order What its maker signed.
    @param signature Of the maker.
    @param lots Of the order, with its sign; all of it or a part.
    """
    self._require_open()
    assert order.account != msg.sender, "house: own order"
    assert block.timestamp <= convert(order.deadline, uint256), "house: expired"
    assert order.price <= MOST_PRICE, "house: price"
    name: bytes32 = self._signed(order, signature)
    self.filled[name] += lots
    self._require_part(order.lots, lots, self.filled[name])
    expiry: uint256 = staticcall Margin(MARGIN).expiry(order.instrument)
    assert expiry == 0 or block.timestamp < expiry, "house: expired"
    cost: int256 = lots * convert(order.price, int256)
    self._trade(order.account, order.instrument, lots, -cost)
    self._trade(msg.sender, order.instrument, -lots, cost)
    log Traded(maker=order.account, taker=msg.sender, instrument=order.instrument, lots=lots, price=order.price)


@external
def cancel(order: Order):
    """
    @notice Let an order of one's own count as filled.
    @param order Which one.
    """
    assert order.account == msg.sender, "house: not the maker"
    name: bytes32 = self._order_name(order)
    self.filled[name] = order.lots
    log OrderCancelled(order=name)


# What anyone does to an account that fails


@external
def start_auction(account: address):
    """
    @notice Put an account up for auction: it is below maintenance, or owes without any position.
    @param account Whose.
    """
    self._require_open()
    assert self.auctions[account] == 0, "house: in auction"
    self._settle_fixed(account)
    found: Assessment = self._assessed_exactly(account)
    self._require_live(found)
    assert found.equity < convert(found.maintenance, int256) or self._owes(account), "house: healthy"
    self.auctions[account] = block.timestamp
    log AuctionStarted(account=account)


@external
def end_auction(account: address):
    """
    @notice Take an account out of auction: it is back at its call level and owes nothing without a position.
    @param account Whose.
    """
    self._require_open()
    assert self.auctions[account] != 0, "house: no auction"
    self._settle_fixed(account)
    found: Assessment = self._assessed_exactly(account)
    self._require_live(found)
    self._require_restored(account, found)
    self.auctions[account] = 0
    log AuctionEnded(account=account)


@external
def bid(account: address, share: uint256) -> uint256:
    """
    @notice Take over a share of all positions of an account in auction, at the mark, for a premium that grows with
            time. No more is sold than brings the account back to initial margin, unless that is small or the auction
            has run its time.
    @param account Whose positions.
    @param share Billionths wanted.
    @return Billionths that were sold.
    """
    self._require_open()
    assert self.auctions[account] != 0, "house: no auction"
    assert account != msg.sender, "house: own account"
    assert 0 < share and share <= ONE, "house: share"
    assert self.places[msg.sender] != 0, "house: no account"
    self._settle_fixed(account)
    self._settle_fixed(msg.sender)
    before: Assessment = self._assessed_exactly(account)
    self._require_live(before)
    assert before.equity < convert(before.called, int256), "house: restored"
    elapsed: uint256 = min(block.timestamp - self.auctions[account], AUCTION)
    full: uint256 = before.maintenance * elapsed // AUCTION
    own: uint256 = min(full, convert(max(before.equity, 0), uint256))
    sold: uint256 = share
    if elapsed < AUCTION and before.initial > SMALL:
        sold = min(share, self._most_share(before, own))
    premium: uint256 = own * sold // ONE
    from_fund: uint256 = 0
    if before.equity <= 0:
        # while there is equity the fund adds nothing: whoever owns both sides would collect it
        from_fund = min((full - own) * sold // ONE, self.fund)
    self._take_over(account, msg.sender, sold)
    self.fund -= from_fund
    self.cash[account] -= convert(premium, int256)
    self.cash[msg.sender] += convert(premium + from_fund, int256)
    self._require_initial(msg.sender, False)
    self._require_no_worse(account, before)
    log Sold(account=account, bidder=msg.sender, share=sold, premium=premium, from_fund=from_fund)
    return sold


@external
def buy_collateral(account: address, number: uint256, amount: uint256) -> uint256:
    """
    @notice Buy collateral of an account in auction that owes without any position, at a discount that grows with time
            up to its haircut. No more is sold than pays the debt.
    @param account Whose collateral.
    @param number Of the asset.
    @param amount Units of its token wanted.
    @return Units that were sold.
    """
    self._require_open()
    self._settle_fixed(msg.sender)
    assert self.auctions[account] != 0 and self._owes(account), "house: owes nothing"
    assert account != msg.sender and number < ASSETS, "house: own account"
    assert self.places[msg.sender] != 0, "house: no account"
    price: uint256 = 0
    asset: Asset = empty(Asset)
    live: bool = False
    price, asset, live = staticcall Margin(MARGIN).collateral_price(number)
    assert live, "house: no live price"
    elapsed: uint256 = min(block.timestamp - self.auctions[account], AUCTION)
    # quote units per whole token, after the discount; at least one, so that nothing is given away
    each: uint256 = max(price * (ONE * AUCTION - asset.haircut * elapsed) // (ONE * AUCTION * 10 ** 12), 1)
    debt: uint256 = convert(-self.cash[account], uint256)
    most: uint256 = min(self.holdings[account][number], (debt * asset.unit + each - 1) // each)
    sold: uint256 = min(amount, most)
    assert sold != 0, "house: amount"
    cost: uint256 = (sold * each + asset.unit - 1) // asset.unit
    self.holdings[account][number] -= sold
    self.holdings[msg.sender][number] += sold
    assert self.holdings[msg.sender][number] <= MOST_AMOUNT, "house: amount"
    self.cash[account] += convert(cost, int256)
    self.cash[msg.sender] -= convert(cost, int256)
    self._require_initial(msg.sender, True)
    log CollateralSold(account=account, bidder=msg.sender, asset=number, amount=sold, cost=cost)
    return sold


@external
def absorb(account: address):
    """
    @notice Pay what an account without positions and collateral owes: from the fund, then it is for winners to pay.
    @param account Whose debt.
    """
    self._require_open()
    assert self._owes(account), "house: owes nothing"
    for amount: uint256 in self.holdings[account]:
        assert amount == 0, "house: collateral left"
    debt: uint256 = convert(-self.cash[account], uint256)
    paid: uint256 = min(debt, self.fund)
    self.fund -= paid
    self.shortfall += debt - paid
    self.cash[account] = 0
    self.basis[account] = 0
    self.auctions[account] = 0
    self._retire(account)
    log Absorbed(account=account, from_fund=paid, shortfall=debt - paid)


@external
def begin_allocation(winner: address):
    """
    @notice Begin to divide the shortfall among winners, at prices held from now on. Until all are charged nothing else
            happens; anyone may go on with it. A market without a live price is waited for until the last one recorded
            is a day old; then whoever holds of it is left out.
    @param winner An account that can pay the whole shortfall or ten units of it: nobody closes the house for nothing.
    """
    self._require_open()
    assert self.shortfall != 0, "house: no shortfall"
    live: bool = False
    self.spots, live = staticcall Margin(MARGIN).prices()
    self.silent = 0 if live else self._silent_markets()
    self._settle_fixed(winner)
    assert self._capacity(winner) >= min(self.shortfall, LEAST_DEPOSIT), "house: no winner"
    self.allocating = True
    self.weighed = 0
    self.charged = 0
    self.weight = 0
    self.running = 0
    self.allocated = 0
    log AllocationBegun(spots=self.spots)


@external
def weigh(count: uint256):
    """
    @notice Find what the next accounts can pay.
    @param count How many.
    """
    assert self.allocating and self.weighed < self.account_count, "house: nothing to weigh"
    for place: uint256 in range(self.weighed, min(self.weighed + count, self.account_count), bound=256):
        account: address = self.accounts[place]
        self._settle_fixed(account)
        capacity: uint256 = self._capacity(account)
        self.weights[place] = capacity
        self.weight += capacity
        self.weighed += 1


@external
def charge(count: uint256):
    """
    @notice Charge the next accounts; the last one ends the allocation. Shares are cut from the running sum, so that
            they add up exactly and none is off by a whole unit.
    @param count How many.
    """
    assert self.allocating and self.weighed == self.account_count, "house: weigh first"
    total: uint256 = min(self.shortfall + self.allocated, self.weight)
    for place: uint256 in range(self.charged, min(self.charged + count, self.account_count), bound=256):
        share: uint256 = 0
        if self.weight != 0:
            self.running += self.weights[place]
            share = total * self.running // self.weight - self.allocated
        self.weights[place] = 0
        if share != 0:
            account: address = self.accounts[place]
            self.cash[account] -= convert(share, int256)
            self.allocated += share
            self.shortfall -= share
            log Charged(account=account, amount=share)
        self.charged += 1
    if self.charged == self.account_count:
        self.allocating = False
        log AllocationEnded(uncovered=self.shortfall)


# Expiry


@external
def fix_settlement(instrument: uint256):
    """
    @notice Fix what an expired instrument pays, by the first live price after its expiry that anyone brings.
    @param instrument Its id.
    """
    self._require_open()
    expiry: uint256 = staticcall Margin(MARGIN).expiry(instrument)
    assert expiry != 0 and expiry <= block.timestamp, "house: not expired"
    assert self.fixed[instrument] != expiry, "house: fixed already"
    reading: Reading = staticcall Margin(MARGIN).price(instrument >> 13)
    assert reading.live and reading.time >= expiry, "house: no live price"
    payoff: int256 = staticcall Margin(MARGIN).payoff(instrument, reading.price)
    self.payoffs[instrument] = payoff
    self.fixed[instrument] = expiry
    self.settling |= 1 << (instrument >> 10)
    log SettlementFixed(instrument=instrument, payoff=payoff)


@external
def settle(account: address, instrument: uint256):
    """
    @notice Turn an account's lots of an expired instrument into cash; whole units, so that all accounts sum to zero.
    @param account Whose.
    @param instrument Its id.
    """
    self._require_open()
    assert self.fixed[instrument] == staticcall Margin(MARGIN).expiry(instrument), "house: not fixed"
    assert self.fixed[instrument] != 0, "house: not fixed"
    lots: int256 = positions._lots(account, instrument)
    assert lots != 0, "house: no position"
    self._settle(account, instrument, lots)


# What anyone may see


@external
@view
def assessed(account: address) -> Assessment:
    """
    @notice What an account has and must hold now.
    @param account Whose.
    @return Quote units.
    """
    return self._assessed(account)


@external
@view
def assessed_exactly(account: address) -> Assessment:
    """
    @notice The same by the exact path alone: what an auction and a refusal go by.
    @param account Whose.
    @return Quote units.
    """
    return self._assessed_exactly(account)


@external
@view
def lots(account: address, instrument: uint256) -> int256:
    """
    @notice An account's position.
    @param account Whose.
    @param instrument Its id.
    @return Signed lots.
    """
    return positions._lots(account, instrument)


@external
@view
def words(account: address) -> uint256[17]:
    """
    @notice An account's positions, six a word.
    @param account Whose.
    @return As the margin engine takes them.
    """
    return positions._read(account)


@external
@view
def collateral(account: address) -> uint256[ASSETS]:
    """
    @notice An account's collateral by asset.
    @param account Whose.
    @return Units of each token.
    """
    return self.holdings[account]


@external
@view
def order_name(order: Order) -> bytes32:
    """
    @notice The digest that the maker of an order signs.
    @param order Which one.
    @return EIP-712 digest.
    """
    return self._order_name(order)


# Inside


@internal
@view
def _require_open():
    assert not self.allocating, "house: allocating"


@internal
@view
def _require_live(found: Assessment):
    assert found.live, "house: no live price"


@internal
@view
def _require_initial(account: address, owing: bool):
    """
    @notice Initial margin is met, and where it matters the account owes nothing. Packed rows may say so; only the exact
            path may deny it, so that no published row keeps anybody's money.
    """
    found: Assessment = self._assessed(account)
    if not self._meets_initial(found) or (owing and found.liquid < 0):
        found = self._assessed_exactly(account)
    # without positions nothing is required, but collateral and cash must not sum to a debt
    assert found.live or found.initial == 0, "house: no live price"
    assert self._meets_initial(found), "house: below initial margin"
    assert not owing or found.liquid >= 0, "house: a debt"


@internal
@pure
def _meets_initial(found: Assessment) -> bool:
    return found.equity >= convert(found.initial, int256)


@internal
@view
def _require_restored(account: address, found: Assessment):
    assert found.equity >= convert(found.called, int256) and not self._owes(account), "house: not restored"


@internal
@view
def _require_no_worse(account: address, before: Assessment):
    """
    @notice Equity per maintenance must not fall where there was equity.
    """
    after: Assessment = self._assessed_exactly(account)
    if before.equity > 0 and after.maintenance != 0:
        assert after.equity * convert(before.maintenance, int256) >= before.equity * convert(
            after.maintenance, int256
        ), "house: worse"


@internal
@view
def _owes(account: address) -> bool:
    return self.cash[account] < 0 and positions._none(account)


@internal
@view
def _assessed(account: address) -> Assessment:
    return staticcall Margin(MARGIN).assess(
        account, self.cash[account], positions._read(account), self.holdings[account]
    )


@internal
@view
def _assessed_exactly(account: address) -> Assessment:
    return staticcall Margin(MARGIN).assess_exactly(
        account, self.cash[account], positions._read(account), self.holdings[account]
    )


@internal
@pure
def _require_part(whole: int256, lots: int256, filled: int256):
    assert lots != 0 and (lots > 0) == (whole > 0), "house: lots"
    assert abs(filled) <= abs(whole), "house: filled"


@internal
@pure
def _most_share(before: Assessment, premium: uint256) -> uint256:
    """
    @notice The share s that brings equity - s premium to (1 - s) initial, rounded up.
    """
    if before.equity <= 0:
        return ONE
    # premium <= equity < called <= initial, so that the divisor is positive and no less than the dividend
    missing: uint256 = before.initial - convert(before.equity, uint256)
    return (missing * ONE + before.initial - premium - 1) // (before.initial - premium)


@internal
def _take_over(account: address, bidder: address, share: uint256):
    """
    @notice Move a share of every position at the mark, rounded up to whole lots.
    """
    spots: uint256[MARKETS] = empty(uint256[MARKETS])
    live: bool = False
    spots, live = staticcall Margin(MARGIN).prices()
    words: uint256[17] = positions._read(account)
    for word: uint256 in words:
        if word == 0:
            break
        for place: uint256 in range(positions.LANES):
            lane: uint256 = (word >> (positions.LANE_BITS * place)) & positions.LANE
            if lane != 0:
                instrument: uint256 = lane >> positions.LOTS_BITS
                held: int256 = positions._signed(lane)
                size: uint256 = (convert(abs(held), uint256) * share + ONE - 1) // ONE
                lots: int256 = convert(size, int256)
                if held < 0:
                    lots = -lots
                value: int256 = lots * staticcall Margin(MARGIN).mark(instrument, spots[instrument >> 13])
                positions._change(account, instrument, -lots)
                positions._change(bidder, instrument, lots)
                self.cash[account] += value
                self.cash[bidder] -= value
    self._rebase(account)
    self._rebase(bidder)


@internal
def _trade(account: address, instrument: uint256, lots: int256, paid: int256):
    """
    @notice Book one side of a trade. It meets initial margin afterwards, or it reduces the position, leaves no less
            equity above maintenance than before, and makes or deepens no debt. Packed rows may say so; only the exact path may deny it.
    """
    assert self.places[account] != 0, "house: no account"
    self._settle_fixed(account)
    held: int256 = positions._lots(account, instrument)
    reduces: bool = (held > 0) != (lots > 0) and abs(lots) <= abs(held)
    before: Assessment = empty(Assessment)
    if reduces:
        before = self._assessed(account)
    else:
        assert not self.winding_down, "house: winding down"
    self._book(account, instrument, lots, paid)
    after: Assessment = self._assessed(account)
    if not self._allowed(before, after, reduces):
        after = self._assessed_exactly(account)
        if reduces:
            self._book(account, instrument, -lots, -paid)
            before = self._assessed_exactly(account)
            self._book(account, instrument, lots, paid)
        if not self._allowed(before, after, reduces):
            self._require_live(after)
            raise "house: below initial margin"
    self._rebase(account)


@internal
def _book(account: address, instrument: uint256, lots: int256, paid: int256):
    positions._change(account, instrument, lots)
    self.cash[account] += paid


@internal
@pure
def _allowed(before: Assessment, after: Assessment, reduces: bool) -> bool:
    if after.live and self._meets_initial(after):
        return True
    # a debt is for others to pay: maintenance that is set free by closing may not be given away into one
    return reduces and self._excess(after) >= self._excess(before) and after.equity >= min(before.equity, 0)


@internal
def _settle_fixed(account: address):
    """
    @notice Settle what is fixed before an account is judged: its payoff no longer moves, while its mark would.
    """
    flagged: uint256 = self.settling
    if flagged == 0:
        return
    words: uint256[17] = positions._read(account)
    for word: uint256 in words:
        if word == 0:
            break
        for place: uint256 in range(positions.LANES):
            lane: uint256 = (word >> (positions.LANE_BITS * place)) & positions.LANE
            instrument: uint256 = lane >> positions.LOTS_BITS
            if lane != 0 and (flagged >> (instrument >> 10)) & 1 == 1:
                fixed: uint256 = self.fixed[instrument]
                if fixed != 0 and fixed == staticcall Margin(MARGIN).expiry(instrument):
                    self._settle(account, instrument, positions._signed(lane))


@internal
def _settle(account: address, instrument: uint256, lots: int256):
    positions._change(account, instrument, -lots)
    amount: int256 = lots * self.payoffs[instrument]
    self.cash[account] += amount
    self._rebase(account)
    log Settled(account=account, instrument=instrument, amount=amount)


@internal
@pure
def _excess(found: Assessment) -> int256:
    return found.equity - convert(found.maintenance, int256)


@internal
def _rebase(account: address):
    """
    @notice Without positions, gains count from here.
    """
    if positions._none(account):
        self.basis[account] = self.cash[account]


@internal
@view
def _silent_markets() -> uint256:
    """
    @notice Markets without a live price for so long that an allocation goes on without who holds of them; it waits for
            the others, or whoever won there would let the rest pay while a feed is late.
    """
    silent: uint256 = 0
    for number: uint256 in range(staticcall Margin(MARGIN).market_count(), bound=MARKETS):
        reading: Reading = staticcall Margin(MARGIN).price(number)
        if not reading.live:
            assert block.timestamp > reading.time + PATIENCE, "house: no live price"
            silent |= 1 << number
    return silent


@internal
@view
def _capacity(account: address) -> uint256:
    """
    @notice What an account can pay at the prices held: what it gained since it last held nothing, and no more than it
            has; nothing where it holds of a silent market, for what it has is not known.
    """
    words: uint256[17] = positions._read(account)
    silent: uint256 = self.silent
    if silent != 0:
        for word: uint256 in words:
            if word == 0:
                break
            for place: uint256 in range(positions.LANES):
                lane: uint256 = (word >> (positions.LANE_BITS * place)) & positions.LANE
                if lane != 0 and (silent >> (lane >> (positions.LOTS_BITS + 13))) & 1 == 1:
                    return 0
    worth: int256 = staticcall Margin(MARGIN).worth(words, self.spots)
    if worth == 0:
        return 0
    liquid: int256 = self.cash[account] + worth
    return convert(max(min(liquid - self.basis[account], liquid), 0), uint256)


@internal
@view
def _order_name(order: Order) -> bytes32:
    domain: bytes32 = keccak256(
        abi_encode(DOMAIN_TYPE, keccak256("Plimsoll"), keccak256("1"), chain.id, self)
    )
    return keccak256(concat(b"\x19\x01", domain, keccak256(abi_encode(ORDER_TYPE, order))))


@internal
@view
def _signed(order: Order, signature: Signature) -> bytes32:
    name: bytes32 = self._order_name(order)
    assert convert(signature.s, uint256) <= HALF_ORDER, "house: malleable"
    signer: address = ecrecover(name, signature.v, signature.r, signature.s)
    assert signer == order.account and signer != empty(address), "house: not signed"
    return name


@internal
def _pull(token: address, amount: uint256):
    """
    @notice Take tokens from the caller; one that delivers less than it was asked for is refused.
    """
    assert 0 < amount and amount <= MOST_AMOUNT, "house: amount"
    before: uint256 = staticcall Token(token).balanceOf(self)
    assert extcall Token(token).transferFrom(msg.sender, self, amount, default_return_value=True), "house: transfer"
    assert staticcall Token(token).balanceOf(self) == before + amount, "house: fee on transfer"


@internal
def _push(token: address, amount: uint256):
    assert extcall Token(token).transfer(msg.sender, amount, default_return_value=True), "house: transfer"


@internal
def _enlist(account: address, amount: uint256):
    if self.places[account] == 0:
        assert amount >= LEAST_DEPOSIT, "house: amount"
        self.accounts[self.account_count] = account
        self.account_count += 1
        self.places[account] = self.account_count


@internal
def _retire(account: address):
    """
    @notice Strike an account that holds nothing off the list; the last one takes its place.
    """
    place: uint256 = self.places[account]
    if place == 0 or self.cash[account] != 0 or not positions._none(account):
        return
    for amount: uint256 in self.holdings[account]:
        if amount != 0:
            return
    last: address = self.accounts[self.account_count - 1]
    self.accounts[place - 1] = last
    self.places[last] = place
    self.places[account] = 0
    self.accounts[self.account_count - 1] = empty(address)
    self.account_count -= 1
    self.basis[account] = 0
