"""Are margins that follow the events those of a fresh look, whatever happened in between?"""

from contextlib import ExitStack
from unittest.mock import patch

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.domain.events import Deposited, Opened, Published, Traded
from plimsoll.engine import holders, safety
from plimsoll.engine.machine import step
from plimsoll.engine.state import digest
from plimsoll.service import margins, touched
from plimsoll.service.margins import margins_of
from plimsoll.service.touched import Touched
from tests.laws.test_safety import COLUMNS, every_set, opened, tick
from tests.support.venues import MARKS, cross_margin, parameter_set

STEPS = 25
QUANTUM = 1.0
"""Sums of floats differ by their order, so what is rounded to quanta may differ by one."""

ROUNDING = 1e-9


def events(generator, names):
    """Give a random day: mostly ticks, with trades, deposits and new accounts between them."""
    marks, time = MARKS.copy(), 10
    for number in range(STEPS):
        time += 60_000
        kind = generator.choice(["tick", "tick", "tick", "trade", "deposit", "open", "publish"])
        if kind == "trade":
            lots = np.zeros((2, COLUMNS), dtype=np.int64)
            lots[:, generator.integers(COLUMNS)] = generator.integers(1, 50) * np.array([1, -1])
            pair = tuple(generator.choice(names, 2, replace=False))
            yield Traded(time, tuple(marks.tolist()), pair, tuple(map(tuple, lots.tolist())))
        elif kind == "deposit":
            yield Deposited(time, (str(generator.choice(names)),), (int(generator.integers(1, 10**9)),))
        elif kind == "open":
            yield Opened(time, (f"late.{number}",), (10**9,))
            names = (*names, f"late.{number}")
        elif kind == "publish" and number % 5 == 0:
            yield Published(time, parameter_set(cross_margin(gross_floor=0.3), version=2 + number))
        else:
            moved = generator.random(COLUMNS) < 0.4
            marks = marks * np.exp(np.where(moved, 0.01 * generator.standard_normal(COLUMNS), 0.0))
            yield tick(time, marks)


def indexed():
    """Treat every book as a large one, and make indices anew after a few trades."""
    stack = ExitStack()
    for module in (safety, margins, touched):
        stack.enter_context(patch.object(module, "LARGE_BOOK", 0))
    stack.enter_context(patch.object(holders, "_MOST_TRADED", 6))
    return stack


@every_set
@settings(max_examples=8)
@given(seed=st.integers(0, 10_000))
def test_margins_that_follow_events_are_those_of_a_fresh_look(parameters, seed):
    state, generator = opened(parameters, seed)
    names = state.book.names[5:]
    following = Touched()
    with indexed():
        for event in events(generator, names):
            state, _ = step(state, event)
            followed = following.margins(state)
            fresh = margins_of(state)
            assert (np.abs(followed.equity - fresh.equity) <= QUANTUM).all()
            assert (np.abs(followed.maintenance - fresh.maintenance) <= QUANTUM).all()


@every_set
@settings(max_examples=8)
@given(seed=st.integers(0, 10_000))
def test_a_fold_that_finds_holders_by_an_index_gives_what_one_that_looks_at_all_gives(parameters, seed):
    state, generator = opened(parameters, seed)
    plain = state
    for event in events(generator, state.book.names[5:]):
        with indexed():
            state, effects = step(state, event)
        plain, expected = step(plain, event)
        assert effects == expected
        assert digest(state) == digest(plain)


@settings(max_examples=40)
@given(seed=st.integers(0, 10_000), trades=st.integers(0, 5))
def test_an_index_never_leaves_more_room_than_a_look_at_all_after_any_trades(seed, trades):
    generator = np.random.default_rng(seed)
    lots = generator.integers(-(10**6), 10**6, (30, COLUMNS)) * (generator.random((30, COLUMNS)) < 0.4)
    index = holders.holders_of(lots)
    traded = np.zeros(30, dtype=np.bool_)
    for _ in range(trades):
        rows = generator.choice(30, 2, replace=False)
        lots = lots.copy()
        lots[rows] = generator.integers(-(10**6), 10**6, (2, COLUMNS))
        traded[rows] = True
        after = holders.after_trades(index, lots, rows)
        assert after is not None
        index = after
    moved = np.flatnonzero(generator.random(COLUMNS) < 0.6)
    left, cost = 1e9 * generator.standard_normal(30), generator.random(len(moved))
    plain = holders.less_what_moved(left, lots, None, moved, cost)
    found = holders.less_what_moved(left, lots, index, moved, cost)
    assert (found <= plain + ROUNDING * np.abs(left)).all()
    assert np.allclose(found[~traded], plain[~traded], rtol=ROUNDING)
