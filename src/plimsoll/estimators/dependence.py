"""Which moves of several markets happened together?"""

import math

import numpy as np
from msgspec import structs

from plimsoll.domain.implied import ImpliedHistory
from plimsoll.domain.parameters import JointScenarios
from plimsoll.domain.settings import CalibrationSettings
from plimsoll.estimators.implied import ImpliedMoves, implied_moves
from plimsoll.kernels.excursion import TERMINAL
from plimsoll.types import Matrix, Rows, Times

__all__ = ["joint_scenarios"]

_DIGITS = 6
"""Decimals of a standard deviation kept in a row: a millionth of a deviation moves no requirement."""


def joint_scenarios(
    markets: tuple[str, ...],
    moments: Times,
    windows: Matrix,
    settings: CalibrationSettings,
    history: ImpliedHistory | None,
    span: int,
) -> JointScenarios | None:
    """Draw rows of standardised returns, and of implied volatility's changes, from common moments.

    Rows are spread evenly over the common history, so that old crises keep their place. Filtering by the
    volatility forecast at each row's start makes rows from calm and wild times comparable (filtered
    historical simulation); the market's own correlation, and its rise in crashes, is in the rows.

    Parameters
    ----------
    markets : tuple [M]
    moments : Times [W]; windows : array [W, M, FIELDS]   From `ExcursionState.matured`.
    history : ImpliedHistory or None   Up to now; None leaves the rows without changes of volatility.
    span : int   Milliseconds from a window's start to its end.

    Returns
    -------
    JointScenarios or None   None where the common history is too short, or where one market alone has no
                             changes of volatility: then nothing nets.

    Source: Barone-Adesi, Giannopoulos and Vosper (1999), VaR without correlations for portfolios of
    derivatives.
    """
    terminal = windows[:, :, TERMINAL]
    common = np.flatnonzero(~np.isnan(terminal).any(axis=1))
    count, tail = settings.joint.rows, math.ceil(settings.joint.rows * settings.joint.tail)
    if len(common) < count:
        return None
    implied = None
    if history is not None:
        hours = settings.horizon_hours
        implied = implied_moves(history, markets, moments[common], terminal[common], span, hours)
    if len(markets) < 2 and implied is None:
        return None
    chosen = np.linspace(0, len(common) - 1, count).round().astype(np.intp)
    rows = np.round(terminal[common[chosen]], _DIGITS)
    adverse = np.minimum((rows < 0.0).sum(axis=0), (rows > 0.0).sum(axis=0))
    if adverse.min(initial=tail) < tail:
        return None
    drawn = JointScenarios(
        markets=markets,
        moments=tuple(moments[common[chosen]].tolist()),
        rows=tuple(map(tuple, rows.tolist())),
        tail=tail,
    )
    return drawn if implied is None else _with_implied(drawn, implied, chosen, settings.level)


def _with_implied(drawn: JointScenarios, implied: ImpliedMoves, chosen: Rows, level: float) -> JointScenarios:
    changes = np.round(implied.levelled(chosen, drawn.tail, level), _DIGITS)
    return structs.replace(
        drawn,
        volatility=tuple(map(tuple, changes.tolist())),
        implied=implied.sources,
        observed=tuple(implied.observed[chosen].sum(axis=0).tolist()),
    )
