"""What would every account and the venue lose if a scenario happened before anybody could act?"""

import numpy as np
from msgspec import Struct

from plimsoll.domain.account_books import AccountBook, RefusedAccount
from plimsoll.domain.market import Market
from plimsoll.domain.scenario_sets import NamedStress
from plimsoll.margin.standing import Standing
from plimsoll.pricing import build_chain, build_moves, price_table
from plimsoll.types import Matrix, Vector

__all__ = ["AccountStress", "BookStress", "StressOutcome", "account_profits", "outcome_of", "stress_book"]


class StressOutcome(Struct, frozen=True, kw_only=True):
    """The venue under one scenario. Money is in the unit that it was given in.

    Attributes
    ----------
    name : str
    lost : float            Sum over the accounts that lose.
    below_maintenance : int Accounts whose equity ends below today's maintenance margin.
    insolvent : int         Accounts that end owing the venue.
    beyond_margin : float   Sum of losses beyond what maintenance margin covers, account by account.
    shortfall : float       Sum of what insolvent accounts owe: the fund's and the others' to pay.
    cover_two : float       What the two that owe most owe.
    """

    name: str
    lost: float
    below_maintenance: int
    insolvent: int
    beyond_margin: float
    shortfall: float
    cover_two: float


class AccountStress(Struct, frozen=True, kw_only=True):
    """One account in the scenario that is worst for it. Money is in quote currency."""

    account: str
    equity: float
    maintenance: float
    scenario: str
    profit: float
    after: float


class BookStress(Struct, frozen=True, kw_only=True):
    """A book under scenarios.

    Attributes
    ----------
    accounts : int            Margined; `refused` are not among them.
    equity, maintenance : float   Sums over accounts.
    outcomes : tuple [S]      In the order asked.
    worst_accounts : tuple    Those that end lowest, most negative equity first.
    fund : float or None      Insurance fund to compare shortfalls with.
    refused : tuple of RefusedAccount
    """

    accounts: int
    equity: float
    maintenance: float
    outcomes: tuple[StressOutcome, ...]
    worst_accounts: tuple[AccountStress, ...]
    fund: float | None
    refused: tuple[RefusedAccount, ...]


def stress_book(
    standing: Standing,
    stresses: tuple[NamedStress, ...],
    *,
    top: int,
    fund: float | None = None,
) -> BookStress:
    r"""Revalue every account in full in every scenario, at once: nobody trades, tops up or is liquidated.

    .. math:: shortfall_s = \sum_a \max(0, -(equity_a + profit_{a,s})), \quad
        beyond_s = \sum_a \max(0, -profit_{a,s} - maintenance_a)

    The second is the stress loss over margin of clearing houses. Maintenance is today's.

    Parameters
    ----------
    standing : Standing   Of the book, today.
    top : int             Accounts to list.
    """
    profit = account_profits(standing.book, standing.market, stresses)
    after = standing.equity[:, None] + profit
    worst = np.argmin(after, axis=1) if len(stresses) else np.zeros(len(after), dtype=np.intp)
    lowest = after[np.arange(len(after)), worst]
    return BookStress(
        accounts=len(standing.book.names),
        equity=float(standing.equity.sum()),
        maintenance=float(standing.maintenance.sum()),
        outcomes=tuple(
            outcome_of(stress.name, profit[:, s], after[:, s], standing.maintenance)
            for s, stress in enumerate(stresses)
        ),
        worst_accounts=tuple(
            AccountStress(
                account=standing.book.names[a],
                equity=float(standing.equity[a]),
                maintenance=float(standing.maintenance[a]),
                scenario=stresses[worst[a]].name,
                profit=float(profit[a, worst[a]]),
                after=float(lowest[a]),
            )
            for a in np.argsort(lowest, kind="stable")[:top]
        ),
        fund=fund,
        refused=standing.refused,
    )


def account_profits(book: AccountBook, market: Market, stresses: tuple[NamedStress, ...]) -> Matrix:
    """Give each account's profit in each scenario: Matrix [A, S], quote currency."""
    chain = build_chain(book.instruments, market)
    profit = np.zeros((len(book.names), len(stresses)))
    for s, stress in enumerate(stresses):
        change = price_table(chain, build_moves(stress, chain, {})).change[:, 0]
        profit[:, s] = np.bincount(
            book.owners, weights=book.sizes * change[book.columns], minlength=len(book.names)
        )
    return profit


def outcome_of(name: str, profit: Vector, after: Vector, maintenance: Vector) -> StressOutcome:
    """Add up what a scenario does to accounts.

    Parameters
    ----------
    profit, after, maintenance : Vector [A]   Of each account: what the scenario brings it, its equity
                                              afterwards, and what it must hold today, before it.
    """
    owed = np.sort(np.maximum(-after, 0.0))[::-1]
    return StressOutcome(
        name=name,
        lost=float(np.maximum(-profit, 0.0).sum()),
        below_maintenance=int(np.count_nonzero(after < maintenance)),
        insolvent=int(np.count_nonzero(owed)),
        beyond_margin=float(np.maximum(-profit - maintenance, 0.0).sum()),
        shortfall=float(owed.sum()),
        cover_two=float(owed[:2].sum()),
    )
