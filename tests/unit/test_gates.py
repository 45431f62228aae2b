"""Does the gate refuse what no market does, each with its code, and believe what a market does?"""

import asyncio

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from plimsoll.domain.observations import Depth, Fault, OraclePrice, Ticker, Trade
from plimsoll.feeds.gates import Gate, GateSettings
from plimsoll.feeds.waiting import Waiting

NOW = 1_765_401_040_000
SETTINGS = GateSettings()


def depth(bid, ask, time=NOW, **changed):
    book = Depth("s", "ETH", time, time, ((bid, 2.0), (bid * 0.999, 5.0)), ((ask, 1.0), (ask * 1.001, 4.0)))
    return replace(book, **changed)


def trade(price, number, time=NOW):
    return Trade("s", "ETH", time, time, price, 0.5, "buy", str(number))


def faults(observations, settings=SETTINGS):
    """Return the code of each observation's refusal, None where it is believed without one."""
    gate = Gate(settings)
    return [next((refusal.fault for refusal in gate.admit(one).refusals), None) for one in observations]


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        (depth(101.0, 100.0), Fault.CROSSED),
        (depth(100.0, 100.0), Fault.CROSSED),
        (depth(100.0, 101.0, bids=((99.0, 1.0), (100.0, 1.0))), Fault.BAD_PRICE),
        (depth(100.0, 101.0, asks=((101.0, 1.0), (101.0, 1.0))), Fault.BAD_PRICE),
        (depth(100.0, 101.0, asks=((101.0, -1.0),)), Fault.BAD_PRICE),
        (depth(float("nan"), 101.0), Fault.BAD_PRICE),
        (depth(100.0, 101.0, received=NOW + 10_001), Fault.STALE),
        (depth(100.0, 101.0, received=NOW - 2_001), Fault.AHEAD),
        (Trade("s", "ETH", NOW, NOW, 0.0, 1.0), Fault.BAD_PRICE),
        (Trade("s", "ETH", NOW, NOW, 1.0, float("inf")), Fault.BAD_PRICE),
        (Ticker("s", "ETH", NOW, NOW, 1.0, 2.0, 1.5), Fault.CROSSED),
        (OraclePrice("s", "ETH", NOW, NOW, 1.0, -1.0), Fault.BAD_PRICE),
    ],
)
def test_what_no_market_does_is_refused_with_its_code(bad, fault):
    assert faults([bad]) == [fault]


def test_a_repetition_is_a_duplicate_and_an_older_state_is_late():
    book = depth(100.0, 101.0)
    again = replace(book, received=NOW + 700)
    older = depth(100.5, 101.0, NOW - 1)
    newer = depth(100.5, 101.0, NOW)
    assert faults([book, again, older, newer]) == [None, Fault.DUPLICATE, Fault.LATE, None]


def test_a_trade_told_before_is_a_duplicate_and_one_that_is_late_is_still_a_fact():
    trades = [trade(100.0, 7), trade(100.0, 7), trade(100.1, 6, NOW - 900), trade(100.0, 7)]
    assert faults(trades) == [None, Fault.DUPLICATE, None, Fault.DUPLICATE]
    nameless = replace(trade(100.0, 7), identity=None)
    assert faults([nameless, nameless]) == [None, None]


def test_missing_numbers_are_reported_and_the_trade_is_believed():
    gate = Gate(GateSettings(numbered=True))
    admitted = [gate.admit(trade(100.0, number)) for number in (7, 8, 11, 9, 12)]
    assert [[refusal.fault for refusal in one.refusals] for one in admitted] == [[], [], [Fault.GAP], [], []]
    assert all(one.observation is not None for one in admitted)
    assert admitted[2].refusals[0].what == "2 trades missing before 11"


@pytest.mark.parametrize("side", ["bid", "ask"])
def test_a_side_that_stands_still_while_the_other_leaves_is_stuck_until_it_moves(side):
    """The other side goes away by 0.05 % a second; this one is believed for the thirty seconds of rest."""

    def book(second, own):
        away = 0.0005 * second * 100.0
        bid, ask = (own, 100.1 + away) if side == "bid" else (99.9 - away, own)
        return depth(bid, ask, NOW + 1_000 * second)

    resting = 100.0
    found = faults([book(second, resting) for second in range(60)] + [book(60, resting + 0.05)])
    assert found == [None] * 31 + [Fault.STUCK] * 29 + [None]


def test_a_quiet_market_whose_sides_both_rest_is_not_stuck():
    assert set(faults([depth(100.0, 100.1 + 0.01 * (n % 2), NOW + 1_000 * n) for n in range(600)])) == {None}


def test_one_tick_far_off_is_an_outlier_and_a_crash_is_believed_at_the_third():
    prices = [100.0, 100.2, 99.9, 140.0, 100.1, 93.0, 92.5, 92.0, 91.0, 100.0]
    found = faults([trade(price, number) for number, price in enumerate(prices)])
    outlier = Fault.OUTLIER
    assert found == [None, None, None, outlier, None, outlier, outlier, None, None, outlier]


def test_outliers_that_do_not_agree_are_not_believed_however_many():
    wild = [100.0, 100.0, *(100.0 * 1.2**n for n in range(1, 12))]
    assert set(faults([trade(price, number) for number, price in enumerate(wild)])[2:]) == {Fault.OUTLIER}


@given(st.lists(st.floats(-0.04, 0.04), min_size=1, max_size=40))
def test_a_path_of_moves_that_markets_make_is_never_refused(moves):
    """From the median of the last prices no price is farther than the last three moves may bring it."""
    prices, price = [], 100.0
    for move in moves:
        price *= 1.0 + move / 8.0
        prices.append(price)
    assert set(faults([trade(price, number) for number, price in enumerate(prices)])) == {None}


def test_markets_and_kinds_do_not_disturb_each_other():
    one, other = depth(100.0, 101.0), depth(5.0, 5.1, market="SOL")
    assert faults([one, other, Ticker("s", "ETH", NOW, NOW, 300.0), trade(200.0, 1)]) == [None] * 4


def test_a_source_that_names_ever_more_markets_is_not_remembered_for_ever():
    said = [replace(trade(100.0, number), market=f"M{number % 5}") for number in range(15)]
    found = faults(said, GateSettings(markets=3))
    assert found == [None, None, None, Fault.UNKNOWN_MARKET, Fault.UNKNOWN_MARKET] * 3


def test_memory_of_identities_is_bounded():
    settings = GateSettings(identities=3)
    assert faults([trade(100.0, n) for n in (1, 2, 3, 4, 1)], settings) == [None] * 5


def taken(waiting):
    return asyncio.run(asyncio.wait_for(waiting.take(), 5))


def test_of_states_the_newest_waits_and_of_trades_all_up_to_the_limit():
    waiting = Waiting(2)
    for one in (depth(1.0, 2.0), trade(1.0, 1), trade(1.0, 2), depth(1.5, 2.0), trade(1.0, 3)):
        waiting.put(one)
    assert taken(waiting) == (trade(1.0, 2), trade(1.0, 3), depth(1.5, 2.0))
    assert waiting.replaced == 1
    assert waiting.counts["s", Fault.OVERFLOW] == 1
    waiting.put(trade(1.0, 4))
    assert taken(waiting) == (trade(1.0, 4),)


def frames(market_data, name):
    return pl.read_parquet(market_data / "l2" / f"{name}.parquet").iter_rows(named=True)


def milliseconds(moment):
    return round(moment.timestamp() * 1_000)


def recorded_books(market_data):
    for row in frames(market_data, "hyperliquid_eth_l2_20lvl_2025-12-10"):
        bids, asks = (
            tuple((row[f"{side}_price_{n}"], row[f"{side}_size_{n}"]) for n in range(20))
            for side in ("bid", "ask")
        )
        times = milliseconds(row["ts"]), milliseconds(row["recv_ts"])
        yield Depth("s", "ETH", *times, bids, asks, row["sequence"])


def test_a_real_order_book_is_believed_throughout(market_data):
    assert set(faults(recorded_books(market_data))) == {None}


def test_a_bid_that_stops_moving_in_a_real_book_is_found(market_data):
    """The defect as recorders have it: the bid of one moment stays in every later book."""
    books = list(recorded_books(market_data))
    frozen = books[:100] + [replace(book, bids=books[100].bids) for book in books[100:]]
    found = faults(frozen)
    assert found[:100] == [None] * 100
    assert {Fault.STUCK, Fault.CROSSED} >= set(found[100:]) - {None}
    assert found.count(Fault.STUCK) + found.count(Fault.CROSSED) > len(found) / 2


def test_real_trades_are_believed_and_told_again_are_duplicates(market_data):
    trades = [
        Trade(
            "s",
            "ETH",
            milliseconds(row["ts"]),
            milliseconds(row["recv_ts"]),
            row["price"],
            row["size"],
            row["side"],
            row["trade_id"],
        )
        for row in frames(market_data, "hyperliquid_eth_trades_2025-12-10")
    ]
    assert set(faults(trades)) == {None}
    assert faults(trades + trades[-50:])[-50:] == [Fault.DUPLICATE] * 50
