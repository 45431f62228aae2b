"""How does a crash of the library drive a running venue, with the venue's own forced selling in the price?"""

import logging
import threading
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from plimsoll.domain.bars import HOUR, MINUTE
from plimsoll.domain.events import Effect, Event, Liquidated, Ticked, Unwound
from plimsoll.engine.runner import Runner
from plimsoll.errors import PlimsollError
from plimsoll.scenarios.library import daily_history, path, scenario
from plimsoll.scenarios.scenario import ScenarioPath
from plimsoll.service.instructions import Instruction
from plimsoll.service.records import KeptBar
from plimsoll.service.replayed_options import introduction, with_appetite, with_options
from plimsoll.service.room import EngineRoom
from plimsoll.service.settings import ReplaySettings, ServiceSettings
from plimsoll.sim.bidders import bid_for, wanted_accounts
from plimsoll.sim.curves import WithLiquidity
from plimsoll.sim.market import displacement_of, disturbed_bar
from plimsoll.sim.policies import REFERENCE, policy
from plimsoll.sim.population import Population
from plimsoll.sim.publishing import Publisher, publisher
from plimsoll.sim.replay import Origin, build_stage
from plimsoll.sim.settings import ReplaySettings as StageSettings
from plimsoll.sim.venue import Stage, forced_hours, market_tick, open_venue
from plimsoll.types import Vector

__all__ = ["ReplayFeed", "ReplayedVenue", "opening", "replayed_venue"]

_LOG = logging.getLogger("plimsoll.service")
_PATIENCE = 60.0
"""Seconds that one bar may take to be margined before the feed gives up."""


@dataclass(frozen=True, slots=True)
class ReplayedVenue:
    """What a replay needs: the stage, and a publisher that knows everything before the venue opens."""

    stage: Stage
    publisher: Publisher


def replayed_venue(settings: ServiceSettings) -> ReplayedVenue:
    """Draw the scenario and the accounts; hours before the opening are history."""
    chosen = settings.replay
    entry = scenario(chosen.scenario)
    drawn = path(chosen.scenario, length=chosen.step_minutes * MINUTE, seed=chosen.seed)
    opens = entry.first + round(_begin_hours(chosen) * HOUR)
    before = drawn.bars.between(0, opens)
    after = drawn.bars.between(opens, entry.last)
    origin = Origin(entry.title, entry.summary, entry.source, inputs=(chosen.scenario,))
    history = daily_history(entry.first)
    stage = build_stage(
        origin,
        ScenarioPath(after, drawn.liquidity[len(before) :]),
        history,
        _stage_settings(settings, chosen),
    )
    rates = publisher(policy(REFERENCE, settings.calibration), stage.history, stage.provenance)
    publishing = WithLiquidity(rates, stage.liquidity)
    if len(before) > 0:
        publishing.absorb(before)
    publishing.absorb(disturbed_bar(stage.market.bars, 0, np.zeros(len(after.markets))))
    return ReplayedVenue(stage, publishing)


def _begin_hours(chosen: ReplaySettings) -> float:
    """Find the hour at which the venue opens."""
    if chosen.begin_hours is not None:
        return chosen.begin_hours
    bars = path(chosen.scenario, length=HOUR, seed=chosen.seed).bars
    worst = int(np.argmin(np.nanmean(np.log(bars.close / bars.open), axis=1)))
    return float(max(worst - _HOURS_BEFORE, 0))


_HOURS_BEFORE = 2
"""Time for a venue to be seen in calm before the worst hour."""


def opening(venue: ReplayedVenue, settings: ReplaySettings) -> list[Event]:
    """Give the events that the venue opens with; working them out changes nothing but the publisher."""
    written = _Written()
    further = _with_boards if settings.options else None
    open_venue(Runner(written), venue.stage, venue.publisher, further)
    return written.events


def _with_boards(runner: Runner, population: Population) -> Population:
    """List options, and let some accounts want them."""
    boards = introduction(runner.state, runner.state.time)
    if boards is None:
        return population
    runner.run(boards)
    return with_appetite(population, runner.state, np.random.default_rng(len(population.names)))


class _Written:
    """A journal in memory."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def append(self, event: Event) -> None:
        """Keep the event."""
        self.events.append(event)

    def digest(self) -> str:
        """Nothing is kept beyond the opening, so nothing is digested."""
        return ""


def _stage_settings(settings: ServiceSettings, chosen: ReplaySettings) -> StageSettings:
    return StageSettings(
        policies=(REFERENCE,),
        seed=chosen.seed,
        step_minutes=chosen.step_minutes,
        population=chosen.population,
        market=chosen.market,
        clearing=settings.clearing,
        calibration=settings.calibration,
    )


class ReplayFeed:
    """A thread that sends one bar after the other at the pace asked for.

    Parameters
    ----------
    room : EngineRoom
    stage : Stage
    settings : ReplaySettings
    after : int                Time of the last tick in the state; the replay goes on from there.
    pressure : Vector [M]      What the market had not absorbed when that bar began.
    """

    def __init__(
        self, room: EngineRoom, stage: Stage, settings: ReplaySettings, after: int, pressure: Vector
    ) -> None:
        self._room = room
        self._stage = stage
        self._after = after
        self._pressure = pressure
        self._options = settings.options
        self._rest = stage.market.bars.length / 1000.0 / settings.pace
        self._recovery = 0.5 ** (stage.market.bars.length / HOUR / stage.settings.market.recovery_half_life)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="replay", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self) -> None:
        """Send no more."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        bars = self._stage.market.bars
        rows = np.flatnonzero(bars.ends > self._after)
        self._room.feed = "running"
        try:
            self._send(int(row) for row in rows)
        except (PlimsollError, TimeoutError) as error:
            _LOG.error("replay stopped", extra={"what": str(error)})
            self._room.feed = f"stopped: {error}"

    def _send(self, rows: Iterable[int]) -> None:
        bars = self._stage.market.bars
        last = bars.close[0]
        for row in rows:
            if self._stopping.wait(self._rest):
                self._room.feed = "stopped"
                return
            self._pressure = self._pressure * self._recovery
            last = np.where(np.isnan(bars.close[row]), last, bars.close[row])
            self._pressure = self._pressure + self._sent(row, last)
        self._room.feed = "the replay has come to its end"

    def _sent(self, row: int, last: Vector) -> Vector:
        """Send one bar, wait until it is margined, and give what it sold by force in hours of volume [M]."""
        stage = self._stage
        displacement = displacement_of(self._pressure, stage.market.impact[row])
        tick = market_tick(stage, row, int(stage.market.bars.ends[row]), last * np.exp(displacement))
        if self._options:
            tick = self._with_options(tick)
        bar = disturbed_bar(stage.market.bars, row, displacement)
        done = self._room.submit(Instruction(tick, "replay", bar=KeptBar.of(bar, self._pressure.tolist())))
        forced = forced_hours(stage, row, self._linear(done.result(_PATIENCE).effects))
        self._bid(tick.time)
        return forced

    def _with_options(self, tick: Ticked) -> Ticked:
        """List what is due, and quote all options."""
        boards = introduction(self._room.view.state, tick.time)
        if boards is not None:
            self._room.submit(Instruction(boards, "replay")).result(_PATIENCE)
        return with_options(tick, self._room.view.state)

    def _linear(self, effects: tuple[Effect, ...]) -> tuple[Effect, ...]:
        """Leave out what was sold of options: it moves their own marks and not the market's price."""
        known = {listing.name for listing in self._stage.listings}
        return tuple(
            each for each in effects if not isinstance(each, Liquidated | Unwound) or each.instrument in known
        )

    def _bid(self, time: int) -> None:
        """Let the bidders of the settings bid for what is on the block."""
        bidders = self._stage.settings.market.bidders
        for account in wanted_accounts(self._room.view.state, time, bidders):
            wanted = bid_for(self._room.view.state, int(account), time, bidders)
            if wanted is not None:
                self._room.submit(Instruction(wanted, "replay")).result(_PATIENCE)
