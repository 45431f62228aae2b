"""When does an account go on the block, what does a bid do, and when is the auction over?"""

from dataclasses import replace

import msgspec
import numpy as np

from plimsoll.clearing.auction import Lot, discount, fee, sell
from plimsoll.clearing.statuses import Signal, Status
from plimsoll.domain.events import AuctionBegan, Auctioned, Bid
from plimsoll.domain.money import quanta_up
from plimsoll.engine.book import FUND, Book
from plimsoll.engine.state import Auction, State
from plimsoll.engine.watch import Effects, Watched, moved, valued
from plimsoll.types import Lots, Rows

__all__ = ["auction_of", "begin_auctions", "bid", "end_auctions"]

_MILLISECONDS = 1000.0


def begin_auctions(state: State, watched: Watched, time: int) -> tuple[State, Effects]:
    """Put accounts on the block; what they have left pays the fee."""
    if len(watched.rows) == 0:
        return state, ()
    lots = [
        Lot(float(value), float(value - maintenance))
        for value, maintenance in zip(watched.equity, watched.maintenance, strict=True)
    ]
    fees = quanta_up(np.array([fee(lot, state.rules.auction) for lot in lots]))
    fees = np.minimum(fees, np.maximum(watched.equity, 0))
    state, changes = moved(state, watched.rows, Signal.STUCK, time)
    began = (*state.auctions, *(Auction(int(row), time) for row in watched.rows))
    state = replace(
        state,
        book=state.book.paid(watched.rows, FUND, fees),
        auctions=tuple(sorted(began, key=lambda auction: auction.row)),
    )
    names = tuple(state.book.names[row] for row in watched.rows)
    return state, (*changes, AuctionBegan(time, names, tuple(fees.tolist())))


def end_auctions(state: State, time: int) -> tuple[State, Effects]:
    """Take off the block what mended or went flat, and hand back what found no bidder or is worth nothing."""
    if not state.auctions:
        return state, ()
    rules = state.rules.auction
    last = time - _MILLISECONDS * (rules.fast_seconds + rules.slow_seconds)
    rows = np.array([auction.row for auction in state.auctions], dtype=np.intp)
    began = np.array([auction.began for auction in state.auctions])
    on = state.book.status[rows] == Status.AUCTION
    over = on & ((began <= last) | (valued(state, rows).equity <= 0)) & state.book.lots[rows].any(axis=1)
    state, changes = moved(state, rows[over], Signal.UNSOLD, time)
    kept = tuple(auction for auction, here in zip(state.auctions, on & ~over, strict=True) if here)
    return replace(state, auctions=kept), changes


def auction_of(state: State, row: int) -> Auction | None:
    """Find the auction of an account."""
    return next((auction for auction in state.auctions if auction.row == row), None)


def bid(state: State, event: Bid, bidder: int, auction: Auction) -> tuple[State, Effects]:
    """Let a bidder take a share of all positions at the mark, and what the price is below it in cash.

    Whole lots round towards taking more, so that what is left is no riskier than the formula says.
    """
    rules, row = state.rules.auction, np.array([auction.row])
    worth = valued(state, row)
    lot = Lot(float(worth.equity[0]), float(worth.equity[0] - worth.maintenance[0]), float(auction.reserved))
    price = discount((event.time - auction.began) / _MILLISECONDS, rules)
    sale = sell(lot, min(event.share / auction.kept, 1.0), price, rules.buffer)
    held = state.book.lots[row]
    taken = np.sign(held) * np.minimum(np.ceil(np.abs(held) * sale.share), np.abs(held)).astype(np.int64)
    given_up = max(0, int(sale.share * (lot.value - lot.reserved) * (1.0 - price)))
    book = _passed(state, row, bidder, taken, given_up)
    left = msgspec.structs.replace(
        auction,
        reserved=int(sale.left.reserved),
        kept=auction.kept * (1.0 - sale.share),
    )
    others = tuple(left if other.row == auction.row else other for other in state.auctions)
    effect = Auctioned(
        event.time,
        event.account,
        event.bidder,
        sale.share,
        price,
        tuple(taken[0].tolist()),
        int(np.abs(taken[0] * state.unit).sum()),
        given_up,
    )
    return replace(state, book=book, auctions=others), (effect,)


def _passed(state: State, row: Rows, bidder: int, taken: Lots, given_up: int) -> Book:
    book = state.book.traded(row, -taken, quanta_up(-taken * state.unit), against=bidder)
    return book.paid(row, bidder, np.array([given_up]))
