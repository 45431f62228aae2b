"""How does a user write a market down, every price by the name of its instrument?"""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from plimsoll.domain.instruments import Future, Instrument, Option, Perpetual, Spot, parse_instrument
from plimsoll.domain.market import AssetQuote, ExpiryQuote, Market, OptionQuote, UnderlyingQuote
from plimsoll.domain.money import LARGEST_AMOUNT, QUANTA_PER_UNIT
from plimsoll.errors import Code, PlimsollError

__all__ = ["Quotes", "market_of", "open_quanta"]

_MOST_A_YEAR = 20.0
"""A volatility of 2,000 % is beyond an option's on its last day; 60 stands for 60 % written as a number."""


class Quotes(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A market by names.

    Attributes
    ----------
    time : datetime       With a zone.
    prices : dict         Spot, perpetual and forward, quote currency per base unit: ``BTC``, ``BTC-PERP``,
                          ``BTC-27MAR26``. Spot of every underlying is required.
    rates : dict          Continuously compounded interest per year, by expiry: ``BTC-27MAR26``; default 0.
    volatilities : dict   Per square root of a year of 365 days, by option: ``BTC-27MAR26-90000-P``.
    assets : dict         Dollars per unit of a collateral asset; default that of its spot price.
    stable : float        Dollars per unit of the quote currency.
    open_notional : dict  Quote currency held open, by underlying: ``BTC``; for profiles with tiers of it.
    """

    time: Annotated[datetime, Meta(tz=True)]
    prices: dict[str, float]
    rates: dict[str, float] = {}
    volatilities: dict[str, float] = {}
    assets: dict[str, float] = {}
    stable: float = 1.0
    open_notional: dict[str, Annotated[float, Meta(ge=0.0, le=LARGEST_AMOUNT / QUANTA_PER_UNIT)]] = {}


def market_of(quotes: Quotes, where: str = "quotes") -> Market:
    """Gather quotes into a market; reports count as sure.

    Raises
    ------
    PlimsollError   `BAD_PRICE`, `MISSING_PRICE`, `MISSING_VOLATILITY` or `UNKNOWN_INSTRUMENT`, with the
                    field.
    """
    prices = _read(quotes.prices, f"{where} prices", Spot | Perpetual | Future)
    rates = _read(quotes.rates, f"{where} rates", Future)
    volatilities = _read(quotes.volatilities, f"{where} volatilities", Option)
    _refuse_unpositive(quotes, where)
    for future in rates:
        if future not in prices:
            raise _missing(f"{future.name} has a rate and no forward", f"{where} prices.{future.name}")
    underlyings = tuple(dict.fromkeys(instrument.underlying for instrument in prices))
    return Market(
        time=round(quotes.time.timestamp() * 1000),
        stable=quotes.stable,
        underlyings=tuple(_underlying(name, prices, rates, where) for name in underlyings),
        options=tuple(OptionQuote(o, v) for o, v in volatilities.items() if isinstance(o, Option)),
        assets=tuple(
            AssetQuote(asset=asset, price=price)
            for asset, price in (
                {u: prices[Spot(u)] * quotes.stable for u in underlyings} | quotes.assets
            ).items()
        ),
    )


def open_quanta(quotes: Quotes) -> dict[str, int]:
    """Give the open notional of each underlying in quanta, rounded up: more of it never asks for less."""
    return {name: math.ceil(amount * QUANTA_PER_UNIT) for name, amount in quotes.open_notional.items()}


def _underlying(
    name: str, prices: Mapping[Instrument, float], rates: Mapping[Instrument, float], where: str
) -> UnderlyingQuote:
    if Spot(name) not in prices:
        raise _missing(f"{name} has no spot price", f"{where} prices.{name}")
    expiries = [i for i in prices if isinstance(i, Future) and i.underlying == name]
    return UnderlyingQuote(
        underlying=name,
        spot=prices[Spot(name)],
        perpetual=prices.get(Perpetual(name)),
        expiries=tuple(
            ExpiryQuote(expiry=future.expiry, forward=prices[future], rate=rates.get(future, 0.0))
            for future in expiries
        ),
    )


def _read(figures: dict[str, float], where: str, kinds: object) -> dict[Instrument, float]:
    """Read instruments from their names; one of another kind has no place there."""
    read = {}
    for name, figure in figures.items():
        instrument = parse_instrument(name, where)
        if not isinstance(instrument, kinds):  # type: ignore[arg-type]
            raise PlimsollError(
                Code.UNKNOWN_INSTRUMENT,
                f"{name} does not belong there",
                where=where,
                remedy="Price spot, perpetuals and expiries; rate expiries; mark volatilities of options.",
            )
        read[instrument] = figure
    return read


def _refuse_unpositive(quotes: Quotes, where: str) -> None:
    """Refuse what no price, volatility or rate can be; only TOML can write numbers that are not finite."""
    positive = {**_named("prices", quotes.prices), **_named("assets", quotes.assets), "stable": quotes.stable}
    for field, price in positive.items():
        if not 0.0 < price < math.inf:
            raise PlimsollError(
                Code.BAD_PRICE,
                f"the price is {price:g}",
                where=f"{where} {field}",
                remedy="Give a finite price above zero.",
            )
    for name, volatility in quotes.volatilities.items():
        if not 0.0 <= volatility <= _MOST_A_YEAR:
            raise PlimsollError(
                Code.MISSING_VOLATILITY,
                f"the volatility is {volatility:g}",
                where=f"{where} volatilities.{name}",
                remedy=f"Give a share, from 0 to {_MOST_A_YEAR:g}: 0.6 is 60 %.",
            )
    for name, rate in quotes.rates.items():
        if not -_MOST_A_YEAR <= rate <= _MOST_A_YEAR:
            raise PlimsollError(
                Code.BAD_PRICE,
                f"the rate is {rate:g}",
                where=f"{where} rates.{name}",
                remedy=f"Give a share, from {-_MOST_A_YEAR:g} to {_MOST_A_YEAR:g}: 0.04 is 4 %.",
            )


def _named(field: str, figures: dict[str, float]) -> dict[str, float]:
    return {f"{field}.{name}": figure for name, figure in figures.items()}


def _missing(what: str, where: str) -> PlimsollError:
    return PlimsollError(Code.MISSING_PRICE, what, where=where, remedy="Quote it.")
