"""What of a parameter set goes on chain, rounded which way?"""

import hashlib
import math
from collections.abc import Mapping

import msgspec

from plimsoll.chain.twin.rates import ONE, Bounds, MarketRates, SideRates, after_one_rise
from plimsoll.domain.parameters import (
    MarketParameters,
    ParameterSet,
    SideEvidence,
    SideParameters,
    StaticTiers,
)
from plimsoll.errors import Code, PlimsollError

__all__ = ["digest_of", "evidence_of", "market_name", "projected"]

_NAME_BYTES = 32


def market_name(name: str) -> bytes:
    """Write a market's name in 32 bytes, as contracts know it."""
    return name.encode("ascii").ljust(_NAME_BYTES, b"\0")


def digest_of(parameters: ParameterSet) -> bytes:
    """Give the set's own digest in bytes."""
    return bytes.fromhex(parameters.digest)


def evidence_of(parameters: ParameterSet) -> bytes:
    """Give the SHA-256 of the set's evidence and provenance: what was known, and by what it was judged."""
    return hashlib.sha256(msgspec.msgpack.encode((parameters.evidence, parameters.provenance))).digest()


def projected(parameters: ParameterSet, bounds: Mapping[str, Bounds]) -> tuple[MarketRates, ...]:
    """Write the rates of a set's markets in billionths, never rounded in a trader's favour.

    Rates round up. A floor is the evidence's, no higher than maintenance, which it may exceed while a rise is
    being paced. Initial margin covers at least the most that the next update may raise maintenance by. What
    hedges credit is not used on chain: there a market hedges itself alone.

    Raises
    ------
    PlimsollError   `MISSING_PARAMETERS` for a market without any; `BAD_SETTING` for constants by size.
    """
    if isinstance(parameters.method, StaticTiers):
        raise PlimsollError(
            Code.BAD_SETTING,
            "constants by size do not go on chain",
            where="parameters",
            remedy="Publish a calibrated set: run plimsoll calibrate.",
        )
    known = {market.market: market for market in parameters.method.markets}
    floors = {(each.market, each.side): each for each in parameters.evidence}
    for name in bounds:
        if name not in known:
            raise PlimsollError(
                Code.MISSING_PARAMETERS,
                f"the parameter set has no market {name}",
                where="parameters",
                remedy=f"Calibrate {name} as well; the set knows {', '.join(known)}.",
            )
    return tuple(_market(known[name], floors, each) for name, each in bounds.items())


def _market(
    market: MarketParameters, floors: Mapping[tuple[str, str], SideEvidence], bounds: Bounds
) -> MarketRates:
    sides = (
        _side(side, floors.get((market.market, name)), bounds)
        for name, side in (("long", market.long), ("short", market.short))
    )
    return MarketRates(market_name(market.market), *sides)


def _side(side: SideParameters, evidence: SideEvidence | None, bounds: Bounds) -> SideRates:
    maintenance = min(max(_billionths_up(side.maintenance), bounds.least), bounds.most)
    floor = _billionths_up(evidence.floor) if evidence else bounds.least
    call = min(max(_billionths_up(side.call), maintenance), bounds.most)
    initial = max(_billionths_up(side.initial), call, after_one_rise(maintenance, bounds))
    return SideRates(
        floor=max(min(floor, maintenance), bounds.least),
        maintenance=maintenance,
        call=call,
        initial=min(initial, bounds.most),
    )


def _billionths_up(rate: float) -> int:
    return math.ceil(rate * ONE)
