"""What do parameters ask while a market's price is old, or its sources disagree?

    multiplier     = max(age ladder at the seconds since a fresh price,
                         spread ladder at the widest spread of the last `spread_seconds`)
    initial_raised = min(initial * multiplier, 10)

and nothing else changes: no call and no liquidation follows from doubt about a price, so a rise needs no
notice; nobody takes new risk or withdraws at such a price without holding more for it. docs/decisions/0016.
"""

from collections import deque
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from plimsoll.domain.oracle import raised_by
from plimsoll.domain.parameters import MarketParameters, ParameterSet, SideParameters, StaticTiers
from plimsoll.service.settings import PriceSettings

__all__ = ["Doubt", "asks_the_same", "is_raised", "raised_for_doubt"]

_SECOND = 1000

_HIGHEST = 10.0
"""Bound of a rate in a parameter set."""
_NOTE = "price in doubt: "


class Doubt:
    """When each market last had a fresh price, and how far its sources were apart.

    Parameters
    ----------
    settings : PriceSettings
    markets : sequence of str
    since : int   Milliseconds UTC from which the age of a price counts that was never fresh.
    """

    def __init__(self, settings: PriceSettings, markets: Sequence[str], since: int) -> None:
        self._settings = settings
        self._fresh = dict.fromkeys(markets, since)
        self._spreads: dict[str, deque[tuple[int, float]]] = {market: deque() for market in markets}

    def saw(self, spreads: Mapping[str, float | None], now: int) -> None:
        """Note the spread of every market that has a fresh price; None of one that has none."""
        for market, spread in spreads.items():
            if spread is not None:
                self._fresh[market] = now
                self._note(self._spreads[market], spread, now)

    def ages(self, now: int) -> dict[str, float]:
        """Give the seconds since each market had a fresh price."""
        return {market: max(0.0, (now - fresh) / _SECOND) for market, fresh in self._fresh.items()}

    def widest(self, now: int) -> dict[str, float]:
        """Give the widest spread of each market that counts now; 0 where none does."""
        first = now - self._settings.spread_seconds * _SECOND
        return {
            market: max((spread for at, spread in tuple(seen) if at >= first), default=0.0)
            for market, seen in self._spreads.items()
        }

    def multipliers(self, now: int) -> dict[str, float]:
        """Give the factor on the initial margin of each market, 1 where its price is beyond doubt."""
        ages, widest = self.ages(now), self.widest(now)
        return {
            market: max(
                raised_by(self._settings.age_steps, ages[market]),
                raised_by(self._settings.spread_steps, widest[market]),
            )
            for market in self._fresh
        }

    def _note(self, seen: deque[tuple[int, float]], spread: float, now: int) -> None:
        """Keep what may still become the widest: later ones that are wider outlive all before."""
        while seen and (seen[-1][1] <= spread):
            seen.pop()
        seen.append((now, spread))
        while seen[0][0] < now - self._settings.spread_seconds * _SECOND:
            seen.popleft()


def raised_for_doubt(
    parameters: ParameterSet, multipliers: Mapping[str, float], version: int
) -> ParameterSet:
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
