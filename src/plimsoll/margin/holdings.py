"""How does an account, as a user writes it down, become a portfolio at a market's marks?"""

from decimal import Decimal

from plimsoll.domain.account_books import QUOTE
from plimsoll.domain.accounts import Account, CollateralBalance, Position
from plimsoll.domain.instruments import Future, Instrument, Perpetual, Spot, parse_instrument
from plimsoll.domain.market import Market
from plimsoll.domain.money import LARGEST_AMOUNT, QUANTA_PER_UNIT, exact_quanta
from plimsoll.domain.portfolios import Collateral, Holding, Portfolio
from plimsoll.domain.profiles import PortfolioProfile
from plimsoll.errors import Code, PlimsollError
from plimsoll.pricing import build_chain

__all__ = ["portfolio_of"]


def portfolio_of(account: Account, market: Market, profile: PortfolioProfile) -> Portfolio:
    """Read an account under a profile whose amounts are in quote currency.

    Perpetuals and futures have gained what their mark is above their entry price. An option's premium has
    left the cash already: the option counts at its mark, and its entry price plays no part. An asset is
    collateral where the profile has terms for it, else it is spot held.

    Raises
    ------
    PlimsollError   `BAD_ACCOUNT`, `BAD_QUANTITY`, `BAD_SETTING`, and what `parse_instrument` and
                    `build_chain` raise, with the field.
    """
    if profile.unit != "quote":
        raise PlimsollError(
            Code.BAD_SETTING,
            f"amounts of profile {profile.name} are in coins, those of an account in {QUOTE}",
            where="profile",
            remedy="Choose a profile in quote currency, or call `requirement` with a portfolio in coins.",
        )
    terms = {entry.asset for entry in profile.collateral}
    cash, collateral, holdings = 0, [], []
    for place, balance in enumerate(account.collateral):
        where = f"{account.name}.collateral[{place}]"
        if balance.asset == QUOTE:
            cash += exact_quanta(balance.amount, f"{where}.amount")
        elif balance.asset in terms:
            collateral.append(Collateral(balance.asset, _amount(balance, where)))
        else:
            holdings.append(Holding(Spot(balance.asset), _amount(balance, where)))
    unrealised = 0.0
    for place, position in enumerate(account.positions):
        where = f"{account.name}.positions[{place}]"
        holding = _holding(position, where)
        holdings.append(holding)
        unrealised += _profit(holding.instrument, position, market)
    return Portfolio(
        cash=cash / QUANTA_PER_UNIT,
        unrealised=unrealised,
        holdings=tuple(holdings),
        collateral=tuple(collateral),
    )


def _holding(position: Position, where: str) -> Holding:
    instrument = parse_instrument(position.instrument, f"{where}.instrument")
    if isinstance(instrument, Spot):
        raise _refused(f"a position in {position.instrument}", f"{where}.instrument")
    if not (_finite(position.entry_price, f"{where}.entry_price") > 0):
        raise _refused(f"an entry price of {position.entry_price}", f"{where}.entry_price")
    return Holding(instrument, float(_finite(position.quantity, f"{where}.quantity")))


def _amount(balance: CollateralBalance, where: str) -> float:
    amount = _finite(balance.amount, f"{where}.amount")
    if amount < 0:
        raise _refused(f"a balance of {amount} {balance.asset}", f"{where}.amount")
    return float(amount)


def _profit(instrument: Instrument, position: Position, market: Market) -> float:
    if not isinstance(instrument, Perpetual | Future):
        return 0.0
    mark = Decimal(str(float(build_chain((instrument,), market).forward[0])))
    return float((mark - position.entry_price) * position.quantity)


def _finite(number: Decimal, where: str) -> Decimal:
    if not number.is_finite() or abs(number) > LARGEST_AMOUNT:
        raise PlimsollError(
            Code.BAD_QUANTITY,
            f"the number is {number:.3g}",
            where=where,
            remedy=f"Give a finite number, not beyond {LARGEST_AMOUNT:.3g}.",
        )
    return number


def _refused(what: str, where: str) -> PlimsollError:
    return PlimsollError(
        Code.BAD_ACCOUNT,
        f"{what} cannot be margined",
        where=where,
        remedy="Hold assets under collateral, not below zero, and give positive entry prices.",
    )
