"""Which rows of a bar file are refused, and with what remedy?"""

import numpy as np

from plimsoll.domain.bar_checks import ROUNDING_TOLERANCE
from plimsoll.domain.bars import MINUTE
from plimsoll.errors import Code, PlimsollError
from plimsoll.feeds.tables import BarTable
from plimsoll.types import Flags, Rows, Times, Vector

__all__ = ["check_prices", "check_times", "check_volumes", "common_length"]


def common_length(table: BarTable) -> int:
    """Infer the bar length, milliseconds: the most common step between neighbouring bars of any market.

    A market that never makes this step, but repeats another, has bars of another length and is refused.
    """
    steps = [np.diff(np.unique(table.times[table.columns == column])) for column in range(len(table.markets))]
    if not any(len(own) for own in steps):
        raise PlimsollError(
            Code.UNEVEN_BARS,
            "no market has two bars, so the bar length is unknown",
            where=str(table.path),
            remedy="Give at least two bars of a market.",
        )
    length, _ = _most_common(np.concatenate(steps))
    for market, own in zip(table.markets, steps, strict=True):
        other, count = _most_common(own) if len(own) else (length, 1)
        if count > 1 and not (own == length).any():
            raise PlimsollError(
                Code.UNEVEN_BARS,
                f"{market} has {other / MINUTE:g}-min bars among {length / MINUTE:g}-min bars",
                where=str(table.path),
                remedy="Read markets of one bar length at a time.",
            )
    return length


def _most_common(steps: Times) -> tuple[int, int]:
    values, counts = np.unique(steps, return_counts=True)
    return int(values[np.argmax(counts)]), int(counts.max())


def check_times(table: BarTable, length: int) -> None:
    """Refuse bars of a market that go back in time, come twice or lie off the grid of the bar length."""
    previous = _previous(table)
    steps = np.where(previous < 0, length, table.times - table.times[previous])
    _refuse(
        table,
        steps < 0,
        Code.UNSORTED_TIMES,
        "opens before the bar above it",
        "Sort the rows of each market by time.",
    )
    _refuse(
        table,
        steps == 0,
        Code.DUPLICATE_TIMES,
        "opens when the bar above it does",
        "Keep one row per market and time.",
    )
    phases, counts = np.unique(table.times % length, return_counts=True)
    off = table.times % length != phases[np.argmax(counts)]
    what = f"opens off the grid of {length / MINUTE:g}-min bars that the other rows keep"
    _refuse(table, off, Code.UNEVEN_BARS, what, "Remove the row, or give bars of one length.")


def check_prices(table: BarTable) -> None:
    """Refuse prices that are absent, infinite or not positive, and ranges that leave out their own prices."""
    for name in ("open", "high", "low", "close"):
        prices = getattr(table, name)
        bad = ~(np.isfinite(prices) & (prices > 0.0))
        what = f"{name} is {_shown(prices, bad)}, not a positive number"
        _refuse(table, bad, Code.BAD_PRICE, what, "Correct the price or remove the row; a gap is allowed.")
    slack = ROUNDING_TOLERANCE * table.high
    remedy = "Correct the row or remove it; a gap is allowed."
    over = np.maximum.reduce([table.open, table.close, table.low]) > table.high + slack
    _refuse(table, over, Code.BAD_PRICE, "high is below the open, close or low", remedy)
    under = np.minimum(table.open, table.close) < table.low - slack
    _refuse(table, under, Code.BAD_PRICE, "low is above the open or close", remedy)


def check_volumes(table: BarTable) -> None:
    """Refuse volumes that are negative or infinite; an absent one is unknown, zero means no trade."""
    bad = (table.volume < 0.0) | np.isinf(table.volume)
    what = f"volume is {_shown(table.volume, bad)}"
    _refuse(table, bad, Code.BAD_VOLUME, what, "Correct the volume, or leave it empty where it is unknown.")


def _previous(table: BarTable) -> Rows:
    """Find for each row the index of the same market's row above it; -1 for a market's first row."""
    order = np.argsort(table.columns, kind="stable")
    same = np.diff(table.columns[order], prepend=-1) == 0
    previous = np.empty(len(order), dtype=np.intp)
    previous[order] = np.where(same, np.roll(order, 1), -1)
    return previous


def _refuse(table: BarTable, bad: Flags, code: Code, what: str, remedy: str) -> None:
    """Raise the error about the first flagged row, if any is."""
    if bad.any():
        raise table.error(code, int(np.argmax(bad)), what, remedy)


def _shown(values: Vector, bad: Flags) -> str:
    value = values[np.argmax(bad)]
    return "missing or no number" if np.isnan(value) else f"{value:g}"
