"""Does whatever anyone does to the protocol on chain keep its ledger, its limits and its order of payment?

Every call goes to contract and twin and must answer or refuse alike. `PLIMSOLL_CHAIN_EXAMPLES` sets how many
runs of forty steps are made; the default makes 2,400 steps.
"""

import os
from contextlib import suppress
from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from plimsoll.chain.twin.boards import Listing
from plimsoll.chain.twin.fixed_point import Revert
from plimsoll.chain.twin.ledger import LEAST_DEPOSIT
from plimsoll.chain.twin.option_bounds import forward_limit
from plimsoll.chain.twin.positions import instrument_id
from plimsoll.chain.twin.publication import Quote
from plimsoll.chain.twin.rates import HOUR, ONE, MarketRates, SideRates
from plimsoll.chain.twin.reverts import Message
from tests.support.houses import BTC_PERP, E6, ETH_PERP, LOTS, PRICES, TRADERS, WETH, House
from tests.support.option_desks import OPTION_BOUNDS
from tests.support.reporters import BITCOIN, BOUNDS, ETHER, publish

EXAMPLES = int(os.environ.get("PLIMSOLL_CHAIN_EXAMPLES", "60"))
STEPS = 40
TRADER = st.sampled_from(TRADERS)
MARKET = st.sampled_from([BITCOIN, ETHER])
AMOUNT = st.sampled_from([1, 9_999_999, 10 * E6, 3_333_333_333, 50_000 * E6, 2_000_000 * E6])
INSTRUMENTS = {BTC_PERP: BITCOIN, ETH_PERP: ETHER}
WHICH = st.integers(0, 5)
"""Of the perpetuals and the options of the newest board, counted round."""
SCENARIOS = tuple((spot, move) for spot in (-(10**6), -400_000, 400_000, 10**6) for move in (0, 450_000))
ROUNDING = 4
"""Quanta by which equity may differ when positions meet: two accounts are rounded down before and after."""
DAY, WAD = 86_400, 10**18


class Protocol(RuleBasedStateMachine):
    """Five accounts, two perpetuals, options, reporters, feeds and a guardian, all doing what they like."""

    @initialize()
    def open_accounts(self):
        self.house = House()
        for trader in TRADERS[:4]:
            self.house.both("deposit", 100_000 * E6, sender=trader)
        for trader in TRADERS[:2]:
            self.house.both("deposit_collateral", WETH, 20 * 10**18, sender=trader)
        self.house.both("give_fund", 5_000 * E6, sender=TRADERS[4])
        self.house.desk.open(0, BITCOIN, LOTS[BITCOIN], scenarios=SCENARIOS)
        self.house.desk.list(0, 0, (Listing(0),))
        self.house.desk.publish(0, self.house.desk.publication(0, (Quote(),), PRICES[BITCOIN] * WAD))
        self.options = []
        self.boards = 0
        self.list_options(2)

    @property
    def ledger(self):
        return self.house.house.twin.ledger

    def assessed(self, account):
        """What an account has and must hold by the exact path; never more than packed rows ask for."""
        quick = self.house.both("assessed", account, sender="keeper")
        exact = self.house.both("assessed_exactly", account, sender="keeper")
        assert quick.equity <= exact.equity
        return exact

    def instrument(self, which):
        """Choose among what can be traded: the perpetuals and what has not expired."""
        now = self.house.chain.timestamp
        alive = [each for each in self.options if self.listing(each).expiry > now]
        traded = [*sorted(INSTRUMENTS), *alive]
        return traded[which % len(traded)]

    def listing(self, option):
        return self.house.world.twin.boards[option >> 10].listings[option & 1023]

    def spot(self):
        return self.house.oracle.both("reading", BITCOIN).price

    @precondition(lambda self: self.boards < 7)
    @rule(days=st.sampled_from([1, 3]))
    def list_options(self, days):
        """Let the quorum list a call and a put on a board of their own, and publish them."""
        expiry = self.house.chain.timestamp + days * DAY
        dollars = self.spot() // WAD
        strikes = dollars * 21 // 20 * WAD, dollars * 19 // 20 * WAD
        self.boards += 1
        self.house.desk.list(0, self.boards, (Listing(1, expiry, strikes[0]), Listing(2, expiry, strikes[1])))
        self.options = [instrument_id(0, self.boards, row) for row in (0, 1)] + self.options
        self.publish_options(0, 0, 0, 0)

    @rule(
        place=st.integers(0, 1),
        volatility=st.sampled_from([0, 0, 1, -1, 9, -9]),
        forward=st.sampled_from([0, 0, 1, -1, 9]),
        decay=st.sampled_from([0, 0, 2**40]),
    )
    def publish_options(self, place, volatility, forward, decay):
        """Let the quorum push as far as it may, or farther; the desk holds it to bounds and speed."""
        key = (self.options[0] >> 10) - place
        twin, desk, now = self.house.world.twin, self.house.desk, self.house.chain.timestamp
        board = twin.boards.get(key)
        if board is None or len(board.listings) != 2 or board.as_of == now:
            return  # the engine takes no moment twice
        elapsed = min(now - desk.pair.both("published", 0, key & 7), OPTION_BOUNDS.fresh_for)
        shift = OPTION_BOUNDS.shift_per_hour * elapsed // HOUR
        quotes = []
        for row, listing in zip(board.rows or (None, None), board.listings, strict=True):
            old = (row.volatility, row.basis) if row else (600_000, 0)
            rise = old[0] * OPTION_BOUNDS.fall_per_hour * elapsed // (ONE * HOUR)
            limit = forward_limit(OPTION_BOUNDS, listing, now)
            kept = max(min(old[1], limit), -limit)
            quotes.append(Quote(kept + forward * shift, max(old[0] + volatility * rise, 1)))
        sent = replace(desk.publication(key, quotes, self.spot()), decay=decay or 2**30)
        with suppress(Revert):
            desk.publish(key, sent)
        self.refute(key, 0)

    def refute(self, key, row):
        """Anyone checks a row; an honest one stands."""
        engine, twin = self.house.world.contract, self.house.world.twin
        board = twin.boards[key]
        if board.as_of and not board.superseded and not board.refuted:
            refuted = engine.call("challenge", key >> 3, key & 7, row, sender="stranger")
            assert refuted == (not twin.holds(key << 10 | row))
            twin.boards[key] = replace(board, refuted=refuted)

    @rule(keeper=TRADER, writer=TRADER, wait=st.sampled_from([0, HOUR]))
    def settle_what_expired(self, keeper, writer, wait):
        """Write the oldest unsettled option once more, let it expire and settle everybody, to the unit."""
        left = [each for each in self.options if each not in self.house.house.twin.payoffs]
        if not left:
            return
        option = left[-1]
        if self.listing(option).expiry > self.house.chain.timestamp:
            with suppress(Revert):
                self.house.trade(writer, keeper, option, -701)
        remaining = max(self.listing(option).expiry - self.house.chain.timestamp, 0)
        self.house.crash(BITCOIN, self.house.standing(BITCOIN), remaining + wait)
        if self.house.refused("fix_settlement", option, sender=keeper) is not None:
            return
        before = sum(self.ledger.cash.values())
        for account in list(self.ledger.accounts):
            self.house.refused("settle", account, option, sender=keeper)
        assert sum(self.ledger.cash.values()) == before, "a settlement made or lost money"
        assert not any(option in self.ledger.book(account) for account in self.ledger.accounts)

    @rule(trader=TRADER, amount=AMOUNT)
    def deposit(self, trader, amount):
        self.house.refused("deposit", amount, sender=trader)

    @rule(trader=TRADER, amount=AMOUNT)
    def withdraw(self, trader, amount):
        if self.house.refused("withdraw", amount, sender=trader) is None:
            after = self.assessed(trader)
            assert after.equity >= after.initial, "a withdrawal went below initial margin"
            assert after.liquid >= 0

    @rule(trader=TRADER, ether=st.sampled_from([1, 10**18 + 7, 30 * 10**18]), out=st.booleans())
    def move_collateral(self, trader, ether, out):
        name = "withdraw_collateral" if out else "deposit_collateral"
        if self.house.refused(name, WETH, ether, sender=trader) is None and out:
            after = self.assessed(trader)
            assert after.equity >= after.initial

    @rule(
        maker=TRADER,
        taker=TRADER,
        which=WHICH,
        lots=st.sampled_from([1, -1, 700, -3_000, 9_000, -20_000]),
        skew=st.sampled_from([1.0, 1.0, 1.0, 0.93, 1.07]),
    )
    def trade(self, maker, taker, which, lots, skew):
        instrument = self.instrument(which)
        before = {account: dict(self.ledger.book(account)) for account in (maker, taker)}
        with suppress(Revert):
            self.house.trade(maker, taker, instrument, lots, self.house.lot_price(instrument) * skew)
            for account in (maker, taker):
                held, now = before[account].get(instrument, 0), self.ledger.book(account).get(instrument, 0)
                if abs(now) > abs(held):
                    found = self.assessed(account)
                    assert found.equity >= found.initial, "new risk was taken below initial margin"

    @rule(
        market=MARKET,
        move=st.sampled_from([0.8, 0.93, 0.97, 1.0, 1.02, 1.1, 1.3]),
        seconds=st.sampled_from([1, 60, 900]),
    )
    def move(self, market, move, seconds):
        standing = self.house.standing(market)
        least, most = PRICES[market] / 20, PRICES[market] * 20
        self.house.crash(market, min(max(standing * move, least), most), seconds)

    @rule(
        maker=TRADER,
        taker=TRADER,
        which=WHICH,
        share=st.sampled_from([95, -95, 60, -60]),
    )
    def lever(self, maker, taker, which, share):
        """Take nearly as much risk as the poorer of two accounts can."""
        instrument = self.instrument(which)
        perpetual = instrument & ~8_191
        rates = self.house.parameters.both("rates", INSTRUMENTS[perpetual])
        rate = max(rates.long.initial, rates.short.initial)
        free = min(found.equity - found.initial for found in map(self.assessed, (maker, taker)))
        lots = free * ONE * share // (100 * rate * round(self.house.lot_price(perpetual) * E6))
        for tried in (4 * lots, 2 * lots, lots) if instrument != perpetual else (lots,):
            if free > 0 and lots != 0:
                with suppress(Revert):
                    self.house.trade(maker, taker, instrument, tried)
                    return

    @rule(
        market=MARKET,
        move=st.sampled_from([0.75, 0.9, 0.94, 1.07, 1.12, 1.4]),
        wait=st.sampled_from([0, 300, 1_200]),
        bidder=TRADER,
        share=st.sampled_from([ONE // 5, ONE]),
        pair=st.sampled_from([(0, 1), (2, 0), (3, 1), (1, 2)]),
        page=st.sampled_from([1, 3, 256]),
        which=WHICH,
    )
    def lever_crash_and_clear(self, market, move, wait, bidder, share, pair, page, which):
        """Let two accounts lever up, a market jump, and keepers do all that they may."""
        for trader in (TRADERS[place] for place in pair):
            self.deposit(trader, 50_000 * E6)
        self.lever(TRADERS[pair[0]], TRADERS[pair[1]], which, -95 if which > 1 else 95)
        self.move(market, move, 60)
        for account in TRADERS:
            self.start_auction(account, bidder)
        self.move(market, 1.0, wait)
        for account in TRADERS:
            self.bid(account, bidder, share)
            self.end_auction(account)
            self.buy_collateral(account, bidder, 10**21)
            self.absorb(account)
        if self.ledger.shortfall:
            self.allocate(page)

    @rule(market=MARKET, price=st.sampled_from([0, -1]))
    def break_feeds(self, market, price):
        for feed in self.house.feed[market][:2]:
            self.house.feeds.answer(feed, price)
        assert not self.house.oracle.both("reading", market).live
        self.house.chain.pass_seconds(5)
        for feed in self.house.feed[market]:
            kept = self.house.oracle.twin.reading(self.block(), market).price // 10**10
            self.house.feeds.answer(feed, kept)

    def block(self):
        return Message(TRADERS[0], self.house.chain.timestamp)

    @rule(market=MARKET)
    def observe(self, market):
        with suppress(Revert):
            self.house.oracle.both("observe", market)

    @rule(account=TRADER, keeper=TRADER)
    def start_auction(self, account, keeper):
        before, owes = self.assessed(account), self.ledger.owes(account)
        if self.house.refused("start_auction", account, sender=keeper) is None:
            assert before.equity < before.maintenance or owes, "a healthy account was put up for auction"

    @rule(account=TRADER, bidder=TRADER, share=st.sampled_from([1, ONE // 7, ONE]))
    def bid(self, account, bidder, share):
        total = self.assessed(account).equity + self.assessed(bidder).equity + self.ledger.fund
        held = dict(self.ledger.book(account))
        if self.house.refused("bid", account, share, sender=bidder) is None:
            after = self.assessed(account).equity + self.assessed(bidder).equity + self.ledger.fund
            left = self.ledger.book(account)
            moved = sum(abs(lots - left.get(instrument, 0)) for instrument, lots in held.items())
            # a lot changes hands at whole quanta; beside options it is valued to a fraction of one
            assert abs(after - total) <= ROUNDING + moved, "an auction made or lost money"

    @rule(account=TRADER)
    def end_auction(self, account):
        if self.house.refused("end_auction", account, sender="keeper") is None:
            after = self.assessed(account)
            assert after.equity >= after.called

    @rule(account=TRADER, bidder=TRADER, ether=st.sampled_from([1, 10**18, 10**21]))
    def buy_collateral(self, account, bidder, ether):
        self.house.refused("buy_collateral", account, WETH, ether, sender=bidder)

    @rule(account=TRADER)
    def absorb(self, account):
        fund, shortfall, cash = self.ledger.fund, self.ledger.shortfall, self.ledger.cash_of(account)
        if self.house.refused("absorb", account, sender="keeper") is None:
            paid, left = fund - self.ledger.fund, self.ledger.shortfall - shortfall
            assert paid + left == -cash
            assert left == 0 or self.ledger.fund == 0, "winners were asked before the fund was empty"

    @precondition(lambda self: self.ledger.shortfall > 0)
    @rule(page=st.sampled_from([1, 2, 256]))
    def allocate(self, page):
        begin = (self.house.refused("begin_allocation", each, sender="keeper") for each in TRADERS)
        if all(reason is not None for reason in begin):
            return
        before = {account: self.ledger.cash_of(account) for account in self.ledger.accounts}
        shortfall = self.ledger.shortfall
        assert self.house.refused("withdraw", 1, sender=TRADERS[0]) == "house: allocating"
        for name in ("weigh", "charge"):
            for _ in range(-(-len(self.ledger.accounts) // page)):
                self.house.both(name, page, sender="keeper")
        paid = {account: before[account] - self.ledger.cash_of(account) for account in before}
        assert all(amount >= 0 for amount in paid.values())
        assert sum(paid.values()) == shortfall - self.ledger.shortfall
        assert sum(paid.values()) >= min(shortfall, LEAST_DEPOSIT), "the house was closed for nothing"
        for account, amount in paid.items():
            assert amount == 0 or self.ledger.book(account), "who had no open gain paid"

    @rule(
        market=MARKET,
        shift=st.sampled_from([0.9, 0.97, 0.99, 1.0, 1.01, 1.05]),
        initial=st.sampled_from([1.0, 1.2, 3.0]),
        seconds=st.sampled_from([0, 60, 3_600]),
    )
    def publish_rates(self, market, shift, initial, seconds):
        self.house.crash(market, self.house.standing(market), seconds)
        pair, now = self.house.parameters, self.house.chain.timestamp
        old, record = pair.twin.stored(market), pair.twin.record(market)
        nonce = pair.twin.quorum.nonce
        elapsed = min(now - record.accepted, BOUNDS.fresh_for)
        moved = [
            SideRates(
                side.floor,
                round(side.maintenance * shift),
                side.call,
                min(round(side.initial * initial), BOUNDS.most),
            )
            for side in old[1:]
        ]
        try:
            publish(pair, MarketRates(market, *moved))
        except Revert:
            assert pair.contract.call("nonce") == nonce
            return
        assert pair.contract.call("nonce") == nonce + 1, "nonces rise by one"
        for before, after in zip(old[1:], pair.twin.stored(market)[1:], strict=True):
            rise = before.maintenance * BOUNDS.rise_per_hour * elapsed // (HOUR * ONE)
            fall = before.maintenance * BOUNDS.fall_per_hour * elapsed // (HOUR * ONE)
            assert before.maintenance - fall <= after.maintenance <= before.maintenance + rise

    @rule(market=MARKET, hours=st.sampled_from([0, 3, 30]))
    def fall_silent_and_follow(self, market, hours):
        self.house.crash(market, self.house.standing(market), hours * HOUR)
        for each in (BITCOIN, ETHER):
            with suppress(Revert):
                self.house.oracle.both("observe", each)
        with suppress(Revert):
            self.house.parameters.both("follow", market)
        self.house.parameters.both("rates", market)

    @rule(on=st.booleans())
    def pause(self, on):
        before = [self.house.parameters.both("rates", market) for market in (BITCOIN, ETHER)]
        with suppress(Revert):
            self.house.parameters.both("pause" if on else "resume", sender="keeper")
            if on:
                for old in before:
                    new = self.house.parameters.both("rates", old.market)
                    assert all(
                        b >= a
                        for x, y in zip(old[1:], new[1:], strict=True)
                        for a, b in zip(x, y, strict=True)
                    )
                    assert new.long.maintenance == old.long.maintenance, "a pause liquidates nobody"

    @rule(account=TRADER, factor=st.sampled_from([750_000_000, 900_000_000, 1_500_000_000]))
    def attest(self, account, factor):
        self.house.attest(account, factor)
        found = self.assessed(account)
        assert found.initial >= found.called >= found.maintenance

    @invariant()
    def money_is_conserved_in_the_books(self):
        if not hasattr(self, "house"):
            return
        ledger = self.ledger
        assert sum(ledger.cash.values()) + ledger.fund - ledger.shortfall == self.paid_in()
        assert ledger.shortfall == 0 or ledger.fund == 0
        assert ledger.fund >= 0

    def paid_in(self):
        return self.house.quote.call("balanceOf", self.house.house.contract.address)

    def teardown(self):
        if hasattr(self, "house"):
            self.house.check()


TestProtocol = Protocol.TestCase
TestProtocol.settings = settings(max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None)
