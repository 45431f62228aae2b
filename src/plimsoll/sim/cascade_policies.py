"""Which policies meet a cascade, what does each publish, and which of them cap exposure?"""

from plimsoll.domain.bars import Bars
from plimsoll.domain.parameters import Level, ParameterSet
from plimsoll.errors import Code, PlimsollError
from plimsoll.sim.caps import Exposure
from plimsoll.sim.cascade import Cast, known_before, opening_margins
from plimsoll.sim.cascade_settings import CascadeSettings
from plimsoll.sim.policies import MATCHED, REFERENCE, flat, policy
from plimsoll.sim.publishing import Fixed, Publisher, Scaled, scaled

__all__ = ["CASCADE_POLICIES", "cascade_parameters", "exposure_of", "matching_factor"]

_CONSTANTS = "static"

_STATIC_GUARDED = "static-guarded"
"""The venue's constants with exposure caps: what the caps do by themselves shows beside it."""

_STATIC_SHRUNK = "static-shrunk"
"""The venue's constants, every position cut by one share to what the caps let in: the caps' placebo."""

_UNGUARDED = "plimsoll-unguarded"
"""The calibrated policy without exposure caps: what the feedback guard adds shows beside it."""

_REFERENCE_MATCHED = "plimsoll-matched"
"""The calibrated rates under exposure caps, all scaled by one factor, so that the mean maintenance before the
shock is not more than the venue's constants ask: what the division over markets and sides adds shows."""

CASCADE_POLICIES = (
    _CONSTANTS,
    _STATIC_GUARDED,
    _STATIC_SHRUNK,
    MATCHED,
    "dynamic",
    _UNGUARDED,
    _REFERENCE_MATCHED,
    REFERENCE,
)

_CAPPED = (_STATIC_GUARDED, _REFERENCE_MATCHED, REFERENCE)
"""Policies that cap exposure where liquidations would feed each other."""

_MARGINED_AS = {_UNGUARDED: REFERENCE, _STATIC_GUARDED: _CONSTANTS, _STATIC_SHRUNK: _CONSTANTS}

_ROUNDS = 30
"""Rounds of matching: three are usual, more where a charge on size, which is not scaled, is most of it."""

_AIM, _LEAST = 0.997, 0.99
"""Shares of the margin to be matched that are aimed at, and that are near enough: caps move in jumps."""


def exposure_of(name: str) -> Exposure:
    """Say what a policy lets in."""
    if name == _STATIC_SHRUNK:
        return Exposure.SHRUNK
    return Exposure.CAPPED if name in _CAPPED else Exposure.FREE


def cascade_parameters(name: str, cast: Cast, settings: CascadeSettings, history: Bars) -> Publisher:
    """Let a policy learn from history and from the hours before the shock.

    A matched policy is matched anew for every cast, at the opening.

    Raises
    ------
    PlimsollError   `UNKNOWN_POLICY`.
    """

    def known(other: str) -> Publisher:
        return known_before(policy(other, settings.calibration), cast, history)

    if name == MATCHED:
        shares = opening_margins(known(REFERENCE), cast, settings, exposure=Exposure.FREE)
        return known_before(flat(shares[Level.MAINTENANCE], shares[Level.INITIAL]), cast, history)
    if name == _REFERENCE_MATCHED:
        shares = opening_margins(known(_CONSTANTS), cast, settings, exposure=Exposure.FREE)
        target = shares[Level.MAINTENANCE]
        return Scaled(known(REFERENCE), lambda first: matching_factor(first, target, cast, settings))
    return known(_MARGINED_AS.get(name, name))


def matching_factor(parameters: ParameterSet, target: float, cast: Cast, settings: CascadeSettings) -> float:
    """Find the factor on all rates at which the capped book asks for a mean maintenance of `target` at most.

    What is let in depends on the rates, and what is capped on what is let in, so it takes rounds. Where none
    comes near enough, the nearest below is taken.

    Parameters
    ----------
    target : share   Of notional.

    Raises
    ------
    PlimsollError   `BAD_SETTING` where what is not scaled, a charge on size, asks for more by itself.
    """
    factor, found = 1.0, (0.0, 0.0)
    for _ in range(_ROUNDS):
        asked = opening_margins(Fixed(scaled(parameters, factor)), cast, settings, exposure=Exposure.CAPPED)
        share = asked[Level.MAINTENANCE]
        if share <= target:
            found = max(found, (share, factor))
        if _LEAST * target <= share <= target:
            break
        factor *= _AIM * target / share
    if found[1] == 0.0:
        raise PlimsollError(
            Code.BAD_SETTING,
            f"no factor on the calibrated rates asks for as little as {target:.2%} of notional",
            where="policy plimsoll-matched",
            remedy="Switch calibration.size_charge off, or leave the policy out.",
        )
    return found[1]
