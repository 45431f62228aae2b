"""Which value is exceeded by only a given share of a sample?"""

import numpy as np
from numba import njit

from plimsoll.types import Vector

__all__ = ["RANK_SLACK", "upper_quantile", "upper_quantile_definition"]


def upper_quantile_definition(samples: Vector, level: float) -> tuple[float, int]:
    r"""Find the value that the next exchangeable sample exceeds with probability at most ``1 - level``.

    The k-th largest with :math:`k = \max(1, \lfloor (n + 1)(1 - p) \rfloor)`: the split-conformal rank, which
    covers at the level in finite samples where the plain empirical quantile falls short. Below
    ``1 / (1 - level)`` samples no rank can, and the largest is returned.

    Parameters
    ----------
    samples : Vector [W]   NaN is skipped.
    level : float          In (0, 1).

    Returns
    -------
    quantile : float   NaN where no sample is known.
    count : int        Samples that are not NaN.

    Source: Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World (2005).
    """
    known = np.sort(samples[~np.isnan(samples)])
    count = len(known)
    if count == 0:
        return np.nan, 0
    rank = max(1, int((count + 1) * (1.0 - level) + RANK_SLACK))
    return known[count - rank], count


RANK_SLACK = 1e-9
"""0.005 is not representable: (199 + 1) * (1 - 0.995) falls below 1 by a few units of the last place."""


_FEW = 500
"""Ranks up to which keeping the largest in order is faster than selecting among all."""


@njit(cache=True)
def _largest(samples: Vector, rank: int) -> float:
    """Return the `rank`-th largest, by keeping that many in ascending order."""
    kept = np.full(rank, -np.inf)
    for sample in samples:
        if sample > kept[0]:
            place = 0
            while place + 1 < rank and kept[place + 1] < sample:
                kept[place] = kept[place + 1]
                place += 1
            kept[place] = sample
    return float(kept[0])


def upper_quantile(samples: Vector, level: float) -> tuple[float, int]:
    """`upper_quantile_definition` by selection instead of sorting."""
    known = samples[~np.isnan(samples)]
    count = len(known)
    if count == 0:
        return np.nan, 0
    rank = max(1, int((count + 1) * (1.0 - level) + RANK_SLACK))
    if rank <= _FEW:
        return _largest(known, rank), count
    # Not compiled: numpy's own selection is as fast, and numba's takes ten seconds to compile.
    return float(np.partition(known, count - rank)[count - rank]), count
