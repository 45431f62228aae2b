"""Is one policy's score better than another's by more than chance?"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from plimsoll.backtest.chances import student_tail_both
from plimsoll.errors import Code, PlimsollError
from plimsoll.types import Vector

__all__ = ["Confidence", "Contest", "confidence_set", "diebold_mariano", "long_run_variance"]

_REPETITIONS = 1_000
"""Bootstrap draws of the confidence set; a p-value of 0.1 is then known to 0.01."""


@dataclass(frozen=True, slots=True)
class Contest:
    """The Diebold-Mariano test of one policy against another.

    Attributes
    ----------
    difference : float   Mean score of the first less that of the second; negative where the first is better.
    statistic : float    In standard errors, with Harvey's correction.
    p_value : float      Two-sided.
    observations : int
    lags : int           Autocovariances in the standard error.
    """

    difference: float
    statistic: float
    p_value: float
    observations: int
    lags: int


@dataclass(frozen=True, slots=True)
class Confidence:
    """The model confidence set: p-value per policy; those at or below `size` are ruled out as the best."""

    size: float
    p_values: dict[str, float]
    observations: int

    @property
    def included(self) -> tuple[str, ...]:
        """Policies that the data cannot tell from the best, best first."""
        kept = [name for name, p_value in self.p_values.items() if p_value > self.size]
        return tuple(sorted(kept, key=lambda name: -self.p_values[name]))


def long_run_variance(series: Vector, lags: int) -> float:
    r"""Return the variance of the mean times T, with autocovariances weighted down (Newey and West 1987).

    .. math:: \gamma_0 + 2 \sum_{j=1}^{q} \left(1 - \frac{j}{q + 1}\right) \gamma_j
    """
    centred = series - series.mean()
    count = len(series)
    variance = float(centred @ centred) / count
    for lag in range(1, min(lags, count - 1) + 1):
        covariance = float(centred[lag:] @ centred[:-lag]) / count
        variance += 2.0 * (1.0 - lag / (lags + 1.0)) * covariance
    return variance


def diebold_mariano(first: Vector, second: Vector, *, overlap: int) -> Contest:
    r"""Test whether two policies have the same mean score.

    .. math:: DM = \frac{\bar d}{\sqrt{\hat\Omega / T}}
                   \sqrt{\frac{T + 1 - 2h + h(h - 1)/T}{T}}

    with d the difference of scores, Omega its long-run variance and h the windows that overlap a window;
    compared with Student's t of T - 1 degrees of freedom.

    Parameters
    ----------
    first, second : Vector [T]   Scores of the same windows, in order of time.
    overlap : int                h; 1 where windows do not overlap. Autocovariances are counted up to the
                                 larger of h - 1 and T^(1/3), since scores are volatile by turns.

    Source: Diebold and Mariano (1995); Harvey, Leybourne and Newbold (1997).
    """
    difference = first - second
    count = len(difference)
    lags = max(overlap - 1, math.ceil(count ** (1.0 / 3.0)))
    variance = long_run_variance(difference, lags)
    mean = float(difference.mean())
    if variance <= 0.0:
        return Contest(mean, math.copysign(math.inf, mean) if mean else 0.0, float(mean == 0.0), count, lags)
    shrink = (count + 1 - 2 * overlap + overlap * (overlap - 1) / count) / count
    statistic = mean / math.sqrt(variance / count) * math.sqrt(max(shrink, 0.0))
    return Contest(mean, statistic, student_tail_both(statistic, count - 1), count, lags)


def confidence_set(scores: Mapping[str, Vector], *, size: float, block: int, seed: int) -> Confidence:
    """Find the policies among which the best is, with a confidence of one minus `size`.

    Parameters
    ----------
    scores : mapping   From policy to its scores, Vector [T], of the same windows.
    block : int        Mean length of the blocks that the stationary bootstrap draws.
    seed : int

    Policies with the very same scores (two that fall back on a third, say) share one place in the procedure:
    a difference without variance cannot be studentised.

    Raises
    ------
    PlimsollError   `MISSING_EXTRA` where `arch` is not installed.

    Source: Hansen, Lunde and Nason (2011), The model confidence set; computed by `arch`.
    """
    try:
        from arch.bootstrap import MCS
    except ImportError as error:
        raise PlimsollError(
            Code.MISSING_EXTRA,
            "the model confidence set needs the package arch",
            where="backtest",
            remedy="Install plimsoll-margin with its extra: pip install 'plimsoll-margin[backtest]'.",
        ) from error
    names = tuple(scores)
    kept, twins = np.unique(np.array([scores[name] for name in names]), axis=0, return_inverse=True)
    count = kept.shape[1]
    if len(kept) == 1:
        return Confidence(size, dict.fromkeys(names, 1.0), count)
    outcome = MCS(kept.T, size, reps=_REPETITIONS, block_size=block, method="R", seed=seed)
    outcome.compute()
    found = outcome.pvalues["Pvalue"]
    return Confidence(
        size,
        {name: float(found.loc[int(twin)]) for name, twin in zip(names, twins.ravel(), strict=True)},
        count,
    )
