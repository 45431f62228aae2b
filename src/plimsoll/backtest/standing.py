"""How does a policy stand over all markets, and which of the promises does it keep?"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from plimsoll.backtest.assessment import SideAssessment
from plimsoll.backtest.league import MarketLeague
from plimsoll.backtest.walk import Target

__all__ = ["FEWEST_IN_YEAR", "PROMISES", "SIGNIFICANCE", "Promise", "Standing", "standings"]

SIGNIFICANCE = 0.05
FEWEST_IN_YEAR = 2_000
"""Windows that a market-year needs to be judged: a quarter of a year of hours. With fewer, one bad day
exceeds the bound."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One policy over all markets and sides; means are over market-sides, each of the same weight.

    Attributes
    ----------
    policy : str
    market_sides : int
    covered, least_covered, most_covered : float   Mean and ends of the coverage of a market-side.
    near : float              Share of market-sides whose coverage is within 0.1 points of the level.
    worst_year : float        Largest share of breaches of a market, a side and a year.
    kupiec, independence, conditional : float   Share of market-sides with a median p-value above 5 %.
    dynamic_quantile, shortfall : float         The same; the second is Acerbi-Szekely's Z2.
    anytime : float           Share of market-sides that the always-valid monitor does not doubt at 5 %.
    mean : float              Mean requirement.
    matched_mean : float      Mean requirement at exactly the promised coverage.
    spread, largest_spread : float   Mean and largest of the 99 % over the 1 % quantile in time.
    worst_rise : float        Largest relative rise in 24 hours of any market-side.
    liquidity_call : float    Largest rise in 24 hours, share of the notional.
    pinball, fissler_ziegel, qlike : float   Mean scores.
    """

    policy: str
    market_sides: int
    covered: float
    least_covered: float
    most_covered: float
    near: float
    worst_year: float
    kupiec: float
    independence: float
    conditional: float
    dynamic_quantile: float
    shortfall: float
    anytime: float
    mean: float
    matched_mean: float
    spread: float
    largest_spread: float
    worst_rise: float
    liquidity_call: float
    pinball: float
    fissler_ziegel: float
    qlike: float


@dataclass(frozen=True, slots=True)
class Promise:
    """One line of what the product promises.

    Attributes
    ----------
    name, bound : str
    kept : callable   Whether a standing keeps it at a target.
    value : callable  The figure that decides.
    """

    name: str
    bound: str
    value: Callable[[Standing], float]
    kept: Callable[[float], bool]


_NEAR = 0.001
_SLACK = 1e-12
"""A bound that is met to the last digit is met."""

PROMISES = (
    Promise("coverage within 0.1 points", "every market-side", lambda s: s.near, lambda v: v >= 1.0 - _SLACK),
    Promise("worst market-year", "at most 1% breaches", lambda s: s.worst_year, lambda v: v <= 0.01),
    Promise("Kupiec p > 0.05", "90% of market-sides", lambda s: s.kupiec, lambda v: v >= 0.9),
    Promise("Christoffersen p > 0.05", "90% of market-sides", lambda s: s.conditional, lambda v: v >= 0.9),
    Promise("p99 / p1 of the rate", "at most 2.0", lambda s: s.largest_spread, lambda v: v <= 2.0),
    Promise("worst rise in 24 h", "at most 50%", lambda s: s.worst_rise, lambda v: v <= 0.5),
)


def standings(leagues: tuple[MarketLeague, ...], target: Target) -> tuple[Standing, ...]:
    """Sum up each policy over all markets, in the order in which policies were named."""
    names = dict.fromkeys(a.policy for league in leagues for a in league.assessments)
    return tuple(_standing(name, leagues, target) for name in names)


def _standing(policy: str, leagues: tuple[MarketLeague, ...], target: Target) -> Standing:
    found = [a for league in leagues for a in league.assessments if a.policy == policy]
    sides = [side for assessment in found for side in assessment.sides]
    covered = np.array([side.covered for side in sides])
    years = [year.share for side in sides for year in side.years if year.windows >= FEWEST_IN_YEAR]

    def passed(test: str) -> float:
        verdicts = [side.test(test) for side in sides]
        above = [float(verdict.median > SIGNIFICANCE) for verdict in verdicts if verdict is not None]
        return float(np.mean(above)) if above else float("nan")

    def mean(figure: Callable[[SideAssessment], float]) -> float:
        return float(np.mean([figure(side) for side in sides]))

    return Standing(
        policy=policy,
        market_sides=len(sides),
        covered=float(covered.mean()),
        least_covered=float(covered.min()),
        most_covered=float(covered.max()),
        near=float((np.abs(covered - target.level) <= _NEAR).mean()),
        worst_year=max(years, default=float("nan")),
        kupiec=passed("Kupiec"),
        independence=passed("Christoffersen independence"),
        conditional=passed("Christoffersen conditional coverage"),
        dynamic_quantile=passed("dynamic quantile"),
        shortfall=passed("Acerbi-Szekely Z2"),
        anytime=mean(lambda side: float(side.anytime > SIGNIFICANCE)),
        mean=mean(lambda side: side.cost.mean),
        matched_mean=mean(lambda side: side.matched_mean),
        spread=mean(lambda side: side.cost.spread),
        largest_spread=max(side.cost.spread for side in sides),
        worst_rise=max(side.cost.worst_rise for side in sides),
        liquidity_call=max(side.cost.liquidity_call for side in sides),
        pinball=mean(lambda side: side.pinball),
        fissler_ziegel=mean(lambda side: side.fissler_ziegel),
        qlike=float(np.nanmean([assessment.qlike for assessment in found])),
    )
