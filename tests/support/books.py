"""What do a small market and its portfolios look like, for tests that need any?"""

from hypothesis import strategies as st

from plimsoll.domain.instruments import Future, Instrument, Option, Perpetual, Spot
from plimsoll.domain.market import ExpiryQuote, Market, OptionQuote, UnderlyingQuote
from plimsoll.domain.portfolios import Holding, Portfolio

__all__ = ["FAR", "INSTRUMENTS", "MARKET", "NEAR", "NOW", "holdings", "market_at", "portfolios"]

NOW = 1_774_598_400_000
DAY = 86_400_000
NEAR, FAR = NOW + 12 * DAY, NOW + 100 * DAY
SPOTS = {"BTC": 90_000.0, "ETH": 3_000.0}
OPTIONS = tuple(
    Option(underlying, expiry, round(spot * moneyness), right)
    for underlying, spot in SPOTS.items()
    for expiry in (NEAR, FAR)
    for moneyness in (0.7, 1.0, 1.3)
    for right in ("C", "P")
)
LINEAR: tuple[Instrument, ...] = tuple(
    instrument
    for underlying in SPOTS
    for instrument in (
        Spot(underlying),
        Perpetual(underlying),
        Future(underlying, NEAR),
        Future(underlying, FAR),
    )
)
INSTRUMENTS: tuple[Instrument, ...] = LINEAR + OPTIONS


def market_at(scale: float = 1.0) -> Market:
    """Quote both underlyings, BTC at a multiple of its usual price."""
    return Market(
        time=NOW,
        underlyings=tuple(
            UnderlyingQuote(
                underlying=underlying,
                spot=spot * (scale if underlying == "BTC" else 1.0),
                perpetual=1.001 * spot * (scale if underlying == "BTC" else 1.0),
                expiries=tuple(
                    ExpiryQuote(
                        expiry=expiry,
                        forward=forward * spot * (scale if underlying == "BTC" else 1.0),
                        rate=0.04,
                    )
                    for expiry, forward in ((NEAR, 1.003), (FAR, 1.02))
                ),
            )
            for underlying, spot in SPOTS.items()
        ),
        options=tuple(OptionQuote(option, 0.45 + 0.02 * number) for number, option in enumerate(OPTIONS)),
    )


MARKET = market_at()


def holdings(instruments: tuple[Instrument, ...] = INSTRUMENTS) -> st.SearchStrategy[tuple[Holding, ...]]:
    """Draw a few holdings, long and short, of instruments that may repeat."""
    quantity = st.floats(-50.0, 50.0).filter(lambda size: abs(size) > 1e-3)
    one = st.builds(Holding, st.sampled_from(instruments), quantity)
    return st.lists(one, min_size=1, max_size=8).map(tuple)


def portfolios(instruments: tuple[Instrument, ...] = INSTRUMENTS) -> st.SearchStrategy[Portfolio]:
    """Draw a portfolio with some cash."""
    return st.builds(Portfolio, cash=st.floats(-1e5, 1e6), holdings=holdings(instruments))
