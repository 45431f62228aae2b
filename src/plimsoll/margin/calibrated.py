"""How do calibrated rates and joint moments become the ranges and rows that options are margined over?"""

from datetime import UTC, datetime

import numpy as np
from msgspec import UnsetType, structs

from plimsoll.domain.parameters import (
    CrossMargin,
    JointScenarios,
    MarketParameters,
    ParameterSet,
    StaticTiers,
)
from plimsoll.domain.profiles import LiquidityTerms, PortfolioProfile, UnderlyingRange
from plimsoll.domain.scenario_sets import JointMoves, ScenarioGrid
from plimsoll.errors import Code, PlimsollError
from plimsoll.kernels.shortfall import scenario_moves

__all__ = ["with_calibration"]


def with_calibration(profile: PortfolioProfile, parameters: ParameterSet) -> PortfolioProfile:
    r"""Give a profile the ranges, joint rows and cost curves that a calibrated set asks for.

    .. math:: range_{level} = \max(long_{level},\; short_{level}), \quad
              least_{level} = \min(credit_{long, level},\; credit_{short, level})

    A rate is the adverse excursion that a side is margined for, and a range is how far spot is moved. Of the
    two sides the larger is taken, because which way a portfolio of options loses is not known beforehand.
    Cells of a nested grid count up to the first that reaches the range, so that a rise of rates within the
    notice, which `initial` covers on each side, is covered for every portfolio. Tables that know how implied
    volatility moved become joint rows on the same rungs, between the least and the range; under a profile
    that says so they also set how far the grid moves volatility. Curves that charge
    for size, and ranges that grow with the time that closing takes, do so here.

    Raises
    ------
    PlimsollError   `BAD_SETTING` where the profile states ranges of its own, the set holds constants, or it
                    knows no implied volatility and the profile moves by that.
    """
    nested = tuple(s for s in profile.scenarios if isinstance(s, ScenarioGrid) and s.nested)
    if nested != profile.scenarios:
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
    rungs = tuple(sorted({abs(cell.spot) for grid in nested for cell in grid.scenarios if cell.spot != 0.0}))
    tables = method.dependence if isinstance(method, CrossMargin) else ()
    joint = tuple(
        _joint(table, rungs, announced=place > 0) for place, table in enumerate(tables) if table.volatility
    )
    grids = nested
    if profile.calibrated_volatility:
        moving = [(table, place > 0) for place, table in enumerate(tables) if table.volatility]
        grids = tuple(_moved(grid, table, announced=late) for table, late in moving for grid in nested)
        _refuse_unknown(grids, profile)
    charged = [entry for entry in parameters.liquidity if entry.charged]
    known = {entry.market: entry.curves for entry in charged}
    return structs.replace(
        profile,
        scenarios=(*grids, *joint),
        calibrated_volatility=False,
        ranges=tuple(_range(market) for market in method.markets),
        liquidity=tuple(
            LiquidityTerms(
                underlying=entry.market,
                curves=entry.curves,
                options=entry.options,
                closing=None if isinstance(entry.closing, UnsetType) else entry.closing,
            )
            for entry in charged
        ),
        collateral=tuple(
            structs.replace(terms, curves=known.get(terms.asset, terms.curves))
            for terms in profile.collateral
        ),
    )


def _moved(grid: ScenarioGrid, table: JointScenarios, *, announced: bool) -> ScenarioGrid:
    r"""Move a grid's volatility as far as the table's rows do, by the market that moves most.

    .. math:: rise = \max_m e^{\overline{top_m}} - 1, \quad fall = \max_m 1 - e^{\overline{bottom_m}}

    with the means taken over the `tail` largest and smallest log changes of each market: the level's quantile
    of a rise and a fall, as the rows are scaled. Grids of tables that follow each other stand side by side
    at initial margin, so that the notice holds for these moves too.
    """
    ordered = np.sort(np.array(table.volatility), axis=0)
    rise = float(np.expm1(ordered[-table.tail :].mean(axis=0)).max())
    fall = float(-np.expm1(ordered[: table.tail].mean(axis=0)).min())
    moves = structs.replace(grid.volatility, rise=max(rise, 0.0), fall=min(max(fall, 0.0), 1.0))
    return structs.replace(grid, volatility=moves, announced=announced)


def _refuse_unknown(grids: tuple[ScenarioGrid, ...], profile: PortfolioProfile) -> None:
    if all(grid.announced for grid in grids):
        raise PlimsollError(
            Code.BAD_SETTING,
            f"the table in force knows no implied volatility, which profile {profile.name} moves by",
            where="parameters.method.dependence",
            remedy="Give a set that `plimsoll calibrate --implied` wrote, or choose profile plimsoll.",
        )


def _range(market: MarketParameters) -> UnderlyingRange:
    """Take the larger of both sides; a credit that lags behind falling rates is in initial's range too."""
    lent = market.long.credit, market.short.credit
    return UnderlyingRange(
        underlying=market.market,
        maintenance=max(market.long.maintenance, market.short.maintenance),
        initial=max(market.long.initial, market.short.initial, *lent),
        least=min(lent),
        least_initial=min(market.long.initial_credit, market.short.initial_credit),
    )


def _joint(table: JointScenarios, rungs: tuple[float, ...], *, announced: bool) -> JointMoves:
    """Scale each side so that the mean of its `tail` worst rows is one range, and name rows by their date."""
    ones = np.ones((len(table.markets), 2))
    lost = scenario_moves(np.array(table.rows), table.tail, ones, ones)[0]
    return JointMoves(
        underlyings=table.markets,
        names=tuple(f"moves of {_date(moment)}" for moment in table.moments),
        spot=tuple(map(tuple, (-lost.T).tolist())),
        volatility=tuple(map(tuple, np.expm1(table.volatility).tolist())),
        tail=table.tail,
        rungs=rungs,
        announced=announced,
    )


def _date(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment / 1000, UTC):%Y-%m-%d %H:%M} UTC"
