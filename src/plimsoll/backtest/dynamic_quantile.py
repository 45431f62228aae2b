"""Can a breach be foretold from earlier breaches, or from the rate itself?"""

import numpy as np

from plimsoll.backtest.chances import chi_square_tail
from plimsoll.backtest.small_samples import is_small, rank_p_value
from plimsoll.backtest.verdicts import Verdict
from plimsoll.types import Flags, Matrix, Vector

__all__ = ["LAGS", "dynamic_quantile_statistic", "dynamic_quantile_statistics", "dynamic_quantile_test"]

LAGS = 4
"""Earlier breaches that are looked at, as in the source."""

_DRAWS = 999
"""Each draw is a regression; a p-value of 0.05 is then known to 0.007."""
_BATCH = 111
"""Regressions made at a time."""

_RANK = 1e-10
"""Eigenvalues of X'X below this share of the largest are none: the columns are redundant."""


def dynamic_quantile_statistic(breaches: Flags, rates: Vector, share: float) -> tuple[float, int]:
    r"""Regress breaches, less their promised share, on what was known before.

    .. math:: DQ = \frac{h' X (X'X)^{-1} X' h}{p (1 - p)}, \quad h_t = 1_t - p

    with X a constant, the `LAGS` last breaches and the rate of the moment.

    Parameters
    ----------
    breaches : Flags [T]; rates : Vector [T]   Of windows that do not overlap.

    Returns
    -------
    float, int   The statistic, and its degrees of freedom: the columns of X that are not redundant (no
                 breach at all, or a constant rate, leaves fewer).

    Source: Engle and Manganelli (2004), CAViaR.
    """
    hits = breaches.astype(np.float64) - share
    columns = _regressors(hits, rates)
    after = hits[LAGS:]
    left, sizes, _ = np.linalg.svd(columns, full_matrices=False)
    kept = sizes > sizes[0] * len(columns) * np.finfo(np.float64).eps
    explained = left[:, kept].T @ after
    return float(explained @ explained) / (share * (1.0 - share)), int(kept.sum())


def dynamic_quantile_statistics(breaches: Flags, rates: Vector, share: float) -> Vector:
    """`dynamic_quantile_statistic` of many series at once, by the normal equations.

    Parameters
    ----------
    breaches : Flags [N, T]; rates : Vector [T]

    Returns
    -------
    Vector [N]   The statistics.
    """
    hits = breaches.astype(np.float64) - share
    count = hits.shape[1] - LAGS
    rate = rates[LAGS:] / np.mean(rates) - 1.0
    shape = hits[:, LAGS:].shape
    lagged = [hits[:, LAGS - lag : LAGS - lag + count] for lag in range(1, LAGS + 1)]
    columns = np.stack([np.ones(shape), *lagged, np.broadcast_to(rate, shape)], axis=1)
    products = columns @ columns.transpose(0, 2, 1)
    right = np.einsum("nkt,nt->nk", columns, hits[:, LAGS:])
    inverse = np.linalg.pinv(products, rcond=_RANK, hermitian=True)
    statistics: Vector = np.einsum("nk,nkj,nj->n", right, inverse, right) / (share * (1.0 - share))
    return statistics


def dynamic_quantile_test(
    breaches: Flags, rates: Vector, share: float, generator: np.random.Generator
) -> Verdict:
    """Engle and Manganelli's test; simulated with the rates as they are where few breaches are expected."""
    observations, seen = len(breaches), int(breaches.sum())
    statistic, freedom = dynamic_quantile_statistic(breaches, rates, share)
    if not is_small(observations, share):
        p_value, basis = chi_square_tail(statistic, freedom), f"chi-square, {freedom} d.o.f."
    else:
        drawn = np.concatenate(
            [
                dynamic_quantile_statistics(generator.random((_BATCH, observations)) < share, rates, share)
                for _ in range(_DRAWS // _BATCH)
            ]
        )
        p_value, basis = rank_p_value(statistic, drawn, generator), f"Monte Carlo, {_DRAWS:,} draws"
    return Verdict("dynamic quantile", statistic, p_value, observations, seen, basis)


def _regressors(hits: Vector, rates: Vector) -> Matrix:
    """Stack a constant, the lagged hits and the standardised rate: Matrix [T - LAGS, LAGS + 2]."""
    count = len(hits) - LAGS
    lagged = [hits[LAGS - lag : LAGS - lag + count] for lag in range(1, LAGS + 1)]
    rate = rates[LAGS:] / np.mean(rates) - 1.0
    return np.column_stack([np.ones(count), *lagged, rate])
