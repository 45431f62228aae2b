"""Does the oracle on chain equal its twin, and which answers of feeds does it refuse to count?"""

import math
import os
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.chain.twin.fixed_point import Revert
from tests.support.evm import Chain
from tests.support.feeds import HEARTBEAT, PYTH_KEY, RULES, oracle_pair
from tests.support.pairs import refused
from tests.support.reporters import BITCOIN, ETHER

E8, E18 = 10**8, 10**18
BEGINS = 10**14
"""Variance per hour: one per cent, squared."""


@pytest.fixture
def market():
    """Two feeds of Chainlink's and one of Pyth's shape, all at 50,000."""
    oracle, feeds = oracle_pair(Chain())
    listed = (feeds.chainlink(), feeds.chainlink(), feeds.pyth())
    for feed in listed:
        feeds.answer(feed, 50_000 * E8)
    oracle.both("configure", BITCOIN, RULES, listed, BEGINS)
    return oracle, feeds, listed


ANSWERS = st.tuples(
    st.one_of(st.integers(45_000 * E8, 55_000 * E8), st.sampled_from([0, -1, 1, 2**62, 50_000 * E8])),
    st.sampled_from([0, 0, 1, -30, -3_999, -4_000, -4_001, 60, 61]),
    st.sampled_from([0, 1, 500 * E8, 999 * E8, 1_000 * E8, 1_200 * E8]),
)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_contract_and_twin_read_every_answer_alike(data):
    oracle, feeds = oracle_pair(Chain())
    listed = [feeds.chainlink() for _ in range(data.draw(st.integers(1, 4)))] + [feeds.pyth()]
    for feed in listed:
        feeds.answer(feed, 50_000 * E8)
    quorum = data.draw(st.integers(len(listed) // 2 + 1, len(listed)))
    oracle.both("configure", BITCOIN, RULES._replace(quorum=quorum), listed, BEGINS)
    for _ in range(5):
        oracle.chain.pass_seconds(data.draw(st.sampled_from([1, 600, 4_500])))
        for feed in listed:
            price, ahead, doubt = data.draw(ANSWERS)
            expo = data.draw(st.sampled_from([-8] * 8 + [-5, 1, -19]))
            feeds.answer(feed, price, time=oracle.chain.timestamp + ahead, doubt=doubt, expo=expo)
        oracle.both("reading", BITCOIN)
        with suppress(Revert):
            oracle.both("observe", BITCOIN)
        oracle.both("volatility", BITCOIN)
        oracle.both("reading", BITCOIN)


def test_the_median_of_what_agrees_is_the_price_and_its_spread_the_doubt(market):
    oracle, feeds, (first, second, third) = market
    feeds.answer(first, 50_100 * E8)
    feeds.answer(third, 50_300 * E8, doubt=40 * E8)
    reading = oracle.both("reading", BITCOIN)
    assert (reading.price, reading.doubt, reading.live) == (50_100 * E18, 200 * E18, True)
    feeds.answer(second, 60_000 * E8)
    reading = oracle.both("reading", BITCOIN)
    assert (reading.price, reading.doubt) == (50_200 * E18, 100 * E18), "who is far from the rest is left out"


@pytest.mark.parametrize("price", [0, -1, -50_000 * E8])
def test_a_price_that_is_not_positive_does_not_count(market, price):
    oracle, feeds, (first, _second, third) = market
    feeds.answer(first, price)
    assert oracle.both("reading", BITCOIN).live
    feeds.answer(third, price)
    reading = oracle.both("reading", BITCOIN)
    assert not reading.live
    assert reading.price == 50_000 * E18, "the last recorded price answers"
    refused("oracle: no quorum", oracle.both, "observe", BITCOIN)


def test_a_stale_feed_does_not_count_and_doubt_grows_by_steps(market):
    oracle, _feeds, _listed = market
    oracle.chain.pass_seconds(HEARTBEAT)
    assert oracle.both("reading", BITCOIN).live
    oracle.chain.pass_seconds(1)
    doubts = []
    for _ in range(5):
        reading = oracle.both("reading", BITCOIN)
        assert not reading.live
        doubts.append(reading.doubt)
        oracle.chain.pass_seconds(RULES.doubt_step)
    assert doubts == [50_000 * E18 * (7 + step) // 1_000 for step in range(5)]
    oracle.chain.pass_seconds(10**8)
    assert oracle.both("reading", BITCOIN).doubt == 50_000 * E18, "never more than all of it"


def test_a_round_that_goes_backwards_is_not_live_and_teaches_nothing(market):
    oracle, feeds, listed = market
    oracle.chain.pass_seconds(600)
    for feed in listed:
        feeds.answer(feed, 51_000 * E8)
    oracle.both("observe", BITCOIN)
    learnt = oracle.both("volatility", BITCOIN)
    for feed in listed:
        feeds.answer(feed, 40_000 * E8, time=oracle.chain.timestamp - 300)
    reading = oracle.both("reading", BITCOIN)
    assert (reading.live, reading.price) == (False, 51_000 * E18)
    refused("oracle: nothing new", oracle.both, "observe", BITCOIN)
    assert oracle.both("volatility", BITCOIN) == learnt


def test_the_same_round_teaches_once(market):
    oracle, _feeds, _listed = market
    refused("oracle: nothing new", oracle.both, "observe", BITCOIN)
    oracle.chain.pass_seconds(60)
    refused("oracle: nothing new", oracle.both, "observe", BITCOIN)


def test_several_markets_are_observed_at_once_and_none_holds_up_the_others(market):
    oracle, feeds, listed = market
    solana, unlisted = b"SOL".ljust(32, b"\0"), b"\x07" * 32
    oracle.both("configure", ETHER, RULES, listed, BEGINS)
    other = feeds.chainlink()
    feeds.answer(other, 150 * E8)
    oracle.both("configure", solana, RULES._replace(quorum=1), (other,), BEGINS)
    oracle.chain.pass_seconds(600)
    for feed in listed:
        feeds.answer(feed, 51_000 * E8)
    feeds.answer(other, -1)
    oracle.both("observe", ETHER)
    alone = oracle.both("state", ETHER)
    assert oracle.both("observe_many", (solana, ETHER, unlisted, BITCOIN, BITCOIN)) == 1
    assert oracle.both("state", BITCOIN) == alone, "together as alone"
    assert oracle.both("state", ETHER) == alone, "once a round"
    assert oracle.both("state", solana)[1] == 150 * E18
    assert oracle.both("observe_many", (BITCOIN, ETHER)) == 0


def test_clocks_may_drift_by_a_minute_and_no_more(market):
    oracle, feeds, listed = market
    now = oracle.chain.timestamp
    for feed in listed[:2]:
        feeds.answer(feed, 50_000 * E8, time=now + 60)
    feeds.answer(listed[2], 50_000 * E8, time=now - HEARTBEAT - 1)
    assert oracle.both("reading", BITCOIN).live
    feeds.answer(listed[0], 50_000 * E8, time=now + 61)
    assert not oracle.both("reading", BITCOIN).live


def test_one_lying_feed_of_three_moves_the_price_no_further_than_the_honest_are_apart(market):
    oracle, feeds, (liar, second, third) = market
    feeds.answer(second, 50_000 * E8)
    feeds.answer(third, 50_200 * E8)
    for lie in (1, 47_700 * E8, 50_100 * E8, 52_500 * E8, 2**90):
        feeds.answer(liar, lie)
        reading = oracle.both("reading", BITCOIN)
        assert reading.live
        assert 50_000 * E18 <= reading.price <= 50_200 * E18


def test_an_unsure_feed_does_not_count(market):
    oracle, feeds, (first, _, third) = market
    feeds.answer(first, 0)
    feeds.answer(third, 50_000 * E8, doubt=1_000 * E8)
    assert oracle.both("reading", BITCOIN).doubt == 1_000 * E18
    feeds.answer(third, 50_000 * E8, doubt=1_000 * E8 + 1)
    assert not oracle.both("reading", BITCOIN).live


def test_the_guardian_drops_a_feed_only_while_a_quorum_remains(market):
    oracle, _feeds, (_first, second, third) = market
    refused("oracle: not the guardian", oracle.both, "drop_feed", BITCOIN, 0)
    refused("oracle: no such feed", oracle.both, "drop_feed", BITCOIN, 3, sender="keeper")
    oracle.both("drop_feed", BITCOIN, 0, sender="keeper")
    assert [feed.source for feed in oracle.both("feeds_of", BITCOIN)] == [third.source, second.source]
    assert oracle.both("feeds_of", BITCOIN)[0].key == PYTH_KEY
    refused("oracle: quorum", oracle.both, "drop_feed", BITCOIN, 0, sender="keeper")
    assert oracle.both("reading", BITCOIN).live


def test_markets_are_listed_once_with_rules_that_can_work(market):
    oracle, _feeds, listed = market
    refused("oracle: listed already", oracle.both, "configure", BITCOIN, RULES, listed, 0)
    refused("oracle: not the lister", oracle.both, "configure", ETHER, RULES, listed, 0, sender="stranger")
    for wrong in ({"quorum": 0}, {"quorum": 4}, {"quorum": 1}):
        rules = RULES._replace(**wrong)
        refused("oracle: quorum", oracle.both, "configure", ETHER, rules, listed, 0)
    for wrong in ({"memory": 0}, {"doubt_step": 0}, {"deviation": 10**9 + 1}):
        rules = RULES._replace(**wrong)
        refused("oracle: rules", oracle.both, "configure", ETHER, rules, listed, 0)
    bad = (listed[0]._replace(kind=2), *listed[1:])
    refused("oracle: feed", oracle.both, "configure", ETHER, RULES, bad, 0)
    oracle.both("close_listing")
    refused("oracle: not the lister", oracle.both, "configure", ETHER, RULES, listed, 0)
    refused("oracle: no such market", oracle.both, "reading", ETHER)


def test_a_source_without_code_does_not_count():
    oracle, feeds = oracle_pair(Chain())
    empty = feeds.chainlink()._replace(source="0x" + "77" * 20)
    refused("oracle: no quorum", oracle.both, "configure", BITCOIN, RULES._replace(quorum=1), (empty,), 0)


def test_a_feed_that_burns_all_its_gas_stops_nobody():
    oracle, feeds = oracle_pair(Chain())
    listed = (feeds.chainlink(), feeds.chainlink())
    hungry = listed[0]._replace(source=oracle.chain.deploy("hungry_mock").address)
    for feed in listed:
        feeds.answer(feed, 50_000 * E8)
    oracle.both("configure", BITCOIN, RULES, (*listed, hungry), BEGINS)
    oracle.chain.pass_seconds(60)
    for feed in listed:
        feeds.answer(feed, 50_500 * E8)
    oracle.both("observe", BITCOIN)
    assert 200_000 < oracle.chain.gas_used < 300_000, "it burnt what a feed may, and no more"


INTEGER_SHARE = 1e-6
"""Relative room between the contract's integers and floats: the variance keeps at least nine digits here."""


def test_volatility_learnt_from_real_rounds_is_that_of_the_equation():
    """Replay Chainlink's own rounds of BTC/USD and compare with the recursion in floats."""
    folder = os.environ.get("PLIMSOLL_DATA")
    if not folder:
        pytest.skip("set PLIMSOLL_DATA to replay real oracle rounds")
    import polars as pl

    path = next((Path(folder) / "oracle").glob("chainlink_rounds_*.parquet"))
    read = pl.read_parquet(path).filter(pl.col("feed").cast(pl.String) == "BTC/USD")
    rounds = read.sort("updated_at").unique("updated_at", keep="last", maintain_order=True)
    answers = [int(answer) for answer in rounds["answer_raw"]]
    times = (rounds["updated_at"].dt.epoch("s")).to_list()
    assert len(answers) > 3_000
    oracle, feeds = oracle_pair(Chain(timestamp=times[0]))
    feed = feeds.chainlink(heartbeat=90_000)
    feeds.answer(feed, answers[0], time=times[0])
    oracle.both("configure", BITCOIN, RULES._replace(quorum=1), (feed,), BEGINS)
    variance, hourly = BEGINS / E18, []
    for i in range(1, 1_500):
        oracle.chain.at(times[i])
        feeds.answer(feed, answers[i], time=times[i])
        oracle.both("observe", BITCOIN)
        move = math.log(answers[i] / answers[i - 1])
        passed = times[i] - times[i - 1]
        variance = (variance * RULES.memory + 3_600 * move * move) / (RULES.memory + passed)
        found, seen = oracle.both("volatility", BITCOIN)
        assert seen == times[i]
        assert math.isclose(found / 1e9, math.sqrt(variance), rel_tol=INTEGER_SHARE)
        hourly.append(found / 1e9)
    assert 0.001 < np.median(hourly) < 0.01, "per cent per hour, as Bitcoin moved in 2023"
    assert max(hourly) > 2 * min(hourly)
