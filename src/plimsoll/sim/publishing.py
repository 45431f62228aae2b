"""Which parameters does a policy publish, and when?"""

from typing import Protocol

from plimsoll.calibration import absorb, begin, propose
from plimsoll.domain.bars import HOUR, Bars
from plimsoll.domain.parameters import ParameterSet, Provenance
from plimsoll.sim.policies import Calibrated, Constant, Policy

__all__ = ["Publisher", "publisher"]


class Publisher(Protocol):
    """Turns bars into parameter sets."""

    def absorb(self, bar: Bars) -> None:
        """Show a bar as it was traded, forced selling and all."""

    def first(self, time: int) -> ParameterSet:
        """Give the parameters under which the venue opens."""

    def due(self, time: int) -> ParameterSet | None:
        """Give new parameters where this moment has any."""


class _Constants:
    """Publishes once."""

    def __init__(self, chosen: Constant, provenance: Provenance) -> None:
        self._chosen = chosen
        self._provenance = provenance

    def absorb(self, bar: Bars) -> None:
        pass

    def first(self, time: int) -> ParameterSet:
        return ParameterSet(
            version=1, effective=time, method=self._chosen.tiers, evidence=(), provenance=self._provenance
        ).sealed()

    def due(self, time: int) -> ParameterSet | None:
        return None


class _Calibration:
    """Publishes every hour, or every bar where bars are longer."""

    def __init__(self, chosen: Calibrated, history: Bars, provenance: Provenance) -> None:
        self._method = chosen.method
        self._provenance = provenance
        self._state = absorb(begin(history.markets, chosen.settings), history)

    def absorb(self, bar: Bars) -> None:
        self._state = absorb(self._state, bar)

    def first(self, time: int) -> ParameterSet:
        parameters, self._state = propose(self._state, self._method, self._provenance)
        return parameters

    def due(self, time: int) -> ParameterSet | None:
        return self.first(time) if time % HOUR == 0 else None


def publisher(chosen: Policy, history: Bars, provenance: Provenance) -> Publisher:
    """Start publishing for a policy that knows this history."""
    if isinstance(chosen, Constant):
        return _Constants(chosen, provenance)
    return _Calibration(chosen, history, provenance)
