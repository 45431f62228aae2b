"""Which ways of setting a rate can be compared, each by its name?"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from msgspec import Struct

from plimsoll.domain.settings import CalibrationSettings, GuardSettings
from plimsoll.errors import Code, PlimsollError
from plimsoll.estimators.combination import Combination
from plimsoll.estimators.forecasts import VarianceForecaster
from plimsoll.estimators.garch import RefittedGarch
from plimsoll.estimators.har import Har
from plimsoll.estimators.realised import Realised
from plimsoll.estimators.smoothed import Smoothed

__all__ = ["DEFAULT", "OWN", "RATE_POLICIES", "UNGUARDED", "RatePolicy", "own_policy", "rate_policy"]

HALF_YEAR = 4_380
TWO_YEARS = 17_520
"""Hours, and so excursion windows, that a quantile is taken over."""

DEFAULT = "fhs-har-plus"

OWN = "own"
"""What is walked under a venue's own settings."""

UNGUARDED = GuardSettings(
    stress_weight=0.0,
    floor_share=0.0,
    rise_per_hour=None,
    fall_half_life=0.0,
    notice_hours=0.0,
    jump_deviations=None,
)
"""Follow the estimate up and down at once."""


class RatePolicy(Struct, frozen=True, kw_only=True):
    """How excursions are measured, and which quantile of them is asked.

    Attributes
    ----------
    forecaster   Of the variance; its volatility over the horizon is what excursions are divided by.
    tail         ``historical`` takes the excursions themselves, ``normal`` a Brownian motion's, ``filtered``
                 those in units of the scale.
    fallback     What stands in until the forecaster has learnt enough.
    windows : count   Excursions that the quantile is taken over.
    guard : GuardSettings
    """

    forecaster: VarianceForecaster
    fallback: Smoothed = Smoothed()
    tail: Literal["historical", "normal", "filtered"] = "filtered"
    windows: int = TWO_YEARS
    guard: GuardSettings = UNGUARDED


RATE_POLICIES: Mapping[str, RatePolicy] = MappingProxyType(
    {
        "historical": RatePolicy(
            forecaster=Realised(window_hours=720.0), tail="historical", windows=HALF_YEAR
        ),
        "normal-ewma": RatePolicy(forecaster=Smoothed(decay_per_hour=0.94), tail="normal"),
        "fhs-ewma": RatePolicy(forecaster=Smoothed()),
        "garch-t-fhs": RatePolicy(forecaster=RefittedGarch()),
        "fhs-har": RatePolicy(forecaster=Har(enriched=False)),
        "fhs-har-plus-unguarded": RatePolicy(forecaster=Har()),
        DEFAULT: RatePolicy(forecaster=Har(), guard=GuardSettings()),
        "combination": RatePolicy(forecaster=Combination()),
    }
)


def own_policy(settings: CalibrationSettings, bar_hours: float) -> RatePolicy:
    """Give what calibration under these settings publishes for a lone position in a grown market.

    Parameters
    ----------
    bar_hours : hours   Length of a bar, which `decay_per_bar` is the least weight of the past for.
    """
    least = settings.decay_per_bar ** (1.0 / bar_hours)
    average = Smoothed(decay_per_hour=max(settings.decay_per_hour, least))
    return RatePolicy(
        forecaster=average if settings.forecaster == "ewma" else Har(),
        fallback=average,
        windows=settings.residual_windows,
        guard=settings.guard,
    )


def rate_policy(name: str) -> RatePolicy:
    """Find a policy by its name; raises `UNKNOWN_POLICY`."""
    if name not in RATE_POLICIES:
        raise PlimsollError(
            Code.UNKNOWN_POLICY,
            f"no policy {name}",
            where="policy",
            remedy=f"Choose among {', '.join(RATE_POLICIES)}; --settings brings {OWN}.",
        )
    return RATE_POLICIES[name]
