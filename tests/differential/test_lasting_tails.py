"""Does the compiled way through a book give what the margin model gives?"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.domain.parameters import Level
from plimsoll.kernels.lasting_tails import nothing_known, positions_by_account, refresh
from plimsoll.margin.portfolio import PortfolioMargin
from tests.support.venues import LISTINGS, MARKETS, MARKS, cross_margin, joint_rows

ROUNDING = 1e-9
"""Relative: sums of floats differ by their order."""

MARKET_TWICE = [0, [entry.underlying for entry in LISTINGS].index(LISTINGS[0].underlying, 1)]
"""Two instruments of one market: an account that holds both nearly flat may change its side."""

METHODS = {
    "all-joint": cross_margin(),
    "some-joint": cross_margin(dependence=(joint_rows(5, MARKETS[:2]),)),
    "high-floor": cross_margin(gross_floor=0.95),
}


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
@given(seed=st.integers(0, 10_000), share=st.sampled_from([0.1, 0.5, 1.0]))
def test_rows_of_a_book_need_what_the_model_asks_of_them(method, seed, share):
    generator = np.random.default_rng(seed)
    model = PortfolioMargin(method, LISTINGS)
    shape = (40, len(LISTINGS))
    lots = np.rint(1e6 * generator.standard_normal(shape) * (generator.random(shape) < share)).astype(
        np.int64
    )
    lots[3] = 0
    lots[4, :2] = 1_000_000, -1_000_000
    cash = generator.integers(-(10**9), 10**9, len(lots))
    rows = np.flatnonzero(generator.random(len(lots)) < 0.7)
    unit = np.array([entry.lot for entry in LISTINGS]) * MARKS * 1e6
    found = model.valued(rows, cash, lots, unit)
    assert found is not None
    equity, needed = found
    notional = lots[rows] * unit
    room = 1.0 + ROUNDING * np.abs(notional).sum(axis=1)
    assert (np.abs(equity - np.floor(cash[rows] + notional.sum(axis=1))) <= room).all()
    asked = np.ceil(model.requirement(notional, Level.MAINTENANCE))
    assert (np.abs(needed - asked) <= room).all()


STEPS = 30
"""Of a walk: enough for accounts to keep their worst scenarios at some and to change them at others."""


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
@settings(max_examples=12)
@given(seed=st.integers(0, 10_000), size=st.sampled_from([0.0003, 0.003, 0.05]))
def test_accounts_that_are_followed_from_mark_to_mark_need_what_the_model_asks(method, seed, size):
    generator = np.random.default_rng(seed)
    model = PortfolioMargin(method, LISTINGS)
    assert model.terms is not None
    shape = (40, len(LISTINGS))
    lots = np.rint(1e6 * generator.standard_normal(shape) * (generator.random(shape) < 0.7)).astype(np.int64)
    lots[3] = 0
    cash = generator.integers(-(10**9), 10**9, len(lots))
    unit = np.array([entry.lot for entry in LISTINGS]) * MARKS * 1e6
    lots[4, :2] = 1_000_000, -1_000_000
    lots[5] = 0
    lots[5, MARKET_TWICE] = 1_000_000, -round(1_000_000 * unit[MARKET_TWICE[0]] / unit[MARKET_TWICE[1]])
    positions = positions_by_account(lots, model.columns, 0)
    known = nothing_known(positions)
    figures = np.zeros((2, len(lots)))
    refresh(np.arange(len(lots)), cash, unit, model.terms, positions, known, figures)
    kept = 0
    for _ in range(STEPS):
        moved = generator.random(len(LISTINGS)) < 0.4
        unit = unit * np.exp(np.where(moved, size * generator.standard_normal(len(LISTINGS)), 0.0))
        rows = np.flatnonzero((lots[:, moved] != 0).any(axis=1))
        before = known.noted.copy()
        refresh(rows, cash, unit, model.terms, positions, known, figures)
        kept += int((known.noted == before).sum())
        notional = lots * unit
        room = 1.0 + ROUNDING * np.abs(notional).sum(axis=1)
        assert (np.abs(figures[0] - np.floor(cash + notional.sum(axis=1))) <= room).all()
        assert (np.abs(figures[1] - np.ceil(model.requirement(notional, Level.MAINTENANCE))) <= room).all()
    assert (kept < STEPS * len(known.noted)) or size < 0.001


def test_a_set_without_joint_scenarios_has_no_compiled_way():
    model = PortfolioMargin(cross_margin(dependence=()), LISTINGS)
    none = np.zeros(0, dtype=np.intp)
    assert model.valued(none, none, np.zeros((0, len(LISTINGS)), dtype=np.int64), MARKS) is None
