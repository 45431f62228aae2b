"""At which prices of one market is an account liquidated, with everything else held?"""

import math
from collections.abc import Callable

from msgspec import Struct

from plimsoll.domain.accounts import Account
from plimsoll.margin.terms import MarginTerms

__all__ = ["PRECISION", "REACH", "LiquidationPrices", "liquidation_prices"]

REACH = 20.0
"""Prices are searched from a twentieth of today's to twenty times it, beyond every move within a year."""
_STEP = math.log(1.02)
"""Spacing of the search in log price: a zone narrower than 2 % of the price may be passed over."""

PRECISION = 1e-12
"""Width to which a price is narrowed, relative: a book of 1,000 BTC then misses by less than a cent."""


class LiquidationPrices(Struct, frozen=True, kw_only=True):
    """The prices nearest to today's at which equity is down to maintenance.

    Attributes
    ----------
    account, market : str
    reference : str            Instrument whose price they are; the market's others move in proportion.
    price : float              Today's, quote currency per base unit.
    below, above : float or None   Last price on that side at which the account stands; `None` where there is
                               none within `REACH`, and where the account is below maintenance today.
    equity, maintenance : int  Today's, in millionths of `currency`.
    """

    account: str
    currency: str
    market: str
    reference: str
    price: float
    below: float | None
    above: float | None
    equity: int
    maintenance: int

    @property
    def liquidated(self) -> bool:
        """Say whether the account is below maintenance today."""
        return self.equity < self.maintenance


def liquidation_prices(account: Account, market: str, terms: MarginTerms) -> LiquidationPrices:
    r"""Find where equity less maintenance changes sign as one market's prices are multiplied together.

    .. math:: E(m) - M(m) \ge 0 > E(m') - M(m')

    with m the result and m' beyond it by `PRECISION`: every instrument is repriced in full at each step, so
    the answer holds for options too. Volatilities stay where they are by strike, and so do other markets.

    Raises
    ------
    PlimsollError   `UNKNOWN_MARKET` where the account holds nothing of it; what margining raises.
    """
    today = terms.answer(account)
    reference, price = terms.reference(account, market)

    def stands(multiple: float) -> bool:
        return terms.moved(market, multiple).stands(account)

    alive = today.equity >= today.maintenance
    below, above = (_last(stands, sign) if alive else None for sign in (-1.0, 1.0))
    return LiquidationPrices(
        account=account.name,
        currency=terms.currency(),
        market=market,
        reference=reference,
        price=price,
        below=None if below is None else price * below,
        above=None if above is None else price * above,
        equity=today.equity,
        maintenance=today.maintenance,
    )


def _last(stands: Callable[[float], bool], sign: float) -> float | None:
    """Give the last multiple before the first breach on one side of 1."""
    safe = 1.0
    for step in range(1, math.ceil(math.log(REACH) / _STEP) + 1):
        breached = math.exp(sign * step * _STEP)
        if not stands(breached):
            return _bisected(stands, safe, breached)
        safe = breached
    return None


def _bisected(stands: Callable[[float], bool], safe: float, breached: float) -> float:
    """Halve a bracket until it is narrow and give its safe end."""
    while abs(breached - safe) > PRECISION * safe:
        middle = 0.5 * (safe + breached)
        if stands(middle):
            safe = middle
        else:
            breached = middle
    return safe
