"""Who bids in a simulated venue's auctions, at which price and for how much?"""

import numpy as np

from plimsoll.clearing.auction import discount
from plimsoll.clearing.statuses import Status
from plimsoll.domain.events import Bid, Event, Opened
from plimsoll.domain.money import QUANTA_PER_UNIT
from plimsoll.domain.parameters import Level
from plimsoll.engine.auctions import auction_of
from plimsoll.engine.market_curves import present_curves
from plimsoll.engine.state import Auction, State
from plimsoll.engine.watch import valued
from plimsoll.sim.settings import BidderSettings
from plimsoll.types import Rows, Vector

__all__ = ["bid_for", "bidders_open", "wanted_accounts"]

_NAME = "bidder-"
_SECOND = 1000.0
_SLACK = 1.0 + 1e-6
"""Whole lots round towards taking more than the share that was asked for."""


def bidders_open(time: int, settings: BidderSettings, interest: float) -> tuple[Event, ...]:
    """Open the bidders' accounts, their cash in equal parts; nothing where there are none.

    Parameters
    ----------
    interest : float   Open interest that accounts want, quote units.
    """
    if settings.count == 0:
        return ()
    each = round(settings.cash_share * interest / settings.count * QUANTA_PER_UNIT)
    names = tuple(f"{_NAME}{number}" for number in range(settings.count))
    return (Opened(time, names, (each,) * settings.count),)


def wanted_accounts(state: State, time: int, settings: BidderSettings) -> Rows:
    r"""Find the accounts on the block that the cheapest bidder would bid for now.

    Bidder k of K asks for what laying everything off costs by the published curve, at the depth that is left
    and over the hours he takes, times one plus his edge, which rises evenly from bidder to bidder:

    .. math:: (v - R)(1 - d(t)) \ge \sum_i N_i\, cost_i(N_i)\,(1 + e\,k / K)

    with v the account's value, R what bids have brought and d the price of the moment.
    """
    if settings.count == 0 or not state.auctions:
        return np.zeros(0, dtype=np.intp)
    gain, ask = _offered(state, state.auctions, time, settings)
    rows = np.array([auction.row for auction in state.auctions], dtype=np.intp)
    return rows[(gain > 0.0) & (gain >= ask)]


def bid_for(state: State, row: int, time: int, settings: BidderSettings) -> Bid | None:
    """Give the bid of the first bidder who would and can, for as much as his free initial margin carries.

    What he takes he keeps.
    """
    auction = auction_of(state, row)
    if auction is None:
        return None
    (gain,), (ask,) = _offered(state, (auction,), time, settings)
    names = tuple(f"{_NAME}{number}" for number in range(settings.count))
    for place, bidder in enumerate(state.book.find(names, "bidders")):
        if gain < ask * (1.0 + settings.edge * place / settings.count):
            break
        share = auction.kept * _affordable(state, int(bidder), row)
        if state.book.status[bidder] <= Status.CALLED and share >= settings.least_share:
            return Bid(time, names[place], state.book.names[row], share)
    return None


def _offered(
    state: State, auctions: tuple[Auction, ...], time: int, settings: BidderSettings
) -> tuple[Vector, Vector]:
    """Say what taking each account whole brings below the mark, and what laying it off costs: quanta [B]."""
    rows = np.array([auction.row for auction in auctions], dtype=np.intp)
    reserved = np.array([float(auction.reserved) for auction in auctions])
    ages = [(time - auction.began) / _SECOND for auction in auctions]
    price = np.array([discount(age, state.rules.auction) for age in ages])
    gain = (valued(state, rows).equity - reserved) * (1.0 - price)
    sizes = np.abs(state.book.lots[rows] * state.unit)
    ask = np.zeros(len(rows))
    for column, (curve, left) in enumerate(zip(present_curves(state), state.market.depth, strict=True)):
        for place in np.flatnonzero(sizes[:, column]):
            size = float(sizes[place, column])
            ask[place] += size * curve.paid(size / QUANTA_PER_UNIT, float(left), settings.hours)
    return gain, ask


def _affordable(state: State, bidder: int, row: int) -> float:
    """Give the share of an account that a bidder's free initial margin carries, taken by itself."""
    notional = state.book.lots[[bidder, row]] * state.unit
    own, needed = state.model_in_force.requirement(notional, Level.INITIAL)
    free = float(state.book.cash[bidder] + notional[0].sum()) - float(own)
    if needed <= 0.0:
        return 1.0
    return min(max(free, 0.0) / (float(needed) * _SLACK), 1.0)
