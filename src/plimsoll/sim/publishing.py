"""Which parameters does a policy publish, and when?"""

from abc import ABC, abstractmethod

from plimsoll.calibration import absorb, begin, propose
from plimsoll.domain.bars import HOUR, Bars
from plimsoll.domain.parameters import ParameterSet, Provenance
from plimsoll.sim.policies import Calibrated, Constant, Policy

__all__ = ["Fixed", "Publisher", "publisher"]


class Publisher(ABC):
    """Turns bars into parameter sets."""

    @abstractmethod
    def absorb(self, bar: Bars) -> None:
        """Learn from a bar as it was traded, forced selling and all."""

    @abstractmethod
    def published(self, time: int) -> ParameterSet | None:
        """Give the set that is due now (milliseconds UTC), or None; the first call always gives one."""


class Fixed(Publisher):
    """Publishes one set, at the opening."""

    def __init__(self, parameters: ParameterSet) -> None:
        self._parameters: ParameterSet | None = parameters

    def absorb(self, bar: Bars) -> None:
        """Learn nothing: the set is given."""

    def published(self, time: int) -> ParameterSet | None:  # noqa: ARG002  always due
        """Publish once, whenever it is first asked for."""
        due, self._parameters = self._parameters, None
        return due


class _Constants(Publisher):
    def __init__(self, chosen: Constant, provenance: Provenance) -> None:
        self._method = chosen.tiers
        self._provenance = provenance
        self._done = False

    def absorb(self, bar: Bars) -> None:
        """Learn nothing: constants do not change."""

    def published(self, time: int) -> ParameterSet | None:
        """Publish once."""
        if self._done:
            return None
        self._done = True
        return ParameterSet(
            version=1, effective=time, method=self._method, evidence=(), provenance=self._provenance
        ).sealed()


class _Calibration(Publisher):
    def __init__(self, chosen: Calibrated, history: Bars, provenance: Provenance) -> None:
        self._method = chosen.method
        self._provenance = provenance
        self._state = absorb(begin(history.markets, chosen.settings), history)
        self._hour = -1

    def absorb(self, bar: Bars) -> None:
        """Show the bar to the calibrator."""
        self._state = absorb(self._state, bar)

    def published(self, time: int) -> ParameterSet | None:
        """Publish once in every hour, at the first moment of it that is seen."""
        if time // HOUR == self._hour:
            return None
        self._hour = time // HOUR
        parameters, self._state = propose(self._state, self._method, self._provenance)
        return parameters


def publisher(chosen: Policy, history: Bars, provenance: Provenance) -> Publisher:
    """Start publishing for a policy that knows this history."""
    if isinstance(chosen, Constant):
        return _Constants(chosen, provenance)
    return _Calibration(chosen, history, provenance)
