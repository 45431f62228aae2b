"""Who holds what: every account's cash and positions, in columns of whole numbers?"""

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plimsoll.domain.money import LARGEST_AMOUNT, exact_sum
from plimsoll.errors import Code, PlimsollError
from plimsoll.types import Lots, Quanta, Rows, Vector

__all__ = ["BACKSTOP", "FIRST_TRADER", "FUND", "MAKERS", "OUTSIDE", "VENUE", "Book", "empty_book"]

OUTSIDE, VENUE, FUND, MAKERS, BACKSTOP = range(5)
"""System accounts: where deposits come from, the venue itself, the insurance fund, the makers who take the
other side of every trade that does not net, and the backstop that takes over what the book does not."""
FIRST_TRADER = 5
_SYSTEM_NAMES = ("outside", "venue", "fund", "makers", "backstop")


@dataclass(frozen=True, slots=True)
class Book:
    """All accounts in columns; row r is one account, the first five are the system's.

    Cash counts what was paid for positions, so an account's equity is its cash plus the value of what it
    holds. Every movement has two sides: the cash of all rows sums to zero, and so do the lots of every
    instrument.

    Attributes
    ----------
    names : tuple [A]
    rows : mapping        Row of each name.
    cash : Quanta [A]
    lots : Lots [A, I]
    cost : Quanta [A, I]  What the open position was bought for; a memorandum, no money.
    status : int8 [A]     `clearing.statuses.Status`.
    """

    names: tuple[str, ...]
    rows: MappingProxyType[str, int]
    cash: Quanta
    lots: Lots
    cost: Quanta
    status: NDArray[np.int8]

    def find(self, names: tuple[str, ...], where: str) -> Rows:
        """Look up the rows of traders; raises `UNKNOWN_ACCOUNT` for the first that is not known."""
        try:
            return np.array([self.rows[name] for name in names], dtype=np.intp)
        except KeyError as error:
            raise PlimsollError(
                Code.UNKNOWN_ACCOUNT,
                f"no account {error.args[0]}",
                where=where,
                remedy="Open the account first.",
            ) from None

    def opened(self, names: tuple[str, ...]) -> "Book":
        """Add accounts that hold nothing; raises `BAD_ACCOUNT` for a name that is taken or given twice."""
        first = len(self.names)
        rows = self.rows | {name: first + i for i, name in enumerate(names)}
        if len(rows) != first + len(names):
            taken = next(name for i, name in enumerate(names) if rows[name] != first + i or name in self.rows)
            raise PlimsollError(
                Code.BAD_ACCOUNT,
                f"account {taken} exists already",
                where="opening",
                remedy="Use another name.",
            )
        columns = self.lots.shape[1]
        none = np.zeros((len(names), columns), dtype=np.int64)
        return Book(
            names=self.names + names,
            rows=MappingProxyType(rows),
            cash=np.append(self.cash, np.zeros(len(names), dtype=np.int64)),
            lots=np.vstack([self.lots, none]),
            cost=np.vstack([self.cost, none]),
            status=np.append(self.status, np.zeros(len(names), dtype=np.int8)),
        )

    def widened(self, instruments: int) -> "Book":
        """Add instruments that nobody holds."""
        none = np.zeros((len(self.names), instruments), dtype=np.int64)
        return replace(self, lots=np.hstack([self.lots, none]), cost=np.hstack([self.cost, none]))

    def paid(self, source: int | Rows, target: int | Rows, amounts: int | Quanta) -> "Book":
        """Move cash from one account to another, or between one and many; every movement has both sides.

        Parameters
        ----------
        source, target : int or Rows [B]   At most one of them is an array; rows in it are distinct.
        amounts : int or Quanta [B]        Negative amounts move the other way.
        """
        total = exact_sum(np.atleast_1d(amounts))
        cash = self.cash.copy()
        for account, sign in ((source, -1), (target, 1)):
            if isinstance(account, int):
                cash[account] = _within(int(cash[account]) + sign * total)
            else:
                cash[account] += sign * np.asarray(amounts)
                _check_within(cash[account])
        return replace(self, cash=cash)

    def traded(self, rows: Rows, lots: Lots, paid: Quanta, against: int = MAKERS) -> "Book":
        """Let accounts trade among each other; what does not net is taken by one account, the makers.

        Parameters
        ----------
        rows : Rows [B]        Distinct, and without `against`.
        lots : Lots [B, I]     Signed lots bought.
        paid : Quanta [B, I]   Cash paid for them; negative is received.
        against : int          Row of the account on the other side.

        Raises
        ------
        PlimsollError   `AMOUNT_OUT_OF_RANGE` where a sum of this trade, or what is held after it, does not
                        fit.
        """
        for traded in (paid, lots):
            _check_within(np.abs(traded.astype(np.float64)).sum(axis=0))
            _check_within(np.abs(traded.astype(np.float64)).sum(axis=1))
        after = self.paid(rows, against, paid.sum(axis=1))
        held = self.lots.copy()
        held[rows] += lots
        held[against] -= lots.sum(axis=0)
        cost = self.cost.copy()
        cost[rows] = _cost_after(self.lots[rows], self.cost[rows], lots, paid)
        cost[against] = _cost_after(
            self.lots[against], self.cost[against], -lots.sum(axis=0), -paid.sum(axis=0)
        )
        changed = np.append(rows, against)
        _check_within(held[changed])
        _check_within(cost[changed])
        return replace(after, lots=held, cost=cost)

    def part(self, rows: Rows) -> "Book":
        """Take the system accounts and some traders out as a small book, for many trades among them."""
        chosen = _with_system(rows)
        names = tuple(self.names[row] for row in chosen)
        return Book(
            names=names,
            rows=MappingProxyType({name: row for row, name in enumerate(names)}),
            cash=self.cash[chosen],
            lots=self.lots[chosen],
            cost=self.cost[chosen],
            status=self.status[chosen],
        )

    def with_part(self, rows: Rows, part: "Book") -> "Book":
        """Put back what `part` took out of the same rows."""
        chosen = _with_system(rows)

        def put_back(column: NDArray[Any], changed: NDArray[Any]) -> NDArray[Any]:
            whole = column.copy()
            whole[chosen] = changed
            return whole

        return replace(
            self,
            cash=put_back(self.cash, part.cash),
            lots=put_back(self.lots, part.lots),
            cost=put_back(self.cost, part.cost),
            status=put_back(self.status, part.status),
        )

    def equity(self, unit: Vector) -> Vector:
        """Value every account at the marks.

        Parameters
        ----------
        unit : Vector [I]   Quote quanta per lot.

        Returns
        -------
        Vector [A]   Cash plus the value of all positions, quote quanta.
        """
        worth: Vector = self.cash + self.lots @ unit
        return worth


def empty_book(instruments: int) -> Book:
    """Start with the system accounts alone, all of them empty."""
    system = len(_SYSTEM_NAMES)
    none = np.zeros((system, instruments), dtype=np.int64)
    return Book(
        names=_SYSTEM_NAMES,
        rows=MappingProxyType({name: row for row, name in enumerate(_SYSTEM_NAMES)}),
        cash=np.zeros(system, dtype=np.int64),
        lots=none,
        cost=none.copy(),
        status=np.zeros(system, dtype=np.int8),
    )


def _with_system(rows: Rows) -> Rows:
    return np.append(np.arange(FIRST_TRADER), rows)


def _cost_after(held: Lots, cost: Quanta, lots: Lots, paid: Quanta) -> Quanta:
    """Carry costs through a trade: growing adds to them, shrinking releases them in proportion."""
    after = held + lots
    grows = np.sign(held) * np.sign(lots) >= 0
    flips = ~grows & (np.abs(lots) > np.abs(held))
    kept = np.rint(cost * np.divide(after, held, out=np.zeros(held.shape), where=held != 0)).astype(np.int64)
    opened = np.rint(paid * np.divide(after, lots, out=np.zeros(held.shape), where=lots != 0)).astype(
        np.int64
    )
    return np.where(grows, cost + paid, np.where(flips, opened, kept))


def _within(amount: int) -> int:
    if abs(amount) > LARGEST_AMOUNT:
        raise _beyond(f"a balance would reach {amount} quanta")
    return amount


def _check_within(amounts: Quanta | Vector) -> None:
    """Raise where an amount is too large; two that are not add up to one that wraps past neither end."""
    if np.any((amounts > LARGEST_AMOUNT) | (amounts < -LARGEST_AMOUNT)):
        raise _beyond("a balance or a position would not fit")


def _beyond(what: str) -> PlimsollError:
    return PlimsollError(
        Code.AMOUNT_OUT_OF_RANGE,
        f"{what}, beyond {LARGEST_AMOUNT}",
        where="ledger",
        remedy="Split the venue's quote currency into a larger unit.",
    )
