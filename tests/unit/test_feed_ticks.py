"""Do feeds become the tick that they vouch for, and none where a listing has no fresh price?"""

import math

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.domain.events import Ticked
from plimsoll.domain.observations import Depth, Fault, OraclePrice, Ticker, Trade
from plimsoll.feeds.ticks import TickBuilder, TickSettings

BEGUN = 1_765_400_040_000
HOUR = 3_600_000
SETTINGS = TickSettings(
    markets=("BTC", "ETH"), weights={"a": 1, "b": 1, "pyth": 2}, assumed_volume=(8e6, 3e6), longest_age=10.0
)
ROUNDING = 1e-12


def price(source, market, value, received):
    return OraclePrice(source, market, received - 300, received, value)


def built(observations, now, settings=SETTINGS):
    builder = TickBuilder(settings, BEGUN)
    builder.take(observations)
    return builder.tick(now)


def test_the_mark_is_the_weighted_median_of_the_fresh_sources():
    now = BEGUN + 60_000
    said = [
        price("a", "BTC", 60_000.0, now - 100),
        price("b", "BTC", 61_000.0, now - 200),
        price("pyth", "BTC", 60_500.0, now - 9_000),
        Ticker("a", "ETH", now - 50, now, 3_000.0, 2_999.0, 3_001.0),
        price("b", "ETH", 9_000.0, now - 10_001),
        price("stranger", "ETH", 1.0, now),
    ]
    tick = built(said, now)
    assert isinstance(tick, Ticked)
    assert tick.marks == (60_500.0, 3_000.0)
    assert tick.time == now


def test_a_listing_without_a_fresh_price_is_named_and_there_is_no_tick():
    now = BEGUN + 60_000
    refusals = built([price("a", "BTC", 60_000.0, now), price("a", "ETH", 3_000.0, now - 10_001)], now)
    assert [(refusal.market, refusal.fault) for refusal in refusals] == [("ETH", Fault.STALE)]


def trades(count, every, quote):
    return [Trade("a", "BTC", BEGUN + every * n, BEGUN + every * n, quote, 1.0) for n in range(count)]


@pytest.mark.parametrize("minutes", [1, 15, 45])
def test_until_an_hour_is_covered_the_assumed_volume_fills_the_rest(minutes):
    now = BEGUN + minutes * 60_000
    marks = [price("a", market, 100.0, now) for market in ("BTC", "ETH")]
    tick = built([*trades(minutes * 6, 10_000, 500.0), *marks], now)
    share = minutes / 60
    assert tick.volume == pytest.approx((minutes * 6 * 500.0 + (1 - share) * 8e6, (1 - share) * 3e6))


def test_volume_older_than_an_hour_is_forgotten_to_the_minute():
    builder = TickBuilder(SETTINGS, BEGUN)
    builder.take(trades(720, 10_000, 500.0))
    now = BEGUN + 2 * HOUR
    builder.take(price("a", market, 100.0, now) for market in ("BTC", "ETH"))
    tick = builder.tick(now)
    assert isinstance(tick, Ticked)
    assert tick.volume == (360 * 500.0, 0.0)


@given(st.floats(0.001, 0.05), st.floats(1e3, 1e8), st.floats(1e3, 1e9))
def test_trading_what_the_book_shows_moves_the_price_through_it(move, depth, volume):
    """The definition that liquidation uses: a sale of Q moves the price by impact * sqrt(Q / volume)."""
    settings = TickSettings(markets=("BTC",), weights={"a": 1}, assumed_volume=(volume,))
    bids = ((100.0, 0.0), (100.0 * (1 - move), depth / (100.0 * (1 - move))))
    asks = ((100.1, depth), (100.1 * (1 + move / 100), depth))
    tick = built([Depth("a", "BTC", BEGUN, BEGUN, bids, asks)], BEGUN, settings)
    moved = tick.impact[0] * math.sqrt(depth / tick.volume[0])
    assert moved == pytest.approx(move, rel=1e4 * ROUNDING)


def test_without_a_book_the_assumed_impact_holds():
    said = [price("a", market, 100.0, BEGUN) for market in ("BTC", "ETH")]
    assert built(said, BEGUN).impact == (0.02, 0.02)


def test_a_real_book_gives_an_impact_of_a_plausible_size(market_data):
    """Of ETH on one venue with 20 levels: an hour's volume moves the price by 0.1 % to 30 %."""
    row = pl.read_parquet(market_data / "l2" / "hyperliquid_eth_l2_20lvl_2025-12-10.parquet").row(
        500, named=True
    )
    bids, asks = (
        tuple((row[f"{side}_price_{n}"], row[f"{side}_size_{n}"]) for n in range(20))
        for side in ("bid", "ask")
    )
    settings = TickSettings(markets=("ETH",), weights={"a": 1}, assumed_volume=(5e7,))
    tick = built([Depth("a", "ETH", BEGUN, BEGUN, bids, asks)], BEGUN, settings)
    assert bids[0][0] < tick.marks[0] < asks[0][0]
    assert 0.001 < tick.impact[0] < 0.3
