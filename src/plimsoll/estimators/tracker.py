"""How does a slow multiplier bring coverage back to what was promised?"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from msgspec import Meta, Struct

from plimsoll.types import Flags, Vector

__all__ = ["TrackerSettings", "TrackerState", "begin_tracker", "track", "update_tracker"]


class TrackerSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How fast the multiplier learns.

    Attributes
    ----------
    share : share   Promised share of breaches.
    step : log      What one breach adds to the logarithm of the multiplier.
    most : log      The multiplier stays between its inverse and this.
    """

    share: Annotated[float, Meta(gt=0.0, lt=1.0)] = 0.005
    step: Annotated[float, Meta(gt=0.0, le=0.1)] = 0.002
    most: Annotated[float, Meta(gt=0.0, le=2.0)] = 0.7


@dataclass(frozen=True, slots=True)
class TrackerState:
    """Logarithm of the multiplier."""

    log: float

    @property
    def multiplier(self) -> float:
        """What the rate is multiplied by."""
        return float(np.exp(self.log))


def begin_tracker() -> TrackerState:
    """Start at one."""
    return TrackerState(0.0)


def update_tracker(state: TrackerState, settings: TrackerSettings, *, breached: bool) -> TrackerState:
    r"""Learn from one window that is complete.

    .. math:: m \leftarrow \mathrm{clip}(m + \eta\, (1[\text{breach}] - p),\; \pm m_{max})

    While the bounds are not met, the share of breaches in any T windows in a row is p up to
    :math:`(m_T - m_0) / (\eta T)`, whatever the data: no assumption on their distribution is made.

    Source: Gibbs and Candes (2021), Adaptive conformal inference under distribution shift; Angelopoulos,
    Candes and Tibshirani (2023), Conformal PID control.
    """
    moved = state.log + settings.step * ((1.0 if breached else 0.0) - settings.share)
    return TrackerState(min(max(moved, -settings.most), settings.most))


def track(
    state: TrackerState, settings: TrackerSettings, rates: Vector, excursions: Vector, delay: int
) -> tuple[TrackerState, Vector, Flags]:
    """Multiply T rates, each judged when its window of `delay` rows is over.

    Parameters
    ----------
    rates, excursions : Vector [T]   NaN excursions teach nothing.

    Returns
    -------
    state, multiplied : Vector [T], breached : Flags [T]   Row t uses excursions of rows up to t - delay only.
    """
    multiplied, breached = np.empty(len(rates)), np.zeros(len(rates), dtype=np.bool_)
    for t in range(len(rates)):
        if t >= delay and not np.isnan(excursions[t - delay]):
            breached[t - delay] = excursions[t - delay] > multiplied[t - delay]
            state = update_tracker(state, settings, breached=bool(breached[t - delay]))
        multiplied[t] = rates[t] * state.multiplier
    return state, multiplied, breached
