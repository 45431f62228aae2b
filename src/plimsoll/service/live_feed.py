"""How do live sources and reporters drive a running venue, and what happens while they are silent?

A thread of its own listens to all sources. Every `tick_seconds` it makes one tick of what they said, and of
what reporters agree on, and sends it to the engine the way the API would. A market without a fresh price
keeps its mark, is named in the feed's state, has its initial margin raised by the age of its price, and
teaches calibration nothing; with no fresh price at all there is no tick. Where its sources disagree, initial
margin is raised likewise.
"""

import asyncio
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import NamedTuple

from msgspec import Struct

from plimsoll.domain.events import Event, Published, Ticked
from plimsoll.domain.observations import Fault
from plimsoll.domain.parameters import ParameterSet
from plimsoll.errors import PlimsollError
from plimsoll.feeds.depth_left import DepthReading
from plimsoll.feeds.gates import GateSettings
from plimsoll.feeds.live import LiveSettings, run_source
from plimsoll.feeds.sources import Source
from plimsoll.feeds.ticks import TickBuilder
from plimsoll.feeds.waiting import Waiting
from plimsoll.service.bar_builder import BarBuilder, without
from plimsoll.service.doubtful_prices import Doubt, asks_the_same, is_raised, raised_for_doubt
from plimsoll.service.instructions import Instruction
from plimsoll.service.live_sources import open_source, tick_settings
from plimsoll.service.records import KeptBar
from plimsoll.service.reporters import Reporters
from plimsoll.service.room import EngineRoom
from plimsoll.service.settings import REPORTERS, ServiceSettings

__all__ = ["Doubted", "LiveFeed", "SourceLine", "wall_clock"]

_LOG = logging.getLogger("plimsoll.service")
_WRITER = "sources"
_SECOND = 1000


class SourceLine(Struct, frozen=True, kw_only=True):
    """How a source does.

    Attributes
    ----------
    kind : str
    state : str         ``heard``, ``silent``, ``waiting`` for the first price, or why it ended.
    last : int          When the last value that was believed came, milliseconds UTC; 0 before the first.
    believed : int      Values taken; of states that came between two ticks only the newest counts.
    refused : dict      What was not believed, by fault.
    depth : dict        By market that has a cost curve: what its books show of the curve's depth, and why.
    """

    name: str
    kind: str
    state: str
    last: int
    believed: int
    refused: dict[str, int]
    depth: dict[str, DepthReading]


class Doubted(NamedTuple):
    """How far a market's price is to be trusted.

    Attributes
    ----------
    age : float          Seconds since it was fresh.
    spread : float       How far its sources were apart lately, as a share of the mark.
    multiplier : float   On initial margin.
    """

    age: float
    spread: float
    multiplier: float


def wall_clock() -> int:
    """Give the time, milliseconds UTC."""
    return time.time_ns() // 1_000_000


class LiveFeed:
    """The sources of the settings, and the thread that listens to them.

    Parameters
    ----------
    room : EngineRoom
    settings : ServiceSettings
    bars : BarBuilder           Makes bars of the ticks.
    calibrated : ParameterSet   In force while prices are beyond doubt, until calibration publishes the next.
    clock : callable            Milliseconds UTC.

    Attributes
    ----------
    reporters : Reporters or None   Where the settings name any.

    Raises
    ------
    PlimsollError   `BAD_SETTING`, `MISSING_EXTRA`: a source that cannot be opened at all.
    """

    def __init__(
        self,
        room: EngineRoom,
        settings: ServiceSettings,
        bars: BarBuilder,
        calibrated: ParameterSet,
        clock: Callable[[], int] = wall_clock,
    ) -> None:
        state = room.view.state
        began = clock()
        self._room = room
        self._settings = settings
        self._bars = bars
        self._held: set[str] = set()
        self._calibrated = calibrated
        self._clock = clock
        self._sources = {name: open_source(name, chosen) for name, chosen in settings.sources.items()}
        self._builder = TickBuilder(tick_settings(settings, state.listings), began)
        self._underlying = [listing.underlying for listing in state.listings]
        self._waiting = Waiting(settings.prices.waiting_trades)
        self._doubt = Doubt(settings.prices, self._underlying, state.ticked or began)
        chosen = settings.reports
        self.reporters = Reporters(chosen, settings.external.markets, clock) if chosen is not None else None
        self._last: Counter[str] = Counter()
        self._believed: Counter[str] = Counter()
        self._ended: dict[str, str] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="sources", daemon=True)
        self.refused_events = 0

    def start(self) -> None:
        """Begin to listen."""
        self._room.feed = "waiting for the sources"
        self._thread.start()

    def stop(self) -> None:
        """Send no more."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def lines(self) -> tuple[SourceLine, ...]:
        """Say how each source does; may be called from any thread."""
        now, counts = self._clock(), self._waiting.counts.copy()
        lines = tuple(self._line(name, now, counts) for name in self._settings.sources)
        return lines if self.reporters is None else (*lines, self._reporters_line(self.reporters))

    def doubts(self) -> dict[str, Doubted]:
        """Say how far each market's price is to be trusted; may be called from any thread."""
        now = self._clock()
        ages, widest, factors = self._doubt.ages(now), self._doubt.widest(now), self._doubt.multipliers(now)
        return {market: Doubted(ages[market], widest[market], factors[market]) for market in ages}

    def _line(self, name: str, now: int, counts: Mapping[tuple[str, Fault], int]) -> SourceLine:
        chosen, last = self._settings.sources[name], self._last[name]
        silent = now - last > chosen.longest_age * _SECOND
        return SourceLine(
            name=name,
            kind=chosen.kind,
            state=self._ended.get(name) or ("waiting" if last == 0 else "silent" if silent else "heard"),
            last=last,
            believed=self._believed[name],
            refused={str(fault): count for (source, fault), count in counts.items() if source == name},
            depth={market: heard[name] for market, heard in self._builder.readings.items() if name in heard},
        )

    def _reporters_line(self, reporters: Reporters) -> SourceLine:
        agreed = all(line.has_quorum for line in reporters.lines())
        return SourceLine(
            name=REPORTERS,
            kind="reports",
            state="waiting" if reporters.last == 0 else "heard" if agreed else "silent",
            last=reporters.last,
            believed=reporters.taken,
            refused={str(fault): count for fault, count in reporters.refused.copy().items()},
            depth={},
        )

    def _work(self) -> None:
        """Listen until told to stop; an error that nobody foresaw ends the thread, and readers hear of it."""
        try:
            asyncio.run(self._listen())
        finally:
            self._room.feed = (
                "stopped" if self._stopping.is_set() else "stopped: the sources failed, see the log"
            )

    async def _listen(self) -> None:
        async with asyncio.TaskGroup() as group:
            listening = [group.create_task(self._hear(name, one)) for name, one in self._sources.items()]
            listening.append(group.create_task(self._take()))
            while not self._stopping.is_set():
                await asyncio.sleep(self._settings.prices.tick_seconds)
                await self._step(self._clock())
            for task in listening:
                task.cancel()

    async def _hear(self, name: str, source: Source) -> None:
        chosen = self._settings.sources[name]
        try:
            await run_source(
                source,
                self._waiting,
                gate=GateSettings(longest_age=chosen.longest_age),
                live=LiveSettings(silent_seconds=chosen.silent_seconds),
                clock=self._clock,
            )
        except PlimsollError as error:
            _LOG.error("source ended", extra={"source": name, "code": error.code, "what": str(error)})
            self._ended[name] = f"ended: {error.what}"

    async def _take(self) -> None:
        while True:
            taken = await self._waiting.take()
            for said in taken:
                self._believed[said.source] += 1
                self._last[said.source] = max(self._last[said.source], said.received)
            self._builder.take(taken)

    async def _step(self, now: int) -> None:
        """Raise or lower initial margin by the doubt about prices, then tick."""
        if self.reporters is not None:
            self._builder.take(self.reporters.prices(now))
        marks = self._builder.marks(now)
        missing = {market for market, mark in zip(self._underlying, marks, strict=True) if mark is None}
        self._doubt.saw(dict(zip(self._underlying, self._builder.spreads(now), strict=True)), now)
        await self._ask_for_more(now)
        self._room.feed = self._state(missing)
        held = self._room.view.state.market.marks.tolist()
        filled = [known if mark is None else mark for mark, known in zip(marks, held, strict=True)]
        if len(missing) < len(set(self._underlying)) and all(mark > 0.0 for mark in filled):
            tick = self._builder.tick_at(now, filled, self._volatility())
            await self._send(tick, self._bar(tick, missing))

    def _volatility(self) -> dict[str, float]:
        """Give what calibration forecast of each market, log per square root of an hour."""
        base = self._room.calibrated or self._calibrated
        return {entry.market: entry.volatility for entry in base.evidence}

    def _bar(self, tick: Ticked, missing: set[str]) -> KeptBar | None:
        """Give the bar that a tick finishes, without the markets that had no fresh price all along."""
        bar = self._bars.finished(tick)
        if bar is not None:
            markets = self._settings.external.markets
            bar = without(bar, {column for column, name in enumerate(markets) if name in self._held})
            self._held = set()
        self._held |= missing
        return bar

    async def _ask_for_more(self, now: int) -> None:
        """Publish what doubt about each market's price asks for, where that is not in force already."""
        base = self._room.calibrated or self._calibrated
        in_force = self._room.view.state.parameters
        if in_force is None:
            return
        factors = self._doubt.multipliers(now)
        wanted = raised_for_doubt(base, factors, in_force.version + 1)
        if (is_raised(wanted) or is_raised(in_force)) and not asks_the_same(wanted, in_force):
            _LOG.warning("initial margin follows the doubt about prices", extra={"factors": factors})
            await self._send(Published(now, wanted))

    async def _send(self, event: Event, bar: KeptBar | None = None) -> None:
        """Wait until the engine has taken it; what it refuses is counted, and the next moment tries again."""
        try:
            await asyncio.wrap_future(self._room.submit(Instruction(event, _WRITER, bar=bar)))
        except PlimsollError as error:
            self.refused_events += 1
            _LOG.warning("sources refused", extra={"code": error.code, "what": str(error)})

    def _state(self, missing: set[str]) -> str:
        if not missing:
            return "running"
        ages = self._doubt.ages(self._clock())
        old = ", ".join(f"{market} ({ages[market]:.0f} s)" for market in sorted(missing))
        return f"degraded: no fresh price of {old}"
