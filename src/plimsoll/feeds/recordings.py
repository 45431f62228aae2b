"""How do recorded order books and trades get from files into memory, and which are refused?"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import numpy as np
import polars as pl

from plimsoll.domain.liquidity import OrderBooks, Trades
from plimsoll.errors import Code, PlimsollError
from plimsoll.feeds.columns import column_names, numbers_of, read_columns
from plimsoll.feeds.tables import times_of
from plimsoll.kernels.order_book import CROSSED, SOUND, book_measures
from plimsoll.types import Array, Flags, Times

__all__ = ["read_books", "read_trades"]

_SIDES = ("bid", "ask")
_PARTS = ("price", "size")
_SIGNS = {"buy": 1.0, "sell": -1.0}
_SECOND = 1000
_BOOKS, _TRADES = "file of recorded books", "file of recorded trades"

_Judgement: TypeAlias = tuple[Code, Flags, Callable[[int], str]]
"""What kind of fault, in which rows, and how it is told of one."""


def read_books(path: Path, stuck_seconds: float) -> OrderBooks:
    """Read snapshots of one market's book, and refuse the file where one of them is no sound book.

    Parameters
    ----------
    path : Path             A ``.parquet``, ``.csv`` or ``.csv.gz`` file, one row per snapshot: ts (UTC),
                            bid_price_0, bid_size_0, ask_price_0, ask_size_0, ..._1, from the best.
                            A level without price and size is not there. See docs/reference/recordings.md.
    stuck_seconds : seconds   A book that has not changed for longer is no market's.

    Raises
    ------
    PlimsollError   `MISSING_FILE`, `UNREADABLE_FILE`, `MISSING_COLUMN`, `EMPTY_RANGE`, `BAD_TIME`,
                    `UNSORTED_TIMES`, `DUPLICATE_TIMES`, `BAD_PRICE`, or `BAD_BOOK` for one that is crossed,
                    lacks a side or stood still; with the first such row and how many there are.
    """
    columns = _level_columns(column_names(path, _BOOKS))
    frame = read_columns(path, ("ts", *columns), (), _BOOKS)
    times = _times(path, frame, "snapshots")
    levels = np.stack([numbers_of(frame[name]) for name in columns], axis=1)
    levels = levels.reshape(len(times), len(columns) // 4, len(_SIDES), len(_PARTS))
    books = OrderBooks(times, levels[:, :, 0], levels[:, :, 1])
    _refuse(path, _book_judgements(books, stuck_seconds), "Take the rows out, and see why they came.")
    return books


def read_trades(path: Path) -> Trades:
    """Read the trades of one market, and refuse the file where a row is no trade.

    Parameters
    ----------
    path : Path   A ``.parquet``, ``.csv`` or ``.csv.gz`` file, one row per trade: ts (UTC), price, size, side
                  (``buy`` or ``sell``, of who came to the book) and, where known, trade_id.

    Raises
    ------
    PlimsollError   `MISSING_FILE`, `UNREADABLE_FILE`, `MISSING_COLUMN`, `EMPTY_RANGE`, `BAD_TIME`,
                    `UNSORTED_TIMES`, `BAD_PRICE`, or `BAD_QUANTITY` for size, side or trade_id.
    """
    frame = read_columns(path, ("ts", *_PARTS, "side"), ("trade_id",), _TRADES)
    times = _times(path, frame, "trades")
    sides = frame["side"].cast(pl.String).str.strip_chars().str.to_lowercase()
    sign = sides.replace_strict(_SIGNS, default=None, return_dtype=pl.Float64)
    trades = Trades(times, numbers_of(frame["price"]), numbers_of(frame["size"]), numbers_of(sign))
    said = frame["trade_id"] if "trade_id" in frame.columns else None
    _refuse(path, _trade_judgements(trades, said), "Correct the rows or take them out.")
    return trades


def _level_columns(found: list[str]) -> tuple[str, ...]:
    """Name the columns of every level that a file has, level by level; at least those of the first."""
    levels = 1
    while all(f"{side}_price_{levels}" in found for side in _SIDES):
        levels += 1
    return tuple(f"{side}_{part}_{k}" for k in range(levels) for side in _SIDES for part in _PARTS)


def _times(path: Path, frame: pl.DataFrame, what: str) -> Times:
    if len(frame) == 0:
        raise PlimsollError(
            Code.EMPTY_RANGE, f"no {what}", where=str(path), remedy="Give a recording that holds some."
        )
    times = times_of(path, frame["ts"])
    if (steps := np.diff(times)).min(initial=0) < 0:
        raise PlimsollError(
            Code.UNSORTED_TIMES,
            f"{what} go back in time",
            where=f"{path}, row {int(np.argmax(steps < 0)) + 2}",
            remedy="Sort the file by ts.",
        )
    return times


def _book_judgements(books: OrderBooks, stuck_seconds: float) -> Iterator[_Judgement]:
    """Say of each kind of fault which snapshots have it, the gravest first."""
    steps = np.diff(books.times, prepend=books.times[0] - 1)
    yield Code.DUPLICATE_TIMES, steps == 0, lambda _: "a second book of the same moment"
    unsound = _unsound(books.bids, -1.0) | _unsound(books.asks, 1.0)
    yield Code.BAD_PRICE, unsound, lambda _: "a level with half a price and size, or levels out of order"
    quality = book_measures(books.bids, books.asks, np.empty(0))[3]
    bid, ask = books.bids[:, 0, 0], books.asks[:, 0, 0]
    yield Code.BAD_BOOK, quality == CROSSED, lambda row: f"crossed: bid {bid[row]:g} reaches ask {ask[row]:g}"
    yield Code.BAD_BOOK, quality != SOUND, lambda row: f"no {_lacking(books, row)}"
    still = _still(books)
    yield (
        Code.BAD_BOOK,
        still > stuck_seconds * _SECOND,
        lambda row: f"stuck: the book has not changed for {still[row] / _SECOND:.0f} s",
    )


def _unsound(levels: Array, sign: float) -> Flags:
    """Flag books with a level that is neither there nor absent, or whose prices do not move away: Flags [T].

    Absent is a level without price and size, or of size 0.
    """
    price, size = levels[:, :, 0], levels[:, :, 1]
    there = (price > 0.0) & (price < np.inf) & (size > 0.0) & (size < np.inf)
    absent = (np.isnan(price) | ((price >= 0.0) & (price < np.inf))) & (np.isnan(size) | (size == 0.0))
    absent &= np.isnan(price) | (size == 0.0)
    away = np.where(there, sign * price, -np.inf)
    before = np.maximum.accumulate(away, axis=1)[:, :-1]
    disordered = there[:, 1:] & (away[:, 1:] <= before)
    unsound: Flags = ~(there | absent).all(axis=1) | disordered.any(axis=1)
    return unsound


def _lacking(books: OrderBooks, row: int) -> str:
    sides = zip(_SIDES, (books.bids, books.asks), strict=True)
    return " and no ".join(name for name, side in sides if not (side[row, :, 1] > 0.0).any())


def _still(books: OrderBooks) -> Times:
    """Give for how long each book has stood: Times [T], milliseconds."""
    content = np.nan_to_num(np.concatenate([books.bids, books.asks], axis=1), nan=0.0)
    moved = np.append(np.True_, (content[1:] != content[:-1]).any(axis=(1, 2)))
    still: Times = books.times - np.maximum.accumulate(np.where(moved, books.times, books.times[0]))
    return still


def _trade_judgements(trades: Trades, identities: pl.Series | None) -> Iterator[_Judgement]:
    price, size = trades.price, trades.size
    yield Code.BAD_PRICE, ~((price > 0.0) & (price < np.inf)), lambda row: f"a price of {price[row]:g}"
    yield Code.BAD_QUANTITY, ~((size > 0.0) & (size < np.inf)), lambda row: f"a size of {size[row]:g}"
    yield Code.BAD_QUANTITY, np.isnan(trades.sign), lambda _: "a side that is neither buy nor sell"
    if identities is not None:
        again = np.asarray((~identities.is_first_distinct() & identities.is_not_null()).to_numpy())
        yield Code.BAD_QUANTITY, again, lambda row: f"trade {identities[row]} stands above already"


def _refuse(path: Path, judgements: Iterator[_Judgement], remedy: str) -> None:
    for code, wrong, what in judgements:
        if wrong.any():
            row, count = int(np.argmax(wrong)), int(np.count_nonzero(wrong))
            more = f", and so in {count - 1} more rows" if count > 1 else ""
            raise PlimsollError(code, what(row) + more, where=f"{path}, row {row + 1}", remedy=remedy)
