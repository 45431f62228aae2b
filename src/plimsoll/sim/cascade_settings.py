"""What does a simulated cascade depend on, and which fact fixed each figure?"""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from plimsoll.domain.settings import CalibrationSettings, ClearingRules
from plimsoll.sim.settings import DEPTH_SHARE, PopulationSettings

__all__ = [
    "CascadeSettings",
    "FlowSettings",
    "MakerSettings",
    "OwnerSettings",
    "ShockSettings",
]

Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Positive = Annotated[float, Meta(gt=0.0)]
NotNegative = Annotated[float, Meta(ge=0.0)]
Seconds = Annotated[float, Meta(gt=0.0, le=86_400.0)]


class ShockSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the value outside the venue moves; `docs/theory/liquidation-cascade.md` says which fact fixed what.

    Attributes
    ----------
    seconds : count            How long is simulated.
    onset_second : count       When the fall begins.
    fall_seconds : seconds     How long the fall takes, in a smooth step.
    fall_spread : deviations   Standard deviation of its size and of its length over seeds, in logs.
    share : share              Of the scenario's deepest fall within an hour, in logs, that news brought; the
                               rest is the venue's own doing. Above 1 for harder news than was.
    recovery_half_life : seconds   Of what the scenario's hour won back.
    noise_per_hour : log       Standard deviation of an hour's return without news.
    correlation : share        Between the noises of two markets.
    """

    seconds: Annotated[int, Meta(ge=60, le=86_400)] = 3_600
    onset_second: Annotated[int, Meta(ge=0, le=86_400)] = 600
    fall_seconds: Seconds = 270.0
    fall_spread: Annotated[float, Meta(ge=0.0, le=1.0)] = 0.1
    share: Annotated[float, Meta(ge=0.0, le=2.0)] = 0.72
    recovery_half_life: Seconds = 220.0
    noise_per_hour: Positive = 0.006
    correlation: Share = 0.8


class MakerSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What market makers quote, and when they leave.

    Attributes
    ----------
    depth : share              Quote notional that moves a price by 1 % in normal times, per side, over the
                               open interest that accounts want in that market.
    refresh_per_second : factor   Of that depth, traded again each second: what forced selling is paced by.
    withdrawal : factor        Exponent of the ratio of volatility to normal that depth falls with.
    least_depth : share        Of normal depth, that never leaves.
    volatility_half_life : seconds   Memory of the makers' volatility.
    withdrawal_half_life, return_half_life : seconds   How fast quotes leave, and come back.
    risk_budget : factor       Inventory, over normal depth of all markets together, at which makers of every
                               market quote nothing but the least depth.
    inventory_half_life : seconds   In which they lay inventory off elsewhere.
    resilience_half_life : seconds  In which full quotes bring half of a displaced price back.
    """

    depth: Positive = DEPTH_SHARE
    refresh_per_second: Positive = 1.6
    withdrawal: NotNegative = 0.56
    least_depth: Annotated[float, Meta(gt=0.0, le=1.0)] = 0.02
    volatility_half_life: Seconds = 20.0
    withdrawal_half_life: Seconds = 3.0
    return_half_life: Seconds = 300.0
    risk_budget: Positive = 7.0
    inventory_half_life: Seconds = 600.0
    resilience_half_life: Seconds = 4.0


class FlowSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who else trades; positions are shares of the open interest that accounts want in a market.

    Attributes
    ----------
    trend_share : share            Most that trend followers hold either way.
    trend_half_life : seconds      Memory of the trend.
    trend_width : log              Smoothed return over the half-life at which three quarters are in.
    arbitrage_share : share        Most that arbitrage buys below value, or sells above it.
    arbitrage_width : log          Distance from value at which all of it is in.
    speed_half_life : seconds      In which both trade half of what they want.
    """

    trend_share: Share = 0.005
    trend_half_life: Seconds = 60.0
    trend_width: Positive = 0.01
    arbitrage_share: Share = 0.2
    arbitrage_width: Positive = 0.1
    speed_half_life: Seconds = 20.0


class OwnerSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who answers a call.

    Attributes
    ----------
    answering_share : share    Of accounts that can and do pay in.
    reserve : share            Of what they paid in at first, that they can add.
    delay_seconds : seconds    Median time to answer; exponential.
    """

    answering_share: Share = 0.3
    reserve: NotNegative = 0.5
    delay_seconds: Seconds = 120.0


def _venue_rules() -> ClearingRules:
    """Liquidate as a venue did on 10 October 2025: at once as far as the book goes, then by the queue."""
    return ClearingRules(allocation="queue", participation=0.4)


class CascadeSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that a simulated cascade depends on besides the scenario.

    Attributes
    ----------
    policies : tuple of str     In the order shown: see `sim.policies`.
    seeds : count               Runs per policy; run k has the seed ``seed + k``.
    seed : int                  Of the first run: of accounts, shock and owners.
    fund_share : share          Insurance fund at the start over open interest wanted.
    backstop_share : share      Cash of the backstop, over the same.
    """

    policies: tuple[str, ...] = ("static", "plimsoll")
    seeds: Annotated[int, Meta(ge=1, le=10_000)] = 10
    seed: Annotated[int, Meta(ge=0)] = 1
    fund_share: Share = 0.0003
    backstop_share: Share = 0.003
    population: PopulationSettings = msgspec.field(default_factory=PopulationSettings)
    shock: ShockSettings = msgspec.field(default_factory=ShockSettings)
    makers: MakerSettings = msgspec.field(default_factory=MakerSettings)
    flows: FlowSettings = msgspec.field(default_factory=FlowSettings)
    owners: OwnerSettings = msgspec.field(default_factory=OwnerSettings)
    clearing: ClearingRules = msgspec.field(default_factory=_venue_rules)
    calibration: CalibrationSettings = msgspec.field(default_factory=CalibrationSettings)
