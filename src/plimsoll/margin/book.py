"""What does every account of a venue lose, and whose loss changes with a tick or a trade?"""

import math
from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from plimsoll.errors import Code, PlimsollError
from plimsoll.kernels.book_losses import (
    PositionRows,
    book_shortfalls,
    book_worst,
    few_shortfalls,
    few_worst,
    strips_for_shortfall,
    strips_for_worst,
)
from plimsoll.types import Array, Matrix, Rows, Vector

__all__ = ["BookLosses", "PositionRows", "position_rows"]


def position_rows(accounts: Rows, columns: Rows, quantity: Vector, count: int) -> PositionRows:
    """Sort loose positions into rows.

    Parameters
    ----------
    accounts, columns : Rows [P]; quantity : Vector [P]
    count : int   Accounts; those without positions have empty rows.

    Raises
    ------
    PlimsollError   `BAD_QUANTITY` where a quantity is not finite, `UNKNOWN_ACCOUNT` where an account has no
    row.
    """
    if len(accounts) and (accounts.min() < 0 or accounts.max() >= count):
        raise PlimsollError(
            Code.UNKNOWN_ACCOUNT,
            f"accounts go from {accounts.min()} to {accounts.max()}",
            where="accounts",
            remedy=f"Number them from 0 to {count - 1}.",
        )
    if not np.all(np.isfinite(quantity)):
        row = int(np.flatnonzero(~np.isfinite(quantity))[0])
        raise _bad_quantity(float(quantity[row]), f"positions[{row}] of account {accounts[row]}")
    order = np.argsort(accounts, kind="stable")
    last = np.cumsum(np.bincount(accounts, minlength=count)).astype(np.intp)
    first = np.concatenate([[0], last[:-1]]).astype(np.intp)
    return PositionRows(first, last, columns[order].astype(np.int32), quantity[order].astype(np.float64))


class BookLosses:
    """The losses of a whole book, kept up to date.

    The worst scenario where `tail` is `None`, else the mean of the `tail` largest losses. A tick answers
    again for the accounts that hold what was repriced, a trade for one account. This is state that moves
    in place: whoever needs earlier losses keeps a copy.

    Parameters
    ----------
    rows : PositionRows
    change : Matrix [I, S]   Profit per unit of each instrument in each scenario, finite.
    tail : int or None
    """

    def __init__(self, rows: PositionRows, change: Matrix, tail: int | None = None) -> None:
        self._change = _finite(change).copy()
        self._tail = tail
        self._first, self._last = rows.first.copy(), rows.last.copy()
        self._columns, self._quantity = rows.columns.copy(), rows.quantity.copy()
        self._used = len(rows.columns)
        self._began, self._holders = _holders(rows, len(change))
        self._joined: dict[int, set[int]] = defaultdict(set)
        self._strips, self._lone, self._blocks, self._singles = self._cut(self._change)
        self.losses = self.answer(np.arange(len(rows.first), dtype=np.intp))

    def tick(self, instruments: Rows, change: Matrix) -> Rows:
        """Take new profits of some instruments, Matrix [J, S]; give the accounts that were answered again."""
        self._change[instruments] = _finite(change)
        self._strips[:, instruments], self._lone[instruments], _, _ = self._cut(change)
        held = np.zeros(len(self.losses), dtype=np.bool_)
        for i in instruments:
            held[self._holders[self._began[i] : self._began[i + 1]]] = True
            held[list(self._joined[int(i)])] = True
        accounts = np.flatnonzero(held)
        self.losses[accounts] = self.answer(accounts)
        return accounts

    def trade(self, account: int, instrument: int, quantity: float) -> float:
        """Add a signed quantity to one account's position; give its new loss."""
        if not math.isfinite(quantity):
            raise _bad_quantity(quantity, f"trade of account {account}")
        start, stop = int(self._first[account]), int(self._last[account])
        held = np.flatnonzero(self._columns[start:stop] == instrument)
        if len(held):
            self._quantity[start + held[0]] += quantity
        else:
            self._append(account, instrument, quantity)
        self.losses[account] = self.answer(np.array([account], dtype=np.intp))[0]
        return float(self.losses[account])

    def _append(self, account: int, instrument: int, quantity: float) -> None:
        """Move an account's row to the end, where there is room for one more position."""
        start, stop = int(self._first[account]), int(self._last[account])
        room = stop - start + 1
        while self._used + room > len(self._columns):
            spare = max(room, len(self._columns) // _GROWTH)
            self._columns = np.append(self._columns, np.zeros(spare, dtype=np.int32))
            self._quantity = np.append(self._quantity, np.zeros(spare))
        moved = slice(self._used, self._used + room - 1)
        self._columns[moved], self._quantity[moved] = self._columns[start:stop], self._quantity[start:stop]
        self._columns[moved.stop], self._quantity[moved.stop] = instrument, quantity
        self._first[account], self._last[account] = moved.start, moved.stop + 1
        self._used += room
        self._joined[instrument].add(account)

    def _cut(self, change: Matrix) -> tuple[Array, Matrix, tuple[int, ...], tuple[int, ...]]:
        if self._tail is None:
            return strips_for_worst(change)
        return strips_for_shortfall(change), np.empty((len(change), 0)), (), ()

    def answer(self, accounts: Rows) -> Vector:
        """Compute the losses of some accounts anew, Vector [B], without keeping them."""
        held = PositionRows(self._first, self._last, self._columns, self._quantity)
        found = np.empty(len(accounts))
        if self._tail is None:
            table = (self._lone, accounts, self._blocks, self._singles)
            if len(accounts) > _FEW:
                return book_worst(held, self._strips, *table)
            few_worst(held, self._strips, *table, found)
            return found
        scenarios = self._change.shape[1]
        if len(accounts) > _FEW:
            return book_shortfalls(held, self._strips, accounts, scenarios, self._tail)
        few_shortfalls(held, self._strips, accounts, scenarios, self._tail, found)
        return found


_FEW = 256
"""Accounts that one thread answers for before a second one has woken up."""
_GROWTH = 16
"""Share of the positions, as a divisor, by which the arrays grow when trades have used up their end."""


def _holders(rows: PositionRows, instruments: int) -> tuple[Rows, NDArray[np.int32]]:
    """List the accounts that hold each instrument: instrument i from ``began[i]`` to ``began[i + 1]``."""
    owners = np.repeat(np.arange(len(rows.first), dtype=np.int32), rows.last - rows.first)
    began = np.concatenate([[0], np.cumsum(np.bincount(rows.columns, minlength=instruments))]).astype(np.intp)
    return began, owners[np.argsort(rows.columns, kind="stable")]


def _finite(change: Matrix) -> Matrix:
    if not np.all(np.isfinite(change)):
        row = int(np.flatnonzero(~np.isfinite(change).all(axis=1))[0])
        raise PlimsollError(
            Code.BAD_PRICE,
            "a profit in the price table is not finite",
            where=f"table row {row}",
            remedy="Leave the instrument out, or correct its quote.",
        )
    return change


def _bad_quantity(quantity: float, where: str) -> PlimsollError:
    return PlimsollError(
        Code.BAD_QUANTITY,
        f"the quantity is {quantity}",
        where=where,
        remedy="Give a finite number; `requirements` answers one bad account by itself.",
    )
