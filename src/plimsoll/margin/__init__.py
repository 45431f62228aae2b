"""How much must each account hold, and why?"""

from collections.abc import Sequence

from plimsoll.domain.instruments import Listing
from plimsoll.domain.market_liquidity import MarketLiquidity
from plimsoll.domain.parameters import MarginMethod, PerPosition, StaticTiers
from plimsoll.margin import profiles
from plimsoll.margin.dynamic import DynamicMargin
from plimsoll.margin.model import MarginModel
from plimsoll.margin.option_book import OptionMargin
from plimsoll.margin.portfolio import PortfolioMargin
from plimsoll.margin.size_charge import SizeCharge
from plimsoll.margin.static import StaticMargin

__all__ = ["MarginModel", "OptionMargin", "margin_model", "profiles"]


def margin_model(
    method: MarginMethod, listings: tuple[Listing, ...], liquidity: Sequence[MarketLiquidity] = ()
) -> MarginModel:
    """Build the model that a parameter set's method and liquidity describe, for these listings."""
    rated = _rated(method, listings)
    charged = any(entry.charged for entry in liquidity)
    return SizeCharge(rated, listings, liquidity) if charged else rated


def _rated(method: MarginMethod, listings: tuple[Listing, ...]) -> MarginModel:
    if isinstance(method, StaticTiers):
        return StaticMargin(method, listings)
    if isinstance(method, PerPosition):
        return DynamicMargin(method, listings)
    return PortfolioMargin(method, listings)
