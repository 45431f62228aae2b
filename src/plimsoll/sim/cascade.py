"""How does a crash run through a venue when its own forced selling makes the price?"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from plimsoll.domain.bars import MINUTE, Bars
from plimsoll.domain.events import Effect, Liquidated, Ticked, Unwound
from plimsoll.domain.instruments import Listing, Spot
from plimsoll.domain.market_liquidity import MarketLiquidity
from plimsoll.domain.money import QUANTA_PER_UNIT
from plimsoll.domain.parameters import Level, ParameterSet, Provenance, StaticTiers, Tier
from plimsoll.engine.market_curves import market_depth
from plimsoll.engine.runner import DigestJournal, Runner
from plimsoll.engine.state import State
from plimsoll.sim.caps import Exposure, capped_lots, shrunk_lots
from plimsoll.sim.cascade_outcome import CascadeFacts, CascadeSeries
from plimsoll.sim.cascade_record import CascadeRecord
from plimsoll.sim.cascade_settings import CascadeSettings
from plimsoll.sim.curves import WithLiquidity, quoted_liquidity, with_liquidity
from plimsoll.sim.held import held_by_traders
from plimsoll.sim.market import columns_of, forced_trade
from plimsoll.sim.market_makers import Quoted, begin_market, flow_at, move_market
from plimsoll.sim.opening import Endowment, enter, list_and_endow, publish
from plimsoll.sim.owners import Owners, draw_owners, heard, paid_in
from plimsoll.sim.policies import Policy
from plimsoll.sim.population import Population, admitted_lots, draw_population, list_instruments
from plimsoll.sim.publishing import Publisher, publisher
from plimsoll.sim.shock import Anchor, draw_value
from plimsoll.types import Matrix, Rows, Vector

__all__ = [
    "Cast",
    "Plan",
    "Situation",
    "advance",
    "begin",
    "draw_cast",
    "known_before",
    "opening_margins",
    "run_cascade",
]

_SECOND = 1000
_SECONDS_PER_MINUTE = 60

Plan = Callable[[int, State], ParameterSet | None]
"""Gives the set that a venue publishes after a second (count, state), or None."""


@dataclass(frozen=True, slots=True)
class Cast:
    """What a run begins with, the same for every policy.

    Attributes
    ----------
    anchor : Anchor
    listings : tuple [I]; columns : Rows [I]
    population : Population
    owners : Owners
    interest : Vector [M]    Open interest that accounts want, quote units.
    value : Matrix [T + 1, M]   Log of value outside over its start.
    seed : int
    brought : bool           Whether positions are open already, and enter whatever margin would admit.
    """

    anchor: Anchor
    listings: tuple[Listing, ...]
    columns: Rows
    population: Population
    owners: Owners
    interest: Vector
    value: Matrix
    seed: int
    brought: bool = False

    @property
    def traded(self) -> np.ndarray:
        """Say which instruments are positions; the others are collateral: Flags [I]."""
        return np.array([not isinstance(entry.instrument, Spot) for entry in self.listings])


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything outside the engine that the next second depends on. A value: a run can go on from it.

    Attributes
    ----------
    second : int
    market : Quoted
    forced : Vector [M]   What the venue traded by force in that second, quote units, negative where sold.
    owners : Owners
    """

    second: int
    market: Quoted
    forced: Vector
    owners: Owners


def draw_cast(anchor: Anchor, settings: CascadeSettings, seed: int) -> Cast:
    """Draw accounts, owners and the shock; the same seed draws the same."""
    children = np.random.SeedSequence(seed).spawn(3)
    accounts, shock, behaviour = (np.random.default_rng(child) for child in children)
    listings = list_instruments(anchor.markets, anchor.prices)
    columns = columns_of(listings, anchor.markets)
    unit = np.array([entry.lot for entry in listings]) * anchor.prices[columns] * QUANTA_PER_UNIT
    population = draw_population(settings.population, listings, unit, accounts)
    interest = np.zeros(len(anchor.markets))
    np.add.at(interest, columns, population.interest(unit))
    return Cast(
        anchor=anchor,
        listings=listings,
        columns=columns,
        population=population,
        owners=draw_owners(population.deposits, settings.owners, behaviour),
        interest=np.maximum(interest, _LEAST_INTEREST * interest.sum()),
        value=draw_value(anchor, settings.shock, shock),
        seed=seed,
    )


_LEAST_INTEREST = 0.01
"""A market that hardly any account wants is as deep as one that holds this share of all open interest."""


def begin(cast: Cast, settings: CascadeSettings) -> Situation:
    """Start before the first second: at value, with full depth."""
    markets = len(cast.interest)
    return Situation(0, begin_market(markets, settings), np.zeros(markets), cast.owners)


def advance(
    cast: Cast, settings: CascadeSettings, situation: Situation, runner: Runner
) -> tuple[Situation, tuple[Effect, ...], int]:
    """Let one second pass, always in this order.

    1. Orders of the second before move the price; makers look at it and quote anew.
    2. Owners whose answer is due pay in, in one event.
    3. The engine values every account at the new marks and does what their statuses ask for, in one event.
    4. Owners hear who was called.

    Returns
    -------
    situation : Situation
    effects : tuple of Effect
    answers : int   Accounts that paid in.
    """
    second = situation.second + 1
    market, _ = move_market(situation.market, cast.value[second], situation.forced, cast.interest, settings)
    time = cast.anchor.start + second * _SECOND
    owners, deposit = paid_in(situation.owners, runner.state, second, time)
    if deposit is not None:
        runner.run(deposit)
    effects = runner.run(_tick(cast, settings, market, time))
    owners = heard(owners, effects, runner.state, second)
    forced = np.zeros(len(cast.interest))
    for effect in effects:
        if isinstance(effect, Liquidated | Unwound):
            place, notional = forced_trade(effect, cast.listings)
            forced[cast.columns[place]] += notional
    answers = 0 if deposit is None else len(deposit.accounts)
    return Situation(second, market, forced, owners), effects, answers


def run_cascade(
    name: str,
    parameters: Publisher,
    cast: Cast,
    settings: CascadeSettings,
    runner: Runner,
    *,
    exposure: Exposure,
    believed: float = 1.0,
    plan: Plan | None = None,
) -> tuple[CascadeFacts, CascadeSeries]:
    """Run one policy from the opening to the last second.

    Parameters
    ----------
    parameters : Publisher   Of the policy, with what it knows before the shock.
    runner : Runner          Of a venue at its beginning.
    exposure : Exposure   What the venue lets in.
    believed : factor   Depth that the caps are set for, over the normal depth there is.
    plan : Plan      What is published instead of the policy's own sets after the opening.
    """
    situation = begin(cast, settings)
    normal = settings.makers.depth * cast.interest
    liquidity = _liquidity(cast, settings)
    parameters = WithLiquidity(parameters, liquidity)
    if cast.brought:
        _bring(runner, parameters, cast, settings)
    else:
        _open(runner, parameters, cast, settings)
        enter(runner, cast.population, _admitted(cast, runner.state, exposure, believed))
    anchor = cast.anchor
    record = CascadeRecord(anchor.markets, cast.columns, anchor.prices, normal, settings.shock.seconds)
    record.opened(runner.state)
    minute = _Minute(cast)
    for _ in range(settings.shock.seconds):
        situation, effects, answers = advance(cast, settings, situation, runner)
        record.answered(answers)
        record.after_second(situation.second, situation.market, runner.state, effects)
        time = cast.anchor.start + situation.second * _SECOND
        bar = minute.after_second(situation)
        if bar is not None:
            parameters.absorb(bar)
        if plan is not None:
            due = plan(situation.second, runner.state)
            publish(runner, None if due is None else with_liquidity(due, liquidity), time)
        elif bar is not None:
            publish(runner, parameters.published(time), time)
    return record.facts(name, cast.seed, runner.journal.digest()), record.series()


_PROGRAM = "plimsoll simulate"


def opening_margins(
    parameters: Publisher, cast: Cast, settings: CascadeSettings, *, exposure: Exposure
) -> tuple[float, ...]:
    """Say what is required at the opening of what is let in, over its notional, per `Level`."""
    runner = Runner(DigestJournal())
    _open(runner, WithLiquidity(parameters, _liquidity(cast, settings)), cast, settings)
    model, unit = runner.state.model_in_force, runner.state.unit
    notional = _admitted(cast, runner.state, exposure) * unit
    gross = float(np.abs(notional[:, cast.traded]).sum())
    return tuple(float(model.requirement(notional, level).sum()) / gross for level in Level)


def known_before(chosen: Policy, cast: Cast, history: Bars) -> Publisher:
    """Let a policy learn from history and from the scenario's hours before the shock."""
    provenance = Provenance(program=_PROGRAM, settings="", inputs=())
    parameters = publisher(chosen, history.aligned(cast.anchor.markets), provenance)
    parameters.absorb(cast.anchor.before)
    return parameters


def _open(runner: Runner, parameters: Publisher, cast: Cast, settings: CascadeSettings) -> None:
    """Open the venue and publish its first parameters; nobody has entered yet."""
    _endow(runner, cast, settings)
    publish(runner, parameters.published(cast.anchor.start), cast.anchor.start)


def _bring(runner: Runner, parameters: Publisher, cast: Cast, settings: CascadeSettings) -> None:
    """Let everything enter that is open already, under rates of zero, and only then publish."""
    _endow(runner, cast, settings)
    free = StaticTiers(tiers=(Tier(up_to=1.0, maintenance=0.0, initial=0.0),))
    provenance = Provenance(program=_PROGRAM, settings="", inputs=())
    start = cast.anchor.start
    unbound = ParameterSet(version=0, effective=start, method=free, evidence=(), provenance=provenance)
    publish(runner, unbound.sealed(), start)
    enter(runner, cast.population, cast.population.collateral + cast.population.wanted)
    publish(runner, parameters.published(start), start)


def _endow(runner: Runner, cast: Cast, settings: CascadeSettings) -> None:
    opening = _tick(cast, settings, begin(cast, settings).market, cast.anchor.start)
    endowment = Endowment(settings.fund_share, settings.backstop_share)
    list_and_endow(runner, opening, cast.listings, settings.clearing, cast.population, endowment)


class _Minute:
    """Gathers prices into bars of a minute, which is what calibration sees."""

    def __init__(self, cast: Cast) -> None:
        self._cast = cast
        self._prices = [cast.anchor.prices]

    def after_second(self, situation: Situation) -> Bars | None:
        """Give the bar that ends with this second, if one does."""
        self._prices.append(self._cast.anchor.prices * np.exp(situation.market.log_price))
        if situation.second % _SECONDS_PER_MINUTE != 0:
            return None
        prices = np.array(self._prices)
        self._prices = [prices[-1]]
        end = self._cast.anchor.start + situation.second * _SECOND
        return Bars(
            markets=self._cast.anchor.markets,
            length=MINUTE,
            times=np.array([end - MINUTE]),
            open=prices[:1],
            high=prices.max(axis=0)[None],
            low=prices.min(axis=0)[None],
            close=prices[-1:],
            volume=np.full((1, prices.shape[1]), np.nan),
        )


def _liquidity(cast: Cast, settings: CascadeSettings) -> tuple[MarketLiquidity, ...]:
    return quoted_liquidity(cast.anchor.markets, cast.interest, settings.makers, settings.calibration)


def _admitted(cast: Cast, state: State, exposure: Exposure, believed: float = 1.0) -> np.ndarray:
    model, unit = state.model_in_force, state.unit
    lots = admitted_lots(cast.population, model, unit)
    if exposure is Exposure.FREE:
        return lots
    held = replace(held_by_traders(state), cash=_cash_after(cast, lots, unit), lots=lots)
    depth = believed * market_depth(state, cast.columns, len(cast.interest), normal=True)
    capped, _ = capped_lots(held, cast.traded, cast.columns, depth * QUANTA_PER_UNIT)
    return capped if exposure is Exposure.CAPPED else shrunk_lots(held, cast.traded, capped)


def _cash_after(cast: Cast, lots: np.ndarray, unit: Vector) -> np.ndarray:
    """Give what is left of deposits once everything is bought, so that equity is what was paid in."""
    left: np.ndarray = cast.population.deposits - np.ceil(lots * unit).astype(np.int64).sum(axis=1)
    return left


def _tick(cast: Cast, settings: CascadeSettings, market: Quoted, time: int) -> Ticked:
    prices = cast.anchor.prices * np.exp(market.log_price)
    columns = cast.columns
    volume, impact = flow_at(cast.interest, market.share, settings.makers)
    return Ticked(
        time,
        tuple(prices[columns].tolist()),
        tuple(volume[columns].tolist()),
        tuple(impact[columns].tolist()),
        tuple(market.share[columns].tolist()),
    )
