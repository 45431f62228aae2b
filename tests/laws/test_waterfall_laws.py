"""Does every path of the waterfall balance to the quantum, and does nobody pay for more than it should?"""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from plimsoll.clearing.deleveraging import Winners, deficit_by_position, match
from plimsoll.clearing.statuses import Status
from plimsoll.domain.events import (
    Allocated,
    AuctionBegan,
    Bid,
    Deleveraged,
    Deposited,
    Effect,
    Funded,
    Listed,
    Opened,
    Published,
    Refused,
    TakenOver,
    Ticked,
    Traded,
)
from plimsoll.domain.settings import AuctionSettings, BackstopSettings, ClearingRules
from plimsoll.engine.book import BACKSTOP, FIRST_TRADER, FUND, MAKERS, VENUE
from plimsoll.engine.layers import Layer, Layers, absorbed
from plimsoll.engine.machine import begin, step
from plimsoll.errors import Code
from tests.support.venues import LISTINGS, MARKS, TIERS, parameter_set

COLUMNS = len(LISTINGS)
PRICES = tuple(MARKS.tolist())
LONGS, SHORTS = 6, 5
NAMES = (*(f"long-{place}" for place in range(LONGS)), *(f"short-{place}" for place in range(SHORTS)))
FALLS = (0.97, 0.94, 0.9, 0.82, 0.7, 0.55, 0.5, 0.52, 0.6)
MINUTE = 60_000


def rules(**changed):
    return ClearingRules(full_share=0.7, **changed)


def opened(chosen, *, fund, backstop, order=tuple(range(LONGS + SHORTS)), makers=10**9):
    """Let traders with little margin hold BTC and ETH against each other."""
    generator = np.random.default_rng(3)
    lots = np.zeros((len(NAMES), COLUMNS), dtype=np.int64)
    lots[:LONGS, 0] = generator.integers(10**6, 9 * 10**6, LONGS)
    lots[LONGS:, 0] = -generator.integers(10**6, 9 * 10**6, SHORTS)
    lots[1:LONGS:2, 1] = generator.integers(10**5, 10**6, LONGS // 2)
    lots[LONGS::2, 1] = -generator.integers(10**5, 10**6, 3)
    unit = MARKS * np.array([entry.lot for entry in LISTINGS]) * 1e6
    cash = (np.abs(lots) @ unit * generator.uniform(0.15, 0.5, len(NAMES))).astype(np.int64)
    cash[-1] *= 5
    names = tuple(NAMES[place] for place in order)
    state, _ = step(begin(), Listed(1, LISTINGS, chosen))
    state, _ = step(state, Opened(1, names, tuple(cash[list(order)].tolist())))
    state, _ = step(state, Funded(1, fund, makers, backstop))
    state, _ = step(state, tick(2, 1.0))
    state, _ = step(state, Published(2, parameter_set(TIERS)))
    state, refused = step(state, Traded(2, PRICES, names, tuple(map(tuple, lots[list(order)].tolist()))))
    assert not refused
    return state


def tick(time, factor, volume=2e4):
    return Ticked(time, tuple((MARKS * factor).tolist()), (volume,) * COLUMNS, (0.05,) * COLUMNS)


def crash(state, *, volume=2e4, share=None):
    """Let prices fall, minute by minute, while the last short bids for whatever is on the block."""
    layers, seen = Layers(), list[Effect]()
    for minute, factor in enumerate(FALLS):
        before = state
        state, effects = step(state, tick(MINUTE * (minute + 1), factor, volume))
        check(before, state, effects)
        layers, seen = absorbed(layers, effects, state.listings), [*seen, *effects]
        for auction in state.auctions if share else ():
            event = Bid(state.time + 30_000, NAMES[-1], state.book.names[auction.row], share)
            state, effects = step(state, event)
            layers, seen = absorbed(layers, effects, state.listings), [*seen, *effects]
    return state, layers, seen


def check(before, state, effects):
    """Money and lots are conserved, debts have one owner, and nobody gives more than it gained and has."""
    book = state.book
    assert sum(map(int, book.cash)) == 0
    assert not book.lots.sum(axis=0).any()
    assert book.cash[FUND] >= 0
    flat = ~book.lots.any(axis=1)
    flat[:BACKSTOP] = False
    assert (book.cash[flat] >= 0).all(), "a debt without positions is still somebody's"
    gave: Counter[str] = Counter()
    for effect in effects:
        if isinstance(effect, Allocated):
            gave.update(dict(zip(effect.accounts, effect.amounts, strict=True)))
        if isinstance(effect, Deleveraged):
            gave.update(dict(zip(effect.winners, effect.amounts, strict=True)))
    notional = before.book.lots * state.unit
    profit = (notional - before.book.cost)[:, :4].sum(axis=1)
    equity = before.book.cash + notional.sum(axis=1)
    for name, amount in gave.items():
        row = before.book.rows[name]
        assert amount <= min(profit[row], equity[row]) + COLUMNS


SETTINGS = st.fixed_dictionaries(
    {
        "allocation": st.sampled_from(["pro-rata", "queue"]),
        "auction": st.sampled_from([AuctionSettings(), AuctionSettings(after_hours=0.5)]),
        "backstop": st.builds(
            BackstopSettings, level=st.floats(0.0, 1.0), share=st.floats(0.0, 1.0), cap=st.floats(0.5, 9.0)
        ),
        "fee": st.floats(0.0, 0.03),
        "participation": st.floats(0.02, 0.9),
    }
)


@settings(max_examples=40, deadline=None)
@example(  # a backstop that takes every account at its first call leaves nothing to the book
    {"backstop": BackstopSettings(level=1.0, share=1.0, cap=1.0)}, 0, 10**12, 500.0, None
)
@given(
    SETTINGS,
    st.sampled_from([0, 10**7, 10**12]),
    st.sampled_from([0, 10**9, 10**12]),
    st.sampled_from([5e2, 2e4, 1e7]),
    st.sampled_from([None, 0.1, 1.0]),
)
def test_every_path_of_the_waterfall_balances_to_the_quantum(chosen, fund, backstop, volume, share):
    state = opened(rules(**chosen), fund=fund, backstop=backstop)
    state, layers, seen = crash(state, volume=volume, share=share)
    assert layers.shortfall == sum(layers.paid.values())
    tried = [layers.first[layer] for layer in (Layer.BOOK, Layer.BACKSTOP) if layer in layers.first]
    tried += [effect.time for effect in seen if isinstance(effect, AuctionBegan)]
    assert min(tried) <= min(layers.first.values()), "nobody pays before anything else was tried"


PATHS = {
    Layer.BOOK: (rules(), 0, 0, 2e4),
    Layer.FUND: (rules(), 10**12, 0, 1e7),
    Layer.WINNERS: (rules(), 0, 0, 1e7),
    Layer.QUEUE: (rules(allocation="queue"), 0, 0, 2e4),
    Layer.BACKSTOP: (rules(), 0, 10**10, 2e4),
    Layer.AUCTION: (rules(auction=AuctionSettings(after_hours=0.1)), 0, 0, 2e4),
}


@pytest.mark.parametrize("layer", PATHS)
def test_each_layer_is_reached_by_its_own_path(layer):
    chosen, fund, backstop, volume = PATHS[layer]
    _, layers, _ = crash(opened(chosen, fund=fund, backstop=backstop), volume=volume, share=0.5)
    assert layer in layers.first
    assert layers.notional.get(layer, 0) + layers.paid.get(layer, 0) > 0


def test_what_nobody_can_pay_is_the_venues_gates_withdrawals_and_is_repaid_by_the_fund():
    state = opened(rules(), fund=0, backstop=0, makers=0)
    profitless = np.where(state.book.lots < 0, 0, state.book.cost)
    object.__setattr__(state.book, "cost", profitless)
    state, layers, _ = crash(state, volume=1e7)
    assert layers.paid[Layer.VENUE] > 0
    assert state.book.cash[VENUE] < 0
    rich = state.book.names[int(np.argmax(state.book.cash[FIRST_TRADER:])) + FIRST_TRADER]
    state, effects = step(state, Deposited(state.time, (rich,), (-1,)))
    assert [effect.code for effect in effects if isinstance(effect, Refused)] == [Code.WITHDRAWALS_GATED]
    state, _ = step(state, Funded(state.time, 10**13, 0))
    state, _ = step(state, tick(state.time + MINUTE, 0.6))
    assert state.book.cash[VENUE] == 0
    state, effects = step(state, Deposited(state.time, (rich,), (-1,)))
    assert not effects


@pytest.mark.parametrize("allocation", ["pro-rata", "queue"])
@settings(max_examples=12, deadline=None)
@given(order=st.permutations(range(LONGS + SHORTS)))
def test_the_order_of_accounts_changes_nobodys_share(allocation, order):
    chosen = rules(allocation=allocation)
    plain, _, _ = crash(opened(chosen, fund=10**7, backstop=10**8))
    mixed, _, _ = crash(opened(chosen, fund=10**7, backstop=10**8, order=tuple(order)))
    rows = [mixed.book.rows[name] for name in plain.book.names]
    unit = plain.lot_sizes * plain.market.marks * 1e6
    worth = plain.book.equity(unit), mixed.book.equity(unit)[rows]
    assert (plain.book.status == mixed.book.status[rows]).all()
    assert np.allclose(worth[0], worth[1], rtol=0.0, atol=ONE_LOT_PER_SLICE * unit.max())


ONE_LOT_PER_SLICE = 3 * len(FALLS)
"""Whole lots: largest remainders may move one lot between two accounts in each slice, match or takeover."""


@settings(max_examples=60, deadline=None)
@given(
    lots=st.tuples(st.integers(1, 10**6), st.integers(1, 10**6)),
    fall=st.floats(0.31, 0.9),
    rich=st.floats(0.4, 4.0),
)
def test_the_queue_asks_one_winner_in_every_instrument_for_all_that_it_gained_and_has(lots, fall, rich):
    """Law: one loser and one winner, both in BTC and ETH: what is spared is min(lacks, profit, equity)."""
    bitcoin, ether = lots
    unit = MARKS * np.array([entry.lot for entry in LISTINGS]) * 1e6
    held = np.array([bitcoin, ether, *[0] * (COLUMNS - 2)])
    gross = float(held @ unit)
    state, _ = step(begin(), Listed(1, LISTINGS, rules(allocation="queue", participation=1e-4)))
    state, _ = step(state, Opened(1, ("loser", "winner"), (int(gross * 0.3), int(gross * rich))))
    state, _ = step(state, tick(2, 1.0))
    state, _ = step(state, Published(2, parameter_set(TIERS)))
    traded = Traded(2, PRICES, ("loser", "winner"), (tuple(held.tolist()), tuple((-held).tolist())))
    state, refused = step(state, traded)
    assert not refused
    after, effects = step(state, tick(MINUTE, 1.0 - fall, volume=0.0))
    matches = [effect for effect in effects if isinstance(effect, Deleveraged)]
    assert {effect.instrument for effect in matches} == {LISTINGS[0].name, LISTINGS[1].name}
    loss = gross * fall
    expected = min(loss - gross * 0.3, loss, gross * rich + loss)
    assert sum(sum(effect.amounts) for effect in matches) == pytest.approx(expected, abs=QUANTA_ROUNDED)
    assert not after.book.lots[after.book.rows["loser"]].any()


QUANTA_ROUNDED = 5
"""The loser's deposit, and what it paid for each of its two positions and what each is worth."""


def test_withdrawals_are_gated_while_bankrupt_accounts_owe_more_than_the_fund_has():
    state = opened(rules(participation=0.01), fund=0, backstop=0)
    state, _ = step(state, tick(MINUTE, 0.6, volume=1.0))
    assert state.book.cash[VENUE] == 0
    state, effects = step(state, Deposited(state.time, (NAMES[-1],), (-1,)))
    assert [effect.code for effect in effects if isinstance(effect, Refused)] == [Code.WITHDRAWALS_GATED]


@settings(max_examples=15, deadline=None)
@given(
    chosen=SETTINGS,
    fund=st.sampled_from([0, 10**7, 10**10]),
    backstop=st.sampled_from([0, 10**10]),
    debtor=st.integers(0, LONGS - 1),
    debt=st.integers(0, 10**11),
    sale=st.floats(0.0, 1.0),
)
def test_the_gate_sees_the_equity_below_zero_of_every_account_at_every_moment(
    chosen, fund, backstop, debtor, debt, sale
):
    """Law: who is looked at, and what is remembered of it, changes nothing of the sum over the whole book.

    The debt is written into the book of an account that no tick has taken in hand: no event leaves one there.
    """
    state = opened(rules(**chosen), fund=fund, backstop=backstop)
    row = FIRST_TRADER + debtor
    for minute, factor in enumerate(FALLS):
        assert_gated_as_the_whole_book_says(state)
        lots = [0] * COLUMNS
        lots[0] = -round(sale * int(state.book.lots[-1, 0]))
        here = tuple(state.market.marks.tolist())
        state, _ = step(state, Traded(state.time, here, (state.book.names[-1],), (tuple(lots),)))
        if state.book.status[row] != Status.CLOSED:
            owing = replace(state, book=state.book.paid(row, MAKERS, debt), safety=None)
            assert_gated_as_the_whole_book_says(owing)
        state, _ = step(state, tick(MINUTE * (minute + 1), factor, 2e3))
    assert_gated_as_the_whole_book_says(state)


def assert_gated_as_the_whole_book_says(state):
    book = state.book
    owed = -np.minimum(book.equity(state.unit)[BACKSTOP:], 0.0).sum()
    expected = book.cash[VENUE] < 0 or owed > book.cash[FUND]
    asker = book.names[FIRST_TRADER]
    after, effects = step(state, Deposited(state.time, (asker,), (-1,)))
    codes = [effect.code for effect in effects if isinstance(effect, Refused)]
    assert (codes == [Code.WITHDRAWALS_GATED]) == expected
    again, _ = step(after, Deposited(state.time, (asker,), (-1,)))
    assert (again.book.cash[FIRST_TRADER] < after.book.cash[FIRST_TRADER]) <= (not expected)


def test_the_backstop_holds_no_more_than_its_cap_and_pays_for_no_loss_that_is_already_there():
    state = opened(rules(backstop=BackstopSettings(level=1.0, cap=2.0)), fund=10**12, backstop=10**9)
    state, effects = step(state, tick(MINUTE, 0.7, volume=0.0))
    (taken,) = [effect for effect in effects if isinstance(effect, TakenOver)]
    worth = state.book.cash[BACKSTOP] + state.book.lots[BACKSTOP] @ state.unit
    assert 0.99 * 2 * 10**9 < taken.notional <= 2 * 10**9
    assert worth + COLUMNS >= 10**9
    assert set(np.unique(state.book.status[FIRST_TRADER:])) >= {Status.BACKSTOP}


def test_an_auction_ends_when_the_account_is_mended_or_worth_nothing():
    chosen = rules(auction=AuctionSettings(after_hours=0.1))
    state = opened(chosen, fund=0, backstop=0)
    effects: tuple[Effect, ...] = ()
    for percent in range(99, 50, -1):
        state, effects = step(state, tick(MINUTE * (100 - percent), percent / 100))
        if state.auctions:
            break
    names = {name for effect in effects if isinstance(effect, AuctionBegan) for name in effect.accounts}
    on_the_block = {state.book.names[auction.row] for auction in state.auctions}
    assert names
    assert names <= on_the_block
    for name in sorted(on_the_block):
        before = state.book.lots.copy()
        state, effects = step(state, Bid(state.time + 1000, NAMES[-1], name, 1.0))
        assert not [effect for effect in effects if isinstance(effect, Refused)]
        assert (np.abs(state.book.lots[state.book.rows[name]]) <= np.abs(before[state.book.rows[name]])).all()
    state, effects = step(state, tick(state.time + 1000, percent / 100))
    mended = [state.book.status[state.book.rows[name]] for name in names]
    assert set(mended) <= {Status.CALLED, Status.CLOSED, Status.HEALTHY}
    assert not state.auctions
    state, effects = step(state, Bid(state.time + 1000, NAMES[-1], NAMES[0], 1.0))
    assert [effect.code for effect in effects if isinstance(effect, Refused)] == [Code.NOT_AUCTIONED]


QUEUE = st.lists(
    st.tuples(st.integers(1, 10**6), st.integers(-(10**9), 10**12), st.floats(0.0, 50.0)),
    min_size=1,
    max_size=12,
)
BANKRUPT = st.lists(st.tuples(st.integers(1, 10**6), st.integers(1, 10**10)), min_size=1, max_size=8)


@given(BANKRUPT, QUEUE, st.sampled_from([-1, 1]), st.floats(0.0, 1.0))
def test_a_match_pays_exactly_what_is_spared_and_asks_nobody_for_more_than_its_gain(
    bankrupt, queue, sign, funds
):
    sizes, deficit = (np.array(column, dtype=np.int64) for column in zip(*bankrupt, strict=True))
    lots, profit, score = (np.array(column) for column in zip(*queue, strict=True))
    capacity = np.floor(profit * funds).astype(np.int64)
    found = match(-sign * sizes, deficit, Winners(-sign * lots, profit, capacity, score))
    assert found.lots.sum() == -found.winner_lots.sum()
    assert (np.abs(found.lots) <= sizes).all()
    assert (np.abs(found.winner_lots) <= lots).all()
    assert found.spared.sum() == found.given_up.sum()
    assert (found.spared >= 0).all()
    assert (found.spared <= deficit).all()
    gained = profit * np.abs(found.winner_lots).astype(object) // lots
    assert (found.given_up <= np.maximum(gained, 0)).all()
    assert (found.given_up <= np.maximum(capacity, 0)).all()
    asked = found.winner_lots != 0
    assert not asked[score <= 0.0].any()


def test_the_most_profitable_and_leveraged_are_asked_first():
    winners = Winners(
        np.array([-50, -40, -30, 60]),
        np.array([10**7] * 4),
        np.array([10**8] * 4),
        np.array([1.0, 9.0, 5.0, 99.0]),
    )
    found = match(np.array([-20, -30]), np.array([1000, 100]), winners)
    assert found.winner_lots.tolist() == [0, 40, 10, 0]
    assert found.given_up.tolist() == [0, 880, 220, 0]
    assert found.spared.tolist() == [1000, 100]


def test_whoever_has_gained_less_than_is_asked_is_passed_over():
    winners = Winners(
        np.array([-50, -50]), np.array([50 * 9, 50 * 11]), np.array([10**8] * 2), np.array([2.0, 1.0])
    )
    found = match(np.array([-20]), np.array([200]), winners)
    assert found.winner_lots.tolist() == [0, 20]


@given(
    st.lists(
        st.tuples(st.integers(1, 2**50), st.integers(-(2**50), 2**50), st.integers(-(2**50), 2**50)),
        min_size=1,
        max_size=9,
    )
)
def test_a_deficit_is_divided_exactly_over_the_positions(rows):
    deficit = np.array([row[0] for row in rows])
    notional = np.array([row[1:] for row in rows], dtype=np.float64)
    shares = deficit_by_position(deficit, notional)
    held = notional.any(axis=1)
    assert (shares.sum(axis=1)[held] == deficit[held]).all()
    assert (shares[notional == 0.0] == 0).all()
    assert (shares >= 0).all()
