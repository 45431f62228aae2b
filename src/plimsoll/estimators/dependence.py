"""Which moves of several markets happened together?"""

import math

import numpy as np

from plimsoll.domain.parameters import JointScenarios
from plimsoll.domain.settings import JointSettings
from plimsoll.kernels.excursion import TERMINAL
from plimsoll.types import Matrix, Times

__all__ = ["joint_scenarios"]

_DIGITS = 6
"""Decimals of a standard deviation kept in a row: a millionth of a deviation moves no requirement."""


def joint_scenarios(
    markets: tuple[str, ...], moments: Times, windows: Matrix, settings: JointSettings
) -> JointScenarios | None:
    """Draw rows of standardised returns from moments that all markets have in common.

    Rows are spread evenly over the common history, so that old crises keep their place. Filtering by the
    volatility forecast at each row's start makes rows from calm and wild times comparable (filtered
    historical simulation); the market's own correlation, and its rise in crashes, is in the rows.

    Parameters
    ----------
    markets : tuple [M]
    moments : Times [W]; windows : array [W, M, FIELDS]   From `ExcursionState.matured`.

    Returns
    -------
    JointScenarios or None   None where the common history is too short: then nothing nets.

    Source: Barone-Adesi, Giannopoulos and Vosper (1999), VaR without correlations for portfolios of
    derivatives.
    """
    terminal = windows[:, :, TERMINAL]
    common = np.flatnonzero(~np.isnan(terminal).any(axis=1))
    tail = math.ceil(settings.rows * settings.tail)
    if len(markets) < 2 or len(common) < settings.rows:
        return None
    chosen = common[np.linspace(0, len(common) - 1, settings.rows).round().astype(np.intp)]
    rows = np.round(terminal[chosen], _DIGITS)
    adverse = np.minimum((rows < 0.0).sum(axis=0), (rows > 0.0).sum(axis=0))
    if adverse.min() < tail:
        return None
    return JointScenarios(
        markets=markets,
        moments=tuple(moments[chosen].tolist()),
        rows=tuple(map(tuple, rows.tolist())),
        tail=tail,
    )
