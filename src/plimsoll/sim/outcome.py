"""What came out of a replay: every series that a report draws, and the figures that decide?"""

from dataclasses import dataclass

import numpy as np
from msgspec import Struct

from plimsoll.types import Matrix, Times, Vector

__all__ = ["PolicyOutcome", "PolicySummary", "Replay"]


class PolicySummary(Struct, frozen=True, kw_only=True):
    """One row of the table that compares policies. Money is in units of quote currency.

    Attributes
    ----------
    policy : str
    accounts : int                 Accounts in the book.
    admitted : float               Notional that initial margin let the accounts open.
    mean_margin : float            Maintenance required over gross open notional, mean over the replay.
    mean_initial : float           Initial margin required over gross open notional, mean over the replay.
    worst_rise : float             Largest relative rise of any side's maintenance rate within 24 h.
    called : int                   Accounts that were called at least once.
    liquidated : int               Accounts that were liquidated, in part or in full.
    liquidated_by_rise : int       Of these: a rise of parameters alone did it, within the notice.
    liquidated_with_rise : int     Of these: neither price nor rise alone would have.
    liquidated_notional : float    Notional sold by force.
    auctioned, taken_over : float  Notional that bidders, and the backstop, took over.
    bad_debt : float               What closed accounts owed beyond what they had.
    fund_paid : float              Part of it that the insurance fund paid.
    allocated : float              Part of it that winners paid.
    uncovered : float              Part of it that nobody paid.
    deepest_impact : float         Deepest fall of a price below its undisturbed path, as a share.
    branching : float              Largest branching ratio of any market at normal depth, twice a day.
    journal : str                  SHA-256 of the journal.
    state : str                    SHA-256 of the final state.
    """

    policy: str
    accounts: int
    admitted: float
    mean_margin: float
    mean_initial: float
    worst_rise: float
    called: int
    liquidated: int
    liquidated_by_rise: int
    liquidated_with_rise: int
    liquidated_notional: float
    auctioned: float
    taken_over: float
    bad_debt: float
    fund_paid: float
    allocated: float
    uncovered: float
    deepest_impact: float
    branching: float
    journal: str
    state: str


@dataclass(frozen=True, slots=True)
class PolicyOutcome:
    """What one policy did, bar by bar. Money is in units of quote currency.

    Attributes
    ----------
    policy : str
    price : Matrix [T, M]         Price with forced selling in it.
    maintenance : array [T, M, 2] Maintenance rate in force, long then short, as a share of notional;
                                  for tiers, the mean over the open book.
    initial : array [T, M, 2]     Initial rate in force.
    called, liquidating : Vector [T]   Accounts in that status.
    liquidated : Matrix [T, M]    Notional sold by force in the bar.
    fund : Vector [T]             Balance of the insurance fund.
    bad_debt : Vector [T]         Cumulative shortfall of closed accounts.
    margin_held, initial_held : Vector [T]   Maintenance and initial margin required of all open accounts.
    open_notional : Vector [T]    Gross notional of all open positions.
    summary : PolicySummary
    """

    policy: str
    price: Matrix
    maintenance: np.ndarray
    initial: np.ndarray
    called: Vector
    liquidating: Vector
    liquidated: Matrix
    fund: Vector
    bad_debt: Vector
    margin_held: Vector
    initial_held: Vector
    open_notional: Vector
    summary: PolicySummary


@dataclass(frozen=True, slots=True)
class Replay:
    """Several policies over the same accounts and the same undisturbed prices.

    Attributes
    ----------
    title : str               Name of the scenario, or of the bar file and its dates.
    narrative : str           What happened, in a sentence or two; empty for a user's own bars.
    source : str              Where the prices come from.
    markets : tuple [M]
    times : Times [T]         End of each bar, milliseconds UTC.
    undisturbed : Matrix [T, M]   Prices before any forced selling.
    settings : dict           Every setting that the run depends on, by name, as JSON values.
    inputs : tuple of str     Digests of every input: ``name sha256:...``.
    outcomes : tuple of PolicyOutcome   In the order asked for.
    """

    title: str
    narrative: str
    source: str
    markets: tuple[str, ...]
    times: Times
    undisturbed: Matrix
    settings: dict[str, object]
    inputs: tuple[str, ...]
    outcomes: tuple[PolicyOutcome, ...]
