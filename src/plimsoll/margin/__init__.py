"""How much must each account hold, and why?"""

from plimsoll.domain.instruments import Listing
from plimsoll.domain.parameters import MarginMethod, PerPosition, StaticTiers
from plimsoll.margin import profiles
from plimsoll.margin.dynamic import DynamicMargin
from plimsoll.margin.model import MarginModel
from plimsoll.margin.option_book import OptionMargin
from plimsoll.margin.portfolio import PortfolioMargin
from plimsoll.margin.static import StaticMargin

__all__ = ["MarginModel", "OptionMargin", "margin_model", "profiles"]


def margin_model(method: MarginMethod, listings: tuple[Listing, ...]) -> MarginModel:
    """Build the model that a parameter set's method describes, for these listings."""
    if isinstance(method, StaticTiers):
        return StaticMargin(method, listings)
    if isinstance(method, PerPosition):
        return DynamicMargin(method, listings)
    return PortfolioMargin(method, listings)
