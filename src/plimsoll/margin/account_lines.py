"""What does an account say, line by line, once every number of it is checked?"""

from dataclasses import dataclass
from decimal import Decimal

from plimsoll.domain.account_books import QUOTE
from plimsoll.domain.accounts import Account, CollateralBalance, Position
from plimsoll.domain.instruments import Instrument, Spot, parse_instrument
from plimsoll.domain.money import LARGEST_AMOUNT, exact_quanta
from plimsoll.errors import Code, PlimsollError

__all__ = ["AccountLine", "AccountLines", "read_account_lines"]


@dataclass(frozen=True, slots=True)
class AccountLine:
    """One asset or position; an asset has no entry price, for what was paid has left the cash.

    Attributes
    ----------
    instrument : Instrument
    quantity : Decimal        Base units, positive long; finite.
    entry : Decimal or None   Quote currency per base unit, above zero; None for an asset.
    """

    instrument: Instrument
    quantity: Decimal
    entry: Decimal | None


@dataclass(frozen=True, slots=True)
class AccountLines:
    """An account as a user wrote it: cash in quote quanta, and lines in the order written."""

    cash: int
    lines: tuple[AccountLine, ...]


def read_account_lines(account: Account) -> AccountLines:
    """Read and check an account; the same instrument may stand in several lines.

    Raises
    ------
    PlimsollError   `BAD_QUANTITY` for a number that is not finite; `AMOUNT_OUT_OF_RANGE` beyond the ledger,
                    and for cash that is not finite or finer than a quantum; `BAD_ACCOUNT` for an asset below
                    zero, a position in an asset or an entry price that is none; `UNKNOWN_INSTRUMENT`.
    """
    cash, lines = 0, []
    for place, balance in enumerate(account.collateral):
        where = f"{account.name}.collateral[{place}]"
        if balance.asset == QUOTE:
            cash += exact_quanta(balance.amount, f"{where}.amount")
        else:
            lines.append(_asset(balance, where))
    for place, position in enumerate(account.positions):
        lines.append(_position(position, f"{account.name}.positions[{place}]"))
    return AccountLines(cash, tuple(lines))


def _asset(balance: CollateralBalance, where: str) -> AccountLine:
    amount = _finite(balance.amount, f"{where}.amount")
    if amount < 0:
        raise _refused(f"a balance of {amount} {balance.asset}", f"{where}.amount")
    return AccountLine(Spot(balance.asset), amount, None)


def _position(position: Position, where: str) -> AccountLine:
    instrument = parse_instrument(position.instrument, f"{where}.instrument")
    if isinstance(instrument, Spot):
        raise _refused(f"a position in {position.instrument}", f"{where}.instrument")
    entry = _finite(position.entry_price, f"{where}.entry_price")
    if entry <= 0:
        raise _refused(f"an entry price of {entry}", f"{where}.entry_price")
    return AccountLine(instrument, _finite(position.quantity, f"{where}.quantity"), entry)


def _finite(number: Decimal, where: str) -> Decimal:
    if not number.is_finite():
        raise PlimsollError(
            Code.BAD_QUANTITY, f"the number is {number}", where=where, remedy="Give a finite number."
        )
    if abs(number) > LARGEST_AMOUNT:
        raise PlimsollError(
            Code.AMOUNT_OUT_OF_RANGE,
            f"the number {number:.3g} is beyond {LARGEST_AMOUNT:.3g}",
            where=where,
            remedy="Check its size.",
        )
    return number


def _refused(what: str, where: str) -> PlimsollError:
    return PlimsollError(
        Code.BAD_ACCOUNT,
        f"{what} cannot be margined",
        where=where,
        remedy="Hold assets under collateral, not below zero, and give positive entry prices.",
    )
