"""What does a market quote after all prices of one underlying were multiplied?"""

from msgspec import structs

from plimsoll.domain.market import Market, UnderlyingQuote

__all__ = ["moved_market"]


def moved_market(market: Market, underlying: str, multiple: float) -> Market:
    """Multiply spot, perpetual and forwards; volatilities stay by strike, and assets where they are."""
    return structs.replace(
        market, underlyings=tuple(_scaled(quote, underlying, multiple) for quote in market.underlyings)
    )


def _scaled(quote: UnderlyingQuote, underlying: str, multiple: float) -> UnderlyingQuote:
    if quote.underlying != underlying:
        return quote
    return structs.replace(
        quote,
        spot=quote.spot * multiple,
        perpetual=None if quote.perpetual is None else quote.perpetual * multiple,
        expiries=tuple(structs.replace(e, forward=e.forward * multiple) for e in quote.expiries),
    )
