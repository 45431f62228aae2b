"""How does a policy answer a burst of volatility that passes?"""

import numpy as np

from plimsoll.backtest.procyclicality import Response, response_to_a_shock
from plimsoll.backtest.walk import Target
from plimsoll.calibration.policies import RatePolicy
from plimsoll.calibration.series import rate_series
from plimsoll.domain.bars import HOUR, Bars
from plimsoll.types import Vector

__all__ = ["shock_response"]

_FIRST = 1_577_836_800_000
_HOURS = 365 * 24
_SHOCK = 300 * 24
_LASTS = 24
_TIMES = 5.0
"""A year of hours; on its 300th day volatility is five times as large for a day."""

_VOLATILITY = 0.006
_FREEDOM = 4
_STEPS = 12
"""Log return per hour, Student t with as many degrees of freedom; each hour is a walk of so many steps."""


def shock_response(policy: RatePolicy, target: Target, *, seed: int) -> Response:
    """Run a policy over a drawn market with and without a day of fivefold volatility; all else is the same.

    The larger side answers. The overshoot is what a holder of a position is asked for on top, at the peak.
    """
    calm = np.ones(_HOURS)
    wild = calm.copy()
    wild[_SHOCK : _SHOCK + _LASTS] = _TIMES
    series = [
        rate_series(_market(scale, seed), policy, horizon_hours=target.horizon_hours, level=target.level)
        for scale in (calm, wild)
    ]
    times = series[0].times
    responses = [
        response_to_a_shock(times, series[1].rates[:, side], series[0].rates[:, side], _FIRST + _SHOCK * HOUR)
        for side in range(2)
    ]
    return max(responses, key=lambda response: response.overshoot)


def _market(scale: Vector, seed: int) -> Bars:
    """Draw hourly bars whose steps are scaled by the hour."""
    generator = np.random.default_rng(seed)
    steps = generator.standard_t(_FREEDOM, (_HOURS, _STEPS)) / np.sqrt(_FREEDOM / (_FREEDOM - 2.0))
    path = np.cumsum(_VOLATILITY / np.sqrt(_STEPS) * (scale[:, None] * steps).ravel()).reshape(_HOURS, _STEPS)
    opened = np.concatenate(([0.0], path[:-1, -1]))
    low, high = np.minimum(path.min(axis=1), opened), np.maximum(path.max(axis=1), opened)
    volume = 100.0 * scale * np.exp(0.3 * generator.standard_normal(_HOURS))

    def prices(logs: Vector) -> Vector:
        column: Vector = 100.0 * np.exp(logs)[:, None]
        return column

    return Bars(
        markets=("DRAWN",),
        length=HOUR,
        times=_FIRST + HOUR * np.arange(_HOURS, dtype=np.int64),
        open=prices(opened),
        high=prices(high),
        low=prices(low),
        close=prices(path[:, -1]),
        volume=volume[:, None],
    )
