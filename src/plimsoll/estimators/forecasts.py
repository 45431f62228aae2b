"""What can every forecaster of variance do?"""

from typing import Any, Protocol

import numpy as np

from plimsoll.estimators.observed import Observed
from plimsoll.types import Matrix, Times, Vector

__all__ = ["VarianceForecaster", "spread_over"]


class VarianceForecaster(Protocol):
    """Settings that forecast the variance of one market's next bars.

    The memory is a tuple of arrays and a value: `update` gives a new one. Absorbing bars in any pieces gives
    the same bytes as absorbing them at once, and row t of what it returns uses bars up to t only. The bars of
    one memory are of one length.
    """

    def begin(self, hours: float) -> Any:
        """Start with no knowledge; `hours` is the length of a bar."""
        ...

    def update(self, memory: Any, observed: Observed, steps: int) -> tuple[Any, Matrix]:
        """Absorb T bars.

        Returns
        -------
        memory
        Matrix [T, 2]   After each bar: forecast variance of the next bar, and the sum over the next `steps`
                        bars, squared log return; NaN until known.
        """
        ...

    def estimate(self, memory: Any, steps: int) -> Vector:
        """Forecast the variance of each of the next `steps` bars: the path that horizons are scaled by."""
        ...


def spread_over(means: Matrix, horizons: Times, steps: int) -> Matrix:
    r"""Turn mean variances over nested horizons into a path that has these means.

    .. math:: v_s = \frac{h_k m_k - h_{k-1} m_{k-1}}{h_k - h_{k-1}}, \quad h_{k-1} < s \le h_k

    kept within a factor of two of m_k, and flat beyond the last horizon.

    Parameters
    ----------
    means : Matrix [T, K]; horizons : Times [K]   Increasing, in bars.

    Returns
    -------
    Matrix [T, steps]
    """
    path = np.empty((len(means), steps))
    before, level = 0, means[:, 0]
    for k, horizon in enumerate(horizons):
        if before >= steps:
            break
        level = means[:, k]
        if k > 0:
            between = (horizon * means[:, k] - before * means[:, k - 1]) / (horizon - before)
            level = np.clip(between, 0.5 * means[:, k], 2.0 * means[:, k])
        path[:, before:horizon] = level[:, None]
        before = int(horizon)
    if steps > before:
        path[:, before:] = level[:, None]
    return path
