"""Where does every account of a book stand today: what is it worth, and what must it hold?"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from plimsoll.domain.account_books import AccountBook, RefusedAccount
from plimsoll.domain.instruments import Future, Instrument, Listing, Perpetual, Spot
from plimsoll.domain.market import ExpiryQuote, Market, UnderlyingQuote
from plimsoll.domain.money import QUANTA_PER_UNIT
from plimsoll.domain.parameters import Level, ParameterSet
from plimsoll.domain.portfolios import Collateral, Holding, Portfolio
from plimsoll.domain.profiles import PortfolioProfile
from plimsoll.errors import Code, PlimsollError
from plimsoll.margin import margin_model
from plimsoll.margin.model import MarginModel
from plimsoll.margin.venue import requirements
from plimsoll.pricing import build_chain
from plimsoll.types import Vector

__all__ = ["Standing", "portfolios_of", "priced_market", "standing_by_parameters", "standing_by_profile"]


@dataclass(frozen=True, slots=True)
class Standing:
    """The accounts that can be margined, and how.

    Attributes
    ----------
    book : AccountBook             Of these accounts alone.
    market : Market                That it was valued at.
    equity, maintenance : Vector [A]   Quote currency.
    refused : tuple of RefusedAccount   Those of the file, and those that cannot be valued or margined.
    """

    book: AccountBook
    market: Market
    equity: Vector
    maintenance: Vector
    refused: tuple[RefusedAccount, ...]


def priced_market(book: AccountBook, prices: Mapping[str, float], time: int) -> Market:
    """Quote what a book holds from one price per market: spot, perpetual and every forward alike.

    Parameters
    ----------
    prices : mapping   By instrument name or market; the former wins. What has no price is not quoted.
    time : int         Milliseconds UTC.
    """

    def price(instrument: Instrument) -> float | None:
        return prices.get(instrument.name, prices.get(instrument.underlying))

    return Market(
        time=time,
        underlyings=tuple(
            UnderlyingQuote(
                underlying=market,
                spot=prices[market],
                perpetual=price(Perpetual(market)),
                expiries=tuple(
                    ExpiryQuote(expiry=held.expiry, forward=price(held) or prices[market])
                    for held in book.instruments
                    if isinstance(held, Future) and held.underlying == market
                ),
            )
            for market in book.markets
            if market in prices
        ),
    )


def standing_by_parameters(book: AccountBook, parameters: ParameterSet, market: Market) -> Standing:
    """Margin a book of linear instruments under a parameter set; assets count in full, as what they are."""

    def model(instruments: tuple[Instrument, ...]) -> MarginModel:
        return margin_model(
            parameters.method, tuple(Listing(entry, 1.0) for entry in instruments), parameters.liquidity
        )

    def check(instrument: Instrument) -> None:
        build_chain((instrument,), market)
        model((instrument,))

    sound, refused = _sound(book, check)
    marks = _marks(sound, market)
    notional = np.zeros((len(sound.names), len(sound.instruments)))
    notional[sound.owners, sound.columns] = sound.sizes * marks[sound.columns] * QUANTA_PER_UNIT
    needed = model(sound.instruments).requirement(notional, Level.MAINTENANCE) / QUANTA_PER_UNIT
    return Standing(sound, market, _equity(sound, marks), needed, refused)


def standing_by_profile(book: AccountBook, market: Market, profile: PortfolioProfile) -> Standing:
    """Margin a book under a venue's profile, account by account; see `margin.venue.requirements`.

    Raises
    ------
    PlimsollError   `BAD_SETTING` for a profile in coins: the amounts of a book are in quote currency.
    """
    if profile.unit != "quote":
        raise PlimsollError(
            Code.BAD_SETTING,
            f"amounts of profile {profile.name} are in coins, those of a book in quote currency",
            where="profile",
            remedy="Choose a profile in quote currency, or margin the accounts one by one.",
        )

    def check(instrument: Instrument) -> None:
        build_chain((instrument,), market)

    sound, refused = _sound(book, check)
    portfolios = portfolios_of(sound, market, profile)
    answers = requirements(portfolios, market, profile, Level.MAINTENANCE)
    faults = {a: answer for a, answer in enumerate(answers) if isinstance(answer, PlimsollError)}
    kept = [answer for answer in answers if not isinstance(answer, PlimsollError)]
    return Standing(
        _without(sound, set(faults)),
        market,
        np.array([answer.equity for answer in kept]),
        np.array([answer.required for answer in kept]),
        refused + tuple(_refusal(sound.names[a], fault) for a, fault in faults.items()),
    )


def _marks(book: AccountBook, market: Market) -> Vector:
    """Give the price, or the forward, that each instrument follows: Vector [I]."""
    chain = build_chain(book.instruments, market)
    marks: Vector = chain.forward[chain.slot]
    return marks


def _equity(book: AccountBook, marks: Vector) -> Vector:
    """Add cash, assets at the mark, and what positions have gained: Vector [A]."""
    outright = np.array([isinstance(entry, Spot) for entry in book.instruments], dtype=np.bool_)
    mark = marks[book.columns]
    entry = np.where(np.isnan(book.prices), mark, book.prices)
    worth = book.sizes * np.where(outright[book.columns], mark, mark - entry)
    equity: Vector = book.cash + np.bincount(book.owners, weights=worth, minlength=len(book.names))
    return equity


def portfolios_of(book: AccountBook, market: Market, profile: PortfolioProfile) -> tuple[Portfolio, ...]:
    """Read each account as a profile margins it: positions with their profit so far, assets, collateral."""
    marks = _marks(book, market)
    terms = {entry.asset for entry in profile.collateral}
    linear = np.array([isinstance(i, Perpetual | Future) for i in book.instruments], dtype=np.bool_)
    entry = np.where(np.isnan(book.prices), marks[book.columns], book.prices)
    profit = np.where(linear[book.columns], book.sizes * (marks[book.columns] - entry), 0.0)

    def portfolio(account: int) -> Portfolio:
        rows = book.holdings(account)
        held = [(book.instruments[book.columns[row]], float(book.sizes[row])) for row in rows]
        return Portfolio(
            cash=float(book.cash[account]),
            unrealised=float(profit[rows].sum()),
            holdings=tuple(Holding(i, size) for i, size in held if not _pledged(i, terms)),
            collateral=tuple(Collateral(i.underlying, size) for i, size in held if _pledged(i, terms)),
        )

    return tuple(portfolio(account) for account in range(len(book.names)))


def _pledged(instrument: Instrument, terms: set[str]) -> bool:
    """Say whether an asset is collateral under the profile; without terms it is spot held."""
    return isinstance(instrument, Spot) and instrument.underlying in terms


def _sound(
    book: AccountBook, check: Callable[[Instrument], None]
) -> tuple[AccountBook, tuple[RefusedAccount, ...]]:
    """Leave out the accounts that hold what cannot be valued or margined; the first reason is told."""
    faults: dict[int, PlimsollError] = {}
    for column, instrument in enumerate(book.instruments):
        try:
            check(instrument)
        except PlimsollError as fault:
            faults[column] = fault
    told: dict[int, RefusedAccount] = {}
    for owner, column in zip(book.owners, book.columns, strict=True):
        if int(column) in faults:
            told.setdefault(int(owner), _refusal(book.names[owner], faults[int(column)]))
    return _without(book, set(told)), book.refused + tuple(told.values())


def _refusal(account: str, fault: PlimsollError) -> RefusedAccount:
    return RefusedAccount(account, fault.code.value, fault.what, fault.where)


def _without(book: AccountBook, accounts: set[int]) -> AccountBook:
    """Take accounts out; what only they held is no longer in the book."""
    if not accounts:
        return book
    keep = np.ones(len(book.names), dtype=np.bool_)
    keep[list(accounts)] = False
    rows = keep[book.owners]
    used, columns = np.unique(book.columns[rows], return_inverse=True)
    return replace(
        book,
        names=tuple(name for name, kept in zip(book.names, keep, strict=True) if kept),
        instruments=tuple(book.instruments[i] for i in used),
        cash=book.cash[keep],
        owners=(np.cumsum(keep) - 1)[book.owners[rows]],
        columns=columns.astype(np.intp),
        sizes=book.sizes[rows],
        prices=book.prices[rows],
    )
