"""Does raising margins in a crash make it worse, and does a rise paced by the guard?"""

from msgspec import structs

from plimsoll.clearing.feedback import Held
from plimsoll.domain.money import QUANTA_PER_UNIT
from plimsoll.domain.parameters import (
    MarketParameters,
    ParameterSet,
    PerPosition,
    Provenance,
    SideParameters,
)
from plimsoll.engine.market_curves import market_depth
from plimsoll.engine.runner import DigestJournal, Runner
from plimsoll.engine.state import State
from plimsoll.sim.caps import Exposure
from plimsoll.sim.cascade import Cast, Plan, run_cascade
from plimsoll.sim.cascade_outcome import CascadeFacts, CascadeSeries
from plimsoll.sim.cascade_settings import CascadeSettings
from plimsoll.sim.held import held_by_traders
from plimsoll.sim.pacing import blended, largest_step
from plimsoll.sim.publishing import Fixed

__all__ = ["RISES", "flat_set", "run_rise"]

RISES = ("none", "abrupt", "guarded")
"""Ways to answer a crash: leave margins alone, raise them at once, raise them as selling finds a market."""

_SECONDS_PER_STEP = 60


def flat_set(cast: Cast, maintenance: float, initial: float, version: int) -> ParameterSet:
    """Charge both sides of every market the same rates; calls lie half-way between them."""
    side = SideParameters(
        maintenance=maintenance,
        call=0.5 * (maintenance + initial),
        initial=initial,
        credit=maintenance,
        initial_credit=maintenance,
    )
    anchor = cast.anchor
    markets = tuple(
        MarketParameters(market, float(price), side, side)
        for market, price in zip(anchor.markets, anchor.prices, strict=True)
    )
    return ParameterSet(
        version=version,
        effective=anchor.start,
        method=PerPosition(markets=markets),
        evidence=(),
        provenance=Provenance(program="plimsoll simulate", settings="", inputs=()),
    ).sealed()


def run_rise(
    way: str, cast: Cast, settings: CascadeSettings, *, maintenance: float, rise: float, second: int
) -> tuple[CascadeFacts, CascadeSeries]:
    """Run a crash at one constant rate, and raise it in one of the ways of `RISES` from a second on.

    Initial margin is one and a half times maintenance at the opening; the rise multiplies both. The guarded
    way publishes once a minute the largest step whose forced selling stays within the budget at the depth of
    that moment, and nothing where no step does.

    Parameters
    ----------
    maintenance : share   Before the rise.
    rise : factor         Of the rates in the end.
    second : int          When the venue begins to raise.
    """
    old = flat_set(cast, maintenance, _INITIAL * maintenance, 1)
    new = flat_set(cast, rise * maintenance, _INITIAL * rise * maintenance, 2)
    plan = _plan(way, cast, old, new, second)
    return run_cascade(
        way, Fixed(old), cast, settings, Runner(DigestJournal()), exposure=Exposure.FREE, plan=plan
    )


_INITIAL = 1.5


def _plan(way: str, cast: Cast, old: ParameterSet, new: ParameterSet, begin: int) -> Plan:
    reached = 0.0

    def abrupt(second: int, _state: State) -> ParameterSet | None:
        return new if way == "abrupt" and second == begin else None

    def guarded(second: int, state: State) -> ParameterSet | None:
        nonlocal reached
        if second < begin or (second - begin) % _SECONDS_PER_STEP != 0 or reached >= 1.0:
            return None
        held: Held = held_by_traders(state)
        current = blended(old, new, reached)
        depth = market_depth(state, cast.columns, len(cast.interest), normal=False) * QUANTA_PER_UNIT
        step = largest_step(held, current, new, cast.listings, cast.columns, depth)
        if step <= 0.0:
            return None
        reached = min(1.0, reached + step * (1.0 - reached))
        version = 2 + (second - begin) // _SECONDS_PER_STEP
        return structs.replace(blended(old, new, reached), version=version).sealed()

    return guarded if way == "guarded" else abrupt
