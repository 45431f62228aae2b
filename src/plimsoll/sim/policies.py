"""Which ways of setting margin are compared?"""

from dataclasses import dataclass
from typing import TypeAlias

from msgspec import structs

from plimsoll.domain.parameters import CrossMargin, PerPosition, StaticTiers, Tier
from plimsoll.domain.settings import CalibrationSettings, GuardSettings
from plimsoll.errors import Code, PlimsollError

__all__ = ["MATCHED", "POLICIES", "REFERENCE", "Calibrated", "Constant", "Policy", "flat", "policy"]

MATCHED = "static-matched"
"""One constant for all markets and sizes, set with hindsight to the mean margin that `REFERENCE` asked for;
its initial margin stands to maintenance as that policy's did when the venue opened."""

REFERENCE = "plimsoll"

POLICIES = ("static", MATCHED, "dynamic", REFERENCE)

_BOUNDLESS = 1e12
"""Upper end, in quote units, of a tier that has none."""

_VENUE_TIERS = StaticTiers(
    tiers=(
        Tier(up_to=50_000.0, maintenance=0.01, initial=0.02),
        Tier(up_to=250_000.0, maintenance=0.02, initial=0.04),
        Tier(up_to=1_000_000.0, maintenance=0.03, initial=0.06),
        Tier(up_to=5_000_000.0, maintenance=0.05, initial=0.10),
        Tier(up_to=20_000_000.0, maintenance=0.10, initial=0.20),
        Tier(up_to=_BOUNDLESS, maintenance=0.15, initial=0.30),
    )
)
"""Brackets in the middle of what large venues publish for their main markets: 50x for small positions, 3x for
the largest. The exact figures differ by venue and month; `static-matched` takes their level out of the
comparison."""


@dataclass(frozen=True, slots=True)
class Constant:
    """First generation: tiers that never change."""

    tiers: StaticTiers


@dataclass(frozen=True, slots=True)
class Calibrated:
    """Second and third generation: parameters published every hour."""

    settings: CalibrationSettings
    method: type[PerPosition] | type[CrossMargin]


Policy: TypeAlias = Constant | Calibrated

_UNGUARDED = GuardSettings(
    stress_weight=0.0,
    floor_share=0.0,
    rise_per_hour=None,
    fall_half_life=0.0,
    notice_hours=0.0,
    initial_buffer=1.5,
)
"""What an oracle-driven venue does: follow the estimate up and down at once."""


def flat(maintenance: float, initial: float) -> Constant:
    """Charge every position the same two rates."""
    return Constant(StaticTiers(tiers=(Tier(up_to=_BOUNDLESS, maintenance=maintenance, initial=initial),)))


def policy(name: str, settings: CalibrationSettings) -> Policy:
    """Look up a policy that stands on its own.

    Parameters
    ----------
    settings : CalibrationSettings   What the calibrated policies use.

    Raises
    ------
    PlimsollError   `UNKNOWN_POLICY`.
    """
    if name == "static":
        return Constant(_VENUE_TIERS)
    if name == "dynamic":
        return Calibrated(structs.replace(settings, guard=_UNGUARDED), PerPosition)
    if name == REFERENCE:
        return Calibrated(settings, CrossMargin)
    raise PlimsollError(
        Code.UNKNOWN_POLICY,
        f"no policy {name}",
        where="policy",
        remedy=f"Choose among {', '.join(POLICIES)}.",
    )
