"""Which cost curve fits what it took to walk the book?"""

import numpy as np

from plimsoll.domain.cost_curve import CostCurve
from plimsoll.domain.liquidity import LiquiditySettings
from plimsoll.errors import Code, PlimsollError
from plimsoll.estimators.liquidity import LiquidityEstimate
from plimsoll.types import Flags, Vector

__all__ = ["covered_sizes", "fit_cost_curve"]

_LEAST_SIZES = 3
"""Sizes from which on a spread, a slope and an exponent are fitted."""

_SHORTEST_HALF_LIFE, _LONGEST_HALF_LIFE = 1.0, 86_400.0
"""Seconds: snapshots lie about a second apart and show nothing faster; after a day nobody waits."""

_EXPONENTS = np.linspace(0.2, 3.0, 281)
"""Tried one by one: spread and slope then follow from least squares in closed form, from no start."""


def fit_cost_curve(
    estimate: LiquidityEstimate, settings: LiquiditySettings, *, volatility: float, volume: float
) -> CostCurve:
    r"""Fit :math:`h + s (Q / Q_0)^\beta` to the mean cost of walking the dearer side.

    Least squares of relative errors, so that small sizes count as much as large ones; h and s are not
    negative. The half-spread is fitted, not taken from the quotes: it is what the smallest sizes really pay.
    Only sizes that nearly all books could fill are used; beyond them the curve extrapolates.

    Parameters
    ----------
    volatility : float   Log per square root of an hour.
    volume : float       Quote units per hour.

    Raises
    ------
    PlimsollError   `TOO_LITTLE_HISTORY` where fewer than three sizes are covered.
    """
    sizes = np.array(settings.sizes)
    used = covered_sizes(estimate, settings)
    if np.count_nonzero(used) < _LEAST_SIZES:
        raise PlimsollError(
            Code.TOO_LITTLE_HISTORY,
            f"only {np.count_nonzero(used)} of {len(sizes)} sizes were covered by the books",
            where="cost curve",
            remedy=f"Give deeper books or smaller sizes: {_LEAST_SIZES} are needed.",
        )
    reference = float(sizes[used][-1])
    fits = [(*_amounts(sizes[used] / reference, estimate.cost[used], beta), beta) for beta in _EXPONENTS]
    _, half_spread, slope, exponent = min(fits)
    return CostCurve(
        half_spread=half_spread,
        slope=slope,
        reference=reference,
        exponent=float(exponent),
        volatility=volatility,
        volume=volume,
        half_life=_half_life(estimate.half_life),
    )


def covered_sizes(estimate: LiquidityEstimate, settings: LiquiditySettings) -> Flags:
    """Say which of the settings' sizes nearly all books could fill: Flags [G]."""
    used: Flags = estimate.coverage >= settings.least_coverage
    return used & np.isfinite(estimate.cost) & (estimate.cost > 0.0)


def _half_life(estimated: float) -> float | None:
    """Count on no refill faster than seen, nor on one that is not known or never comes."""
    if not np.isfinite(estimated) or estimated > _LONGEST_HALF_LIFE:
        return None
    return max(estimated, _SHORTEST_HALF_LIFE)


def _amounts(size: Vector, cost: Vector, exponent: float) -> tuple[float, float, float]:
    """Fit spread and slope for one exponent: squared relative error, spread, slope."""
    design = np.column_stack([np.ones_like(size), size**exponent]) / cost[:, None]
    both = np.linalg.lstsq(design, np.ones_like(cost))[0]
    if both.min() < 0.0:
        alone = np.array([column.sum() / (column @ column) for column in design.T])
        errors = [((column * part - 1.0) ** 2).sum() for column, part in zip(design.T, alone, strict=True)]
        both = np.where(np.arange(2) == int(np.argmin(errors)), alone, 0.0)
    error = float(((design @ both - 1.0) ** 2).sum())
    return error, float(both[0]), float(both[1])
