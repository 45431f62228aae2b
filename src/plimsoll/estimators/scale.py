"""On which scale are excursions to be judged, and what move does a multiple of it mean?"""

from dataclasses import dataclass

import numpy as np

from plimsoll.domain.settings import CalibrationSettings
from plimsoll.kernels.rise import RiseLimit
from plimsoll.kernels.scale import ScaleMemory, ScaleTerms, scale_path
from plimsoll.types import Matrix

__all__ = ["LEAST_VOLATILITY", "Volatility", "begin_scale", "rates_of_moves", "update_scale"]

LEAST_VOLATILITY = 1e-5
"""Log return per square root of an hour (0.1 % a year): a market whose price stands still is given this
much. No side is judged to move less than one such deviation."""

_USUAL_QUANTILE = 6.0
"""Rates of `rise_base` belong to scales this many times smaller: about what the quantile is in practice."""


@dataclass(frozen=True, slots=True)
class Volatility:
    """The path over a piece of bars, Matrix [T, M] each, log return per square root of an hour."""

    volatility: Matrix
    scale: Matrix


def begin_scale(markets: int) -> ScaleMemory:
    """Start without any assumption."""
    unknown = np.full(markets, np.nan)
    return ScaleMemory(
        slow=np.zeros((2, markets)),
        volatility=unknown.copy(),
        target=unknown.copy(),
        scale=unknown.copy(),
        saved=np.zeros(markets),
    )


def update_scale(
    memory: ScaleMemory,
    settings: CalibrationSettings,
    hours: float,
    samples: Matrix,
    volatility: Matrix,
) -> tuple[ScaleMemory, Volatility]:
    """Absorb T bars; `kernels.scale.scale_path_definition` has the equation.

    Parameters
    ----------
    hours : float                Length of a bar.
    samples : Matrix [T, M]      Squared log return over the bar, however it is read; NaN in a gap.
    volatility : Matrix [T, M]   Forecast after each bar, log return per square root of an hour.
    """
    guard = settings.guard
    after = ScaleMemory._make(part.copy() for part in memory)
    terms = ScaleTerms(
        hours=hours,
        slow_decay=float(np.exp(-hours / (24.0 * guard.stress_days))),
        weight=guard.stress_weight,
        keep=guard.keep_over(hours),
    )
    base = guard.rise_base / (_USUAL_QUANTILE * np.sqrt(settings.horizon_hours))
    limit = RiseLimit(guard.rise_speed, guard.rise_saved, float(base))
    path = scale_path(samples / hours, volatility, terms, limit, after)
    return after, Volatility(volatility, path)


def rates_of_moves(moves: Matrix) -> Matrix:
    """Turn adverse log moves, Matrix [..., 2], long and short, into shares of the notional at the start."""
    return np.stack([-np.expm1(-moves[..., 0]), np.expm1(moves[..., 1])], axis=-1)
