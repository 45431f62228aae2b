"""How does the model's rate become the rate that is charged, and what may it become within the notice?"""

from dataclasses import dataclass

import numpy as np

from plimsoll.domain.bars import HOUR
from plimsoll.domain.settings import GuardSettings
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
    credit : Matrix [M, 2]        Hedge credit.
    """

    time: int
    maintenance: Matrix
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
    return GuardState(0, np.full((markets, 2), np.nan), np.full((markets, 2), np.nan))


def apply_guard(
    state: GuardState, settings: GuardSettings, time: int, blended: Matrix, limited: Matrix, long_run: Matrix
) -> tuple[Guarded, GuardState]:
    r"""Floor and limit the calibrated rates, and price the notice.

    .. math::
        target &= \max(blended,\; f\, longrun) \\
        M_t &= \min(\max(limited,\; f\, longrun),\; M_{t-h} (1 + u)^{\min(h, P)}) \\
        initial &= \max(target,\; M_t (1 + u)^{N + P},\; b\, M_t)

    with h the hours since the last publication and P `publication_hours`. An account that meets initial
    margin at any moment while this set is in force then meets maintenance for N hours, whatever the data say:
    the next set may be higher by at most P hours of rise, however long it was waited for, and the sets after
    it by no more than the hours that pass. So a rise alone cannot liquidate it within the notice. The hedge
    credit aims at the floor and falls by at most `credit_fall_per_hour`; initial margin reckons with the
    least it can be when the notice ends.

    Parameters
    ----------
    time : int                 Now, milliseconds UTC; not before `state.time`.
    blended : Matrix [M, 2]    Rate on the scale before the speed limits: where maintenance is heading.
    limited : Matrix [M, 2]    Rate on the scale after the speed limits (`kernels.scale`).
    long_run : Matrix [M, 2]   Rate that would have covered all history.

    Returns
    -------
    Guarded, GuardState

    Source: EMIR RTS 153/2013 Art. 28 for buffer, stress weight and floor; the notice is ours
    (docs/theory/notice.md).
    """
    hours = min(max(0.0, (time - state.time) / HOUR), settings.publication_hours)
    covered = settings.notice_hours + settings.publication_hours if settings.notice_hours > 0.0 else 0.0
    floor = settings.floor_share * long_run
    target = np.minimum(np.maximum(blended, floor), CEILING)
    goal = np.minimum(np.maximum(limited, floor), CEILING)
    most = np.where(np.isnan(state.maintenance), np.inf, state.maintenance * settings.rise_over(hours))
    maintenance = np.minimum(goal, most)
    least = np.where(
        np.isnan(state.credit), 0.0, state.credit * (1.0 - settings.credit_fall_per_hour) ** hours
    )
    credit = np.maximum(np.minimum(floor, maintenance), least)
    reachable = maintenance * settings.rise_over(covered) * (1.0 + NOTICE_SLACK)
    call = np.maximum(
        np.minimum(np.maximum(target, maintenance), reachable), settings.call_buffer * maintenance
    )
    initial = np.maximum(np.maximum(target, reachable), settings.initial_buffer * maintenance)
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
    return guarded, GuardState(time, maintenance, credit)
