"""How does a price move at random between points that it must pass, and what bars does it leave?"""

import numpy as np

from plimsoll.domain.bars import MINUTE
from plimsoll.errors import Code, PlimsollError
from plimsoll.types import Array, Matrix, Vector

__all__ = ["STEP", "check_length", "check_seed", "pinned", "summarise", "with_extremes"]

STEP = 30_000
"""Milliseconds between drawn points; between them the extremes of the motion are drawn, not its path."""


def check_length(length: int, longer: int) -> None:
    """Refuse a bar length, milliseconds, that is not of whole minutes or does not divide the `longer` one."""
    if length < MINUTE or length % MINUTE or longer % length:
        raise PlimsollError(
            Code.BAD_SETTING,
            f"bars of {length} ms cannot be drawn within {longer} ms",
            where="length",
            remedy="Give milliseconds of whole minutes (5 * MINUTE) that divide the longer span.",
        )


def check_seed(seed: int) -> None:
    """Refuse a negative seed."""
    if seed < 0:
        raise PlimsollError(
            Code.BAD_SETTING, f"{seed} is negative", where="seed", remedy="Give a whole number from 0."
        )


def pinned(normals: Array, clock: Vector) -> Array:
    """Make standard Brownian bridges out of normals [N, ...]: 0 at both ends of the clock [N + 1]."""
    shape = (-1,) + (1,) * (normals.ndim - 1)
    steps = normals * np.sqrt(np.diff(clock)).reshape(shape)
    walk = np.concatenate((np.zeros_like(steps[:1]), np.cumsum(steps, axis=0)))
    return walk - clock.reshape(shape) * walk[-1:]


def with_extremes(path: Matrix, variance: Matrix, generator: np.random.Generator) -> Matrix:
    """Put before the end of each step the highest and lowest value that a Brownian motion takes in it.

    Parameters
    ----------
    path : Matrix [N + 1, M]    Log prices at the ends of the steps.
    variance : Matrix [N, M]    Variance of the motion over each step.

    Returns
    -------
    Matrix [3 N + 1, M]   P(highest > y) = exp(-2 (y - a)(y - b) / variance) for ends a and b; the lowest is
                          drawn on its own, though the two depend on each other a little.
    """
    before, after = path[:-1], path[1:]
    middle, gap = (before + after) / 2.0, (after - before) ** 2
    draws = 2.0 * variance * generator.standard_exponential((2, *variance.shape))
    highest, lowest = middle + np.sqrt(gap + draws[0]) / 2.0, middle - np.sqrt(gap + draws[1]) / 2.0
    inside = np.stack((highest, lowest, after), axis=1).reshape(-1, path.shape[1])
    return np.concatenate((path[:1], inside))


def summarise(points: Matrix, count: int) -> tuple[Matrix, Matrix, Matrix, Matrix]:
    """Summarise points [N + 1, M] in `count` bars: open, high, low and close, each [count, M].

    A bar opens at the last point of the bar before it, and the first one at the first point.
    """
    steps = (len(points) - 1) // count
    opens = points[:-1:steps]
    body = points[1:].reshape(count, steps, -1)
    return opens, np.maximum(opens, body.max(axis=1)), np.minimum(opens, body.min(axis=1)), body[:, -1]
