"""How far did each scenario move every market at once, for positions that cannot get out in between?"""

import math
from functools import cache

import numpy as np

from plimsoll.domain.bars import HOUR
from plimsoll.domain.markets import DOLLARS
from plimsoll.domain.scenario_sets import MarketMove, NamedStress
from plimsoll.errors import Code, PlimsollError
from plimsoll.scenarios.hypothetical import hypotheses
from plimsoll.scenarios.library import hourly, scenario
from plimsoll.scenarios.scenario import Kind
from plimsoll.types import Matrix, Rows, Vector

__all__ = ["VOLATILITY_PER_FALL", "stresses"]

VOLATILITY_PER_FALL = 2.5
"""Relative rise of 30-day implied volatility per relative fall of spot: no crash states its surface. Over the
608 moments from March 2021 to September 2024 after which BTC fell by 7 % or more within 24 hours, its 30-day
index rose by 1.25 times the fall on average and by 2.6 times at the ninth decile. After rises as large it
did not change on average (-4 % of the rise), so a rise moves none."""

_MINUTES_PER_STEP = 5
_LEAST_MOVE = 0.05
"""A rebound smaller than this is no stress."""


@cache
def stresses(name: str, *, within_hours: int = 24) -> tuple[NamedStress, ...]:
    r"""Give the worst fall of a scenario within some hours and, where it is one, the worst rise.

    Both run from a close to the extremes of a later hour, two moments :math:`a < b` common to all markets and
    at most `within_hours` apart: those between which prices moved furthest on average.

    .. math:: (a, b) = \arg\min_{0 < b - a \le h} \sum_m \ln L_m(b) / C_m(a), \quad
        move_m = L_m(b) / C_m(a) - 1

    and with highs for the rise. Lows of one hour need not be of one minute, so a fall is at worst a little
    overstated.

    A market that the scenario has no prices of moves as the worst of those that it has; a coin worth a
    dollar stays.

    Raises
    ------
    PlimsollError   `UNKNOWN_SCENARIO` with the nearest names, `BAD_SETTING` where `within_hours` is below 1.
    """
    if within_hours < 1:
        raise PlimsollError(
            Code.BAD_SETTING, f"it is {within_hours}", where="within_hours", remedy="Give 1 hour or more."
        )
    markets, high, low, close, steps_per_hour = _prices(name)
    reach = within_hours * steps_per_hour
    start = np.log(close).mean(axis=1)
    fall = _moved(name, markets, close, low, _furthest(-start, -np.log(low).mean(axis=1), reach))
    furthest_up = _furthest(start, np.log(high).mean(axis=1), reach)
    rise = _moved(f"{name} rebound", markets, close, high, furthest_up)
    return (fall, rise) if max(move.spot for move in rise.moves) >= _LEAST_MOVE else (fall,)


def _prices(name: str) -> tuple[tuple[str, ...], Matrix, Matrix, Matrix, int]:
    """Give markets, highs, lows and closes, Matrix [T, M], complete rows alone, and rows per hour."""
    entry = scenario(name)
    if entry.kind is Kind.HYPOTHETICAL:
        path = _waypoints(name)
        return entry.markets, path, path, path, 60 // _MINUTES_PER_STEP
    bars = hourly(name)
    grid = (bars.times - bars.times[0]) // HOUR
    known: Rows = np.searchsorted(grid, np.arange(grid[-1] + 1), side="right") - 1
    return bars.markets, bars.high[known], bars.low[known], bars.close[known], 1


def _waypoints(name: str) -> Matrix:
    """Follow the stated path of a hypothetical stress, without the motion drawn around it."""
    stress = hypotheses().stresses[name]
    minutes = np.arange(0, stress.minutes + 1, _MINUTES_PER_STEP)
    return np.exp(
        np.column_stack(
            [
                np.interp(minutes, [m for m, _ in points], [math.log(price) for _, price in points])
                for points in stress.path.values()
            ]
        )
    )


def _furthest(start: Vector, end: Vector, reach: int) -> tuple[int, int]:
    """Find the two rows, at most `reach` apart, from which to which the level rose most."""
    best, pair = -math.inf, (0, 0)
    for b in range(1, len(start)):
        a = max(0, b - reach) + int(np.argmin(start[max(0, b - reach) : b]))
        if end[b] - start[a] > best:
            best, pair = end[b] - start[a], (a, b)
    return pair


def _moved(
    name: str, markets: tuple[str, ...], close: Matrix, end: Matrix, pair: tuple[int, int]
) -> NamedStress:
    spot = end[pair[1]] / close[pair[0]] - 1.0
    moves = tuple(
        MarketMove(underlying=market, spot=float(move), volatility=_volatility(float(move)))
        for market, move in zip(markets, spot, strict=True)
    )
    still = tuple(MarketMove(underlying=asset, spot=0.0) for asset in sorted(DOLLARS) if asset not in markets)
    return NamedStress(name=name, moves=moves + still, others=float(spot[np.argmax(np.abs(spot))]))


def _volatility(spot: float) -> float:
    return VOLATILITY_PER_FALL * max(0.0, -spot)
