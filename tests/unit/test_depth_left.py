"""Do live books say how much of the published depth is left, within bounds and only while they are fresh?"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from benchmarks.cost_to_close import real_books
from plimsoll.domain.cost_curve import CostCurve
from plimsoll.domain.events import Ticked
from plimsoll.domain.liquidity import LiquiditySettings
from plimsoll.domain.observations import Depth
from plimsoll.estimators.cost_curve import fit_cost_curve
from plimsoll.estimators.liquidity import begin_liquidity, estimate_liquidity, update_liquidity
from plimsoll.feeds.depth_left import BooksHeard, depth_left
from plimsoll.feeds.ticks import TickBuilder, TickSettings

NOW = 1_765_400_040_000
CURVE = CostCurve(
    half_spread=1e-5,
    slope=1e-3,
    reference=1e6,
    exponent=1.0,
    volatility=0.01,
    volume=5e7,
    stressed_depth=0.05,
)
AGES = {"a": 10.0, "b": 10.0, "c": 10.0}
STEPS = 0.03
"""A book of steps against a straight line: the smallest walk of a thousand ends within the first level."""
THINNED = 0.05
"""Median reading of real books against what was left of every level: 0.957, 0.544, 0.129 were measured. The
spread stays when levels shrink, so such a book looks a little better than one whose spread widened too."""


def book(share, source="a", received=NOW, levels=4000):
    """Draw a flat book that follows the curve at a share of its depth, mid 100."""
    spread = CURVE.half_spread / share
    width = 2.0 * CURVE.slope / share * 500.0 / CURVE.reference
    away = spread + width * (np.arange(levels) + 0.5)
    flicker = 1.0 + 1e-9 * (received % 1000)
    bids, asks = 100.0 * (1.0 - away), 100.0 * (1.0 + away)
    return Depth(
        source,
        "ETH",
        received,
        received,
        tuple((float(p), 500.0 / float(p) * flicker) for p in bids),
        tuple((float(p), 500.0 / float(p) * flicker) for p in asks),
    )


def heard(*said, weights=None):
    books = BooksHeard(CURVE, weights or {"a": 1, "b": 1, "c": 1})
    for each in said:
        books.take(each)
    return books


@given(st.floats(0.1, 1.0))
@settings(max_examples=10)
def test_a_book_with_a_share_of_the_depth_is_read_as_that_share(share):
    reading = heard(book(share)).readings()["a"]
    assert reading.share == pytest.approx(share, rel=STEPS)
    assert reading.sizes[-1] <= CURVE.reference
    assert reading.normal == tuple(CURVE.walk(size) for size in reading.sizes)
    assert depth_left(CURVE, reading.sizes, reading.cost) == reading.found


def test_quotes_that_nobody_means_speed_nothing_up_and_an_empty_book_is_the_stressed_one():
    deep = heard(book(8.0)).readings()["a"]
    assert deep.found > 4.0
    assert deep.share == 1.0
    empty = heard(book(1.0, levels=3)).readings()["a"]
    assert empty.found < 0.01
    assert empty.share == CURVE.stressed_depth


def test_one_source_of_three_cannot_make_a_market_thin():
    three = heard(book(1.0), book(0.9, "b"), book(1.0, "c", levels=2))
    assert three.share(NOW, AGES) == pytest.approx(0.9, rel=STEPS)


def test_books_that_are_old_or_stuck_leave_the_stressed_depth_and_none_leaves_the_curve():
    assert heard().share(NOW, AGES) is None
    one = heard(book(0.8))
    assert one.share(NOW + 10_000, AGES) == pytest.approx(0.8, rel=STEPS)
    assert one.share(NOW + 10_001, AGES) == CURVE.stressed_depth
    frozen = heard()
    for second in range(0, 40, 5):
        frozen.take(structs.replace(book(0.8), time=NOW + 1000 * second, received=NOW + 1000 * second))
        frozen.readings()
    assert frozen.share(NOW + 36_000, AGES) == CURVE.stressed_depth


def test_a_tick_tells_depth_and_the_curves_impact_and_says_why():
    settings = TickSettings(
        markets=("ETH", "ETH", "BTC"), weights={"a": 1}, assumed_volume=(1e6,) * 3, curves={"ETH": CURVE}
    )
    builder = TickBuilder(settings, NOW)
    builder.take([book(0.3), structs.replace(book(1.0), market="BTC")])
    tick = builder.tick_at(NOW, (100.0, 100.0, 100.0), {"ETH": 0.02})
    assert isinstance(tick, Ticked)
    assert tick.depth == (tick.depth[0], tick.depth[0], 1.0)
    assert tick.depth[0] == pytest.approx(0.3, rel=STEPS)
    assert tick.impact[0] == 0.7 * 0.02
    assert builder.tick_at(NOW, (100.0,) * 3).impact[0] == 0.7 * 0.01
    assert builder.readings["ETH"]["a"].share == tick.depth[0]
    full = TickBuilder(settings, NOW)
    full.take([book(1.5)])
    assert full.tick_at(NOW, (100.0,) * 3).depth == ()


@pytest.mark.parametrize("left", [1.0, 0.5, 0.1])
def test_real_books_are_read_as_what_was_left_of_them(market_data, left):
    """On average: from second to second the same book is read as anything between 0.4 and 4 of its mean."""
    books = real_books(market_data)
    whole = LiquiditySettings()
    found = estimate_liquidity(update_liquidity(begin_liquidity(whole), whole, books), whole)
    curve = fit_cost_curve(found, whole, volatility=0.01, volume=5e7)
    thin = replace(books, bids=books.bids * [1.0, left], asks=books.asks * [1.0, left])
    live = BooksHeard(curve, {"a": 1})
    readings = []
    for row in range(len(thin)):
        time = int(thin.times[row])
        bids, asks = (tuple((float(p), float(q)) for p, q in side[row]) for side in (thin.bids, thin.asks))
        live.take(Depth("a", "ETH", time, time, bids, asks))
        readings.append(live.readings()["a"].found)
    assert np.median(readings[20:]) == pytest.approx(left, abs=THINNED)
