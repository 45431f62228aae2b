"""How is a book of accounts written to a file?"""

import io
from pathlib import Path

import numpy as np
import polars as pl

from plimsoll.domain.account_books import QUOTE, AccountBook
from plimsoll.errors import Code, PlimsollError

__all__ = ["book_bytes"]


def book_bytes(book: AccountBook, path: Path) -> bytes:
    """Write a book as the table that `feeds.books.read_book` reads: CSV, or Parquet, by the path's ending.

    One row of cash per account, zero included, then its holdings; accounts that were refused are not written.

    Raises
    ------
    PlimsollError   `BAD_SETTING` for another ending, which nothing would read.
    """
    if path.suffix not in {".csv", ".parquet"}:
        raise PlimsollError(
            Code.BAD_SETTING,
            f"no form of book is known by the ending {path.suffix or '(none)'}",
            where=str(path),
            remedy="Name the file .csv or .parquet.",
        )
    count = len(book.names)
    owners = np.concatenate([np.arange(count), book.owners])
    labels = np.array([QUOTE, *(instrument.name for instrument in book.instruments)])
    places = np.concatenate([np.zeros(count, dtype=np.intp), book.columns + 1])
    order = np.argsort(owners, kind="stable")
    prices = pl.Series(np.concatenate([np.full(count, np.nan), book.prices])[order])
    frame = pl.DataFrame(
        {
            "account": np.array(book.names)[owners[order]],
            "instrument": labels[places[order]],
            "size": np.concatenate([book.cash, book.sizes])[order],
            "price": prices.fill_nan(None),
        }
    )
    buffer = io.BytesIO()
    if path.suffix == ".csv":
        frame.write_csv(buffer)
    else:
        frame.write_parquet(buffer)
    return buffer.getvalue()
