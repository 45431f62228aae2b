"""Which figures does a backtest show of each policy, and how is each written?"""

from collections.abc import Callable
from dataclasses import dataclass

from plimsoll.backtest.standing import Standing
from plimsoll.report import figures

__all__ = ["STANDING_MEASURES", "StandingMeasure", "best_standings", "p_value", "points", "scientific"]


@dataclass(frozen=True, slots=True)
class StandingMeasure:
    """One row of the comparison; `best` picks the better of two values, None where neither is."""

    group: str
    label: str
    meaning: str
    value: Callable[[Standing], float]
    written: Callable[[float], str]
    best: Callable[[list[float]], float] | None = None


def p_value(value: float) -> str:
    """Write a p-value: ``0.42``, ``0.031``, ``<0.001``."""
    if value < 0.001:
        return "<0.001"
    return f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def points(value: float) -> str:
    """Write a coverage with two decimals of a percent: ``99.52%``."""
    return f"{100.0 * value:.2f}%"


def scientific(value: float) -> str:
    """Write a score with four significant digits."""
    return f"{value:.4g}"


def _ratio(value: float) -> str:
    return f"{value:.2f}"


STANDING_MEASURES = (
    StandingMeasure(
        "Coverage",
        "covered",
        "Excursions within the rate, mean over market-sides, all starts.",
        lambda s: s.covered,
        points,
    ),
    StandingMeasure("Coverage", "- least", "Of any market-side.", lambda s: s.least_covered, points, max),
    StandingMeasure("Coverage", "- most", "Of any market-side.", lambda s: s.most_covered, points),
    StandingMeasure(
        "Coverage",
        "worst market-year",
        "Largest share of breaches of a market, a side and a calendar year.",
        lambda s: s.worst_year,
        figures.share,
        min,
    ),
    StandingMeasure(
        "Tests passed, share of market-sides",
        "Kupiec",
        "Number of breaches; median p over phases above 0.05.",
        lambda s: s.kupiec,
        figures.share,
        max,
    ),
    StandingMeasure(
        "Tests passed, share of market-sides",
        "Christoffersen independence",
        "No clusters of breaches in horizons that follow each other.",
        lambda s: s.independence,
        figures.share,
        max,
    ),
    StandingMeasure(
        "Tests passed, share of market-sides",
        "Christoffersen conditional",
        "Number and independence at once.",
        lambda s: s.conditional,
        figures.share,
        max,
    ),
    StandingMeasure(
        "Tests passed, share of market-sides",
        "dynamic quantile",
        "No breach can be foretold from earlier ones or from the rate.",
        lambda s: s.dynamic_quantile,
        figures.share,
        max,
    ),
    StandingMeasure(
        "Tests passed, share of market-sides",
        "Acerbi-Szekely Z2",
        "Depth of breaches as forecast by the expected shortfall.",
        lambda s: s.shortfall,
        figures.share,
        max,
    ),
    StandingMeasure(
        "Tests passed, share of market-sides",
        "always-valid monitor",
        "Not doubted at 5 % at any time.",
        lambda s: s.anytime,
        figures.share,
        max,
    ),
    StandingMeasure(
        "Cost", "mean requirement", "Share of the notional.", lambda s: s.mean, figures.share, min
    ),
    StandingMeasure(
        "Cost",
        "- at equal coverage",
        "Scaled by the one factor that gives exactly the promised coverage in hindsight.",
        lambda s: s.matched_mean,
        figures.share,
        min,
    ),
    StandingMeasure(
        "Procyclicality", "p99 / p1, mean", "Quantiles of the rate in time.", lambda s: s.spread, _ratio, min
    ),
    StandingMeasure(
        "Procyclicality", "p99 / p1, largest", "Of any market-side.", lambda s: s.largest_spread, _ratio, min
    ),
    StandingMeasure(
        "Procyclicality",
        "worst rise in 24 h",
        "Of any market-side, relative.",
        lambda s: s.worst_rise,
        figures.share,
        min,
    ),
    StandingMeasure(
        "Procyclicality",
        "worst call in 24 h",
        "The same rise as a share of the notional.",
        lambda s: s.liquidity_call,
        figures.share,
        min,
    ),
    StandingMeasure(
        "Scores, less is better",
        "pinball",
        "Of the rate, a quantile.",
        lambda s: s.pinball,
        scientific,
        min,
    ),
    StandingMeasure(
        "Scores, less is better",
        "Fissler-Ziegel",
        "Of the rate and the expected shortfall together.",
        lambda s: s.fissler_ziegel,
        scientific,
        min,
    ),
    StandingMeasure(
        "Scores, less is better",
        "QLIKE",
        "Of the forecast of the next bar's variance, against its range.",
        lambda s: s.qlike,
        scientific,
        min,
    ),
)


def best_standings(measure: StandingMeasure, standings: tuple[Standing, ...]) -> frozenset[str]:
    """Name the policies that are best by a measure; none where it has no better, or all are alike."""
    values = {standing.policy: measure.value(standing) for standing in standings}
    known = [value for value in values.values() if value == value]
    if measure.best is None or len(known) < 2 or min(known) == max(known):
        return frozenset()
    best = measure.best(known)
    return frozenset(policy for policy, value in values.items() if value == best)
