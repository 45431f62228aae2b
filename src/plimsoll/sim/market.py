"""How does forced selling move the undisturbed price, and how much does the market take?"""

from dataclasses import dataclass

import numpy as np

from plimsoll.clearing.liquidation import LARGEST_IMPACT
from plimsoll.domain.bars import HOUR, Bars
from plimsoll.domain.events import Liquidated, Unwound
from plimsoll.domain.instruments import Listing
from plimsoll.estimators.volatility import parkinson_variance
from plimsoll.kernels.ewma import ewma_variance
from plimsoll.sim.settings import MarketSettings
from plimsoll.types import Matrix, Rows, Vector

__all__ = ["Undisturbed", "columns_of", "displacement_of", "disturbed_bar", "forced_trade", "undisturbed"]

_LEAST_ACTIVITY = 0.05
"""Volume of the quietest bar, and of a silent one, over the median bar's: a market never quite stops here."""

_MEMORY_PER_HOUR = 0.9
"""Weight of the past per hour in the volatility behind impact: half of it rests on the last six and a half
hours."""


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """The market as it would be without the venue's forced selling.

    Attributes
    ----------
    bars : Bars [T, M]       No row without any price; a market without a bar keeps its last close.
    volume : Matrix [T, M]   Quote volume per hour.
    impact : Matrix [T, M]   Relative move from trading one hour's volume at once.
    depth : Vector [T]       Share of normal depth.
    """

    bars: Bars
    volume: Matrix
    impact: Matrix
    depth: Vector


def undisturbed(bars: Bars, liquidity: Vector, interest: Vector, settings: MarketSettings) -> Undisturbed:
    """Describe what the market trades and how volatile it is, bar by bar.

    A normal hour trades `turnover_per_hour` of open interest; a bar trades in proportion to its volume over
    the median bar's, where volume is known, and to the depth factor.

    Parameters
    ----------
    bars : Bars [T, M]
    liquidity : Vector [T]   Depth factor, 1 for normal.
    interest : Vector [M]    Open interest that accounts want, quote units.
    """
    known = np.where(bars.volume > 0.0, bars.volume, np.nan)
    has_volume = ~np.isnan(known).all(axis=0)
    median = np.ones(len(bars.markets))
    median[has_volume] = np.nanmedian(known[:, has_volume], axis=0)
    activity = np.where(np.isnan(bars.volume) | ~has_volume, 1.0, bars.volume / median)
    activity = np.where(np.isnan(bars.close), _LEAST_ACTIVITY, activity)
    volume = (
        settings.turnover_per_hour * interest * np.maximum(activity, _LEAST_ACTIVITY) * liquidity[:, None]
    )
    hours = bars.length / HOUR
    samples = parkinson_variance(bars) / hours
    none = np.zeros(len(bars.markets))
    variance, _, _ = ewma_variance(samples, _MEMORY_PER_HOUR**hours, none, none)
    start = np.nanmean(samples, axis=0)
    volatility = np.sqrt(np.where(np.isnan(variance), start, variance))
    return Undisturbed(bars, volume, settings.impact * volatility, liquidity)


def displacement_of(pressure: Vector, impact: Vector) -> Vector:
    r"""Say how far forced trades that the market has not absorbed yet push its prices.

    .. math:: D = sign(P)\, \ln(1 + Y \sigma \sqrt{|P|})

    The square root is taken of all that is pending, not slice by slice: selling the same in more and smaller
    pieces moves the price as far.

    Parameters
    ----------
    pressure : Vector [M]   Pending forced trades, in hours of the market's volume; negative where sold.
    impact : Vector [M]     Y sigma: relative move from trading one hour's volume at once.

    Returns
    -------
    Vector [M]   Log moves.
    """
    return np.sign(pressure) * np.log1p(np.minimum(impact * np.sqrt(np.abs(pressure)), LARGEST_IMPACT))


def disturbed_bar(bars: Bars, row: int, displacement: Vector) -> Bars:
    """Give one bar as it is traded with the displacement in it: Bars [1, M].

    Parameters
    ----------
    displacement : Vector [M]   Log price moves that are left of earlier forced selling.
    """
    factor = np.exp(displacement)
    return Bars(
        markets=bars.markets,
        length=bars.length,
        times=bars.times[row : row + 1],
        open=(bars.open[row] * factor)[None],
        high=(bars.high[row] * factor)[None],
        low=(bars.low[row] * factor)[None],
        close=(bars.close[row] * factor)[None],
        volume=bars.volume[row][None],
    )


def columns_of(listings: tuple[Listing, ...], markets: tuple[str, ...]) -> Rows:
    """Map each listing to its market's column: Rows [I]."""
    return np.array([markets.index(listing.underlying) for listing in listings], dtype=np.intp)


def forced_trade(effect: Liquidated | Unwound, listings: tuple[Listing, ...]) -> tuple[int, float]:
    """Say what a forced slice traded, of accounts or of the backstop.

    Returns
    -------
    place : int        Its instrument, on the I axis.
    notional : float   Quote units at the slice's price, negative where sold; a slice has one direction.
    """
    place = next(i for i, entry in enumerate(listings) if entry.name == effect.instrument)
    lots = effect.lots if isinstance(effect.lots, int) else sum(effect.lots)
    return place, lots * listings[place].lot * effect.price
