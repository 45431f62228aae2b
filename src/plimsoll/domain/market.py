"""What does the market say at one moment, and how sure is it?"""

from collections.abc import Set as AbstractSet
from typing import Annotated

from msgspec import Meta, Struct, structs

from plimsoll.domain.instruments import Option

__all__ = ["AssetQuote", "ExpiryQuote", "Market", "OptionQuote", "UnderlyingQuote", "moved_market"]

Confidence = Annotated[float, Meta(ge=0.0, le=1.0)]


class ExpiryQuote(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One expiry of one underlying.

    Attributes
    ----------
    expiry : int           Milliseconds UTC.
    forward : float        Quote currency per base unit, for delivery at expiry.
    rate : float           Continuously compounded interest per year; below zero it counts as zero.
    confidence : share     The least confidence of the forward, rate and volatility reports.
    """

    expiry: int
    forward: float
    rate: float = 0.0
    confidence: Confidence = 1.0


class UnderlyingQuote(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One underlying: its spot, its perpetual where one trades, its expiries.

    Attributes
    ----------
    underlying : str
    spot : float                 Index price, quote currency.
    perpetual : float or None    Mark of the perpetual.
    spot_confidence, perpetual_confidence : share
    expiries : tuple of ExpiryQuote
    """

    underlying: str
    spot: float
    perpetual: float | None = None
    spot_confidence: Confidence = 1.0
    perpetual_confidence: Confidence = 1.0
    expiries: tuple[ExpiryQuote, ...] = ()


class OptionQuote(Struct, frozen=True, forbid_unknown_fields=True):
    """The volatility that an option is marked at, per square root of a year of 365 days (0.6 is 60 %)."""

    option: Option
    volatility: float


class AssetQuote(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The price of a collateral asset in dollars, as its reporters give it."""

    asset: str
    price: float
    confidence: Confidence = 1.0


class Market(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that a portfolio is valued by.

    Attributes
    ----------
    time : int       Milliseconds UTC.
    stable : float   Dollars per unit of the quote currency.
    underlyings : tuple of UnderlyingQuote
    options : tuple of OptionQuote
    assets : tuple of AssetQuote
    """

    time: int
    underlyings: tuple[UnderlyingQuote, ...]
    options: tuple[OptionQuote, ...] = ()
    assets: tuple[AssetQuote, ...] = ()
    stable: float = 1.0


def moved_market(
    market: Market, name: str, multiple: float, followers: AbstractSet[str] = frozenset()
) -> Market:
    """Multiply spot, perpetual and forwards of one underlying; volatilities stay by strike.

    Parameters
    ----------
    followers : set   Assets that are priced by it, beside the one of its name.
    """
    return structs.replace(
        market,
        underlyings=tuple(
            _scaled(each, multiple) if each.underlying == name else each for each in market.underlyings
        ),
        assets=tuple(
            structs.replace(asset, price=asset.price * multiple)
            if asset.asset in {name, *followers}
            else asset
            for asset in market.assets
        ),
    )


def _scaled(quote: UnderlyingQuote, multiple: float) -> UnderlyingQuote:
    return structs.replace(
        quote,
        spot=quote.spot * multiple,
        perpetual=None if quote.perpetual is None else quote.perpetual * multiple,
        expiries=tuple(structs.replace(e, forward=e.forward * multiple) for e in quote.expiries),
    )
