"""How do calibrated rates of linear positions become the ranges that options are margined over?"""

from msgspec import structs

from plimsoll.domain.parameters import MarketParameters, ParameterSet, StaticTiers
from plimsoll.domain.profiles import LiquidityTerms, PortfolioProfile, UnderlyingRange
from plimsoll.domain.scenario_sets import ScenarioGrid
from plimsoll.errors import Code, PlimsollError

__all__ = ["with_calibration"]


def with_calibration(profile: PortfolioProfile, parameters: ParameterSet) -> PortfolioProfile:
    r"""Give a profile the ranges and the cost curves that a calibrated set asks for.

    .. math:: range_{level} = \max(long_{level},\; short_{level})

    A rate is the adverse excursion that a side is margined for, and a range is how far spot is moved. Of the
    two sides the larger is taken, because which way a portfolio of options loses is not known beforehand.
    Cells of a nested grid count up to the first that reaches the range, so that a rise of rates within the
    notice, which `initial` covers on each side, is covered for every portfolio. Curves that charge for size
    do so here.

    Raises
    ------
    PlimsollError   `BAD_SETTING` where the profile states ranges of its own or the set holds constants.
    """
    if not all(isinstance(s, ScenarioGrid) and s.nested for s in profile.scenarios):
        raise PlimsollError(
            Code.BAD_SETTING,
            f"profile {profile.name} states its own ranges",
            where="profile",
            remedy="Choose profile plimsoll, which takes calibrated ranges, or leave the set out.",
        )
    method = parameters.method
    if isinstance(method, StaticTiers):
        raise PlimsollError(
            Code.BAD_SETTING,
            "the parameter set holds constants by size, not calibrated rates",
            where="parameters.method",
            remedy="Give a set that `plimsoll calibrate` wrote.",
        )
    charged = [entry for entry in parameters.liquidity if entry.charged]
    known = {entry.market: entry.curves for entry in charged}
    return structs.replace(
        profile,
        ranges=tuple(_range(market) for market in method.markets),
        liquidity=tuple(
            LiquidityTerms(underlying=entry.market, curves=entry.curves, options=entry.options)
            for entry in charged
        ),
        collateral=tuple(
            structs.replace(terms, curves=known.get(terms.asset, terms.curves))
            for terms in profile.collateral
        ),
    )


def _range(market: MarketParameters) -> UnderlyingRange:
    return UnderlyingRange(
        underlying=market.market,
        maintenance=max(market.long.maintenance, market.short.maintenance),
        initial=max(market.long.initial, market.short.initial),
    )
