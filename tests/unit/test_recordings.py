"""How are recorded books and trades read, and which are refused, with which row?"""

import numpy as np
import polars as pl
import pytest

from plimsoll.errors import Code, PlimsollError
from plimsoll.feeds.recordings import read_books, read_trades
from tests.support.order_books import book_frame, drawn_books, drawn_trades, trade_frame

STUCK = 30.0
BOOKS = drawn_books(12, levels=4)
TRADES = drawn_trades(12, impact=0.7)


def written(folder, frame, name="books.parquet"):
    path = folder / name
    if path.suffix == ".parquet":
        frame.write_parquet(path)
    else:
        frame.write_csv(path)
    return path


def changed(frame, column, row, value):
    values = frame[column].to_list()
    values[row] = value
    return frame.with_columns(pl.Series(column, values, strict=False))


@pytest.mark.parametrize("name", ["books.parquet", "books.csv"])
def test_books_come_back_as_they_were_recorded(tmp_path, name):
    found = read_books(written(tmp_path, book_frame(BOOKS), name), STUCK)
    np.testing.assert_array_equal(found.times, BOOKS.times)
    np.testing.assert_array_equal(found.bids, BOOKS.bids)
    np.testing.assert_array_equal(found.asks, BOOKS.asks)


def test_levels_that_are_not_there_are_read_as_such(tmp_path):
    frame = changed(changed(book_frame(BOOKS), "bid_price_3", 5, None), "bid_size_3", 5, None)
    frame = changed(frame, "ask_size_1", 6, 0.0)
    found = read_books(written(tmp_path, frame), STUCK)
    assert np.isnan(found.bids[5, 3]).all()
    assert found.asks[6, 1, 1] == 0.0


def stuck(frame):
    """Let the fourth snapshot stand for forty seconds."""
    rows = frame.rows()
    first = rows[3]
    rows[4:] = [(row[0] + 40_000, *row[1:]) for row in rows[4:]]
    rows[4] = (rows[4][0], *first[1:])
    return pl.DataFrame(rows, schema=frame.schema, orient="row")


FAULTS = [
    (lambda f: changed(f, "ask_price_0", 4, f["bid_price_0"][4]), Code.BAD_BOOK, 5, "crossed"),
    (lambda f: changed(f, "ask_price_0", 4, f["bid_price_0"][4] * 0.9), Code.BAD_BOOK, 5, "crossed"),
    (stuck, Code.BAD_BOOK, 5, "not changed for 40 s"),
    (lambda f: f.with_columns(*(changed(f, f"bid_size_{k}", 7, 0.0)[f"bid_size_{k}"] for k in range(4))),
     Code.BAD_BOOK, 8, "no bid"),
    (lambda f: f.with_columns(pl.lit(0.0).alias(name) for name in f.columns if "size" in name),
     Code.BAD_BOOK, 1, "no bid and no ask, and so in 11 more rows"),
    (lambda f: changed(f, "bid_price_0", 2, float("nan")), Code.BAD_PRICE, 3, "half"),
    (lambda f: changed(f, "bid_size_2", 2, float("nan")), Code.BAD_PRICE, 3, "half"),
    (lambda f: changed(f, "ask_price_1", 9, -3.0), Code.BAD_PRICE, 10, "half"),
    (lambda f: changed(f, "ask_size_1", 9, float("inf")), Code.BAD_PRICE, 10, "half"),
    (lambda f: changed(f, "ask_price_2", 9, f["ask_price_1"][9]), Code.BAD_PRICE, 10, "out of order"),
    (lambda f: changed(f, "ts", 6, f["ts"][5]), Code.DUPLICATE_TIMES, 7, "same moment"),
    (lambda f: changed(f, "ts", 6, f["ts"][4]), Code.UNSORTED_TIMES, 7, "back in time"),
    (lambda f: changed(f, "ts", 6, None), Code.BAD_TIME, 7, "timestamp"),
]  # fmt: skip


@pytest.mark.parametrize("name", ["books.parquet", "books.csv"])
@pytest.mark.parametrize(("spoil", "code", "row", "words"), FAULTS)
def test_a_book_that_is_none_refuses_the_file_and_names_its_row(tmp_path, spoil, code, row, words, name):
    path = written(tmp_path, spoil(book_frame(BOOKS)), name)
    with pytest.raises(PlimsollError) as raised:
        read_books(path, STUCK)
    assert raised.value.code is code
    assert raised.value.where.endswith(f"{name}, row {row}")
    assert words in raised.value.what


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda frame: frame.drop("ask_size_0"), Code.MISSING_COLUMN),
        (lambda frame: frame.clear(), Code.EMPTY_RANGE),
    ],
)
def test_a_file_without_books_is_refused(tmp_path, spoil, code):
    with pytest.raises(PlimsollError) as raised:
        read_books(written(tmp_path, spoil(book_frame(BOOKS))), STUCK)
    assert raised.value.code is code


def test_trades_come_back_as_they_were_recorded(tmp_path):
    found = read_trades(written(tmp_path, trade_frame(TRADES), "trades.csv"))
    for name in ("times", "price", "size", "sign"):
        np.testing.assert_array_equal(getattr(found, name), getattr(TRADES, name))
    plain = read_trades(written(tmp_path, trade_frame(TRADES).drop("trade_id"), "plain.parquet"))
    assert len(plain) == len(TRADES)


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("price", 0.0, Code.BAD_PRICE),
        ("price", float("nan"), Code.BAD_PRICE),
        ("size", -1.0, Code.BAD_QUANTITY),
        ("size", None, Code.BAD_QUANTITY),
        ("side", "B", Code.BAD_QUANTITY),
        ("side", None, Code.BAD_QUANTITY),
        ("trade_id", "2", Code.BAD_QUANTITY),
        ("ts", 1_600_000_000_000, Code.UNSORTED_TIMES),
    ],
)
def test_a_row_that_is_no_trade_refuses_the_file_and_names_its_row(tmp_path, column, value, code):
    path = written(tmp_path, changed(trade_frame(TRADES), column, 6, value), "trades.parquet")
    with pytest.raises(PlimsollError) as raised:
        read_trades(path)
    assert raised.value.code is code
    assert raised.value.where.endswith("trades.parquet, row 7")
