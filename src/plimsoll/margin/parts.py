"""Out of which parts does a requirement consist?"""

import math

from msgspec import Struct

from plimsoll.domain.parameters import Level

__all__ = ["Part", "Requirement", "ScenarioProfit"]


class Part(Struct, frozen=True, forbid_unknown_fields=True):
    """One charge, not negative; a requirement is the sum of its parts."""

    name: str
    amount: float


class ScenarioProfit(Struct, frozen=True, forbid_unknown_fields=True):
    """What the whole portfolio gains (or loses, negative) in one scenario, before any factor."""

    name: str
    profit: float


class Requirement(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one portfolio must hold at a level, and why.

    Attributes
    ----------
    profile : str        Whose parameters.
    level : Level
    equity : float       Cash, collateral and positions at the mark.
    parts : tuple of Part
    worst : str          What decided the largest loss: a scenario, or `basis`.
    scenarios : tuple of ScenarioProfit
    """

    profile: str
    level: Level
    equity: float
    parts: tuple[Part, ...]
    worst: str
    scenarios: tuple[ScenarioProfit, ...]

    @property
    def required(self) -> float:
        """Give the sum of the parts."""
        return math.fsum(part.amount for part in self.parts)

    @property
    def excess(self) -> float:
        """Give what is left of equity, negative below the requirement; venues publish it as margin."""
        return self.equity - self.required

    def part(self, name: str) -> float:
        """Give the amount of one part, 0 where it is not charged."""
        return math.fsum(part.amount for part in self.parts if part.name == name)
