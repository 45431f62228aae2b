"""How does an account, as a user writes it down, become a portfolio at a market's marks?"""

from decimal import Decimal

from plimsoll.domain.account_books import QUOTE
from plimsoll.domain.accounts import Account
from plimsoll.domain.instruments import Future, Perpetual
from plimsoll.domain.market import Market
from plimsoll.domain.money import QUANTA_PER_UNIT
from plimsoll.domain.portfolios import Collateral, Holding, Portfolio
from plimsoll.domain.profiles import PortfolioProfile
from plimsoll.errors import Code, PlimsollError
from plimsoll.margin.account_lines import AccountLine, AccountLines, read_account_lines
from plimsoll.pricing import build_chain

__all__ = ["currency_of", "portfolio_of"]


def currency_of(profile: PortfolioProfile, market: Market) -> str:
    """Name what amounts under a profile are in: the quote currency, or the one coin that a market quotes."""
    return QUOTE if profile.unit == "quote" else market.underlyings[0].underlying


def portfolio_of(account: Account, market: Market, profile: PortfolioProfile) -> Portfolio:
    """Read an account under a profile.

    Perpetuals and futures have gained what their mark is above their entry price. An option's premium has
    left the cash already: the option counts at its mark, and its entry price plays no part. An asset is
    collateral where the profile has terms for it, else it is spot held.

    Raises
    ------
    PlimsollError   What `read_account_lines` and `build_chain` raise, with the field; `BAD_ACCOUNT` where an
                    account in coins holds another currency.
    """
    read = read_account_lines(account)
    if profile.unit == "coin":
        return _in_coins(account, read, market)
    terms = {entry.asset for entry in profile.collateral}
    pledged = [line for line in read.lines if _asset(line) in terms]
    held = [line for line in read.lines if _asset(line) not in terms]
    return Portfolio(
        cash=read.cash / QUANTA_PER_UNIT,
        unrealised=sum(_profit(line, market) for line in held),
        holdings=tuple(Holding(line.instrument, float(line.quantity)) for line in held),
        collateral=tuple(Collateral(line.instrument.underlying, float(line.quantity)) for line in pledged),
    )


def _in_coins(account: Account, read: AccountLines, market: Market) -> Portfolio:
    r"""Read an account that is settled in a coin, whose contracts are inverse.

    A quantity q opened at price e is a contract of :math:`N = q e` in quote currency, whatever the price
    does. At the mark p it is worth :math:`N / p` coins, and has gained :math:`N (1/e - 1/p)`.
    """
    coin = {quote.underlying for quote in market.underlyings}
    foreign = {line.instrument.underlying for line in read.lines} - coin | ({QUOTE} if read.cash else set())
    if foreign:
        raise PlimsollError(
            Code.BAD_ACCOUNT,
            f"an account in {', '.join(sorted(coin))} holds {', '.join(sorted(foreign))}",
            where=account.name,
            remedy="Give the coin as collateral and its contracts as positions; margin others apart.",
        )
    cash, unrealised, holdings = Decimal(0), 0.0, []
    for line in read.lines:
        if line.entry is None:
            cash += line.quantity
        elif isinstance(line.instrument, Perpetual | Future):
            share = float(line.entry) / float(build_chain((line.instrument,), market).forward[0])
            unrealised += float(line.quantity) * (1.0 - share)
            holdings.append(Holding(line.instrument, float(line.quantity) * share))
        else:
            holdings.append(Holding(line.instrument, float(line.quantity)))
    return Portfolio(cash=float(cash), unrealised=unrealised, holdings=tuple(holdings))


def _asset(line: AccountLine) -> str | None:
    return line.instrument.underlying if line.entry is None else None


def _profit(line: AccountLine, market: Market) -> float:
    """Give what a perpetual or future has gained since it was opened; premiums and assets are paid for."""
    if line.entry is None or not isinstance(line.instrument, Perpetual | Future):
        return 0.0
    mark = Decimal(str(float(build_chain((line.instrument,), market).forward[0])))
    return float((mark - line.entry) * line.quantity)
