"""Does a partial liquidation help whom it serves, sell cheap relief first, and leave the healthy alone?"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.clearing.liquidation import reduction
from plimsoll.clearing.relief import ReliefTerms, choose_reductions, ruined_share
from plimsoll.kernels import black76

TARGET = 1.25
SPOT, LOT = 100.0, 1e4
"""One lot is a hundredth of a unit; figures in quanta."""

MOVES = np.array([(spot, shift) for spot in np.linspace(-0.4, 0.4, 17) for shift in (-0.2, 0.0, 0.3)])
STRIKES = ((80.0, False), (100.0, True), (120.0, True))


def profits():
    """Give the profit per lot of a future, a put, a call and a far call, repriced under each move: [S, I]."""
    forward, volatility = SPOT * (1.0 + MOVES[:, 0]), 0.6 + MOVES[:, 1]
    columns = [forward - SPOT]
    for strike, call in STRIKES:
        still = black76.price(SPOT, strike, 0.1, 0.6, call)
        columns.append(black76.price(forward, strike, 0.1, volatility, call) - still)
    return np.stack(columns, axis=1) * LOT


PROFIT = profits()
COST = np.array([0.02, 0.3, 0.1, 0.15]) * LOT


def worst_loss(lots):
    """Margin of a portfolio with options: its largest loss over the scenarios."""
    return np.maximum(-(lots @ PROFIT.T), 0.0).max(axis=1)


TERMS = ReliefTerms(margin=worst_loss, cost=COST, profit=PROFIT, target=TARGET)
BOOKS = st.lists(
    st.tuples(st.tuples(*[st.integers(-400, 400)] * 4), st.floats(-0.2, 1.6)), min_size=1, max_size=5
)


def book(drawn):
    lots = np.array([shape for shape, _ in drawn], dtype=np.int64)
    return lots, np.array([cover for _, cover in drawn]) * worst_loss(lots)


@settings(max_examples=80, deadline=None)
@given(BOOKS)
def test_a_partial_liquidation_never_raises_the_probability_of_ruin_and_never_turns_a_position(drawn):
    lots, equity = book(drawn)
    found = choose_reductions(lots, equity, TERMS)
    after, left = lots + found.trades, equity - TERMS.spent(found.trades)
    assert (ruined_share(after, left, PROFIT) <= ruined_share(lots, equity, PROFIT)).all()
    assert (found.trades * lots <= 0).all()
    assert (np.abs(found.trades) <= np.abs(lots)).all()
    acted = found.trades.any(axis=1)
    assert (TERMS.deficit(after, left)[acted] < TERMS.deficit(lots, equity)[acted]).all()
    assert (TERMS.deficit(after, left)[found.enough & acted] <= 0.0).all()


@given(BOOKS)
def test_a_healthy_account_is_never_touched(drawn):
    lots, equity = book(drawn)
    found = choose_reductions(lots, equity, TERMS)
    healthy = equity >= worst_loss(lots)
    assert not found.trades[healthy].any()
    assert found.enough[healthy].all()


@settings(max_examples=40, deadline=None)
@given(BOOKS, st.permutations(range(5)))
def test_no_account_is_served_by_its_place_among_the_others(drawn, order):
    lots, equity = book(drawn)
    places = np.array([place for place in order if place < len(lots)])
    plain, mixed = (
        choose_reductions(lots, equity, TERMS),
        choose_reductions(lots[places], equity[places], TERMS),
    )
    np.testing.assert_array_equal(plain.trades[places], mixed.trades)


def in_proportion(lots, equity):
    """Give the cost of selling the same share of everything, the least that meets the target."""
    for share in np.linspace(0.0, 1.0, 2_001):
        trades = -np.sign(lots) * np.ceil(np.abs(lots) * share).astype(np.int64)
        if TERMS.deficit(lots + trades, equity - TERMS.spent(trades))[0] <= 0.0:
            return TERMS.spent(trades)[0]
    return np.inf


CASES = {
    "a short straddle hedged with the future": [-200, 0, -200, 0],
    "a future hedged with a put": [300, 250, 0, 0],
    "short wings under a long future": [150, -180, 0, -120],
    "a collar with too many calls": [100, 100, -350, 0],
}


@pytest.mark.parametrize("name", CASES)
def test_relief_costs_no_more_than_selling_in_proportion(name):
    lots = np.array([CASES[name]], dtype=np.int64)
    equity = 0.8 * worst_loss(lots)
    found = choose_reductions(lots, equity, TERMS)
    assert found.enough[0]
    assert TERMS.spent(found.trades)[0] <= in_proportion(lots, equity) * (1.0 + CUT_BACK)


CUT_BACK = 0.02
"""Steps are eighths of a position; the last is cut back, the ones before it are not."""


def test_the_hedge_is_kept_while_what_it_hedges_is_sold():
    lots = np.array([[300, 200, 0, 0]], dtype=np.int64)
    found = choose_reductions(lots, 0.7 * worst_loss(lots), TERMS)
    assert found.enough[0]
    assert found.trades[0, 0] < 0
    assert found.trades[0, 1] == 0, "the put costs fifteen times as much to sell, and protects"


def test_where_nothing_helps_nothing_is_chosen_and_that_is_said():
    dear = ReliefTerms(margin=worst_loss, cost=COST * 1e4, profit=PROFIT, target=TARGET)
    lots = np.array([[100, 0, -50, 0]], dtype=np.int64)
    found = choose_reductions(lots, 0.9 * worst_loss(lots), dear)
    assert not found.enough[0]
    assert not found.trades.any()


@settings(deadline=None)
@given(BOOKS, st.floats(1.0, 3.0))
def test_selling_in_proportion_raises_no_probability_of_ruin_while_equity_covers_the_cost_of_selling_all(
    drawn, cover
):
    """With E >= c G a scenario survived before, E + p >= 0, is survived after: E - f c G + (1 - f) p >= 0."""
    lots, equity = book(drawn)
    gross = np.abs(lots) @ np.full(4, SPOT * LOT)
    dear = np.divide(equity, gross * cover, out=np.zeros(len(lots)), where=(gross > 0.0) & (equity > 0.0))
    share = reduction(equity, worst_loss(lots), gross, dear, np.zeros(len(lots), dtype=np.bool_), TARGET)
    after = lots * (1.0 - share[:, None])
    left = equity - share * dear * gross
    solvent = equity > 0.0
    before = ruined_share(lots, equity - ROUNDING * gross, PROFIT)
    assert (ruined_share(after, left + ROUNDING * gross, PROFIT) <= before)[solvent].all()


ROUNDING = 1e-9
"""Of the gross notional: a scenario at the very edge of ruin may fall on either side of it."""
