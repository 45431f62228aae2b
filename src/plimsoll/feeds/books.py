"""How does a book of accounts get from a Parquet or CSV file into memory, and which accounts are refused?"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import polars as pl

from plimsoll.domain.account_books import QUOTE, AccountBook, RefusedAccount
from plimsoll.domain.instruments import Instrument, Spot, parse_instrument
from plimsoll.domain.money import LARGEST_AMOUNT, QUANTA_PER_UNIT
from plimsoll.errors import Code, PlimsollError
from plimsoll.feeds.columns import numbers_of, read_columns
from plimsoll.types import Flags, Rows, Vector

__all__ = ["BOOK_COLUMNS", "read_book"]

BOOK_COLUMNS = ("account", "instrument", "size")
"""Columns that a book file must have; ``price`` may be absent."""

_LARGEST = LARGEST_AMOUNT / QUANTA_PER_UNIT

_Judgement: TypeAlias = tuple[Code, Flags, Callable[[int], str]]
"""What kind of fault, in which rows, and how it is told of one."""


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of a book file, not yet judged.

    Attributes
    ----------
    accounts, instruments : Rows [N]   Numbers of names, in order of first appearance; of labels, sorted.
    sizes, prices : Vector [N]         NaN where there is no number.
    priced : Flags [N]                 Where the file says something about the price.
    """

    path: Path
    names: tuple[str, ...]
    labels: tuple[str, ...]
    accounts: Rows
    instruments: Rows
    sizes: Vector
    prices: Vector
    priced: Flags


def read_book(path: Path) -> AccountBook:
    """Read a book of accounts and check every row.

    Parameters
    ----------
    path : Path   A ``.parquet``, ``.csv`` or ``.csv.gz`` file with one row per account and holding: account,
                  instrument, size and, where known, price; further columns are ignored. See
                  docs/reference/book-files.md.

    Returns
    -------
    AccountBook   An account with a row that cannot be read is left out and listed in `refused`.

    Raises
    ------
    PlimsollError   `MISSING_FILE`, `UNREADABLE_FILE`, `MISSING_COLUMN`; `BAD_ACCOUNT` for a row without an
                    account, `EMPTY_RANGE` where no account is left.
    """
    table = _read(path)
    known = _instruments(table.labels)
    bad: dict[int, RefusedAccount] = {}
    for code, wrong, what in _judgements(table, known):
        for row in np.flatnonzero(wrong):
            account = int(table.accounts[row])
            where = f"{path}, row {row + 1}"
            name = table.names[account]
            bad.setdefault(account, RefusedAccount(name, code.value, what(int(row)), where))
    if len(bad) == len(table.names):
        first = next(iter(bad.values()), None)
        raise PlimsollError(
            Code.EMPTY_RANGE,
            "no account can be read" + (f"; the first: {first.what}" if first else ""),
            where=first.where if first else str(path),
            remedy="Correct the rows, or give a file that holds accounts.",
        )
    return _book(table, known, bad)


def _read(path: Path) -> _Rows:
    frame = read_columns(path, BOOK_COLUMNS, ("price",), "book file")
    names, accounts = _numbered(path, frame["account"], "account")
    labels, instruments = _numbered(path, frame["instrument"], "instrument")
    order = np.argsort(np.array(labels, dtype=np.str_), kind="stable")
    place = np.empty(len(order), dtype=np.intp)
    place[order] = np.arange(len(order))
    price = frame["price"] if "price" in frame.columns else pl.Series([None] * len(frame), dtype=pl.Float64)
    return _Rows(
        path=path,
        names=names,
        labels=tuple(labels[i] for i in order),
        accounts=accounts,
        instruments=place[instruments],
        sizes=numbers_of(frame["size"]),
        prices=numbers_of(price),
        priced=_said(price),
    )


def _said(column: pl.Series) -> Flags:
    """Flag the fields that are not empty: what stands there must then be a price."""
    said = column.is_not_null()
    if column.dtype == pl.String:
        said &= column.str.strip_chars() != ""
    if column.dtype.is_float():
        said &= column.is_not_nan()
    return np.asarray(said.fill_null(value=False).to_numpy(), dtype=np.bool_)


def _numbered(path: Path, column: pl.Series, what: str) -> tuple[tuple[str, ...], Rows]:
    text = column.cast(pl.String).str.strip_chars()
    absent = np.asarray((text.is_null() | (text == "")).fill_null(value=True).to_numpy())
    if absent.any():
        raise PlimsollError(
            Code.BAD_ACCOUNT,
            f"no {what}",
            where=f"{path}, row {int(np.argmax(absent)) + 1}",
            remedy="Fill it in or remove the row.",
        )
    names = text.unique(maintain_order=True)
    numbers = text.replace_strict(names, pl.Series(range(len(names)), dtype=pl.Int64), return_dtype=pl.Int64)
    return tuple(names), numbers.to_numpy().astype(np.intp)


def _instruments(labels: tuple[str, ...]) -> tuple[Instrument | None, ...]:
    def read(label: str) -> Instrument | None:
        try:
            return parse_instrument(label)
        except PlimsollError:
            return None

    return tuple(map(read, labels))


def _judgements(table: _Rows, known: tuple[Instrument | None, ...]) -> Iterator[_Judgement]:
    """Say of each kind of fault which rows have it, the gravest first."""
    unknown = np.array([entry is None for entry in known], dtype=np.bool_)
    asset = np.array([isinstance(entry, Spot) for entry in known], dtype=np.bool_)
    quote = np.array([label == QUOTE for label in table.labels], dtype=np.bool_)
    sizes, column = table.sizes, table.instruments
    yield Code.UNKNOWN_INSTRUMENT, unknown[column], lambda row: f"no instrument {table.labels[column[row]]!r}"
    unsound = ~(np.abs(sizes) <= _LARGEST)
    yield Code.BAD_QUANTITY, unsound, lambda row: f"the size is {sizes[row]:g}"
    negative = asset[column] & ~quote[column] & (sizes < 0.0)
    yield Code.BAD_ACCOUNT, negative, lambda row: f"a balance of {sizes[row]:g} {table.labels[column[row]]}"
    priced = table.priced & ~(np.isfinite(table.prices) & (table.prices > 0.0))
    yield Code.BAD_PRICE, priced, lambda row: f"the entry price is {table.prices[row]:g}"
    pairs = table.accounts * max(len(known), 1) + column
    repeated = np.ones(len(pairs), dtype=np.bool_)
    repeated[np.unique(pairs, return_index=True)[1]] = False
    yield Code.BAD_ACCOUNT, repeated, lambda row: f"holds {table.labels[column[row]]} in two rows"


def _book(table: _Rows, known: tuple[Instrument | None, ...], bad: dict[int, RefusedAccount]) -> AccountBook:
    """Keep the sound accounts, and the instruments that they hold, in columns."""
    sound = np.ones(len(table.names), dtype=np.bool_)
    sound[list(bad)] = False
    number = np.cumsum(sound) - 1
    quote = np.array([label == QUOTE for label in table.labels])[table.instruments]
    of_sound = sound[table.accounts]
    cash = np.zeros(int(sound.sum()))
    held_cash = of_sound & quote
    cash[number[table.accounts[held_cash]]] = table.sizes[held_cash]
    kept = np.flatnonzero(of_sound & ~quote & (table.sizes != 0.0))
    kept = kept[np.argsort(table.accounts[kept], kind="stable")]
    used, columns = np.unique(table.instruments[kept], return_inverse=True)
    return AccountBook(
        names=tuple(name for name, keep in zip(table.names, sound, strict=True) if keep),
        instruments=tuple(entry for i in used if (entry := known[i]) is not None),
        cash=cash,
        owners=number[table.accounts[kept]].astype(np.intp),
        columns=columns.astype(np.intp),
        sizes=table.sizes[kept],
        prices=table.prices[kept],
        refused=tuple(bad[account] for account in sorted(bad)),
    )
