"""Does a venue stay sound through any sequence of events, crashes and nonsense among them?

Sound: the cash of all rows and the lots of every instrument sum to zero; the fund never owes; nobody pays
more for another's loss than it has gained and has; statuses mean what they say; what is refused changes
nothing; a state once given is never changed; and the journal leads to the same digest, from the beginning or
from any snapshot on the way.
"""

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from plimsoll.clearing.statuses import TRANSITIONS, Signal, Status
from plimsoll.domain.events import (
    Allocated,
    Auctioned,
    Bankrupt,
    Bid,
    Closed,
    Covered,
    Deleveraged,
    Deposited,
    Funded,
    Liquidated,
    Listed,
    Opened,
    Published,
    Refused,
    StatusChanged,
    Ticked,
    Traded,
)
from plimsoll.domain.instruments import Spot
from plimsoll.domain.parameters import Level
from plimsoll.domain.settings import AuctionSettings, BackstopSettings, ClearingRules
from plimsoll.engine.book import FIRST_TRADER, FUND, MAKERS
from plimsoll.engine.layers import Layers, absorbed
from plimsoll.engine.machine import begin, step
from plimsoll.engine.runner import replayed
from plimsoll.engine.state import digest, restore, snapshot
from plimsoll.errors import PlimsollError
from tests.support.venues import LISTINGS, MARKS, TIERS, cross_margin, parameter_set, per_position

COLUMNS = len(LISTINGS)
CONTRACTS = [not isinstance(entry.instrument, Spot) for entry in LISTINGS]
METHODS = (TIERS, per_position(), cross_margin(), cross_margin(dependence=(), gross_floor=0.0))
ACCOUNTS = tuple(f"trader-{number}" for number in range(6))
MOVES = st.one_of(
    st.floats(-0.02, 0.02), st.sampled_from([-0.9, -0.4, -0.12, -0.05, -0.03, 0.04, 0.06, 0.1, 0.5, 1.5])
)
WEIGHT = st.sampled_from([0.0, 1.0, -1.0, 0.3, -0.6])
SHARE = st.sampled_from([0.2, 0.6, 0.97, 0.97, 1.4, 300.0])
COLUMN = tuple(range(COLUMNS))


class Venue(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.state = begin()
        self.events = []
        self.snapshots = [(0, snapshot(self.state))]
        self.layers = Layers()
        self.time = 1_700_000_000_000

    def send(self, event):
        """Step, and hold the step to what every step owes."""
        before = self.state
        frozen = snapshot(before)
        self.events.append(event)
        try:
            self.state, effects = step(before, event)
        except PlimsollError:
            assert snapshot(before) == frozen, "a refused event changed the state that it met"
            return ()
        assert snapshot(before) == frozen, "a step changed the state that it was given"
        self.check_statuses(before, effects)
        self.check_money(effects)
        return effects

    def check_statuses(self, before, effects):
        status = dict(zip(before.book.names, before.book.status.tolist(), strict=True))
        for effect in effects:
            if isinstance(effect, StatusChanged):
                for name in effect.accounts:
                    assert status[name] == Status[effect.before]
                    status[name] = TRANSITIONS[Status[effect.before]][Signal[effect.signal]]
                    assert status[name] == Status[effect.after]
            if isinstance(effect, Liquidated):
                assert {status[name] for name in effect.accounts} <= {
                    Status.PARTIAL,
                    Status.FULL,
                    Status.BACKSTOP,
                }
        after = dict(zip(self.state.book.names, self.state.book.status.tolist(), strict=True))
        assert {n: after[n] for n in status} == status or any(
            status[n] == Status.CLOSED and after[n] == Status.HEALTHY for n in status
        )

    def check_money(self, effects):
        book = self.state.book
        self.layers = absorbed(self.layers, effects, self.state.listings)
        assert self.layers.shortfall == sum(self.layers.paid.values())
        owed = sum(sum(effect.shortfalls) for effect in effects if isinstance(effect, Closed | Bankrupt))
        paid = sum(effect.amount for effect in effects if isinstance(effect, Covered))
        paid += sum(sum(effect.amounts) for effect in effects if isinstance(effect, Deleveraged))
        for effect in effects:
            if isinstance(effect, Deleveraged):
                assert sum(effect.lots) == -sum(effect.winner_lots)
                assert set(effect.winners).isdisjoint({"outside", "venue", "fund", "backstop"})
            if isinstance(effect, Closed):
                rows = book.find(effect.accounts, "test")
                assert (book.cash[rows] == 0).all()
                assert not book.lots[rows].any()
            if isinstance(effect, Allocated):
                paid += sum(effect.amounts) + effect.uncovered
                rows = np.array([book.rows[name] for name in effect.accounts], dtype=np.intp)
                amounts = np.array(effect.amounts, dtype=np.int64)
                equity = book.cash[rows] + amounts + book.lots[rows] @ self.state.unit
                open_profit = book.lots[rows] * self.state.unit - book.cost[rows]
                profit = open_profit[:, CONTRACTS].sum(axis=1)
                assert (amounts <= np.minimum(equity, profit)).all()
                assert set(effect.accounts).isdisjoint({"outside", "venue", "fund", "backstop"})
        assert owed == paid

    def next_time(self, minutes):
        self.time += minutes * 60_000
        return self.time

    @initialize(
        share=st.floats(0.05, 0.9),
        full=st.floats(0.0, 1.0),
        fee=st.floats(0.0, 0.05),
        allocation=st.sampled_from(["pro-rata", "queue"]),
        reduction=st.sampled_from(["proportional", "relief"]),
        patience=st.sampled_from([None, 0.02, 3.0]),
        backstop=st.sampled_from([0, 10**9, 10**11]),
        overtaken=st.sampled_from([0.3, 1.0]),
    )
    def list_instruments(self, share, full, fee, allocation, reduction, patience, backstop, overtaken):
        rules = ClearingRules(
            participation=share,
            full_share=full,
            fee=fee,
            allocation=allocation,
            reduction=reduction,
            auction=AuctionSettings(after_hours=patience),
            backstop=BackstopSettings(share=overtaken, level=0.8),
        )
        self.send(Listed(self.time, LISTINGS, rules))
        self.send(Ticked(self.time, tuple(MARKS.tolist()), (1e6,) * COLUMNS, (0.02,) * COLUMNS))
        self.send(Published(self.time, parameter_set(METHODS[2])))
        self.send(Opened(self.time, ACCOUNTS[:4], (10**9, 3 * 10**10, 7 * 10**9 + 1, 5)))
        self.send(Funded(self.time, 10**8, 10**12, backstop))

    @rule(place=st.integers(3, 5), amount=st.integers(-(10**9), 10**11))
    def open_account(self, place, amount):
        self.send(Opened(self.next_time(1), (ACCOUNTS[place],), (amount,)))

    @rule(
        amounts=st.dictionaries(
            st.sampled_from([*ACCOUNTS[:4], *ACCOUNTS[:4], "fund", "nobody"]),
            st.integers(-(4 * 10**10), 4 * 10**10),
            max_size=3,
        )
    )
    def deposit_or_withdraw(self, amounts):
        names, before = tuple(amounts), self.state
        effects = self.send(Deposited(self.next_time(1), names, tuple(amounts.values())))
        refused = {effect.account for effect in effects if isinstance(effect, Refused)}
        if before.sequence == self.state.sequence:
            return
        for name in names:
            moved = (
                self.state.book.cash[self.state.book.rows[name]] - before.book.cash[before.book.rows[name]]
            )
            assert moved == (0 if name in refused else amounts[name])

    @rule(fund=st.integers(-10, 10**10), makers=st.integers(0, 10**12))
    def fund_the_venue(self, fund, makers):
        self.send(Funded(self.next_time(1), fund, makers))

    def position(self, name, first, weight, second, other, share):
        """Size a position in two columns so that it takes a share of what initial margin allows."""
        row = self.state.book.rows[name]
        sizes = np.zeros(COLUMNS)
        sizes[first] += weight
        sizes[second] += other
        needed = self.state.model_in_force.requirement(sizes[None], Level.INITIAL)[0]
        equity = abs(self.state.book.equity(self.state.unit)[row])
        return np.rint(sizes * share * equity / max(needed, 0.01) / self.state.unit).astype(np.int64)

    @rule(
        wanted=st.dictionaries(
            st.sampled_from(ACCOUNTS[:4]),
            st.tuples(st.sampled_from(COLUMN), WEIGHT, st.sampled_from(COLUMN), WEIGHT, SHARE),
            min_size=1,
            max_size=5,
        ),
        slip=st.sampled_from([0.0, 0.0, -0.003, 0.004, 0.05, -0.3]),
    )
    def trade(self, wanted, slip):
        before = self.state
        prices = before.market.marks * (1.0 + slip)
        lots = {name: self.position(name, *shape) for name, shape in wanted.items()}
        event = Traded(
            self.next_time(1),
            tuple(prices.tolist()),
            tuple(lots),
            tuple(tuple(x.tolist()) for x in lots.values()),
        )
        effects = self.send(event)
        refused = {effect.account for effect in effects if isinstance(effect, Refused)}
        if before.sequence == self.state.sequence:
            return
        after = self.state.book
        for name, asked in lots.items():
            row = after.rows[name]
            traded = after.lots[row] - before.book.lots[row]
            assert (traded == (0 if name in refused else asked)).all()
            if name in refused:
                assert after.cash[row] == before.book.cash[row]
                assert (after.cost[row] == before.book.cost[row]).all()
            elif np.any(np.abs(after.lots[row]) > np.abs(before.book.lots[row])):
                notional = (after.lots[row] * self.state.unit)[None]
                assert self.state.model_in_force.requirement(notional, Level.INITIAL)[0] <= (
                    after.cash[row] + notional.sum()
                )

    @rule(place=st.integers(0, len(ACCOUNTS) - 1), share=st.sampled_from([0.3, 1.0, 1.7]))
    def reduce_or_turn_round(self, place, share):
        """Trade against every position: share 1 ends flat, beyond it positions change sides."""
        before, name = self.state, ACCOUNTS[place]
        if name not in before.book.rows:
            return
        row = before.book.rows[name]
        lots = -np.rint(before.book.lots[row] * share).astype(np.int64)
        marks = tuple(before.market.marks.tolist())
        effects = self.send(Traded(self.next_time(1), marks, (name,), (tuple(lots.tolist()),)))
        if share <= 1.0 and before.book.status[row] <= Status.CALLED:
            assert not effects, "whoever is not in liquidation may always reduce"

    @rule(places=st.permutations(range(4)), share=st.sampled_from([0.0, 0.1, 0.7, 1.0, 1.5]))
    def bid_for_an_account(self, places, share):
        """Bid, for what is on the block where anything is: nobody ends worse than the price says."""
        before, names = self.state, [ACCOUNTS[place] for place in places]
        on_the_block = [auction.row for auction in before.auctions]
        account = before.book.names[on_the_block[0]] if on_the_block else names[0]
        bidder = next(name for name in names if name != account)
        effects = self.send(Bid(self.next_time(1), bidder, account, share))
        for effect in effects:
            if isinstance(effect, Auctioned):
                assert before.book.rows[effect.account] in on_the_block
                worth = before.book.equity(before.unit), self.state.book.equity(self.state.unit)
                given = worth[0] - worth[1]
                row, taker = (before.book.rows[name] for name in (effect.account, effect.bidder))
                assert 0 <= effect.given_up <= max(worth[0][row], 0.0) + COLUMNS
                assert abs(given[row] - effect.given_up) <= COLUMNS
                assert abs(given[taker] + effect.given_up) <= COLUMNS

    @rule(place=st.integers(0, len(METHODS) - 1), ahead=st.integers(0, 2))
    def publish(self, place, ahead):
        version = (self.state.parameters.version if self.state.parameters else 0) + ahead
        self.send(Published(self.next_time(1), parameter_set(METHODS[place], max(version, 1), self.time)))

    @rule(
        moves=st.tuples(*[MOVES] * 3),
        volume=st.sampled_from([0.0, 2.0, 1e4, 1e9]),
        impact=st.sampled_from([0.0, 0.03, 5.0]),
        minutes=st.sampled_from([0, 1, 5, 600]),
    )
    def tick(self, moves, volume, impact, minutes):
        by_market = dict(zip(("BTC", "ETH", "SOL"), moves, strict=True))
        factor = np.array([1.0 + by_market[entry.underlying] for entry in LISTINGS])
        marks = np.clip(self.state.market.marks * factor, 1e-6, 1e7)
        before = self.state.book
        healthy = before.status == Status.HEALTHY
        effects = self.send(
            Ticked(self.next_time(minutes), tuple(marks.tolist()), (volume,) * COLUMNS, (impact,) * COLUMNS)
        )
        self.check_only_the_breached_were_sold(before, healthy, effects)

    @rule(drift=st.sampled_from([-0.025, -0.012, 0.015, 0.03]), volume=st.sampled_from([3e4, 1e9]))
    def slide(self, drift, volume):
        """Let all markets move one way for a while: calls first, then partial liquidations."""
        for _ in range(6):
            marks = tuple((np.clip(self.state.market.marks * (1.0 + drift), 1e-6, 1e7)).tolist())
            before = self.state.book
            healthy = before.status == Status.HEALTHY
            effects = self.send(Ticked(self.next_time(5), marks, (volume,) * COLUMNS, (0.02,) * COLUMNS))
            self.check_only_the_breached_were_sold(before, healthy, effects)

    def check_only_the_breached_were_sold(self, before, healthy, effects):
        state = self.state
        if state.model is None:
            return
        notional = before.lots * state.unit
        equity = before.cash + notional.sum(axis=1)
        met = equity >= state.model.requirement(notional, Level.MAINTENANCE) + 1.0
        spared = healthy & met
        spared[:FIRST_TRADER] = False
        queued = {name for effect in effects if isinstance(effect, Deleveraged) for name in effect.winners}
        spared[[before.rows[name] for name in queued]] = False
        assert (state.book.lots[spared] == before.lots[spared]).all()
        assert not state.book.lots[:MAKERS].any()
        flat = np.count_nonzero(state.book.lots, axis=1) == 0
        flat[:FIRST_TRADER] = False
        assert (state.book.cash[flat] >= 0).all(), "a debt without positions is still nobody's"

    @rule()
    def take_a_snapshot(self):
        self.snapshots.append((len(self.events), snapshot(self.state)))

    @rule(minutes=st.integers(-5, -1))
    def send_an_event_from_the_past(self, minutes):
        before = self.state
        self.send(Funded(before.time + minutes, 5, 5))
        assert self.state is before

    @invariant()
    def books_balance_to_the_quantum(self):
        book = self.state.book
        assert sum(map(int, book.cash)) == 0
        assert not book.lots.sum(axis=0).any()
        assert book.cash[FUND] >= 0

    @invariant()
    def every_status_means_what_it_says(self):
        book = self.state.book
        assert (book.status[:FIRST_TRADER] == Status.HEALTHY).all()
        assert not np.isin(book.status, (Status.FUND, Status.ALLOCATION)).any(), "a debt waits for nothing"
        on_the_block = {auction.row for auction in self.state.auctions}
        assert set(np.flatnonzero(book.status == Status.AUCTION)) <= on_the_block
        closed = book.status == Status.CLOSED
        assert not book.lots[closed].any()
        assert (book.cash[closed] >= 0).all()

    def teardown(self):
        assert digest(replayed(self.events)) == digest(self.state)
        for place, frozen in self.snapshots:
            assert digest(replayed(self.events[place:], restore(frozen))) == digest(self.state)


TestVenue = Venue.TestCase
TestVenue.settings = settings(max_examples=150, stateful_step_count=40)
