"""Which policy is best, market by market, and is it better by more than chance?"""

from dataclasses import dataclass
from functools import reduce

import numpy as np

from plimsoll.backtest.assessment import Assessment, assess
from plimsoll.backtest.comparison import Confidence, Contest, confidence_set, diebold_mariano
from plimsoll.backtest.scores import fissler_ziegel, pinball, qlike
from plimsoll.backtest.walk import Walk
from plimsoll.errors import Code, PlimsollError
from plimsoll.types import Flags, Times, Vector

__all__ = ["SCORES", "Duel", "MarketLeague", "common_rows", "play"]

SCORES = ("pinball", "fissler-ziegel", "qlike")

_DAY = 86_400_000
_CONFIDENCE = 0.1
"""The confidence set holds the best policy with a chance of 90 %."""
_BLOCK = 10
"""Days: volatility, and with it scores, is alike for about so long."""
_FEWEST_DAYS = 60
"""With fewer, blocks of ten days leave nothing to draw from."""


@dataclass(frozen=True, slots=True)
class Duel:
    """One policy against the reference, by one score."""

    score: str
    policy: str
    reference: str
    relative: float
    contest: Contest


@dataclass(frozen=True, slots=True)
class MarketLeague:
    """All policies on the same windows of one market.

    Attributes
    ----------
    assessments : tuple of Assessment   One per policy.
    duels : tuple of Duel               Each policy but the reference against it, by each score; `relative` is
                                        its mean score over the reference's, less one (for Fissler-Ziegel,
                                        which may be negative, the difference).
    sets : dict                         Confidence set by score; empty where there are too few days, or one
                                        policy.
    """

    market: str
    assessments: tuple[Assessment, ...]
    duels: tuple[Duel, ...]
    sets: dict[str, Confidence]


def common_rows(walks: tuple[Walk, ...]) -> tuple[Walk, ...]:
    """Cut walks of one market to the moments that all of them judge.

    Raises
    ------
    PlimsollError   `TOO_LITTLE_HISTORY` where there is none.
    """
    times = reduce(np.intersect1d, [walk.series.times[walk.judged] for walk in walks])
    if not len(times):
        raise PlimsollError(
            Code.TOO_LITTLE_HISTORY,
            f"the policies have no complete horizon of {walks[0].market} in common",
            where="backtest",
            remedy="Give more bars, or fewer policies.",
        )
    return tuple(walk.rows(np.isin(walk.series.times, times)) for walk in walks)


def play(walks: tuple[Walk, ...], reference: str, *, seed: int, sets: bool) -> MarketLeague:
    """Assess and compare the policies on one market.

    Parameters
    ----------
    walks : tuple of Walk   Of one market, one per policy.
    reference : str         The policy that others are compared with.
    sets : bool             Make confidence sets, which needs the extra `backtest`.
    """
    alike = common_rows(walks)
    scores = {score: {walk.policy: _scores(walk, score) for walk in alike} for score in SCORES}
    times = alike[0].series.times
    overlap = max(1, alike[0].target.horizon // max(int(np.diff(times).min()), 1)) if len(times) > 1 else 1
    duels = tuple(
        _duel(score, walk.policy, reference, by_policy, overlap)
        for score, by_policy in scores.items()
        for walk in alike
        if walk.policy != reference and reference in by_policy
    )
    return MarketLeague(
        market=alike[0].market,
        assessments=tuple(assess(walk, seed=seed) for walk in alike),
        duels=duels,
        sets=_sets(scores, times, seed) if sets and len(alike) > 1 else {},
    )


def _scores(walk: Walk, score: str) -> Vector:
    """Score each row; the mean of both sides, NaN where the score is not defined."""
    series, share = walk.series, walk.target.share
    if score == "qlike":
        return qlike(walk.realised, series.variance)
    sides = [
        pinball(walk.excursions[:, side], series.rates[:, side], share)
        if score == "pinball"
        else fissler_ziegel(walk.excursions[:, side], series.rates[:, side], series.shortfall[:, side], share)
        for side in range(2)
    ]
    mean: Vector = np.mean(sides, axis=0)
    return mean


def _duel(score: str, policy: str, reference: str, scores: dict[str, Vector], overlap: int) -> Duel:
    first, second = scores[policy], scores[reference]
    known = ~(np.isnan(first) | np.isnan(second))
    lags = 1 if score == "qlike" else overlap
    contest = diebold_mariano(first[known], second[known], overlap=lags)
    base = float(second[known].mean())
    relative = contest.difference if score == "fissler-ziegel" else contest.difference / base
    return Duel(score, policy, reference, relative, contest)


def _sets(scores: dict[str, dict[str, Vector]], times: Times, seed: int) -> dict[str, Confidence]:
    """Make the confidence set of each score from daily means: windows of different days overlap little."""
    days = times // _DAY
    made = {}
    for score, by_policy in scores.items():
        known = np.asarray(~np.isnan(np.column_stack(list(by_policy.values()))).any(axis=1))
        if len(np.unique(days[known])) < _FEWEST_DAYS:
            continue
        daily = {policy: _daily(values, days, known) for policy, values in by_policy.items()}
        made[score] = confidence_set(daily, size=_CONFIDENCE, block=_BLOCK, seed=seed)
    return made


def _daily(values: Vector, days: Times, known: Flags) -> Vector:
    _, places = np.unique(days[known], return_inverse=True)
    means: Vector = np.bincount(places, values[known]) / np.bincount(places)
    return means
