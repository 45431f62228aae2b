"""What does each part of the guard cost, and what does it give?"""

from collections.abc import Mapping
from dataclasses import dataclass

from msgspec import structs

from plimsoll.backtest.league import MarketLeague, common_rows, play
from plimsoll.backtest.standing import Standing, standings
from plimsoll.backtest.walk import Target, Walk
from plimsoll.calibration.policies import UNGUARDED, RatePolicy
from plimsoll.domain.settings import GuardSettings

__all__ = ["GUARDED", "NO_GUARD", "Variant", "frontier", "variants"]

GUARDED = "with the guard"
NO_GUARD = "without any guard"


@dataclass(frozen=True, slots=True)
class Variant:
    """One setting of the guard.

    Attributes
    ----------
    name : str
    family : str       What is varied: ``part`` for one part switched off, else the setting's name.
    policy : RatePolicy
    """

    name: str
    family: str
    policy: RatePolicy


_SWEEPS: Mapping[str, tuple[float | None, ...]] = {
    "stress_weight": (0.0, 0.25, 0.5, 0.75, 1.0),
    "rise_per_hour": (0.002, 0.005, 0.01, 0.02, None),
    "rise_at_once": (0.0, 0.1, 0.25, 0.5),
    "fall_half_life": (0.0, 6.0, 12.0, 24.0, 72.0),
    "floor_share": (0.0, 0.3, 0.5, 0.7, 0.9),
}

_OFF: Mapping[str, Mapping[str, float | None]] = {
    "without stress blend": {"stress_weight": 0.0},
    "without floor": {"floor_share": 0.0},
    "without rise limit": {"rise_per_hour": None},
    "without slow fall": {"fall_half_life": 0.0},
}


def variants(policy: RatePolicy) -> tuple[Variant, ...]:
    """List the policy's guard, none, each part switched off, and each setting moved alone.

    A policy that has no guard is given the default one.
    """
    guard = GuardSettings() if policy.guard == UNGUARDED else policy.guard

    def changed(**fields: float | None) -> RatePolicy:
        return structs.replace(policy, guard=structs.replace(guard, **fields))

    parts = [
        Variant(GUARDED, "part", changed()),
        Variant(NO_GUARD, "part", structs.replace(policy, guard=UNGUARDED)),
        *(Variant(name, "part", changed(**fields)) for name, fields in _OFF.items()),
    ]
    swept = [
        Variant(f"{setting} {_written(value)}", setting, changed(**{setting: value}))
        for setting, values in _SWEEPS.items()
        for value in values
        if value != getattr(guard, setting)
    ]
    return (*parts, *swept)


def frontier(walks: Mapping[tuple[str, str], Walk], target: Target, *, seed: int) -> tuple[Standing, ...]:
    """Judge all variants on the same windows.

    Parameters
    ----------
    walks : mapping   From market and variant to the walk.

    Returns
    -------
    tuple of Standing   One per variant, in the order of `walks`.
    """
    leagues: list[MarketLeague] = []
    for market in dict.fromkeys(market for market, _ in walks):
        alike = common_rows(tuple(walk for (name, _), walk in walks.items() if name == market))
        leagues.append(play(alike, GUARDED, seed=seed, sets=False))
    return standings(tuple(leagues), target)


def _written(value: float | None) -> str:
    return "none" if value is None else f"{value:g}"
