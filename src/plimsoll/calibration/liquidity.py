"""What does a published cost curve make of size, under the settings of a calibration?"""

from msgspec import UNSET, UnsetType

from plimsoll.domain.closing_time import ClosingTime
from plimsoll.domain.cost_curve import CostCurve
from plimsoll.domain.market_liquidity import MarketLiquidity
from plimsoll.domain.settings import CalibrationSettings

__all__ = ["closing_time", "market_liquidity"]


def market_liquidity(market: str, curve: CostCurve, settings: CalibrationSettings) -> MarketLiquidity:
    """Say of a market's curve whether its cost is charged, and whether rates grow with its closing time."""
    return MarketLiquidity(
        market=market, curves=(curve,), charged=settings.size_charge, closing=closing_time(settings)
    )


def closing_time(settings: CalibrationSettings) -> ClosingTime | UnsetType:
    """Give how rates grow with closing time; unset, and so in no file, where they do not."""
    participation = settings.closing_participation
    if isinstance(participation, UnsetType):
        return UNSET
    return ClosingTime(base_hours=settings.horizon_hours, participation=participation)
