"""What does hypothesis draw, and shrink, for the laws of margin models and forecasters?"""

import numpy as np
from hypothesis import strategies as st

from plimsoll.domain.bars import Bars
from plimsoll.domain.instruments import Listing
from plimsoll.domain.money import QUANTA_PER_UNIT
from plimsoll.testing.bars import holed, wild_bars
from plimsoll.testing.margin_models import Book
from plimsoll.types import Vector

__all__ = ["bars", "books"]

_MOST_LOTS = 10**14
_SEED = st.integers(0, 2**32 - 1)


def books(listings: tuple[Listing, ...], marks: Vector, most_accounts: int = 6) -> st.SearchStrategy[Book]:
    """Draw small books, which shrink towards no lots at all.

    Parameters
    ----------
    marks : Vector [I]   Quote units per unit of each instrument.
    """
    unit = np.array([listing.lot for listing in listings]) * marks * QUANTA_PER_UNIT
    size = st.one_of(st.just(0), st.integers(-_MOST_LOTS, _MOST_LOTS))
    rows = st.lists(st.tuples(*[size] * len(listings)), min_size=1, max_size=most_accounts)

    def book(held: list[tuple[int, ...]], seed: int) -> Book:
        return Book(listings, unit, np.array(held, dtype=np.int64), seed)

    return st.builds(book, rows, _SEED)


def bars(
    markets: tuple[str, ...] = ("BTC", "ETH"), count: int = 300, most_missing: float = 0.2
) -> st.SearchStrategy[Bars]:
    """Draw bars with bursts of volatility, jumps and holes."""

    def drawn(seed: int, missing: float) -> Bars:
        return holed(wild_bars(seed, count, markets=markets), seed, missing)

    return st.builds(drawn, _SEED, st.floats(0.0, most_missing))
