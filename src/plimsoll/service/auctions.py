"""Which accounts are on the block, at what price, and how does a bidder take a share of one?

The price falls with the venue's time, that of the last event; a bid is carried out at the price of then.
"""

from typing import Annotated

import numpy as np
from msgspec import Meta, Struct

from plimsoll.clearing.auction import Lot, discount, largest_share
from plimsoll.domain.events import Auctioned, Bid
from plimsoll.engine.state import Auction
from plimsoll.service.accounts import trader_row
from plimsoll.service.endpoints import Asked
from plimsoll.service.view import View
from plimsoll.service.writes import SYSTEM_TIME, Name, WriteAnswer, answered

__all__ = ["AuctionLine", "BidAnswer", "BidBody", "auctions", "bid"]

_SECOND = 1000.0


class AuctionLine(Struct, frozen=True, kw_only=True):
    """An account on the block. Money is in quote quanta.

    Attributes
    ----------
    began : int         Milliseconds UTC.
    price : float       Now, as a share of the marked value.
    kept : float        Share of the account that is left of what was there when the auction began.
    most : float        Share of what is left that a bid may take now; the rest is sound without it.
    equity, maintenance, notional : int
    """

    account: str
    began: int
    price: float
    kept: float
    most: float
    equity: int
    maintenance: int
    notional: int


class BidBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A bid of `bidder` for a share of all that the account held when its auction began."""

    bidder: Name
    share: Annotated[float, Meta(gt=0.0, le=1.0)]


class BidAnswer(WriteAnswer, frozen=True, kw_only=True):
    """What the bidder took.

    Attributes
    ----------
    share : float      Of what was left of the account.
    price : float      Paid, as a share of the marked value.
    notional : int     Of the positions taken over, quote quanta.
    given_up : int     What the account gave the bidder below the mark, quote quanta.
    """

    share: float
    price: float
    notional: int
    given_up: int


async def auctions(asked: Asked) -> tuple[AuctionLine, ...]:
    """List what is on the block, the longest there first."""
    view: View = asked.desk.view
    return tuple(_line(view, each) for each in sorted(view.state.auctions, key=lambda each: each.began))


async def bid(asked: Asked) -> BidAnswer:
    """Take a share of an account on the block."""
    view: View = asked.desk.view
    body: BidBody = asked.body
    account = asked.path["account"]
    trader_row(view, account)
    trader_row(view, body.bidder)
    answer = await answered(asked, Bid(SYSTEM_TIME, body.bidder, account, body.share))
    (taken,) = (effect for effect in answer.effects if isinstance(effect, Auctioned))
    return BidAnswer(
        sequence=answer.sequence,
        time=answer.time,
        refused=(),
        share=taken.share,
        price=taken.discount,
        notional=taken.notional,
        given_up=taken.given_up,
    )


def _line(view: View, auction: Auction) -> AuctionLine:
    state, rules = view.state, view.state.rules.auction
    equity, maintenance = view.margins.equity[auction.row], view.margins.maintenance[auction.row]
    price = discount((state.time - auction.began) / _SECOND, rules)
    lot = Lot(float(equity), float(equity - maintenance), float(auction.reserved))
    return AuctionLine(
        account=state.book.names[auction.row],
        began=auction.began,
        price=price,
        kept=auction.kept,
        most=largest_share(lot, price, rules.buffer),
        equity=int(equity),
        maintenance=int(maintenance),
        notional=int(np.abs(state.book.lots[auction.row] * state.unit).sum()),
    )
