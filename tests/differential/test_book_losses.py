"""Do the fast losses of a book equal their definition, whatever the book and however it changes?"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.errors import Code, PlimsollError
from plimsoll.kernels.book_losses import book_shortfalls_definition, book_worst_definition, tail_mean
from plimsoll.kernels.lanes import STRIDE
from plimsoll.margin.book import BookLosses, PositionRows, position_rows

ROUNDING = 1e-11
"""Sums of a few dozen products, in another order, relative to the largest of them."""

SHAPES = [(1, 1), (7, 8), (5, 33), (40, 64), (3, 65), (20, 130), (11, 500)]


def book(rng: np.random.Generator, instruments: int, accounts: int = 60) -> PositionRows:
    """Draw a book in which some accounts hold nothing and one holds most."""
    owners = np.sort(rng.integers(1, accounts, 4 * accounts))
    owners[-accounts // 2 :] = accounts - 1
    columns = rng.integers(0, instruments, len(owners))
    return position_rows(owners, columns, rng.standard_t(2, len(owners)), accounts + 2)


def definition(rows: PositionRows, change: np.ndarray, tail: int | None) -> np.ndarray:
    everyone = np.arange(len(rows.first))
    terms = (rows.first, rows.last, rows.columns, rows.quantity, change, everyone)
    return book_worst_definition(*terms) if tail is None else book_shortfalls_definition(*terms, tail)


def agree(found: np.ndarray, expected: np.ndarray) -> bool:
    return bool(np.allclose(found, expected, rtol=ROUNDING, atol=ROUNDING * np.abs(expected).max()))


@pytest.mark.parametrize(("instruments", "scenarios"), SHAPES)
@pytest.mark.parametrize("share", [None, 0.025, 0.5, 1.0])
def test_fast_losses_equal_their_definition(instruments, scenarios, share):
    rng = np.random.default_rng(scenarios)
    rows, change = book(rng, instruments), rng.standard_t(3, (instruments, scenarios))
    tail = None if share is None else max(1, round(share * scenarios))
    assert agree(BookLosses(rows, change, tail).losses, definition(rows, change, tail))


@pytest.mark.parametrize("tail", [1, 8, 9, 13, 32])
@pytest.mark.parametrize("each", [8, 3, 1])
def test_a_tail_that_falls_into_one_lane_of_the_machine_is_found_whole(tail, each):
    rng = np.random.default_rng(tail)
    rows, change = book(rng, 6), rng.standard_normal((6, 330))
    change[:, 5::each] *= 40.0  # every eighth scenario is of one lane: those are the tail, more than it keeps
    assert agree(BookLosses(rows, change, tail).losses, definition(rows, change, tail))


@given(seed=st.integers(0, 2**32 - 1), scenarios=st.sampled_from([9, 64, 65, 200]), share=st.floats(0.0, 0.2))
def test_scenarios_that_are_equally_bad_are_counted_each(seed, scenarios, share):
    rng = np.random.default_rng(seed)
    rows, change = book(rng, 3, accounts=12), rng.integers(-2, 2, (3, scenarios)).astype(float)
    tail = 1 + int(share * scenarios)
    assert agree(BookLosses(rows, change, tail).losses, definition(rows, change, tail))


def padded(values: list[float]) -> np.ndarray:
    row = np.zeros(-(-len(values) // STRIDE) * STRIDE)
    row[: len(values)] = values
    return row


@given(
    values=st.lists(
        st.one_of(st.integers(-3, 3).map(float), st.floats(-1e6, 1e6), st.sampled_from([-1e9, 1e9, 0.0])),
        min_size=1,
        max_size=200,
    ),
    share=st.floats(0.001, 1.0),
)
def test_a_tail_mean_is_that_of_the_sorted_values_also_with_ties(values, share):
    tail = max(1, round(share * len(values)))
    expected = np.sort(values)[:tail].mean()
    scale = max(1.0, np.abs(values).max())
    assert abs(tail_mean(padded(values), len(values), tail) - expected) <= ROUNDING * scale * len(values)


@pytest.mark.parametrize("tail", [None, 4])
def test_a_book_that_ticks_and_trades_is_a_book_made_anew(tail):
    rng = np.random.default_rng(5)
    instruments, scenarios, accounts = 9, 37, 62
    change = rng.normal(size=(instruments, scenarios))
    rows = book(rng, instruments)
    losses = BookLosses(rows, change, tail)
    held = np.zeros((accounts, instruments))
    np.add.at(held, (np.repeat(np.arange(accounts), rows.last - rows.first), rows.columns), rows.quantity)
    for _ in range(40):
        account, instrument, quantity = rng.integers(accounts), rng.integers(instruments), rng.normal()
        losses.trade(int(account), int(instrument), quantity)
        held[account, instrument] += quantity
        ticked = np.unique(rng.integers(0, instruments, 2))
        change = change.copy()
        change[ticked] = rng.normal(size=(len(ticked), scenarios))
        answered = losses.tick(ticked, change[ticked])
        assert set(np.flatnonzero(held[:, ticked].any(axis=1))) <= set(answered)
        profits = np.sort(held @ change, axis=1)
        assert agree(losses.losses, -profits[:, : tail or 1].mean(axis=1))


def test_a_tick_answers_only_for_the_accounts_that_hold_what_ticked():
    rows = position_rows(np.array([0, 1, 1, 2]), np.array([0, 0, 1, 1]), np.array([1.0, 2.0, -1.0, 3.0]), 4)
    losses = BookLosses(rows, np.array([[1.0, -1.0], [2.0, -3.0]]))
    assert list(losses.tick(np.array([1]), np.array([[5.0, -4.0]]))) == [1, 2]


@pytest.mark.parametrize("quantity", [np.nan, np.inf])
def test_a_quantity_that_is_no_number_is_refused_by_place(quantity):
    with pytest.raises(PlimsollError, match="account 3") as refused:
        position_rows(np.array([0, 3]), np.array([0, 0]), np.array([1.0, quantity]), 4)
    assert refused.value.code is Code.BAD_QUANTITY


def test_a_price_table_that_is_not_finite_is_refused():
    rows = position_rows(np.array([0]), np.array([0]), np.array([1.0]), 1)
    with pytest.raises(PlimsollError, match="row 1") as refused:
        BookLosses(rows, np.array([[1.0], [np.nan]]))
    assert refused.value.code is Code.BAD_PRICE
