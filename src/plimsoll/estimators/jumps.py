"""Has the price jumped within the last hour, whatever the length of the bars that show it?"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from plimsoll.domain.bars import HOUR, Bars
from plimsoll.domain.settings import GuardSettings
from plimsoll.estimators.returns import Joined
from plimsoll.kernels.jump import JumpTerms, extremes, jump_after
from plimsoll.types import Matrix, Times, Vector

__all__ = ["JumpState", "LastHour", "begin_jumps", "update_jumps"]


class LastHour(NamedTuple):
    """The bars of which the next bar's hour may hold some; none where bars are hours or longer.

    Attributes
    ----------
    times : Times [K]            When they opened, milliseconds UTC.
    low, high : Matrix [K, M]    NaN where a market has no bar.
    before : Matrix [K, M]       The close that each followed directly; NaN where it followed a gap.
    volatility : Matrix [K, M]   What was forecast when each opened.
    """

    times: Times
    low: Matrix
    high: Matrix
    before: Matrix
    volatility: Matrix


@dataclass(frozen=True, slots=True)
class JumpState:
    """What is remembered of M markets: the last hour, and the last jump, less what has faded of it [M]."""

    hour: LastHour
    size: Vector


def begin_jumps(markets: int) -> JumpState:
    """Start with no bar and no jump."""
    nothing = np.zeros((0, markets))
    hour = LastHour(np.zeros(0, dtype=np.int64), nothing, nothing, nothing, nothing)
    return JumpState(hour, np.zeros(markets))


def update_jumps(
    state: JumpState, guard: GuardSettings, bars: Bars, joined: Joined, volatility: Matrix
) -> JumpState:
    r"""Absorb T bars.

    .. math:: R_t = \max(\ln \frac{\max_s U_s}{\min_s L_s},\; |\ln \frac{C_t}{C_0}|)

    over the bars s that opened within the hour that ends with bar t, or over bar t alone where that is
    longer, with C_0 the close that the first of them followed. An hour is looked at at every bar's end, so
    that a fall counts in full whether one bar shows it or sixty. In the first bar after a gap the move counts
    too that it made from the last known price, against the volatility over all the time since.
    `kernels.jump` says what becomes of them.

    Parameters
    ----------
    volatility : Matrix [T, M]   What was forecast when each bar opened, per square root of an hour.
    """
    seen = LastHour._make(
        np.concatenate(pair)
        for pair in zip(state.hour, (bars.times, bars.low, bars.high, joined.before, volatility), strict=True)
    )
    span = max(HOUR, bars.length)
    first = np.searchsorted(seen.times, bars.ends - span)
    lowest, highest = extremes(first, seen.low, seen.high)
    moves = np.fmax(np.log(highest / lowest), np.abs(np.log(bars.close / seen.before[first])))
    crossed = np.maximum(
        joined.crossed + np.log(bars.high / bars.open), np.log(bars.open / bars.low) - joined.crossed
    )
    terms = JumpTerms(
        hours=span / HOUR,
        deviations=np.inf if guard.jump_deviations is None else guard.jump_deviations,
        keep=guard.keep_over(bars.length / HOUR),
    )
    size = jump_after(moves, seen.volatility[first], crossed, joined.waited, volatility, terms, state.size)
    kept = np.searchsorted(seen.times, int(bars.ends[-1]) - HOUR, side="right")
    return JumpState(LastHour._make(part[kept:].copy() for part in seen), size)
