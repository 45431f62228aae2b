"""How does the model's rate become the rate that is charged, and what may it become within the notice?"""

from dataclasses import dataclass

import numpy as np

from plimsoll.domain.bars import HOUR
from plimsoll.domain.settings import GuardSettings
from plimsoll.kernels.rise import RiseLimit, limited_step, risen
from plimsoll.types import Matrix

__all__ = ["GuardState", "Guarded", "apply_guard", "begin_guard"]

CEILING = 1.0
"""No rate exceeds the notional itself."""

NOTICE_SLACK = 1e-9
"""Relative room in initial margin for the rounding of rates compounded over many steps."""


@dataclass(frozen=True, slots=True)
class GuardState:
    """What was last published.

    Attributes
    ----------
    time : int                 When, milliseconds UTC; 0 before the first time.
    maintenance : Matrix [M, 2]   Rates, long and short; NaN before the first time.
    saved : Matrix [M, 2]         Rise that is saved up (`kernels.rise`).
    credit : Matrix [M, 2]        Hedge credit.
    """

    time: int
    maintenance: Matrix
    saved: Matrix
    credit: Matrix


@dataclass(frozen=True, slots=True)
class Guarded:
    """Every stage of the guard; all are rates, Matrix [M, 2], long and short."""

    floor: Matrix
    target: Matrix
    maintenance: Matrix
    call: Matrix
    initial: Matrix
    credit: Matrix
    initial_credit: Matrix


def begin_guard(markets: int) -> GuardState:
    """Start with nothing published: the first rate is the goal itself."""
    return GuardState(0, np.full((markets, 2), np.nan), np.zeros((markets, 2)), np.full((markets, 2), np.nan))


def apply_guard(
    state: GuardState,
    settings: GuardSettings,
    time: int,
    blended: Matrix,
    limited: Matrix,
    long_run: Matrix,
    jump: Matrix,
) -> tuple[Guarded, GuardState]:
    r"""Floor and limit the calibrated rates, and price the notice.

    .. math::
        target &= \max(blended,\; f\, longrun) \\
        M_t &= \text{limited rise to } \max(limited,\; f\, longrun) \text{ (kernels.rise)} \\
        initial &= \max(target,\; jump,\; \phi^{-1}(\phi(M_t) + B + \lambda (N + P)),\; b\, M_t)

    with B what can be saved for a rise at once, lambda the rise per hour, N the notice and P
    `publication_hours`. Within any N hours maintenance rises by at most B + lambda (N + P), measured as
    `kernels.rise.rise_height` does, whenever and however often it is published. So an account that meets
    initial margin at any moment while this set is in force then meets maintenance for N hours, whatever the
    data say: a rise alone cannot liquidate it within the notice. The hedge credit aims at the floor and
    falls by at most `credit_fall_per_hour`; initial margin reckons with the least it can be when the notice
    ends.

    Parameters
    ----------
    time : int                 Now, milliseconds UTC; not before `state.time`.
    blended : Matrix [M, 2]    Rate on the scale before the speed limits: where maintenance is heading.
    limited : Matrix [M, 2]    Rate on the scale after the speed limits (`kernels.scale`).
    long_run : Matrix [M, 2]   Rate that would have covered all history.
    jump : Matrix [M, 2]       Rate that the last jump alone would ask, less what has faded of it.

    Source: EMIR RTS 153/2013 Art. 28 for buffer, stress weight and floor; the notice is ours
    (docs/theory/notice.md).
    """
    elapsed = max(0.0, (time - state.time) / HOUR)
    hours = min(elapsed, settings.publication_hours)
    covered = settings.notice_hours + settings.publication_hours if settings.notice_hours > 0.0 else 0.0
    floor = settings.floor_share * long_run
    target = np.minimum(np.maximum(blended, floor), CEILING)
    goal = np.minimum(np.maximum(limited, floor), CEILING)
    limit = RiseLimit(settings.rise_speed, settings.rise_saved, settings.rise_base)
    maintenance, saved = _limited(state, goal, elapsed, limit)
    least = np.where(
        np.isnan(state.credit), 0.0, state.credit * (1.0 - settings.credit_fall_per_hour) ** hours
    )
    credit = np.maximum(np.minimum(floor, maintenance), least)
    height = settings.rise_within(settings.notice_hours) if settings.notice_hours > 0.0 else 0.0
    reachable = _risen(maintenance, height, settings.rise_base) * (1.0 + NOTICE_SLACK)
    call = np.maximum(
        np.minimum(np.maximum(target, maintenance), reachable), settings.call_buffer * maintenance
    )
    initial = np.maximum.reduce([target, jump, reachable, settings.initial_buffer * maintenance])
    fall = (1.0 - settings.credit_fall_per_hour) ** covered
    guarded = Guarded(
        floor=floor,
        target=target,
        maintenance=maintenance,
        call=np.minimum(call, CEILING),
        initial=np.minimum(np.maximum(initial, call), CEILING),
        credit=credit,
        initial_credit=credit * fall * (1.0 - NOTICE_SLACK),
    )
    return guarded, GuardState(time, maintenance, saved, credit)


def _limited(state: GuardState, goal: Matrix, hours: float, limit: RiseLimit) -> tuple[Matrix, Matrix]:
    maintenance, saved = np.empty_like(goal), np.empty_like(goal)
    for m, s in np.ndindex(*goal.shape):
        last, kept = float(state.maintenance[m, s]), float(state.saved[m, s])
        maintenance[m, s], saved[m, s] = limited_step(last, float(goal[m, s]), kept, hours, limit)
    return maintenance, saved


def _risen(rates: Matrix, height: float, base: float) -> Matrix:
    higher = np.empty_like(rates)
    for m, s in np.ndindex(*rates.shape):
        higher[m, s] = risen(float(rates[m, s]), height, base)
    return higher
