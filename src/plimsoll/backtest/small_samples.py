"""What is the p-value where a limiting distribution cannot be trusted yet?"""

from collections.abc import Callable

import numpy as np

from plimsoll.types import Flags, Vector

__all__ = ["DRAWS", "FEWEST_EXPECTED", "is_small", "rank_p_value", "simulated_p_value"]

FEWEST_EXPECTED = 10.0
"""Below this many expected breaches the chi-square limits of the coverage tests are off by a factor of two
and more in their tail; p-values are then simulated."""

DRAWS = 4_999
"""A p-value of 0.05 is then known to 0.003, its standard error."""

_CELLS = 20_000_000
"""Simulated observations held at a time: 20 MB."""


def is_small(observations: int, share: float) -> bool:
    """Say whether fewer than `FEWEST_EXPECTED` breaches are expected."""
    return observations * share < FEWEST_EXPECTED


def simulated_p_value(
    observed: float,
    statistic: Callable[[Flags], Vector],
    observations: int,
    share: float,
    generator: np.random.Generator,
) -> tuple[float, str]:
    """Rank the statistic among those of series whose breaches are independent, with the promised chance.

    Parameters
    ----------
    statistic : callable   From breaches, Flags [N, observations], to a statistic of each row, Vector [N].
    generator : Generator  Seeded by the caller.

    Returns
    -------
    float, str   The p-value, and how it came about.
    """
    size = max(1, min(DRAWS, _CELLS // max(1, observations)))
    parts = []
    for first in range(0, DRAWS, size):
        rows = min(size, DRAWS - first)
        parts.append(statistic(generator.random((rows, observations)) < share))
    return rank_p_value(observed, np.concatenate(parts), generator), f"Monte Carlo, {DRAWS:,} draws"


def rank_p_value(observed: float, draws: Vector, generator: np.random.Generator) -> float:
    """Return the share of draws at least as large, counting the observed one; ties are broken by lot.

    Statistics of counts take few values, so that ties are common; broken by lot the p-value is exactly
    uniform where the claim is true.

    Source: Dufour (2006), Monte Carlo tests with nuisance parameters; Christoffersen and Pelletier (2004).
    """
    above = int((draws > observed).sum())
    ties = int((draws == observed).sum())
    before = int((generator.random(ties) >= generator.random()).sum())
    return (above + before + 1) / (len(draws) + 1)
