"""What would a trade change in what an account must hold, part by part?"""

from collections import defaultdict
from decimal import ROUND_CEILING, Decimal

from msgspec import Struct, structs

from plimsoll.domain.account_books import QUOTE
from plimsoll.domain.accounts import Account, CollateralBalance, Position
from plimsoll.domain.instruments import Option, Spot, parse_instrument
from plimsoll.domain.money import LARGEST_AMOUNT, QUANTA_PER_UNIT
from plimsoll.errors import Code, PlimsollError
from plimsoll.margin.explain import Explanation
from plimsoll.margin.terms import Answer, MarginTerms

__all__ = ["PartChange", "Standing", "Trade", "WhatIf", "traded", "what_if"]

_QUANTUM = Decimal(1) / QUANTA_PER_UNIT


class Trade(Struct, frozen=True):
    """A signed quantity of one instrument, in base units, done at the mark."""

    instrument: str
    quantity: Decimal


class Standing(Struct, frozen=True, kw_only=True):
    """Where an account stands. Money is in quote quanta; the worst scenario is empty where there is none."""

    equity: int
    maintenance: int
    initial: int
    verdict: str
    worst: str


class PartChange(Struct, frozen=True):
    """One part of maintenance before and after, in quote quanta; 0 where it is not charged."""

    name: str
    before: int
    after: int


class WhatIf(Struct, frozen=True, kw_only=True):
    """What trades change, in millionths of `currency`. The parts sum to maintenance, before and after."""

    account: str
    currency: str
    trades: tuple[Trade, ...]
    before: Standing
    after: Standing
    parts: tuple[PartChange, ...]


def what_if(account: Account, trades: tuple[Trade, ...], terms: MarginTerms) -> WhatIf:
    """Margin an account before and after trades at the mark, without fees.

    Raises
    ------
    PlimsollError   What margining raises; `BAD_QUANTITY` for a trade of no finite size.
    """
    before = terms.answer(account)
    after = terms.answer(traded(account, trades, terms))
    changes: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for side, answer in enumerate((before, after)):
        for part in answer.parts:
            changes[part.name][side] += part.amount
    return WhatIf(
        account=account.name,
        currency=terms.currency(),
        trades=trades,
        before=_standing(before),
        after=_standing(after),
        parts=tuple(PartChange(name, *amounts) for name, amounts in changes.items()),
    )


def traded(account: Account, trades: tuple[Trade, ...], terms: MarginTerms) -> Account:
    """Give the account after trades at the mark.

    A perpetual or future enters at its mark. An asset or an option is paid from the cash, or into it; the
    cash is rounded down to a quantum.
    """
    for place, trade in enumerate(trades):
        account = _with_trade(account, trade, terms, f"trades[{place}] {trade.instrument}")
    return account


def _with_trade(account: Account, trade: Trade, terms: MarginTerms, where: str) -> Account:
    instrument = parse_instrument(trade.instrument, where)
    if not trade.quantity.is_finite() or not 0 < abs(trade.quantity) <= LARGEST_AMOUNT:
        raise PlimsollError(
            Code.BAD_QUANTITY,
            f"the quantity is {trade.quantity:.3g}",
            where=where,
            remedy="Give a signed quantity that is finite and not zero.",
        )
    if isinstance(instrument, Spot) and terms.currency() != QUOTE:
        raise PlimsollError(
            Code.UNSUPPORTED_INSTRUMENT,
            f"an account in {terms.currency()} cannot buy or sell {instrument.name}",
            where=where,
            remedy="Trade its contracts, or change the balance under collateral.",
        )
    mark = Decimal(str(terms.mark(instrument)))
    if isinstance(instrument, Spot | Option):
        account = _credited(account, terms.currency(), -_paid_up(trade.quantity * mark))
    if isinstance(instrument, Spot):
        return _credited(account, instrument.name, trade.quantity)
    # A worthless option still needs an entry price above zero; it plays no part.
    position = Position(trade.instrument, trade.quantity, max(mark, _QUANTUM))
    return structs.replace(account, positions=(*account.positions, position))


def _credited(account: Account, asset: str, amount: Decimal) -> Account:
    held = sum((b.amount for b in account.collateral if b.asset == asset), Decimal(0))
    others = tuple(b for b in account.collateral if b.asset != asset)
    return structs.replace(account, collateral=(*others, CollateralBalance(asset, held + amount)))


def _paid_up(amount: Decimal) -> Decimal:
    return (amount / _QUANTUM).to_integral_value(ROUND_CEILING) * _QUANTUM


def _standing(answer: Answer) -> Standing:
    return Standing(
        equity=answer.equity,
        maintenance=answer.maintenance,
        initial=answer.initial,
        verdict=answer.verdict,
        worst=_worst(answer),
    )


def _worst(answer: Answer) -> str:
    if isinstance(answer, Explanation):
        return "" if answer.worst is None else answer.worst.name
    return answer.worst
