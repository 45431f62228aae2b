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
from plimsoll.margin.account_lines import AccountLine, read_account_lines
from plimsoll.pricing import build_chain

__all__ = ["portfolio_of"]


def portfolio_of(account: Account, market: Market, profile: PortfolioProfile) -> Portfolio:
    """Read an account under a profile whose amounts are in quote currency.

    Perpetuals and futures have gained what their mark is above their entry price. An option's premium has
    left the cash already: the option counts at its mark, and its entry price plays no part. An asset is
    collateral where the profile has terms for it, else it is spot held.

    Raises
    ------
    PlimsollError   `BAD_SETTING`, and what `read_account_lines` and `build_chain` raise, with the field.
    """
    if profile.unit != "quote":
        raise PlimsollError(
            Code.BAD_SETTING,
            f"amounts of profile {profile.name} are in coins, those of an account in {QUOTE}",
            where="profile",
            remedy="Choose a profile in quote currency, or call `requirement` with a portfolio in coins.",
        )
    terms = {entry.asset for entry in profile.collateral}
    read = read_account_lines(account)
    pledged = [line for line in read.lines if _asset(line) in terms]
    held = [line for line in read.lines if _asset(line) not in terms]
    return Portfolio(
        cash=read.cash / QUANTA_PER_UNIT,
        unrealised=sum(_profit(line, market) for line in held),
        holdings=tuple(Holding(line.instrument, float(line.quantity)) for line in held),
        collateral=tuple(Collateral(line.instrument.underlying, float(line.quantity)) for line in pledged),
    )


def _asset(line: AccountLine) -> str | None:
    return line.instrument.underlying if line.entry is None else None


def _profit(line: AccountLine, market: Market) -> float:
    """Give what a perpetual or future has gained since it was opened; premiums and assets are paid for."""
    if line.entry is None or not isinstance(line.instrument, Perpetual | Future):
        return 0.0
    mark = Decimal(str(float(build_chain((line.instrument,), market).forward[0])))
    return float((mark - line.entry) * line.quantity)
