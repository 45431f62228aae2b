"""What do parameters ask while a market's price is old?

    initial_raised = min(initial * multiplier, 10)

and nothing else changes: no call and no liquidation follows from the age of a price, so a rise needs no
notice; nobody takes new risk or withdraws at an old price without holding more for it. docs/decisions/0016.
"""

from collections.abc import Mapping

from msgspec.structs import replace

from plimsoll.domain.parameters import MarketParameters, ParameterSet, SideParameters, StaticTiers

__all__ = ["asks_the_same", "is_raised", "raised_for_age"]

_HIGHEST = 10.0
"""Bound of a rate in a parameter set."""
_NOTE = "price age: "


def raised_for_age(parameters: ParameterSet, multipliers: Mapping[str, float], version: int) -> ParameterSet:
    """Give a calibrated set with the initial margin of some markets raised, as that version.

    Parameters
    ----------
    multipliers : dict   By market, >= 1; of others nothing changes.
    """
    method = parameters.method
    raised = {market: factor for market, factor in multipliers.items() if factor > 1.0}
    if isinstance(method, StaticTiers):
        factor = max(raised.values(), default=1.0)
        tiers = tuple(replace(tier, initial=_raised(tier.initial, factor)) for tier in method.tiers)
        changed: object = replace(method, tiers=tiers)
    else:
        changed = replace(method, markets=tuple(_market(each, raised) for each in method.markets))
    notes = tuple(f"{_NOTE}initial margin of {name} x {raised[name]:g}" for name in sorted(raised))
    provenance = replace(parameters.provenance, inputs=(*parameters.provenance.inputs, *notes))
    return replace(parameters, version=version, method=changed, provenance=provenance).sealed()


def is_raised(parameters: ParameterSet) -> bool:
    """Whether initial margin is raised for the age of a price."""
    return any(name.startswith(_NOTE) for name in parameters.provenance.inputs)


def asks_the_same(one: ParameterSet, other: ParameterSet) -> bool:
    """Whether two sets of one calibration ask the same; their joint scenarios are not compared."""
    if isinstance(one.method, StaticTiers) or isinstance(other.method, StaticTiers):
        return one.method == other.method
    return one.method.markets == other.method.markets


def _market(market: MarketParameters, raised: Mapping[str, float]) -> MarketParameters:
    factor = raised.get(market.market)
    if factor is None:
        return market
    return replace(market, long=_side(market.long, factor), short=_side(market.short, factor))


def _side(side: SideParameters, factor: float) -> SideParameters:
    return replace(side, initial=_raised(side.initial, factor))


def _raised(rate: float, factor: float) -> float:
    return min(rate * factor, _HIGHEST)
