"""What does an event do to the venue?"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from plimsoll.clearing.statuses import Signal, Status, advance
from plimsoll.domain.bars import HOUR
from plimsoll.domain.events import (
    Bid,
    Deposited,
    Effect,
    Event,
    Funded,
    Introduced,
    Listed,
    Opened,
    Published,
    Refused,
    Ticked,
    Traded,
)
from plimsoll.domain.instruments import Listing
from plimsoll.domain.money import LARGEST_AMOUNT, QUANTA_PER_UNIT, quanta_up
from plimsoll.engine.allocation import is_short
from plimsoll.engine.auctions import auction_of, bid
from plimsoll.engine.book import BACKSTOP, FIRST_TRADER, FUND, MAKERS, OUTSIDE, Book, empty_book
from plimsoll.engine.expiry import settle_expired
from plimsoll.engine.market import Market, market_of, unknown_market
from plimsoll.engine.options import check_forwards, has_expired, lists_options, model_at, option_values
from plimsoll.engine.safety import carried
from plimsoll.engine.state import State, begin
from plimsoll.engine.ticks import settle_tick
from plimsoll.engine.trades import carried_out, meets_initial
from plimsoll.errors import Code, PlimsollError
from plimsoll.types import Lots, Quanta, Rows, Vector

__all__ = ["begin", "step"]

Effects = tuple[Effect, ...]

_GATED = "the venue owes more than its fund holds"
_RISKIER = "initial margin is not met after the trade, nor does it leave less risk"
_TOLD = (("mark", True), ("volume", False), ("impact", False), ("depth", True))
"""What a tick tells of each listing, and whether it has to be above zero."""
_UNDONE = "another account of the trade was refused its part"


def step(state: State, event: Event) -> tuple[State, Effects]:
    """Apply one event.

    A pure function: the same state and event give the same result, bit for bit, and the given state is
    unchanged. An event that makes no sense (out of order, unknown account) raises and has no effect; one
    account that may not do its part of an event is an effect, `Refused`, and the others do theirs.

    Raises
    ------
    PlimsollError   `OUT_OF_ORDER` where the event is older than the state, and what the handlers say.
    """
    if event.time < state.time:
        raise PlimsollError(
            Code.OUT_OF_ORDER,
            f"an event of {event.time} came after one of {state.time}",
            where=f"event {state.sequence + 1}",
            remedy="Send events in order of time.",
        )
    after, effects = _HANDLERS[type(event)](state, event)
    safety = carried(after.safety, state.book, after.book, after.model)
    return replace(after, time=event.time, sequence=state.sequence + 1, safety=safety), effects


def _listed(state: State, event: Listed) -> tuple[State, Effects]:
    names = {listing.name for listing in event.listings}
    if state.sequence > 0 or len(names) != len(event.listings):
        raise PlimsollError(
            Code.OUT_OF_ORDER,
            "instruments are listed twice, or after something else has happened",
            where=f"event {state.sequence + 1}",
            remedy="List all instruments, each once, in the first event.",
        )
    columns = len(event.listings)
    market = unknown_market(columns)
    fresh = replace(
        state, listings=event.listings, rules=event.rules, book=empty_book(columns), market=market
    )
    return fresh, ()


def _introduced(state: State, event: Introduced) -> tuple[State, Effects]:
    """List further instruments; what has no quotes has no mark until the next tick, and nobody new risk."""
    listings = state.listings + event.listings
    over = has_expired(event.listings, event.time)
    if len({listing.name for listing in listings}) != len(listings) or not state.listings or over.any():
        raise PlimsollError(
            Code.OUT_OF_ORDER,
            "an instrument is listed twice, has expired, or comes before the first listing",
            where=f"event {state.sequence + 1}",
            remedy="List each instrument once, before it expires, and the first of them with the rules.",
        )
    fresh = _first_quotes(state, event) if event.marks else unknown_market(len(event.listings))
    market = Market(*(np.concatenate(pair) for pair in zip(state.market.columns, fresh.columns, strict=True)))
    model = None
    if state.parameters is not None:
        model = model_at(state.parameters, listings, market, state.ticked)
    book = state.book.widened(len(event.listings))
    return replace(state, listings=listings, book=book, market=market, model=model), ()


def _first_quotes(state: State, event: Introduced) -> Market:
    """Price new listings by their own quotes, as the tick before would have, at the forwards that it told."""
    whole = np.ones(len(event.listings))
    told = (np.array(event.marks), np.array(event.volume), np.array(event.impact))
    _refuse_unsound((*told, whole), event.listings, state)
    stated = market_of(*told, whole)
    fresh = _with_options(event.listings, event.volatility, stated, state.ticked or event.time, state)
    if state.ticked > 0:
        forwards = np.concatenate([state.market.forwards, fresh.forwards])
        check_forwards(state.listings + event.listings, forwards)
    return fresh


def _opened(state: State, event: Opened) -> tuple[State, Effects]:
    _same_length(event.accounts, event.amounts, state)
    book = state.book.opened(event.accounts)
    amounts = _whole(event.amounts, state)
    _not_negative(amounts, "an account is opened with less than nothing", state)
    rows = book.find(event.accounts, "opening")
    return replace(state, book=book.paid(OUTSIDE, rows, amounts)), ()


def _deposited(state: State, event: Deposited) -> tuple[State, Effects]:
    _same_length(event.accounts, event.amounts, state)
    rows = _distinct(state.book, event.accounts, state)
    amounts = _whole(event.amounts, state)
    state, short = is_short(state) if np.any(amounts < 0) else (state, False)
    gated = (amounts < 0) & short
    book = state.book.paid(OUTSIDE, rows, amounts)
    enough = (amounts >= 0) | meets_initial(state, book, rows)
    refused = (
        *_refusals(event, rows[gated], state, _GATED, Code.WITHDRAWALS_GATED),
        *_refusals(event, rows[~enough & ~gated], state, "the withdrawal leaves less than initial margin"),
    )
    enough &= ~gated
    book = state.book.paid(OUTSIDE, rows[enough], amounts[enough])
    paid_in = rows[enough & (amounts > 0)]
    closed = paid_in[(book.status[paid_in] == Status.CLOSED) & (book.cash[paid_in] > 0)]
    book = replace(book, status=advance(book.status, closed, Signal.FUNDED))
    return replace(state, book=book), refused


def _funded(state: State, event: Funded) -> tuple[State, Effects]:
    amounts = _whole((event.fund, event.makers, event.backstop), state)
    _not_negative(amounts, "the fund, the makers or the backstop are paid less than nothing", state)
    book = state.book.paid(OUTSIDE, FUND, event.fund).paid(OUTSIDE, MAKERS, event.makers)
    return replace(state, book=book.paid(OUTSIDE, BACKSTOP, event.backstop)), ()


def _traded(state: State, event: Traded) -> tuple[State, Effects]:
    """Carry out the trades of accounts that then meet initial margin, or that reduce what they risk."""
    _same_length(event.accounts, event.lots, state)
    rows = _distinct(state.book, event.accounts, state)
    _one_per_listing(event, state)
    lots = _whole(event.lots, state).reshape(len(rows), len(state.listings))
    prices = np.array(event.prices, dtype=np.float64)
    unit = state.lot_sizes * np.where(np.isfinite(prices), prices, 0.0) * QUANTA_PER_UNIT
    if np.any((lots != 0) & (unit <= 0.0)):
        raise PlimsollError(
            Code.MISSING_PRICE,
            "a trade has no positive price",
            where=f"event {state.sequence + 1}",
            remedy="Give the price of every instrument that trades.",
        )
    _refuse_expired(state, event, lots)
    paid = quanta_up(lots * unit)
    tried = state.book.traded(rows, lots, paid)
    may, does = carried_out(state, tried, rows, lots)
    refused = (
        *_refusals(event, rows[~may], state, _RISKIER),
        *_refusals(event, rows[may & ~does], state, _UNDONE, Code.OTHER_SIDE_REFUSED),
    )
    book = tried if does.all() else state.book.traded(rows[does], lots[does], paid[does])
    return replace(state, book=book), refused


def _bid(state: State, event: Bid) -> tuple[State, Effects]:
    """Settle a bid for an account on the block, if the bidder then meets initial margin."""
    bidder, account = _distinct(state.book, (event.bidder, event.account), state)
    if not 0.0 < event.share <= 1.0:
        raise PlimsollError(
            Code.BAD_QUANTITY,
            f"a bid for {event.share} of an account",
            where=f"event {state.sequence + 1}",
            remedy="Bid for a share above 0 and up to 1.",
        )
    auction, bidders = auction_of(state, int(account)), np.array([bidder])
    if auction is None or state.book.status[bidder] > Status.CALLED:
        return state, _refusals(event, bidders, state, "nothing is on the block for it", Code.NOT_AUCTIONED)
    after, effects = bid(state, event, int(bidder), auction)
    if not meets_initial(after, after.book, bidders)[0]:
        return state, _refusals(event, bidders, state, "initial margin is not met after the bid")
    return after, effects


def _published(state: State, event: Published) -> tuple[State, Effects]:
    if state.parameters is not None and event.parameters.version <= state.parameters.version:
        raise PlimsollError(
            Code.OUT_OF_ORDER,
            f"version {event.parameters.version} came after version {state.parameters.version}",
            where=f"event {state.sequence + 1}",
            remedy="Publish parameter sets with rising versions.",
        )
    model = model_at(event.parameters, state.listings, state.market, state.ticked)
    return replace(state, parameters=event.parameters, model=model), ()


def _ticked(state: State, event: Ticked) -> tuple[State, Effects]:
    marks = np.array(event.marks, dtype=np.float64)
    volume = np.array(event.volume, dtype=np.float64)
    impact = np.array(event.impact, dtype=np.float64)
    depth = np.array(event.depth or (1.0,) * len(marks), dtype=np.float64)
    _refuse_unsound((marks, volume, impact, depth), state.listings, state)
    hours = (event.time - state.ticked) / HOUR if state.ticked > 0 else 0.0
    if not lists_options(state.listings):
        moved = replace(state, ticked=event.time, market=market_of(marks, volume, impact, depth))
        return settle_tick(moved, event.time, hours)
    stated = market_of(marks, volume, impact, depth)
    market = _with_options(state.listings, event.volatility, stated, event.time, state)
    state, expired = settle_expired(state, marks, event.time)
    model = None
    if state.parameters is not None:
        model = model_at(state.parameters, state.listings, market, event.time)
    moved = replace(state, ticked=event.time, market=market, model=model, safety=None)
    after, effects = settle_tick(moved, event.time, hours)
    return after, (*expired, *effects)


def _refuse_unsound(told: tuple[Vector, ...], listings: tuple[Listing, ...], state: State) -> None:
    """Refuse marks, volumes, impacts and depths [I] that cannot be; others than `listings` has."""
    for figures, (name, above_zero) in zip(told, _TOLD, strict=True):
        if len(figures) != len(listings):
            raise _unsound(f"there are {len(figures)} {name}s for {len(listings)} listings", state)
        sound = np.isfinite(figures) & ((figures > 0.0) | ((figures == 0.0) & (not above_zero)))
        if not sound.all():
            place = int(np.argmin(sound))
            least = "above zero" if above_zero else "zero or more"
            one = f"the {name} of {listings[place].name} is {figures[place]:.12g}"
            raise _unsound(f"{one}; it has to be finite and {least}", state)


def _unsound(what: str, state: State) -> PlimsollError:
    return PlimsollError(
        Code.BAD_PRICE,
        what,
        where=f"event {state.sequence + 1}",
        remedy="Leave out ticks that a feed cannot vouch for: the last marks stay in force.",
    )


def _with_options(
    listings: tuple[Listing, ...], told: tuple[float, ...], stated: Market, time: int, state: State
) -> Market:
    """Value options at their forwards and volatilities."""
    volatility = np.array(told, dtype=np.float64)
    if len(volatility) != len(listings):
        raise PlimsollError(
            Code.MISSING_VOLATILITY,
            f"{len(volatility)} volatilities for {len(listings)} listings",
            where=f"event {state.sequence + 1}",
            remedy="Give one per listing, 0 where it is no option.",
        )
    marks = option_values(listings, stated.forwards, volatility, time)
    return replace(stated, marks=marks, volatility=volatility)


def _refuse_expired(state: State, event: Traded, lots: Lots) -> None:
    over = has_expired(state.listings, event.time) & lots.any(axis=0)
    if lists_options(state.listings) and over.any():
        raise PlimsollError(
            Code.EXPIRED_INSTRUMENT,
            "it has expired and cannot be traded",
            where=state.listings[int(np.argmax(over))].name,
            remedy="Leave it out; it settles with the next tick.",
        )


def _refusals(
    event: Bid | Deposited | Traded,
    rows: Rows,
    state: State,
    what: str,
    code: Code = Code.INSUFFICIENT_MARGIN,
) -> Effects:
    return tuple(Refused(event.time, state.book.names[row], code.value, what) for row in rows)


def _same_length(accounts: tuple[str, ...], parts: tuple[Any, ...], state: State) -> None:
    if len(accounts) != len(parts):
        raise PlimsollError(
            Code.BAD_ACCOUNT,
            f"{len(accounts)} accounts but {len(parts)} amounts",
            where=f"event {state.sequence + 1}",
            remedy="Give one amount per account.",
        )


def _one_per_listing(event: Traded, state: State) -> None:
    if {len(event.prices), *map(len, event.lots)} != {len(state.listings)}:
        raise PlimsollError(
            Code.UNKNOWN_INSTRUMENT,
            "a trade has more or fewer prices or lots than there are listings",
            where=f"event {state.sequence + 1}",
            remedy=f"Give {len(state.listings)} of each, in the order of the listings.",
        )


def _whole(numbers: tuple[Any, ...], state: State) -> Quanta:
    """Read whole numbers; raises `AMOUNT_OUT_OF_RANGE` for one beyond `LARGEST_AMOUNT`."""
    try:
        whole: Quanta = np.array(numbers, dtype=np.int64)
    except OverflowError:
        whole = np.full(1, LARGEST_AMOUNT + 1)
    if np.any((whole > LARGEST_AMOUNT) | (whole < -LARGEST_AMOUNT)):
        raise PlimsollError(
            Code.AMOUNT_OUT_OF_RANGE,
            f"an amount is beyond {LARGEST_AMOUNT}",
            where=f"event {state.sequence + 1}",
            remedy="Give smaller amounts.",
        )
    return whole


def _not_negative(amounts: Quanta, what: str, state: State) -> None:
    if np.any(amounts < 0):
        raise PlimsollError(
            Code.BAD_ACCOUNT, what, where=f"event {state.sequence + 1}", remedy="Give zero or more."
        )


def _distinct(book: Book, accounts: tuple[str, ...], state: State) -> Rows:
    rows = book.find(accounts, f"event {state.sequence + 1}")
    if len(np.unique(rows)) != len(rows) or np.any(rows < FIRST_TRADER):
        raise PlimsollError(
            Code.BAD_ACCOUNT,
            "an account stands twice in one event, or is one of the system's",
            where=f"event {state.sequence + 1}",
            remedy="Name each trader's account once per event.",
        )
    return rows


_HANDLERS: dict[type, Callable[[State, Any], tuple[State, Effects]]] = {
    Listed: _listed,
    Introduced: _introduced,
    Opened: _opened,
    Deposited: _deposited,
    Funded: _funded,
    Traded: _traded,
    Published: _published,
    Ticked: _ticked,
    Bid: _bid,
}
