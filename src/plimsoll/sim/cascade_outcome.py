"""What came out of a simulated cascade: its series, and the figures that are compared with a real one?"""

from dataclasses import dataclass

from msgspec import Struct

from plimsoll.types import Matrix, Vector

__all__ = ["CascadeFacts", "CascadeSeries"]


class CascadeFacts(Struct, frozen=True, kw_only=True):
    """One run of one policy. Money is in units of quote currency.

    Attributes
    ----------
    policy : str
    seed : int
    accounts : int
    admitted : float             Notional of positions that were let in.
    mean_margin : float          Maintenance required over that notional, before the shock.
    mean_initial : float         Initial margin required over it.
    branching : float            Largest branching ratio of any market before the shock, at normal depth.
    called : int                 Accounts called at least once.
    answered : int               Payments that answered a call.
    liquidated : int             Accounts taken in hand at least once.
    forced : float               Notional that left accounts by force: sold in the book, auctioned, taken over
                                 by the backstop or closed against winners.
    sold : float                 Part of it that the book took.
    taken_over : float           Part of it that the backstop took.
    deleveraged : float          Part of it that was closed against winners.
    allocation_share : float     `deleveraged` over `forced`.
    first_forced : int or None       Second of the first forced trade.
    first_allocation : int or None   Second of the first that a winner was asked.
    peak_minute_share : float    Largest share of `forced` within a minute by the clock.
    bad_debt : float             What accounts owed beyond what they had.
    bad_debt_share : float       The same over `forced`.
    fund_paid : float            Part of the bad debt that the insurance fund paid.
    winners_paid : float         Part of it that winners gave up or paid.
    uncovered : float            Part of it that nobody paid.
    depth_lost : float           Depth of all markets at its least, below normal, as a share.
    deepest_fall : float         Lowest price over its start, less 1, of the market that fell furthest.
    deepest_push : float         Furthest that a price was below value outside, as a share.
    journal, state : str         SHA-256 of the events and of the final state.
    """

    policy: str
    seed: int
    accounts: int
    admitted: float
    mean_margin: float
    mean_initial: float
    branching: float
    called: int
    answered: int
    liquidated: int
    forced: float
    sold: float
    taken_over: float
    deleveraged: float
    allocation_share: float
    first_forced: int | None
    first_allocation: int | None
    peak_minute_share: float
    bad_debt: float
    bad_debt_share: float
    fund_paid: float
    winners_paid: float
    uncovered: float
    depth_lost: float
    deepest_fall: float
    deepest_push: float
    journal: str
    state: str

    @property
    def allocation_delay(self) -> int | None:
        """Seconds from the first forced trade to the first that a winner was asked."""
        if self.first_forced is None or self.first_allocation is None:
            return None
        return self.first_allocation - self.first_forced


@dataclass(frozen=True, slots=True)
class CascadeSeries:
    """What happened second by second; row 0 is the opening. Money is in units of quote currency.

    Attributes
    ----------
    markets : tuple [M]
    price, value : Matrix [T, M]   Traded, and outside the venue.
    depth : Matrix [T, M]          Notional that moves the price by 1 %.
    sold : Matrix [T, M]           By force in the book, in that second.
    taken_over, deleveraged : Vector [T]   Notional, in that second.
    bad_debt, fund : Vector [T]    So far; balance.
    measured : Vector [K]          Seconds at which `branching` was measured.
    branching : Matrix [K, M]      Branching ratio at the depth of that moment.
    """

    markets: tuple[str, ...]
    price: Matrix
    value: Matrix
    depth: Matrix
    sold: Matrix
    taken_over: Vector
    deleveraged: Vector
    bad_debt: Vector
    fund: Vector
    measured: Vector
    branching: Matrix
