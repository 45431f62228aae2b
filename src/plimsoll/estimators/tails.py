"""How far do excursions reach at a level?"""

import numpy as np

from plimsoll.kernels.order import upper_quantile
from plimsoll.types import Matrix, Rows

__all__ = ["column_quantiles"]


def column_quantiles(windows: Matrix, level: float) -> tuple[Matrix, Rows]:
    """Take the upper quantile of every column.

    Parameters
    ----------
    windows : array [W, M, F]   NaN is skipped.

    Returns
    -------
    quantiles : Matrix [M, F]   NaN where nothing is known.
    counts : Rows [M, F]        Samples behind each.
    """
    quantiles = np.full(windows.shape[1:], np.nan)
    counts = np.zeros(windows.shape[1:], dtype=np.intp)
    for column in np.ndindex(*windows.shape[1:]):
        quantiles[column], counts[column] = upper_quantile(windows[(slice(None), *column)], level)
    return quantiles, counts
