"""How did implied volatility move at the moments when spot did?"""

from dataclasses import dataclass

import numpy as np

from plimsoll.domain.bars import HOUR
from plimsoll.domain.implied import ImpliedHistory
from plimsoll.estimators.tails import column_quantiles
from plimsoll.kernels.ewma import ewma_variance
from plimsoll.kernels.normal_equations import solve_normal
from plimsoll.types import Flags, Matrix, Rows, Times, Vector

__all__ = ["LEAST_WINDOWS", "ImpliedMoves", "implied_moves"]

_DECAY = 0.995
"""Weight of the past in the scale, per hour: a memory of eight days. On BTC's index, 2021 to 2024, changes
over 4 hours are 1.08 to 1.15 times this scale in every fifth of its range; judged by the spot forecast they
are 1.4 to 3.3 times it, so implied volatility has a scale of its own (docs/theory/implied-moves.md)."""
LEAST_WINDOWS = 400
"""Windows with known changes from which on a market has a history of implied volatility."""
_STALE = HOUR
"""A value older than this is not known any more."""
_RIDGE = 1e-9
"""Keeps the regression solvable where all moves are zero; weighs nothing among hundreds of windows."""


@dataclass(frozen=True, slots=True)
class ImpliedMoves:
    """Log changes of 30-day implied volatility over the horizon, at today's scale.

    Attributes
    ----------
    rows : Matrix [W, M]   Observed where `observed`, else drawn from the relation to spot.
    observed : Flags [W, M]
    sources : tuple [M]    Market whose index stands behind each.
    """

    rows: Matrix
    observed: Flags
    sources: tuple[str, ...]

    def levelled(self, chosen: Rows, tail: int, level: float) -> Matrix:
        r"""Choose rows; scale each side so that its `tail` largest average to its quantile: Matrix [S, M].

        .. math:: v'_j = v_j\, \frac{q_{level}(v^\pm)}{\zeta^\pm}

        So a lone position in volatility is margined at the level, as one in spot is by its rate; the rows
        only say what happens together.
        """
        rows = self.rows[chosen]
        for sign in (-1.0, 1.0):
            sizes = np.maximum(sign * self.rows, 0.0)
            wanted, _ = column_quantiles(sizes[:, None, :], level)
            mean = np.sort(sizes[chosen], axis=0)[-tail:].mean(axis=0)
            factor = np.divide(wanted[0], mean, out=np.ones(len(mean)), where=mean > 0.0)
            rows = np.where(sign * rows > 0.0, rows * factor, rows)
        return rows


@dataclass(frozen=True, slots=True)
class _Course:
    """One market's index against its spot.

    Attributes
    ----------
    moves : Vector [W]      Spot, in forecast deviations.
    changes : Vector [W]    Of the index, in units of its scale; NaN where not known.
    scale : float           Now, per square root of an hour, and never below the long-run mean.
    slopes : Vector [3]     Level, and change per deviation of a fall and of a rise.
    residuals : Vector [W]  What the slopes leave; NaN where not known.
    """

    moves: Vector
    changes: Vector
    scale: float
    slopes: Vector
    residuals: Vector

    def drawn(self, moves: Vector) -> Vector:
        """Say how the index would have moved with these moves of spot, Vector [W], in units of the scale.

        The residual is that of the same moment or, where none is known, that of the known moment whose spot
        move was nearest: large moves so keep the wide residuals that they come with.
        """
        known = np.flatnonzero(~np.isnan(self.residuals))
        order = known[np.argsort(self.moves[known], kind="stable")]
        nearest = _nearest(self.moves[order], self.moves)
        own = np.where(np.isnan(self.residuals), self.residuals[order][nearest], self.residuals)
        drawn: Vector = _design(moves) @ self.slopes + own
        return drawn


def implied_moves(
    history: ImpliedHistory,
    markets: tuple[str, ...],
    moments: Times,
    terminal: Matrix,
    span: int,
    hours: float,
) -> ImpliedMoves | None:
    r"""Filter changes of implied volatility by their own scale, and fill what is not known from spot.

    .. math::
        u_t &= \frac{\ln IV_{t+P} - \ln IV_t}{s_t \sqrt P}, \quad
        u = a + b_- \min(z, 0) + b_+ \max(z, 0) + e \\
        rows &= u\, \max(s_{now}, \bar s) \sqrt H

    over windows of length P, which is the horizon H or one bar where that is longer; s is an exponentially
    weighted deviation of the index's hourly changes, known at t, :math:`\bar s` its long-run mean. A market
    without a history of its own takes the relation, the residuals of the same moments and the scale of the
    market whose history is longest.

    Parameters
    ----------
    history : ImpliedHistory   Nothing later than now.
    moments : Times [W]        Start of each window; the last known value may be an hour old.
    terminal : Matrix [W, M]   Log return of spot over each window in forecast deviations, none of them NaN.
    span : int                 P, milliseconds.
    hours : float              H.

    Returns
    -------
    ImpliedMoves or None   None where no market's index is known over `LEAST_WINDOWS` windows.

    Source: the filtering is that of Barone-Adesi, Giannopoulos and Vosper (1999), applied to the index.
    """
    values = (~np.isnan(history.index)).sum(axis=0)
    long = {market for market, count in zip(history.markets, values, strict=True) if count > LEAST_WINDOWS}
    courses = {
        market: _course(history, market, moments, terminal[:, m], span)
        for m, market in enumerate(markets)
        if market in long
    }
    known = {m: int((~np.isnan(course.changes)).sum()) for m, course in courses.items()}
    grown = [market for market in courses if known[market] >= LEAST_WINDOWS]
    if not grown:
        return None
    longest = max(grown, key=lambda market: known[market])
    sources = tuple(market if market in grown else longest for market in markets)
    rows, observed = np.empty(terminal.shape), np.zeros(terminal.shape, dtype=np.bool_)
    for m, (market, source) in enumerate(zip(markets, sources, strict=True)):
        course = courses[source]
        drawn = course.drawn(terminal[:, m])
        observed[:, m] = (market == source) & ~np.isnan(course.changes)
        rows[:, m] = np.where(observed[:, m], course.changes, drawn) * (course.scale * np.sqrt(hours))
    return ImpliedMoves(rows, observed, sources)


def _course(history: ImpliedHistory, market: str, moments: Times, moves: Vector, span: int) -> _Course:
    column = history.index[:, history.markets.index(market)]
    present = ~np.isnan(column)
    times, log = history.times[present], np.log(column[present])
    scale, long_run = _scale(times, log)
    began, before = _known(times, moments)
    ended, after = _known(times, moments + span)
    started = np.where(began, scale[before], np.nan) * np.sqrt(span / HOUR)
    changes = np.where(began & ended, log[after] - log[before], np.nan) / started
    known = ~np.isnan(changes)
    slopes = _fitted(moves[known], changes[known])
    now = np.fmax(scale[-1], long_run) if len(scale) else np.nan
    return _Course(moves, changes, float(now), slopes, changes - _design(moves) @ slopes)


def _scale(times: Times, log: Vector) -> tuple[Vector, float]:
    """Give the deviation per root of an hour as known at each time, Vector [N], and its long-run mean."""
    steps = np.diff(times, prepend=times[:1])
    joined = (steps > 0) & (steps <= _STALE)
    changes = np.diff(log, prepend=log[:1])
    samples = np.where(joined, changes**2, np.nan) / (np.where(joined, steps, HOUR) / HOUR)
    average, _, _ = ewma_variance(samples[:, None], _DECAY, np.zeros(1), np.zeros(1))
    deviation: Vector = np.sqrt(average[:, 0])
    return deviation, float(np.sqrt(samples[joined].mean())) if joined.any() else np.nan


def _known(times: Times, moments: Times) -> tuple[Flags, Rows]:
    """Find the last value by each moment, and whether there is one that is not stale."""
    rows = np.searchsorted(times, moments, side="right") - 1
    at = np.maximum(rows, 0)
    fresh: Flags = (rows >= 0) & (moments - times[at] < _STALE)
    return fresh, at


def _design(moves: Vector) -> Matrix:
    return np.column_stack([np.ones(len(moves)), np.minimum(moves, 0.0), np.maximum(moves, 0.0)])


def _fitted(moves: Vector, changes: Vector) -> Vector:
    design = _design(moves)
    return solve_normal(design.T @ design, design.T @ changes, _RIDGE)


def _nearest(ordered: Vector, wanted: Vector) -> Rows:
    """Find the entry of an ordered vector that lies nearest to each value wanted."""
    above = np.clip(np.searchsorted(ordered, wanted), 1, max(1, len(ordered) - 1))
    below = above - 1
    last = np.minimum(above, len(ordered) - 1)
    return np.where(wanted - ordered[below] <= ordered[last] - wanted, below, last)
