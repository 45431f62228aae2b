"""Which parameters does a policy publish, and when?"""

from abc import ABC, abstractmethod
from collections.abc import Callable

from msgspec import structs

from plimsoll.calibration import absorb, begin, propose
from plimsoll.domain.bars import HOUR, Bars
from plimsoll.domain.parameters import ParameterSet, Provenance, SideParameters, StaticTiers
from plimsoll.errors import Code, PlimsollError
from plimsoll.sim.policies import Calibrated, Constant, Policy

__all__ = ["Fixed", "Publisher", "Scaled", "publisher", "scaled"]


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


class Scaled(Publisher):
    """Publishes another's sets with all rates scaled by one factor, chosen by the first of them."""

    def __init__(self, inner: Publisher, choose: Callable[[ParameterSet], float]) -> None:
        self._inner = inner
        self._choose = choose
        self._factor: float | None = None

    def absorb(self, bar: Bars) -> None:
        """Show the bar to the other."""
        self._inner.absorb(bar)

    def published(self, time: int) -> ParameterSet | None:
        """Publish when the other does."""
        found = self._inner.published(time)
        if found is None:
            return None
        if self._factor is None:
            self._factor = self._choose(found)
        return scaled(found, self._factor)


def scaled(parameters: ParameterSet, factor: float) -> ParameterSet:
    """Multiply every rate of a calibrated set by one factor; how they stand to each other stays.

    Raises
    ------
    PlimsollError   `BAD_SETTING` for constants by size, which have no rates by market.
    """
    method = parameters.method
    if isinstance(method, StaticTiers):
        raise PlimsollError(
            Code.BAD_SETTING,
            "constants by size are no calibrated rates",
            where="parameters",
            remedy="Scale a set that `plimsoll calibrate --out` wrote.",
        )

    def side(rates: SideParameters) -> SideParameters:
        return SideParameters(
            **{name: factor * getattr(rates, name) for name in SideParameters.__struct_fields__}
        )

    markets = tuple(
        structs.replace(entry, long=side(entry.long), short=side(entry.short)) for entry in method.markets
    )
    return structs.replace(parameters, method=structs.replace(method, markets=markets)).sealed()


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
