"""Does trading in a part of the book leave the book that trading in the whole leaves?"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.engine.book import FIRST_TRADER, FUND, OUTSIDE, empty_book

COLUMNS = 4
TRADERS = 9


def opened(generator):
    """Open a book in which everybody holds something."""
    book = empty_book(COLUMNS).opened(tuple(f"A{number}" for number in range(TRADERS)))
    rows = np.arange(FIRST_TRADER, FIRST_TRADER + TRADERS)
    book = book.paid(OUTSIDE, rows, generator.integers(1, 10**9, TRADERS))
    return book.traded(rows, *trades(generator, TRADERS))


def trades(generator, count):
    lots = generator.integers(-(10**5), 10**5, (count, COLUMNS))
    return lots, lots * generator.integers(1, 900, COLUMNS)


@given(seed=st.integers(0, 10_000), chosen=st.sets(st.integers(0, TRADERS - 1)), rounds=st.integers(0, 3))
@settings(max_examples=60)
def test_trades_in_a_part_are_trades_in_the_whole(seed, chosen, rounds):
    generator = np.random.default_rng(seed)
    whole = before = opened(generator)
    rows = FIRST_TRADER + generator.permutation(sorted(chosen)).astype(np.intp)
    part, inside = whole.part(rows), FIRST_TRADER + np.arange(len(rows))
    for _ in range(rounds):
        lots, paid = trades(generator, len(rows))
        fees = generator.integers(0, 1_000, len(rows))
        whole = whole.traded(rows, lots, paid).paid(rows, FUND, fees)
        part = part.traded(inside, lots, paid).paid(inside, FUND, fees)
    after = before.with_part(rows, part)
    assert part.find(tuple(before.names[row] for row in rows), "part").tolist() == inside.tolist()
    for column in ("cash", "lots", "cost", "status"):
        assert np.array_equal(getattr(after, column), getattr(whole, column))


@pytest.mark.parametrize("column", ["cash", "lots", "cost", "status"])
def test_a_part_put_back_leaves_the_old_book_as_it_was(column):
    book = opened(np.random.default_rng(1))
    kept = getattr(book, column).copy()
    rows = np.array([FIRST_TRADER + 2])
    lots, paid = trades(np.random.default_rng(2), 1)
    book.with_part(rows, book.part(rows).traded(np.array([FIRST_TRADER]), lots, paid))
    assert np.array_equal(getattr(book, column), kept)
