"""What can happen to a venue, and what can follow from it?

Events go in, effects come out; both are tagged unions of frozen values, so that a journal can hold them. Many
accounts share one event where they share a moment: a trade event is a batch.
"""

from typing import TypeAlias

from msgspec import Struct

from plimsoll.domain.instruments import Listing
from plimsoll.domain.parameters import ParameterSet
from plimsoll.domain.settings import ClearingRules

__all__ = [
    "Allocated",
    "AuctionBegan",
    "Auctioned",
    "Bankrupt",
    "Bid",
    "Closed",
    "Covered",
    "Deleveraged",
    "Deposited",
    "Effect",
    "Event",
    "Expired",
    "Funded",
    "Introduced",
    "Liquidated",
    "Listed",
    "Opened",
    "Published",
    "Refused",
    "Repaid",
    "StatusChanged",
    "TakenOver",
    "Ticked",
    "Traded",
    "Unwound",
]


class Listed(Struct, frozen=True, tag="listed"):
    """The venue lists its instruments, whose order is the I axis from then on, and its rules; once, first.

    Attributes
    ----------
    time : int   Milliseconds UTC, as in every event.
    """

    time: int
    listings: tuple[Listing, ...]
    rules: ClearingRules


class Introduced(Struct, frozen=True, tag="introduced", omit_defaults=True):
    """Further instruments are listed behind the others, such as the options of a new expiry.

    With quotes they are priced at once, and can be traded; without, the whole venue takes no new risk until
    the next tick has priced them.

    Attributes
    ----------
    marks, volume, impact, volatility : tuple [J]   Of the new listings alone, as in `Ticked`; all of them or
                                                    none.
    """

    time: int
    listings: tuple[Listing, ...]
    marks: tuple[float, ...] = ()
    volume: tuple[float, ...] = ()
    impact: tuple[float, ...] = ()
    volatility: tuple[float, ...] = ()


class Opened(Struct, frozen=True, tag="opened"):
    """Accounts are opened with cash from outside; names are new and unique, amounts quote quanta >= 0."""

    time: int
    accounts: tuple[str, ...]
    amounts: tuple[int, ...]


class Deposited(Struct, frozen=True, tag="deposited"):
    """Accounts pay cash in (positive quanta) or take it out (negative, only above initial margin)."""

    time: int
    accounts: tuple[str, ...]
    amounts: tuple[int, ...]


class Funded(Struct, frozen=True, tag="funded"):
    """Cash from outside enters the insurance fund, the makers' account or the backstop (quanta >= 0)."""

    time: int
    fund: int
    makers: int
    backstop: int = 0


class Bid(Struct, frozen=True, tag="bid"):
    """A bidder asks for a share of an account that is being auctioned, at the price of that moment.

    Attributes
    ----------
    share : float   Of all that the account held when the auction began; 0 < share <= 1.
    """

    time: int
    bidder: str
    account: str
    share: float


class Traded(Struct, frozen=True, tag="traded"):
    """Accounts trade at one price per instrument; what does not net among them is taken by the makers.

    Attributes
    ----------
    prices : tuple [I]     Quote currency per base unit; NaN where nothing trades.
    accounts : tuple [B]
    lots : tuple [B][I]    Signed lots bought.
    """

    time: int
    prices: tuple[float, ...]
    accounts: tuple[str, ...]
    lots: tuple[tuple[int, ...], ...]


class Published(Struct, frozen=True, tag="published"):
    """A parameter set comes into force."""

    time: int
    parameters: ParameterSet


class Ticked(Struct, frozen=True, tag="ticked", omit_defaults=True):
    """The market moves; options that have expired settle.

    Attributes
    ----------
    marks : tuple [I]    Mark price per instrument, quote currency per base unit. Of an option it is the
                         forward of its expiry, from which it is valued and, once it has expired, settled.
    volume : tuple [I]   Quote volume that the market trades per hour at present: what selling is paced by.
    impact : tuple [I]   Relative price move caused by trading one hour's volume at once.
    depth : tuple [I]    Share of the published curve's depth that is left, above 0; empty for all of it.
    volatility : tuple [I]   Implied volatility that each option is marked at, per root of a year; 0 for the
                         rest. Empty where no option is listed.
    request : str        Digest of what was asked for, where that told less than all of this; else empty.
    """

    time: int
    marks: tuple[float, ...]
    volume: tuple[float, ...]
    impact: tuple[float, ...]
    depth: tuple[float, ...] = ()
    volatility: tuple[float, ...] = ()
    request: str = ""


Event: TypeAlias = Listed | Introduced | Opened | Deposited | Funded | Traded | Published | Ticked | Bid


class Refused(Struct, frozen=True, tag="refused"):
    """An account's part of an event was not carried out; the rest of the event was."""

    time: int
    account: str
    code: str
    what: str


class StatusChanged(Struct, frozen=True, tag="status-changed"):
    """Accounts moved from one status to another on one signal."""

    time: int
    before: str
    after: str
    signal: str
    accounts: tuple[str, ...]


class Liquidated(Struct, frozen=True, tag="liquidated"):
    """A forced slice of one instrument was sold to (or bought from) the makers.

    Attributes
    ----------
    instrument : str
    accounts : tuple [B]
    lots : tuple [B]       Signed lots that each account traded: negative sells.
    price : float          Average price of the slice.
    displacement : float   Signed relative move from the mark to the price at the end of the slice.
    """

    time: int
    instrument: str
    accounts: tuple[str, ...]
    lots: tuple[int, ...]
    price: float
    displacement: float


class Expired(Struct, frozen=True, tag="expired"):
    """An option, or a future beside options, settled in cash, and nobody holds it any more.

    Attributes
    ----------
    instrument : str
    price : float     Of the underlying, that it settled at.
    payoff : float    Quote currency per base unit.
    accounts : tuple [B]
    lots : tuple [B]  Signed, as they were held.
    """

    time: int
    instrument: str
    price: float
    payoff: float
    accounts: tuple[str, ...]
    lots: tuple[int, ...]


class Closed(Struct, frozen=True, tag="closed"):
    """Accounts ended with no position and a debt.

    Attributes
    ----------
    shortfalls : tuple [B]   What each owed beyond what it had, quote quanta > 0.
    """

    time: int
    accounts: tuple[str, ...]
    shortfalls: tuple[int, ...]


class AuctionBegan(Struct, frozen=True, tag="auction-began"):
    """Accounts go on the block because the book would take too long.

    Attributes
    ----------
    fees : tuple [B]   Paid to the insurance fund, quote quanta >= 0.
    """

    time: int
    accounts: tuple[str, ...]
    fees: tuple[int, ...]


class Auctioned(Struct, frozen=True, tag="auctioned"):
    """A bidder took a share of an account.

    Attributes
    ----------
    share : float       Of what was left of the account.
    discount : float    Price over the marked value.
    lots : tuple [I]    Signed lots that the bidder took over, at the mark.
    notional : int      Gross notional of these, quote quanta.
    given_up : int      What the account gave the bidder below the mark, quote quanta.
    """

    time: int
    account: str
    bidder: str
    share: float
    discount: float
    lots: tuple[int, ...]
    notional: int
    given_up: int


class TakenOver(Struct, frozen=True, tag="taken-over"):
    """The backstop took positions over at the mark, with the equity that was left to them.

    Attributes
    ----------
    accounts : tuple [B]
    lots : tuple [B][I]       Signed positions that changed hands.
    notional : int            Gross notional of all of them, quote quanta.
    equity : tuple [B]        Quote quanta >= 0 that passed to the backstop.
    """

    time: int
    accounts: tuple[str, ...]
    lots: tuple[tuple[int, ...], ...]
    notional: int
    equity: tuple[int, ...]


class Unwound(Struct, frozen=True, tag="unwound"):
    """The backstop sold (or bought back) some of what it took over; fields as in `Liquidated`."""

    time: int
    instrument: str
    lots: int
    price: float
    displacement: float


class Bankrupt(Struct, frozen=True, tag="bankrupt"):
    """Accounts with open positions owe more than they have, and what they owe on part of them is met.

    Attributes
    ----------
    shortfalls : tuple [B]   Quote quanta > 0; the fund and the queue pay it.
    """

    time: int
    accounts: tuple[str, ...]
    shortfalls: tuple[int, ...]


class Deleveraged(Struct, frozen=True, tag="deleveraged"):
    """Positions of bankrupt accounts were closed against the queue of winners.

    Attributes
    ----------
    instrument : str
    accounts : tuple [B]     Bankrupt.
    lots : tuple [B]         Signed lots that each traded.
    winners : tuple [W]      In the order of the book.
    winner_lots : tuple [W]
    amounts : tuple [W]      What each gave up against the mark, quote quanta >= 0.
    notional : int           Of the lots at the mark, quote quanta.
    """

    time: int
    instrument: str
    accounts: tuple[str, ...]
    lots: tuple[int, ...]
    winners: tuple[str, ...]
    winner_lots: tuple[int, ...]
    amounts: tuple[int, ...]
    notional: int


class Covered(Struct, frozen=True, tag="covered"):
    """The insurance fund paid, in quote quanta."""

    time: int
    amount: int


class Allocated(Struct, frozen=True, tag="allocated"):
    """Winners paid what the fund could not; `uncovered` is what nobody could pay and the venue owes.

    Attributes
    ----------
    amounts : tuple [B]   Quote quanta paid by each account; they sum to the shortfall less `uncovered`.
    """

    time: int
    accounts: tuple[str, ...]
    amounts: tuple[int, ...]
    uncovered: int


class Repaid(Struct, frozen=True, tag="repaid"):
    """The fund paid back what the venue had been left owing, in quote quanta."""

    time: int
    amount: int


Effect: TypeAlias = (
    Refused
    | StatusChanged
    | Liquidated
    | Expired
    | AuctionBegan
    | Auctioned
    | TakenOver
    | Unwound
    | Bankrupt
    | Deleveraged
    | Closed
    | Covered
    | Allocated
    | Repaid
)
