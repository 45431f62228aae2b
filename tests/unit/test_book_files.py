"""Is a book of accounts read as it was written, and does one bad account leave the others alone?"""

import numpy as np
import polars as pl
import pytest

from plimsoll.domain.account_books import AccountBook
from plimsoll.domain.instruments import Option, Perpetual, Spot
from plimsoll.errors import Code, PlimsollError
from plimsoll.feeds.books import read_book
from plimsoll.margin.book import position_rows
from plimsoll.sim.drawn_book import draw_book
from plimsoll.sim.settings import PopulationSettings
from plimsoll.store.books import book_bytes
from tests.support.venues import cross_margin, parameter_set

SOUND = """account,instrument,size,price
late,USD,10.5,
desk-1,BTC-PERP,0.5,61000
desk-2,ETH,12,
desk-1,USD,25000,
desk-2,USD,-150.25,
desk-1,BTC-27MAR26-90000-P,-2,
late,SOL-PERP,0,100
"""


def read(tmp_path, text):
    path = tmp_path / "book.csv"
    path.write_text(text, encoding="utf-8")
    return read_book(path)


def equal(one: AccountBook, other: AccountBook) -> bool:
    arrays = ("cash", "owners", "columns", "sizes", "prices")
    return (
        one.names == other.names
        and one.instruments == other.instruments
        and one.refused == other.refused
        and all(np.array_equal(getattr(one, a), getattr(other, a), equal_nan=True) for a in arrays)
    )


def test_rows_of_an_account_may_stand_apart(tmp_path):
    book = read(tmp_path, SOUND)
    assert book.names == ("late", "desk-1", "desk-2")
    assert book.cash.tolist() == [10.5, 25_000.0, -150.25]
    assert [type(instrument) for instrument in book.instruments] == [Option, Perpetual, Spot]
    assert book.owners.tolist() == [1, 1, 2]
    assert book.sizes[book.holdings(1)].tolist() == [0.5, -2.0]
    assert book.sizes[book.holdings(2)].tolist() == [12.0]
    assert len(book.holdings(0)) == 0
    np.testing.assert_array_equal(book.prices, [61_000.0, np.nan, np.nan])
    assert book.markets == ("BTC", "ETH")


def test_a_book_is_ready_for_the_losses_of_a_whole_venue(tmp_path):
    book = read(tmp_path, SOUND)
    rows = position_rows(book.owners, book.columns, book.sizes, len(book.names))
    assert (rows.last - rows.first).tolist() == [0, 2, 1]


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_a_drawn_book_comes_back_from_its_file(tmp_path, ending):
    drawn = draw_book(parameter_set(cross_margin()), PopulationSettings(accounts=300), seed=4)
    path = tmp_path / f"book{ending}"
    path.write_bytes(book_bytes(drawn, path))
    assert len(drawn.sizes) > 300
    assert equal(read_book(path), drawn)


def test_a_book_is_not_written_in_a_form_that_nothing_reads(tmp_path):
    drawn = draw_book(parameter_set(cross_margin()), PopulationSettings(accounts=3), seed=4)
    with pytest.raises(PlimsollError, match=r"\.xlsx \[bad-setting\]"):
        book_bytes(drawn, tmp_path / "book.xlsx")


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("desk-1,BTC-PERPS,1,", Code.UNKNOWN_INSTRUMENT),
        ("desk-1,SOL-PERP,many,", Code.BAD_QUANTITY),
        ("desk-1,SOL-PERP,,", Code.BAD_QUANTITY),
        ("desk-1,SOL-PERP,inf,", Code.BAD_QUANTITY),
        ("desk-1,SOL,-1,", Code.BAD_ACCOUNT),
        ("desk-1,BTC-PERP,1,61000", Code.BAD_ACCOUNT),
        ("desk-1,SOL-PERP,1,-3", Code.BAD_PRICE),
        ("desk-1,SOL-PERP,1,soon", Code.BAD_PRICE),
    ],
)
def test_a_bad_row_takes_out_its_own_account_alone(tmp_path, row, code):
    whole = read(tmp_path, SOUND)
    book = read(tmp_path, SOUND + row + "\n")
    (refused,) = book.refused
    assert (refused.account, refused.code) == ("desk-1", code.value)
    assert "row 8" in refused.where
    assert book.names == ("late", "desk-2")
    assert book.cash.tolist() == [10.5, -150.25]
    assert book.sizes[book.holdings(1)].tolist() == whole.sizes[whole.holdings(2)].tolist()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("account,instrument,size\n,BTC,1\n", Code.BAD_ACCOUNT),
        ("account,instrument,size\na,,1\n", Code.BAD_ACCOUNT),
        ("account,instrument\na,BTC\n", Code.MISSING_COLUMN),
        ("account,instrument,size\na,BTC,-1\n", Code.EMPTY_RANGE),
        ("account,instrument,size\n", Code.EMPTY_RANGE),
    ],
)
def test_a_file_without_accounts_is_refused_in_one_line(tmp_path, text, code):
    with pytest.raises(PlimsollError) as caught:
        read(tmp_path, text)
    assert caught.value.code is code


def test_numbers_of_a_parquet_file_need_no_text(tmp_path):
    path = tmp_path / "book.parquet"
    frame = {"account": [7, 7, 9], "instrument": ["USD", "BTC-PERP", "USD"], "size": [1.5, -2.0, 3.0]}
    pl.DataFrame(frame).write_parquet(path)
    book = read_book(path)
    assert book.names == ("7", "9")
    assert book.sizes.tolist() == [-2.0]
    assert np.isnan(book.prices).all()
