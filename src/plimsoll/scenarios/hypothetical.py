"""What would a stress look like that has not happened yet?"""

import math
from dataclasses import dataclass
from datetime import datetime
from functools import cache

import msgspec
import numpy as np
from msgspec import Struct

from plimsoll.domain.bars import HOUR, MINUTE, Bars
from plimsoll.scenarios.history import daily_history, milliseconds
from plimsoll.scenarios.motion import STEP, check_length, check_seed, summarise, with_extremes
from plimsoll.scenarios.packaged import read_index
from plimsoll.scenarios.scenario import ScenarioPath
from plimsoll.types import Matrix, Vector

__all__ = ["Hypotheses", "Stress", "draw", "hypotheses"]

Waypoints = tuple[tuple[int, float], ...]
"""Minutes since the start, strictly increasing from 0, and a value at each."""


class Stress(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One hypothetical stress, as the index states it.

    Attributes
    ----------
    title, summary : str
    noise : dict        Standard deviation of the log return over an hour, per market.
    path : dict         Price relative to the start at some minutes, per market; passed exactly.
    liquidity           Depth relative to normal at some minutes; on straight lines between them.
    start : dict        First price, US dollars, of the markets without a daily history.
    """

    title: str
    summary: str
    noise: dict[str, float]
    path: dict[str, Waypoints]
    liquidity: Waypoints
    start: dict[str, float] = {}

    @property
    def markets(self) -> tuple[str, ...]:
        """The M axis."""
        return tuple(self.path)

    @property
    def minutes(self) -> int:
        """How long the stress lasts."""
        return self.liquidity[-1][0]


@dataclass(frozen=True, slots=True)
class Hypotheses:
    """The hypothetical part of the library: what all stresses share, and each by its name."""

    source: str
    first: int
    correlation: float
    stresses: dict[str, Stress]


@cache
def hypotheses() -> Hypotheses:
    """Read the index of hypothetical stresses."""
    entries = dict(read_index("hypothetical"))
    source = msgspec.convert(entries.pop("source"), str)
    first = milliseconds(msgspec.convert(entries.pop("first"), datetime))
    correlation = msgspec.convert(entries.pop("correlation"), float)
    return Hypotheses(source, first, correlation, msgspec.convert(entries, dict[str, Stress]))


def draw(name: str, length: int, seed: int) -> ScenarioPath:
    """Draw bars of `length` milliseconds of the stress `name`, and the depth in each.

    The log price moves on straight lines between the waypoints, plus a Brownian motion pinned to zero at each
    of them; the motions of two markets share a common part. At any `length` the bars are made of the same
    points. Volume is 1 an hour, in units of the market's own normal hour.
    """
    shared = hypotheses()
    stress = shared.stresses[name]
    check_length(length, stress.minutes * MINUTE)
    check_seed(seed)
    generator = np.random.default_rng(np.random.SeedSequence((seed, int.from_bytes(name.encode()))))
    count = stress.minutes * MINUTE // length
    start = _start(stress, shared.first)
    points = start * np.exp(_log_prices(stress, shared.correlation, generator))
    open_, high, low, close = summarise(points, count)
    bars = Bars(
        markets=stress.markets,
        length=length,
        times=shared.first + length * np.arange(count),
        open=open_,
        high=high,
        low=low,
        close=close,
        volume=np.full(open_.shape, length / HOUR),
    )
    return ScenarioPath(bars, _liquidity(stress, length // MINUTE))


def _start(stress: Stress, first: int) -> Vector:
    known = daily_history(first)
    return np.array(
        [
            stress.start[market] if market in stress.start else known.close[-1, known.column(market)]
            for market in stress.markets
        ]
    )


def _log_prices(stress: Stress, correlation: float, generator: np.random.Generator) -> Matrix:
    """Draw log prices [3 N + 1, M] relative to the start; N steps, each with its extremes."""
    steps = stress.minutes * MINUTE // STEP
    minutes = np.arange(steps + 1) * STEP / MINUTE
    common = generator.standard_normal((steps, 1))
    own = generator.standard_normal((steps, len(stress.markets)))
    noise = math.sqrt(correlation) * common + math.sqrt(1.0 - correlation) * own
    deviation = np.array([stress.noise[market] for market in stress.markets]) * math.sqrt(STEP / HOUR)
    walk = np.concatenate((np.zeros((1, len(stress.markets))), np.cumsum(deviation * noise, axis=0)))
    path = np.empty_like(walk)
    for column, market in enumerate(stress.markets):
        knots, levels = np.array(stress.path[market]).T
        target = np.log(levels) - np.interp(knots, minutes, walk[:, column])
        path[:, column] = walk[:, column] + np.interp(minutes, knots, target)
    variance = np.broadcast_to(deviation**2, (steps, len(deviation)))
    return with_extremes(path, variance, generator)


def _liquidity(stress: Stress, minutes: int) -> Vector:
    """Take the least depth [T] within each bar of so many minutes."""
    knots, values = np.array(stress.liquidity).T
    depth = np.interp(np.arange(stress.minutes + 1), knots, values)
    each = np.minimum(depth[:-1], depth[1:])
    return np.asarray(each.reshape(-1, minutes).min(axis=1))
