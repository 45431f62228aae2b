"""Does it matter in which pieces bars arrive?

"Identical" means bit for bit: every array of the state has the same bytes (so NaN stands where NaN stood),
the open windows are the same set, and what is published has the same digest. Free slots may lie elsewhere and
the log of windows may have more spare room; neither is part of what the state knows.
"""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.calibration import absorb, begin, propose
from plimsoll.domain.bars import HOUR, MINUTE
from plimsoll.domain.parameters import CrossMargin, Provenance
from plimsoll.domain.settings import CalibrationSettings, JointSettings, YoungMarketSettings
from plimsoll.errors import Code, PlimsollError
from plimsoll.testing.bars import START, holed, rows_of, wild_bars

SETTINGS = CalibrationSettings(
    joint=JointSettings(rows=100, refresh_hours=24.0), young=YoungMarketSettings(windows=100)
)
PROVENANCE = Provenance(program="tests", settings="none", inputs=())
MARKETS = ("BTC", "ETH", "SOL")


def known(state):
    """Everything that the state knows, as bytes."""
    spans, slots = state.excursions.spans, state.excursions.slots
    taken = np.flatnonzero(spans[:, 1])
    order = taken[np.argsort(spans[taken, 0], kind="stable")]
    moments, windows = state.excursions.matured
    arrays = {
        "open windows": spans[order],
        "seen in them": slots[order],
        "moments": moments,
        "windows": windows,
        "last close": state.last.close,
        "prices": state.last.price,
        "heard": state.last.heard,
        "fast": state.volatility.fast,
        "hour under way": state.volatility.hours.parts,
        "its place": state.volatility.hours.hour,
        "last hour": state.volatility.hourly,
        **{f"scale, {name}": part for name, part in state.volatility.scale._asdict().items()},
        "last jump": state.volatility.jumps.size,
        **{f"last hour, {name}": part for name, part in state.volatility.jumps.hour._asdict().items()},
        **{
            f"regressions of {market}, {name}": part
            for market, regression in zip(state.markets, state.volatility.regressions, strict=True)
            for name, part in regression._asdict().items()
        },
    }
    return {"end": state.last.end} | {name: array.tobytes() for name, array in arrays.items()}


def absorbed(pieces, markets=MARKETS):
    state = begin(markets, SETTINGS)
    for piece in pieces:
        state = absorb(state, piece)
    return state


def cut(bars, places):
    edges = sorted({0, len(bars), *(place for place in places if place < len(bars))})
    return [rows_of(bars, slice(first, last)) for first, last in pairwise(edges)]


@given(
    seed=st.integers(0, 2**32 - 1),
    length=st.sampled_from([5 * MINUTE, 15 * MINUTE, HOUR, 24 * HOUR]),
    share=st.sampled_from([0.0, 0.05, 0.4]),
    places=st.sets(st.integers(1, 399), max_size=12),
)
@settings(max_examples=40)
def test_pieces_of_any_size_give_the_same_state_bit_for_bit(seed, length, share, places):
    bars = holed(wild_bars(seed, 400, markets=MARKETS, length=length), seed, share)
    at_once = known(absorbed([bars]))
    assert known(absorbed(cut(bars, places))) == at_once
    assert known(absorbed(cut(bars, range(len(bars))))) == at_once


@given(seed=st.integers(0, 2**32 - 1), places=st.sets(st.integers(1, 599), max_size=8))
@settings(max_examples=15)
def test_daily_history_then_minutes_is_the_same_in_any_pieces(seed, places):
    days = holed(wild_bars(seed, 300, markets=MARKETS, length=24 * HOUR), seed, 0.05)
    after = START + 300 * 24 * HOUR
    minutes = wild_bars(seed + 1, 600, markets=MARKETS, length=5 * MINUTE, start=after)
    minutes = holed(minutes, seed + 1, 0.1)
    at_once = absorbed([days, minutes])
    apart = absorbed([*cut(days, places), *cut(minutes, places)])
    assert known(apart) == known(at_once)
    published = [propose(state, CrossMargin, PROVENANCE)[0].digest for state in (at_once, apart)]
    assert published[0] == published[1]


def test_a_gap_at_the_edge_of_a_piece_is_a_gap_all_the_same():
    bars = wild_bars(3, 120, markets=MARKETS)
    for prices in (bars.open, bars.high, bars.low, bars.close):
        prices[60, 1] = np.nan
        prices[61:, 1] *= 2.0
    in_pieces = absorbed(cut(bars, [61]))
    assert known(in_pieces) == known(absorbed([bars]))
    assert in_pieces.volatility.volatility[1] < np.log(2.0) / 4.0


def test_a_state_is_a_value_that_several_futures_may_follow():
    first = wild_bars(1, 200, markets=MARKETS)
    second, other = (wild_bars(seed, 60, markets=MARKETS, start=int(first.ends[-1])) for seed in (2, 3))
    root = absorbed([first])
    before = known(root)
    one = absorb(root, second)
    after_one = known(one)
    two = absorb(root, other)
    assert known(root) == before
    assert known(one) == after_one == known(absorbed([first, second]))
    assert known(two) == known(absorbed([first, other]))
    assert known(two) != after_one


def test_publishing_does_not_change_what_was_learnt():
    bars = wild_bars(8, 300, markets=MARKETS)
    state = absorbed([bars])
    before = known(state)
    _, published = propose(state, CrossMargin, PROVENANCE)
    assert known(state) == before == known(published)


def test_bars_that_overlap_are_refused_and_leave_no_trace():
    bars = wild_bars(8, 300, markets=MARKETS)
    state = absorbed([bars])
    before = known(state)
    with pytest.raises(PlimsollError) as refusal:
        absorb(state, rows_of(bars, slice(299, 300)))
    assert refusal.value.code is Code.OUT_OF_ORDER
    assert known(state) == before
