"""How do accounts, fills, deposits and withdrawals get in?"""

import asyncio
from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta, Struct

from plimsoll.domain.events import Bid, Deposited, Event, Funded, Opened, Refused, Traded
from plimsoll.domain.money import LARGEST_AMOUNT
from plimsoll.engine.state import State
from plimsoll.errors import Code, PlimsollError
from plimsoll.service.accounts import trader_row
from plimsoll.service.endpoints import Asked
from plimsoll.service.instructions import Instruction, ToldTick
from plimsoll.service.records import Answer, Audited
from plimsoll.service.threads import apart
from plimsoll.service.view import View

__all__ = [
    "SYSTEM_TIME",
    "Amount",
    "AuditPage",
    "Fill",
    "Leg",
    "Name",
    "NewAccount",
    "NotNegative",
    "Payment",
    "Price",
    "Volatility",
    "WriteAnswer",
    "answered",
    "audit_page",
    "deposit",
    "fill",
    "fund",
    "open_account",
    "place_of",
    "withdraw",
    "written",
]

_Amount = Annotated[int, Meta(ge=1, le=LARGEST_AMOUNT)]
Price = Annotated[float, Meta(gt=0.0, le=1e15)]
NotNegative = Annotated[float, Meta(ge=0.0, le=1e18)]
Volatility = Annotated[float, Meta(gt=0.0, le=100.0)]
Name = Annotated[str, Meta(pattern="^[A-Za-z0-9._-]{1,64}$")]
_Instrument = Annotated[str, Meta(min_length=1, max_length=64)]
SYSTEM_TIME = 0
"""The engine sets the time of what an API client asks for."""


class NewAccount(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An account to be opened; `amount` is what it pays in, quote quanta."""

    account: Name
    amount: Annotated[int, Meta(ge=0, le=LARGEST_AMOUNT)] = 0


class Amount(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Cash to be paid in or out, quote quanta."""

    amount: _Amount


class Payment(Amount, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Cash of the venue's own: into the insurance fund, or for the backstop to take positions over with."""

    into: Literal["fund", "backstop"] = "fund"


class Leg(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One account's part of a fill; the quantity is in base units, negative where it sold."""

    account: Name
    quantity: Decimal


class Fill(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A trade of one instrument at one price. What does not net among the legs is the makers'."""

    instrument: _Instrument
    price: Price
    legs: Annotated[tuple[Leg, ...], Meta(min_length=1, max_length=1000)]


class WriteAnswer(Struct, frozen=True, kw_only=True):
    """Where a write stands in the journal and what followed; it is durable.

    Attributes
    ----------
    refused : tuple of Refused   Accounts whose part was not carried out.
    """

    sequence: int
    time: int
    refused: tuple[Refused, ...]


class AuditPage(Struct, frozen=True, kw_only=True):
    """Writes that were asked for, newest first; give `before` for the next page, 0 where there is none."""

    entries: tuple[Audited, ...]
    before: int


async def open_account(asked: Asked) -> WriteAnswer:
    """Open an account."""
    body: NewAccount = asked.body
    return await written(asked, Opened(SYSTEM_TIME, (body.account,), (body.amount,)))


async def deposit(asked: Asked) -> WriteAnswer:
    """Pay cash in."""
    return await written(asked, Deposited(SYSTEM_TIME, (_account(asked),), (asked.body.amount,)))


async def withdraw(asked: Asked) -> WriteAnswer:
    """Pay cash out, where what is left meets initial margin."""
    return await written(asked, Deposited(SYSTEM_TIME, (_account(asked),), (-asked.body.amount,)))


async def fund(asked: Asked) -> WriteAnswer:
    """Pay into the insurance fund, or into the backstop."""
    body: Payment = asked.body
    fund, backstop = (body.amount, 0) if body.into == "fund" else (0, body.amount)
    return await written(asked, Funded(SYSTEM_TIME, fund, 0, backstop))


async def fill(asked: Asked) -> WriteAnswer:
    """Book a trade."""
    view: View = asked.desk.view
    body: Fill = asked.body
    place = place_of(view.state, body.instrument)
    for leg in body.legs:
        trader_row(view, leg.account)
    count = len(view.state.listings)
    prices = tuple(body.price if column == place else float("nan") for column in range(count))
    lots = tuple(
        tuple(_lots(view, place, leg) if column == place else 0 for column in range(count))
        for leg in body.legs
    )
    names = tuple(leg.account for leg in body.legs)
    return await written(asked, Traded(SYSTEM_TIME, prices, names, lots))


async def audit_page(asked: Asked) -> AuditPage:
    """List who asked for which write."""
    limit = min(asked.query.limit, asked.desk.settings.limits.page)
    rows = await apart(asked.desk.records.audited, asked.query.before, limit + 1)
    more = len(rows) > limit
    return AuditPage(
        entries=tuple(entry for _, entry in rows[:limit]), before=rows[limit - 1][0] if more else 0
    )


async def written(asked: Asked, event: Event | ToldTick) -> WriteAnswer:
    """Wait as `answered` does; give where the write stands and who was refused."""
    answer = await answered(asked, event)
    refused = tuple(effect for effect in answer.effects if isinstance(effect, Refused))
    return WriteAnswer(sequence=answer.sequence, time=answer.time, refused=refused)


async def answered(asked: Asked, event: Event | ToldTick) -> Answer:
    """Wait until the event is durable and applied; where nobody's part was carried out, it is an error."""
    order = Instruction(event, asked.identity, f"{asked.identity}:{asked.key}")
    answer = await asyncio.wrap_future(asked.desk.engine.submit(order))
    refused = tuple(effect for effect in answer.effects if isinstance(effect, Refused))
    if refused and len(refused) == _parts(event):
        raise PlimsollError(
            Code(refused[0].code),
            refused[0].what,
            where=refused[0].account,
            remedy="Pay in more, take less, or reduce positions.",
        )
    return answer


def _parts(event: Event | ToldTick) -> int:
    """Count the accounts whose part of an event may be refused."""
    return len(event.accounts) if isinstance(event, Deposited | Traded) else int(isinstance(event, Bid))


def _account(asked: Asked) -> str:
    name = asked.path["account"]
    trader_row(asked.desk.view, name)
    return name


def place_of(state: State, instrument: str) -> int:
    """Find a listing; raises `UNKNOWN_INSTRUMENT`."""
    for place, listing in enumerate(state.listings):
        if listing.name == instrument:
            return place
    raise PlimsollError(
        Code.UNKNOWN_INSTRUMENT,
        f"{instrument} is not listed",
        where="instrument",
        remedy=f"Choose among {', '.join(listing.name for listing in state.listings[:10])}.",
    )


def _lots(view: View, place: int, leg: Leg) -> int:
    """Turn base units into whole lots; raises `BAD_QUANTITY` where they are none, or none at all."""
    lot = Decimal(str(view.state.listings[place].lot))
    if not leg.quantity.is_finite() or not 0 < abs(leg.quantity) <= LARGEST_AMOUNT * lot:
        raise _bad_quantity(leg)
    lots = leg.quantity / lot
    if lots != lots.to_integral_value():
        raise _bad_quantity(leg)
    return int(lots)


def _bad_quantity(leg: Leg) -> PlimsollError:
    return PlimsollError(
        Code.BAD_QUANTITY,
        f"the quantity {leg.quantity:.12g} is not a whole number of lots, or zero, or too large",
        where=f"legs, {leg.account}",
        remedy="GET /v1/instruments gives each lot size.",
    )
