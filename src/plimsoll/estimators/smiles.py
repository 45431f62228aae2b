"""What do the quotes of one expiry ask of a smile, and how much does each count?"""

from dataclasses import dataclass

import numpy as np

from plimsoll.domain.surface import Smile, SurfaceSettings
from plimsoll.errors import Code, PlimsollError
from plimsoll.kernels.black76 import vega
from plimsoll.types import Flags, Vector

__all__ = ["SmileTarget", "smile_target"]


@dataclass(frozen=True, slots=True)
class SmileTarget:
    """What is fitted, one entry per usable strike.

    Attributes
    ----------
    k, w : Vector [N]         Log-moneyness, increasing, and total variance.
    weight : Vector [N]       Turns a difference of variance into half spreads.
    volatility : Vector [N]   What w stands for.
    bid, ask : Vector [N]     NaN where the strike has no two-sided quote.
    """

    k: Vector
    w: Vector
    weight: Vector
    volatility: Vector
    bid: Vector
    ask: Vector


def smile_target(underlying: str, smile: Smile, settings: SurfaceSettings) -> SmileTarget:
    r"""Take the middle where both sides are quoted, else the mark, with less weight.

    A residual counts in half spreads h: :math:`\omega = 1 / (2 \sigma \tau h)`, since
    :math:`dw = 2 \sigma \tau\, d\sigma`.

    Raises
    ------
    PlimsollError   NO_SURFACE where the expiry has passed, data is no data, or too few strikes are usable.
    """
    two_sided = (smile.bid > 0.0) & (smile.ask >= smile.bid)
    volatility = np.where(two_sided, 0.5 * (smile.bid + smile.ask), smile.mark)
    half = np.where(two_sided, 0.5 * (smile.ask - smile.bid), _mark_half_spread(smile, settings))
    half = np.maximum(half, settings.least_half_spread)
    used = np.isfinite(volatility) & (volatility > 0.0)
    _check(underlying, smile, used, settings)
    volatility, half = volatility[used], half[used]
    return SmileTarget(
        k=smile.log_moneyness[used],
        w=volatility**2 * smile.tau,
        weight=1.0 / (2.0 * volatility * smile.tau * half),
        volatility=volatility,
        bid=np.where(two_sided, smile.bid, np.nan)[used],
        ask=np.where(two_sided, smile.ask, np.nan)[used],
    )


def _mark_half_spread(smile: Smile, settings: SurfaceSettings) -> Vector:
    """Return how little a mark says: far out one price step is many points of volatility."""
    per_point = np.maximum(vega(1.0, smile.strikes / smile.forward, max(smile.tau, 0.0), smile.mark), 1e-12)
    return settings.mark_half_spread + settings.price_step / per_point


def _check(underlying: str, smile: Smile, used: Flags, settings: SurfaceSettings) -> None:
    what = ""
    if not smile.tau > 0.0:
        what = "the expiry is not after the time of the quotes"
    elif not (np.isfinite(smile.forward) and smile.forward > 0.0):
        what = f"the forward is {smile.forward:g}"
    elif not (np.diff(smile.strikes) > 0.0).all() or not (smile.strikes > 0.0).all():
        what = "the strikes are not positive and increasing"
    elif used.sum() < settings.fewest_quotes:
        what = f"{int(used.sum())} strikes are quoted and {settings.fewest_quotes} are needed"
    if what:
        raise PlimsollError(
            Code.NO_SURFACE,
            what,
            where=f"{underlying} options expiring at {smile.expiry}",
            remedy="Leave the expiry out, or set its volatilities from a neighbouring one.",
        )
