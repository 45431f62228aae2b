"""What would each side be charged today, by a long memory, and in the long run, before any guard?"""

from dataclasses import dataclass

import numpy as np

from plimsoll.domain.settings import CalibrationSettings
from plimsoll.errors import Code, PlimsollError
from plimsoll.estimators.scale import LEAST_VOLATILITY, rates_of_moves
from plimsoll.estimators.tails import column_quantiles
from plimsoll.estimators.volatility import VolatilityState
from plimsoll.kernels.excursion import LONG, SHORT, STANDARD_LONG, STANDARD_SHORT
from plimsoll.types import Flags, Matrix, Rows, Vector

__all__ = ["ModelRates", "model_rates"]


@dataclass(frozen=True, slots=True)
class ModelRates:
    """What the data say, per market; rates are Matrix [M, 2], long and short.

    Attributes
    ----------
    volatility, scale : Vector [M]     Log return per square root of an hour; scale after the speed limits.
    residual_quantile : Matrix [M, 2]  Excursion at the level, in units of the scale.
    model : Matrix [M, 2]              On today's volatility alone.
    stressed : Matrix [M, 2]           On long-remembered volatility.
    jump : Matrix [M, 2]               What the last jump alone would ask, less what has faded of it.
    blended, limited : Matrix [M, 2]   On the blended scale, before and after the speed limits.
    long_run : Matrix [M, 2]           The constant that would have covered all history at the level.
    windows : Rows [M]                 Standardised excursions of the market's own.
    borrowed_from : tuple [M]          Market whose figures stand in for a young market's, or None.
    """

    volatility: Vector
    scale: Vector
    residual_quantile: Matrix
    model: Matrix
    stressed: Matrix
    jump: Matrix
    blended: Matrix
    limited: Matrix
    long_run: Matrix
    windows: Rows
    borrowed_from: tuple[str | None, ...]


def model_rates(
    markets: tuple[str, ...], settings: CalibrationSettings, state: VolatilityState, windows: Matrix
) -> ModelRates:
    r"""Filtered historical simulation of the adverse excursion, on a scale that stress is blended into.

    .. math:: long = 1 - e^{-q\, G \sqrt{H}}, \quad short = e^{q\, G \sqrt{H}} - 1

    with G the scale (`kernels.scale`) and q the upper quantile of past excursions in units of the scale that
    was known when each began. Because q is taken on the same scale that it multiplies, the stress blend and
    the speed limits leave coverage at the level and only spread the margin more evenly over time.

    A market with fewer than `settings.young.windows` windows is young: it takes the quantile of the riskiest
    grown market, and that market's scales and long-run figures times `settings.young.multiplier` where these
    exceed its own.

    Parameters
    ----------
    state : VolatilityState           Of M markets, now.
    windows : array [W, M, FIELDS]    All matured windows.

    Raises
    ------
    PlimsollError   `TOO_LITTLE_HISTORY` where every market is young.

    Source: Barone-Adesi, Giannopoulos and Vosper (1999); Hull and White (1998).
    """
    recent = windows[-settings.residual_windows :, :, STANDARD_LONG : STANDARD_SHORT + 1]
    residual, counts = column_quantiles(recent, settings.level)
    long_run, _ = column_quantiles(windows[:, :, LONG : SHORT + 1], settings.level)
    own = counts[:, 0]
    grown = own >= settings.young.windows
    if not grown.any():
        raise _too_little(markets, own, settings)
    lender = _riskiest(grown, state.scale.scale, residual)
    borrowed = _Borrowed(lender, settings.young.multiplier, ~grown)
    residual = np.where(grown[:, None], residual, residual[lender])

    def rates(scale: Vector) -> Matrix:
        known = np.maximum(borrowed.at_least(scale), LEAST_VOLATILITY)
        moves = residual * (known * np.sqrt(settings.horizon_hours))[:, None]
        return rates_of_moves(np.maximum(moves, LEAST_VOLATILITY * np.sqrt(settings.horizon_hours)))

    return ModelRates(
        volatility=borrowed.at_least(state.volatility),
        scale=borrowed.at_least(state.scale.scale),
        residual_quantile=residual,
        model=rates(state.volatility),
        stressed=rates(state.stressed),
        jump=rates_of_moves(np.column_stack([state.jumps.size, state.jumps.size])),
        blended=rates(state.scale.target),
        limited=rates(state.scale.scale),
        long_run=rates_of_moves(borrowed.at_least(long_run)),
        windows=own,
        borrowed_from=tuple(None if own_history else markets[lender] for own_history in grown),
    )


@dataclass(frozen=True, slots=True)
class _Borrowed:
    """Whose figures young markets borrow, and how much is put on top."""

    lender: int
    multiplier: float
    young: Flags

    def at_least(self, figures: Matrix) -> Matrix:
        """Raise the rows of young markets to the lender's times the multiplier."""
        known = np.where(np.isnan(figures), 0.0, figures)
        raised = np.maximum(known, self.multiplier * figures[self.lender])
        young = self.young if figures.ndim == 1 else self.young[:, None]
        return np.where(young, raised, figures)


def _riskiest(grown: Flags, scale: Vector, residual: Matrix) -> int:
    risk = scale * residual.max(axis=1)
    return int(np.argmax(np.where(grown, risk, -np.inf)))


def _too_little(markets: tuple[str, ...], own: Rows, settings: CalibrationSettings) -> PlimsollError:
    longest = int(np.argmax(own))
    return PlimsollError(
        Code.TOO_LITTLE_HISTORY,
        f"the longest history, of {markets[longest]}, has {own[longest]} complete windows of "
        f"{settings.horizon_hours:g} h; at least one market needs {settings.young.windows}",
        where="calibration",
        remedy="Give older bars, or lower young.windows in the settings.",
    )
