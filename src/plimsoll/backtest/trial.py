"""What is the whole outcome of a backtest: walks, tests, contests, and the answer to a shock?"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from plimsoll.backtest.crash import CrashHour, hour_by_hour, worst_moment
from plimsoll.backtest.league import MarketLeague, common_rows, play
from plimsoll.backtest.procyclicality import Response
from plimsoll.backtest.shock import shock_response
from plimsoll.backtest.standing import Standing, standings
from plimsoll.backtest.walk import SIDES, Target, Walk
from plimsoll.backtest.walkforward import Progressing, walk_forward
from plimsoll.calibration.policies import RatePolicy
from plimsoll.domain.bars import HOUR, Bars
from plimsoll.errors import Code, PlimsollError

__all__ = ["DAY", "Trial", "TrialPlan", "run_trial"]

DAY = 24 * HOUR

Walks: TypeAlias = dict[tuple[str, str], Walk]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialPlan:
    """What is to be put to the test.

    Attributes
    ----------
    policies : mapping      From name to policy, in the order shown.
    reference : str         The policy that the others are compared with; one of them.
    target : Target
    first, last : int or None   Judge decisions from `first` on and before `last`, milliseconds UTC; what came
                            before `first` is still learnt from.
    day : int or None       Start of the day that is shown hour by hour; None takes that of the largest
                            excursion.
    seed : int              Of simulated p-values, bootstraps and the drawn market of the shock.
    workers : int           Processes.
    sets : bool             Make confidence sets, which needs the extra `backtest`.
    """

    policies: Mapping[str, RatePolicy]
    reference: str
    target: Target
    first: int | None = None
    last: int | None = None
    day: int | None = None
    seed: int = 1
    workers: int = 1
    sets: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """The outcome.

    Attributes
    ----------
    plan : TrialPlan
    length : int                        Of a bar, milliseconds.
    leagues : tuple of MarketLeague     One per market.
    standings : tuple of Standing       One per policy.
    shocks : dict                       Response by policy.
    day : int                           Start of the day shown hour by hour.
    crash : dict                        By policy and side, the hours of that day and of the next.
    walks : dict                        By market and policy, cut to the windows that all policies judge.
    """

    plan: TrialPlan
    length: int
    leagues: tuple[MarketLeague, ...]
    standings: tuple[Standing, ...]
    shocks: dict[str, Response]
    day: int
    crash: dict[tuple[str, str], tuple[CrashHour, ...]]
    walks: Walks


def run_trial(bars: Bars, plan: TrialPlan, folder: Path, progress: Progressing) -> Trial:
    """Walk, cut to what all policies judge, test, compare.

    Parameters
    ----------
    folder : Path   Where walks are kept.

    Raises
    ------
    PlimsollError   `EMPTY_RANGE` where no bar opens on the day to be shown; and what walking raises.
    """
    if plan.day is not None and not np.any(bars.times // DAY == plan.day // DAY):
        raise PlimsollError(
            Code.EMPTY_RANGE,
            "no bar opens on the day to be shown",
            where="day",
            remedy="Choose one within the bars, or none: that of the largest move.",
        )
    made = walk_forward(bars, plan.policies, plan.target, folder, progress, workers=plan.workers)
    walks: Walks = {}
    leagues = []
    for place, market in enumerate(bars.markets):
        progress("testing", place, len(bars.markets))
        wanted = [made[market, policy].between(plan.first, plan.last) for policy in plan.policies]
        alike = common_rows(tuple(wanted))
        walks |= {(market, walk.policy): walk for walk in alike}
        leagues.append(play(alike, plan.reference, seed=plan.seed, sets=plan.sets))
    progress("testing", len(bars.markets), len(bars.markets))
    day = plan.day if plan.day is not None else worst_moment(tuple(walks.values())) // DAY * DAY
    return Trial(
        plan=plan,
        length=bars.length,
        leagues=tuple(leagues),
        standings=standings(tuple(leagues), plan.target),
        shocks=_shocks(plan, progress),
        day=day,
        crash=_crash(walks, plan, day),
        walks=walks,
    )


def _shocks(plan: TrialPlan, progress: Progressing) -> dict[str, Response]:
    """Shock every policy; none where the horizon is no whole number of hours, the drawn market's bars."""
    if plan.target.horizon % HOUR:
        return {}
    shocks = {}
    for place, (name, policy) in enumerate(plan.policies.items()):
        progress("shocking", place, len(plan.policies))
        shocks[name] = shock_response(policy, plan.target, seed=plan.seed)
    progress("shocking", len(plan.policies), len(plan.policies))
    return shocks


def _crash(walks: Walks, plan: TrialPlan, day: int) -> dict[tuple[str, str], tuple[CrashHour, ...]]:
    """Show two days: windows that begin on the first reach into the second."""
    found = {}
    for policy in plan.policies:
        alike = tuple(walk for (_, name), walk in walks.items() if name == policy)
        for side, name in enumerate(SIDES):
            found[policy, name] = hour_by_hour(alike, side, day, day + 2 * DAY)
    return found
