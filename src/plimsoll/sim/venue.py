"""What happens at a venue under one policy, bar by bar?"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from plimsoll.domain.bars import HOUR, Bars
from plimsoll.domain.events import Effect, Liquidated, Ticked, Unwound
from plimsoll.domain.instruments import Listing
from plimsoll.domain.market_liquidity import MarketLiquidity
from plimsoll.domain.parameters import Provenance
from plimsoll.engine.runner import Journal, Runner
from plimsoll.sim.attribution import Attribution
from plimsoll.sim.bidders import bid_for, bidders_open, wanted_accounts
from plimsoll.sim.curves import WithLiquidity
from plimsoll.sim.market import Undisturbed, displacement_of, disturbed_bar, forced_trade
from plimsoll.sim.opening import Endowment, enter, list_and_endow, publish
from plimsoll.sim.outcome import PolicyOutcome
from plimsoll.sim.policies import Policy
from plimsoll.sim.population import Population, admitted_lots
from plimsoll.sim.publishing import Publisher, publisher
from plimsoll.sim.record import Record
from plimsoll.sim.settings import BidderSettings, ReplaySettings
from plimsoll.types import Rows, Vector

__all__ = ["Further", "Progress", "Stage", "forced_hours", "market_tick", "open_venue", "run_policy"]

Progress = Callable[[str, int, int], None]
"""Called with the policy's name, the bars done and the bars in all."""

_REPORT_EVERY = 16
"""Bars between two reports of progress."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What all policies share.

    Attributes
    ----------
    listings : tuple [I]
    columns : Rows [I]      Market of each listing.
    market : Undisturbed
    history : Bars          What calibration knows before the first bar, of the same markets.
    population : Population
    settings : ReplaySettings
    provenance : Provenance
    liquidity : tuple of MarketLiquidity   In every set that is published.
    """

    listings: tuple[Listing, ...]
    columns: Rows
    market: Undisturbed
    history: Bars
    population: Population
    settings: ReplaySettings
    provenance: Provenance
    liquidity: tuple[MarketLiquidity, ...]


def run_policy(
    name: str, chosen: Policy, stage: Stage, journal: Journal, progress: Progress
) -> PolicyOutcome:
    """Run one policy from the opening of the venue to the last bar.

    In each bar the market moves, with what is left of earlier forced selling in the price; the engine values
    every account and sells what it must; calibration sees the bar as it was traded; on the hour it publishes.
    What is sold in a bar shows in the price from the next bar on.
    """
    bars = stage.market.bars
    parameters = WithLiquidity(publisher(chosen, stage.history, stage.provenance), stage.liquidity)
    pressure = np.zeros(len(bars.markets))
    parameters.absorb(disturbed_bar(bars, 0, pressure))
    runner = Runner(journal)
    open_venue(runner, stage, parameters)
    attribution = Attribution(stage.settings.calibration.guard.notice_hours)
    attribution.remember(runner.state)
    record = Record(name, stage.columns, bars, runner.state)
    recovery = 0.5 ** (bars.length / HOUR / stage.settings.market.recovery_half_life)
    last = bars.close[0]
    for row in range(1, len(bars)):
        time = int(bars.ends[row])
        pressure = pressure * recovery
        displacement = displacement_of(pressure, stage.market.impact[row])
        last = np.where(np.isnan(bars.close[row]), last, bars.close[row])
        before = runner.state
        effects = runner.run(market_tick(stage, row, time, last * np.exp(displacement)))
        effects = (*effects, *_bids(runner, time, stage.settings.market.bidders))
        attribution.judge(before, runner.state, effects)
        parameters.absorb(disturbed_bar(bars, row, displacement))
        if publish(runner, parameters.published(time), time):
            attribution.remember(runner.state)
        record.after_bar(row, runner.state, effects)
        pressure = pressure + forced_hours(stage, row, effects)
        if row % _REPORT_EVERY == 0 or row == len(bars) - 1:
            progress(name, row + 1, len(bars))
    return record.outcome(attribution.share, journal.digest())


def _bids(runner: Runner, time: int, settings: BidderSettings) -> tuple[Effect, ...]:
    """Let one bidder bid for each account on the block that is worth it."""
    effects: tuple[Effect, ...] = ()
    for row in wanted_accounts(runner.state, time, settings):
        wanted = bid_for(runner.state, int(row), time, settings)
        if wanted is not None:
            effects = (*effects, *runner.run(wanted))
    return effects


Further = Callable[[Runner, Population], Population]
"""Called before accounts enter: may list more and give back what they want of it."""


def open_venue(runner: Runner, stage: Stage, parameters: Publisher, further: Further | None = None) -> None:
    """Let the accounts pay in and take the positions that initial margin allows."""
    population, settings = stage.population, stage.settings
    time = int(stage.market.bars.ends[0])
    tick = market_tick(stage, 0, time, stage.market.bars.close[0])
    endowment = Endowment(settings.market.fund_share, settings.market.backstop_share)
    list_and_endow(runner, tick, stage.listings, settings.clearing, population, endowment)
    publish(runner, parameters.published(time), time)
    if further is not None:
        population = further(runner, population)
    enter(runner, population, admitted_lots(population, runner.state.model_in_force, runner.state.unit))
    interest = float(population.interest(runner.state.unit).sum())
    for event in bidders_open(time, settings.market.bidders, interest):
        runner.run(event)


def market_tick(stage: Stage, row: int, time: int, prices: Vector) -> Ticked:
    """Say what the market shows in one bar, at prices [M] with forced selling in them."""
    columns, market = stage.columns, stage.market
    left = float(market.depth[row])
    return Ticked(
        time,
        tuple(prices[columns].tolist()),
        tuple(market.volume[row, columns].tolist()),
        tuple(market.impact[row, columns].tolist()),
        () if left == 1.0 else (left,) * len(columns),
    )


def forced_hours(stage: Stage, row: int, effects: tuple[Effect, ...]) -> Vector:
    """Add up what one bar's effects traded by force, in hours of each market's volume: Vector [M].

    Negative where it was sold.
    """
    notional = np.zeros(len(stage.market.bars.markets))
    for effect in effects:
        if isinstance(effect, Liquidated | Unwound):
            place, traded = forced_trade(effect, stage.listings)
            notional[stage.columns[place]] += traded
    volume = stage.market.volume[row]
    hours: Vector = np.divide(notional, volume, out=np.zeros(len(notional)), where=volume > 0.0)
    return hours
