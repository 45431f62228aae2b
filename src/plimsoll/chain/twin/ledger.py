"""What does the clearing house owe to whom, and how do its books change?

Twin of the storage of `ClearingHouse.vy`.
"""

import copy
from collections.abc import Mapping

from plimsoll.chain.twin.constants import constants
from plimsoll.chain.twin.requirements import ASSETS
from plimsoll.chain.twin.reverts import Part, require

__all__ = ["LEAST_DEPOSIT", "MOST_AMOUNT", "MOST_LOTS", "MOST_POSITIONS", "Ledger"]

_C, _P = constants("ClearingHouse"), constants("positions")
LEAST_DEPOSIT, MOST_AMOUNT = _C["LEAST_DEPOSIT"], _C["MOST_AMOUNT"]
MOST_LOTS, MOST_POSITIONS = _P["MAX_LOTS"], _P["MAX_POSITIONS"]


class Ledger(Part):
    """Cash, positions and collateral of every account, the fund, and what winners are still to pay."""

    def __init__(self) -> None:
        self.accounts: list[str] = []
        self.cash: dict[str, int] = {}
        self.basis: dict[str, int] = {}
        self.fund = 0
        self.shortfall = 0
        self._books: dict[str, dict[int, int]] = {}
        self._holdings: dict[str, tuple[int, ...]] = {}

    def __copy__(self) -> "Ledger":
        made = Ledger.__new__(Ledger)
        vars(made).update({name: copy.copy(value) for name, value in vars(self).items()})
        return made

    def cash_of(self, account: str) -> int:
        """Give an account's cash."""
        return self.cash.get(account, 0)

    def book(self, account: str) -> Mapping[int, int]:
        """Give an account's signed lots by instrument."""
        return self._books.get(account, {})

    def collateral(self, account: str) -> tuple[int, ...]:
        """Give an account's collateral by asset, in units of each token."""
        return self._holdings.get(account, (0,) * ASSETS)

    def owes(self, account: str) -> bool:
        """Say whether an account owes without any position."""
        return self.cash_of(account) < 0 and not self.book(account)

    def enlist(self, account: str) -> None:
        """Put an account on the list."""
        self.accounts.append(account)
        self.cash.setdefault(account, 0)
        self.basis.setdefault(account, 0)

    def add(self, account: str, amount: int) -> None:
        """Change an account's cash."""
        self.cash[account] = self.cash_of(account) + amount

    def move_collateral(self, account: str, number: int, amount: int) -> None:
        """Change an account's collateral."""
        held = list(self.collateral(account))
        held[number] += amount
        require(held[number] <= MOST_AMOUNT, "house: amount")
        self._holdings[account] = tuple(held)

    def change(self, account: str, instrument: int, lots: int) -> None:
        """Change an account's position."""
        book = dict(self.book(account))
        held = book.pop(instrument, 0) + lots
        require(abs(held) <= MOST_LOTS, "positions: too many lots")
        if held:
            book[instrument] = held
        require(len(book) <= MOST_POSITIONS, "positions: book is full")
        self._books[account] = book

    def rebase(self, account: str) -> None:
        """Let gains count from here where there are no positions."""
        if not self.book(account):
            self.basis[account] = self.cash_of(account)

    def absorb(self, account: str) -> None:
        """Pay an account's debt from the fund; what the fund lacks becomes shortfall."""
        debt = -self.cash_of(account)
        paid = min(debt, self.fund)
        self.fund -= paid
        self.shortfall += debt - paid
        self.cash[account] = self.basis[account] = 0

    def retire(self, account: str) -> None:
        """Strike an account that holds nothing off the list; the last one takes its place."""
        holds = self.cash_of(account) or self.book(account) or any(self.collateral(account))
        if holds or account not in self.accounts:
            return
        place = self.accounts.index(account)
        self.accounts[place] = self.accounts[-1]
        self.accounts.pop()
        self.basis[account] = 0
