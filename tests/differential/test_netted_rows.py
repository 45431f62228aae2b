"""Does the compiled way through a book give what the margin model gives?"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.domain.parameters import Level
from plimsoll.margin.portfolio import PortfolioMargin
from tests.support.venues import LISTINGS, MARKETS, MARKS, cross_margin, joint_rows

ROUNDING = 1e-9
"""Relative: sums of floats differ by their order."""

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


def test_a_set_without_joint_scenarios_has_no_compiled_way():
    model = PortfolioMargin(cross_margin(dependence=()), LISTINGS)
    none = np.zeros(0, dtype=np.intp)
    assert model.valued(none, none, np.zeros((0, len(LISTINGS)), dtype=np.int64), MARKS) is None
