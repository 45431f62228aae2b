"""By what is an account margined, a calibrated set or a venue's profile, now and after a market moved?"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TypeAlias

from plimsoll.domain.account_books import QUOTE, AccountBook
from plimsoll.domain.accounts import Account
from plimsoll.domain.instruments import Instrument, Listing, Option, parse_instrument
from plimsoll.domain.market import Market, moved_market
from plimsoll.domain.parameters import Level, ParameterSet
from plimsoll.domain.portfolios import Holding, Portfolio
from plimsoll.domain.profiles import PortfolioProfile
from plimsoll.errors import Code, PlimsollError
from plimsoll.margin.breakdown import Breakdown, break_down, stands
from plimsoll.margin.explain import Explanation, calibrated_prices, explain, mark_of
from plimsoll.margin.holdings import currency_of, portfolio_of
from plimsoll.margin.model import MarginModel, refuse_options
from plimsoll.margin.standing import Standing, priced_market, standing_by_parameters, standing_by_profile
from plimsoll.margin.venue import venue_margin

__all__ = ["Answer", "MarginTerms", "ParameterTerms", "ProfileTerms"]

Answer: TypeAlias = Explanation | Breakdown
"""Both have the account, equity, maintenance, initial, parts that add up, and a verdict."""


class MarginTerms(ABC):
    """What margins an account, at marks of its own."""

    @abstractmethod
    def answer(self, account: Account) -> Answer:
        """Margin the account and say why."""

    def stands(self, account: Account) -> bool:
        """Say whether equity is not below maintenance."""
        answer = self.answer(account)
        return answer.equity >= answer.maintenance

    @abstractmethod
    def mark(self, instrument: Instrument) -> float:
        """Give what one unit is bought at: a price, or an option's premium; or the coin."""

    @abstractmethod
    def currency(self) -> str:
        """Name what amounts are in, and premiums are paid in."""

    @abstractmethod
    def reference(self, account: Account, market: str) -> tuple[str, float]:
        """Name the instrument whose price stands for a market that the account holds, and give the price."""

    @abstractmethod
    def standing(self, book: AccountBook) -> Standing:
        """Value and margin every account of a book; one that cannot be is listed with its reason."""

    @abstractmethod
    def moved(self, market: str, multiple: float) -> "MarginTerms":
        """Give the terms after every price of one market was multiplied."""


class ParameterTerms(MarginTerms):
    """A calibrated set for linear instruments; see `explain` for marks and model."""

    def __init__(
        self, parameters: ParameterSet, marks: Mapping[str, float], model: MarginModel | None = None
    ) -> None:
        self._parameters = parameters
        self._model = model
        self._marks = {**calibrated_prices(parameters), **marks}

    def answer(self, account: Account) -> Answer:
        """Margin the account and say why."""
        return explain(account, self._parameters, self._marks, self._model)

    def mark(self, instrument: Instrument) -> float:
        """Give the price of one unit; options are refused."""
        refuse_options((Listing(instrument, 1.0),))
        return mark_of(instrument, self._parameters, self._marks, instrument.name)

    def currency(self) -> str:
        """Give the quote currency."""
        return QUOTE

    def reference(self, account: Account, market: str) -> tuple[str, float]:
        """Take the first instrument held."""
        instrument = _held(account, market)[0]
        return instrument.name, self.mark(instrument)

    def standing(self, book: AccountBook) -> Standing:
        """Price spot, perpetuals and futures of a market alike, at its mark."""
        market = priced_market(book, self._marks, self._parameters.effective)
        return standing_by_parameters(book, self._parameters, market)

    def moved(self, market: str, multiple: float) -> MarginTerms:
        """Multiply the market's marks; rates stay those of the set."""
        moved = {
            name: price * multiple if parse_instrument(name).underlying == market else price
            for name, price in self._marks.items()
        }
        return ParameterTerms(self._parameters, moved, self._model)


class ProfileTerms(MarginTerms):
    """A venue's profile at a market."""

    def __init__(self, profile: PortfolioProfile, market: Market) -> None:
        self._profile = profile
        self._market = market

    def answer(self, account: Account) -> Answer:
        """Margin the account and say why."""
        return break_down(account, self._market, self._profile)

    def stands(self, account: Account) -> bool:
        """Ask for maintenance alone."""
        portfolio = portfolio_of(account, self._market, self._profile)
        venue = venue_margin(portfolio, self._market, self._profile)
        return stands(venue.requirement(portfolio, Level.MAINTENANCE))

    def mark(self, instrument: Instrument) -> float:
        """Give the forward, or the value of an option."""
        venue = venue_margin(Portfolio(holdings=(Holding(instrument, 1.0),)), self._market, self._profile)
        return float(venue.value[0] if isinstance(instrument, Option) else venue.chain.forward[0])

    def currency(self) -> str:
        """Give the quote currency, or the coin."""
        return currency_of(self._profile, self._market)

    def reference(self, account: Account, market: str) -> tuple[str, float]:
        """Take the market's spot."""
        _held(account, market)
        for quote in self._market.underlyings:
            if quote.underlying == market:
                return market, quote.spot
        raise PlimsollError(
            Code.MISSING_PRICE, f"the market has no spot of {market}", where="market", remedy="Quote it."
        )

    def standing(self, book: AccountBook) -> Standing:
        """Margin account by account at the market's quotes."""
        return standing_by_profile(book, self._market, self._profile)

    def moved(self, market: str, multiple: float) -> MarginTerms:
        """Multiply spot, perpetual and forwards, and assets priced by them; volatilities stay by strike."""
        followers = {terms.asset for terms in self._profile.collateral if terms.moves_with == market}
        return ProfileTerms(self._profile, moved_market(self._market, market, multiple, followers))


def _held(account: Account, market: str) -> tuple[Instrument, ...]:
    """List what an account holds of a market, its asset included."""
    names = [p.instrument for p in account.positions] + [b.asset for b in account.collateral]
    held = tuple(i for i in map(parse_instrument, names) if i.underlying == market)
    if not held:
        markets = sorted({parse_instrument(name).underlying for name in names})
        raise PlimsollError(
            Code.UNKNOWN_MARKET,
            f"the account holds nothing of {market}",
            where="market",
            remedy=f"Choose among {', '.join(markets) or 'none: it holds nothing'}.",
        )
    return held
