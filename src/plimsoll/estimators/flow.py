"""How much is traded, by whom, and how far does trading move the price?"""

from dataclasses import dataclass

import numpy as np

from plimsoll.domain.liquidity import LiquiditySettings, Trades
from plimsoll.kernels.trade_flow import SLOTS, trade_flow
from plimsoll.types import Vector

__all__ = ["FlowEstimate", "FlowState", "begin_flow", "estimate_flow", "update_flow"]

_LEAST_WINDOWS = 20
"""Windows from which on an impact is told."""
_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class FlowState:
    """What the estimate remembers: `kernels.trade_flow` names the slots.

    Attributes
    ----------
    slots : Vector [SLOTS]
    refused : int   Trades left out: out of order, without price, size or side.
    """

    slots: Vector
    refused: int


@dataclass(frozen=True, slots=True)
class FlowEstimate:
    r"""What trading is like; NaN where it is not known.

    Attributes
    ----------
    volume : float        Quote units per hour.
    imbalance : float     Bought less sold over both, by who came to the book: between -1 and 1.
    volatility : float    Of the last prices of windows, log per square root of an hour.
    impact : float        Y: the best fit of :math:`\Delta p = Y \sigma\, s \sqrt{|Q| / V}` over windows, with
                          Q the net volume of a window and s its sign.
    per_million : float   The best linear fit: log move per million quote units of net volume.
    windows : int         Complete windows behind the last three.
    refused : int
    """

    volume: float
    imbalance: float
    volatility: float
    impact: float
    per_million: float
    windows: int
    refused: int


def begin_flow() -> FlowState:
    """Start without any assumption."""
    slots = np.zeros(SLOTS)
    slots[:3] = -1.0, -1.0, np.nan
    return FlowState(slots, 0)


def update_flow(state: FlowState, settings: LiquiditySettings, trades: Trades) -> FlowState:
    """Absorb T trades, in order of time; several may share a moment."""
    sound = trades.sound
    times = trades.times[sound].astype(np.float64) / 1000.0
    newest = np.maximum.accumulate(np.append(state.slots[1], times))[:-1]
    kept = times >= newest
    slots = trade_flow(
        times[kept],
        trades.price[sound][kept],
        (trades.price * trades.size * trades.sign)[sound][kept],
        settings.window_seconds,
        settings.memory_seconds,
        state.slots,
    )
    return FlowState(slots, state.refused + len(trades) - int(np.count_nonzero(kept)))


def estimate_flow(state: FlowState, settings: LiquiditySettings) -> FlowEstimate:
    """Read the estimate from the state."""
    weight, volume, net, squares, count, rooted, roots, linear, sizes = state.slots[6:]
    enough = count >= _LEAST_WINDOWS
    per_hour = _HOUR / settings.window_seconds
    hourly = float(volume / weight * per_hour) if weight > 0.0 else np.nan
    volatility = float(np.sqrt(squares / weight * per_hour)) if enough else np.nan
    scale = volatility / np.sqrt(hourly) if enough and hourly > 0.0 else np.nan
    return FlowEstimate(
        volume=hourly,
        imbalance=float(net / volume) if volume > 0.0 else np.nan,
        volatility=volatility,
        impact=float(rooted / roots / scale) if enough and roots > 0.0 and scale > 0.0 else np.nan,
        per_million=float(1e6 * linear / sizes) if enough and sizes > 0.0 else np.nan,
        windows=int(count),
        refused=state.refused,
    )
