"""How far may a rate rise now, and how far at most within the notice?"""

from typing import NamedTuple

import numpy as np
from numba import njit

from plimsoll.types import Matrix, Times, Vector

__all__ = ["RiseLimit", "limited_path", "limited_step", "rise_height", "risen"]

_HOUR = 3_600_000.0


class RiseLimit(NamedTuple):
    """What does not change; heights are those of `rise_height`.

    Attributes
    ----------
    speed : float   Height that is gained per hour; infinite for no limit.
    most : float    Height that can be saved up for a rise at once.
    base : float    Rate up to which heights are even steps, and above which they are logs.
    """

    speed: float
    most: float
    base: float


@njit(cache=True)
def rise_height(rate: float, base: float) -> float:
    r"""Measure a rate so that equal rises are allowed from anywhere: linear near zero, then logarithmic.

    .. math:: \phi(M) = \begin{cases} M / b - 1 & M \le b \\ \ln (M / b) & M > b \end{cases},
              \qquad \text{so that } \frac{d\phi}{dt} = \lambda \iff \frac{dM}{dt} = \lambda \max(M, b)

    A limit on the relative rise alone would hold a rate near zero there for weeks.
    """
    if rate <= base:
        return rate / base - 1.0
    return float(np.log(rate / base))


@njit(cache=True)
def risen(rate: float, height: float, base: float) -> float:
    """Return the rate that lies so much higher: the inverse of `rise_height`."""
    if height == np.inf:
        return np.inf
    above = rise_height(rate, base) + height
    return float(base * (1.0 + above)) if above <= 0.0 else float(base * np.exp(above))


@njit(cache=True)
def limited_step(
    last: float, goal: float, saved: float, hours: float, limit: RiseLimit
) -> tuple[float, float]:
    r"""Rise towards the goal as far as what has been saved up allows; fall at once.

    .. math:: a = \min(saved + \lambda h,\; most), \quad M' = \min(goal,\; \phi^{-1}(\phi(M) + a)), \quad
              saved' = a - (\phi(M') - \phi(M))^+

    Within any N hours the rate rises by at most ``most + speed N``, whenever and however often it is asked:
    allowances of two spans that follow one another are that of both together.

    Parameters
    ----------
    last, saved : float   What was charged (NaN before the first time), and what was saved, `hours` ago.

    Returns
    -------
    rate, saved : float
    """
    allowed = min(saved + limit.speed * hours, limit.most) if hours > 0.0 else min(saved, limit.most)
    if np.isnan(last) or limit.most == np.inf:
        return goal, limit.most
    if goal <= last:
        return goal, allowed
    reach = risen(last, allowed, limit.base)
    if goal <= reach:
        return goal, max(0.0, allowed - (rise_height(goal, limit.base) - rise_height(last, limit.base)))
    return reach, 0.0


@njit(cache=True)
def limited_path(
    times: Times, goals: Matrix, limit: RiseLimit, time: int, last: Vector, saved: Vector
) -> Matrix:
    """Take `limited_step` through T times for S rates; the state is changed in place.

    Parameters
    ----------
    times : Times [T]; goals : Matrix [T, S]   Where each rate is heading; NaN leaves it as it was.
    time : int                                 Of the state, milliseconds UTC.
    last, saved : Vector [S]

    Returns
    -------
    Matrix [T, S]
    """
    path = np.full(goals.shape, np.nan)
    for t in range(len(times)):
        hours = (times[t] - time) / _HOUR
        time = times[t]
        for s in range(goals.shape[1]):
            goal = last[s] if np.isnan(goals[t, s]) else goals[t, s]
            last[s], saved[s] = limited_step(last[s], goal, saved[s], hours, limit)
            path[t, s] = last[s]
    return path
