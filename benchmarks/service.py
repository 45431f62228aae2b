"""Does a running service margin a large venue within its tick, and answer while it does?

`python benchmarks/service.py [SECONDS]`: 100,000 accounts in 50 markets and 200 ticks a second; a second
process asks for the margin of random accounts 500 times a second and, all along, for an endpoint that does
nothing. The service works as `plimsoll serve` does: snapshots at their default interval, stress tests and
branching ratios computed again and again. The default is 20 seconds; 300 is what the target is stated for.

What is left out: ticks are put into the engine's queue within the process, whole and without a key, so no
HTTP, no reading of a body and no audit is in their time, and those that wait share a commit; through the API
each has a commit of its own. No tick finishes a bar, so nothing is calibrated or published meanwhile. Nobody
trades, and no client listens to the stream. Questions do come over HTTP, on kept connections.

Every tick and every request has a moment at which it is due, whatever became of those before it, and its time
counts from then. The target is for a machine with two free cores: what others take of it is printed beside
the figures.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import uvicorn

from plimsoll.domain.bars import HOUR, Bars
from plimsoll.domain.events import Event, Funded, Listed, Opened, Published, Ticked, Traded
from plimsoll.domain.money import QUANTA_PER_UNIT
from plimsoll.domain.parameters import Provenance
from plimsoll.domain.settings import CalibrationSettings, ClearingRules
from plimsoll.engine.machine import begin, step
from plimsoll.service.application import application
from plimsoll.service.desk import Described, Desk
from plimsoll.service.insight import look_until
from plimsoll.service.instructions import Instruction
from plimsoll.service.records import Answer, Records
from plimsoll.service.room import EngineRoom
from plimsoll.service.settings import LimitSettings, ServiceSettings
from plimsoll.service.threads import take_short_turns
from plimsoll.service.tokens import FILE, Scope, Tokens, issue
from plimsoll.sim.policies import REFERENCE, policy
from plimsoll.sim.population import admitted_lots, draw_population, list_instruments
from plimsoll.sim.publishing import Publisher, publisher
from plimsoll.sim.settings import PopulationSettings
from plimsoll.store.location import open_store
from plimsoll.types import Vector

__all__ = ["main"]

ACCOUNTS = 100_000
MARKETS = 50
TICKS_PER_SECOND = 200
REQUESTS_PER_SECOND = 500
SECONDS = 20.0
IDLE_REQUESTS_PER_SECOND = 50
CONNECTIONS = 8
SEED = 5
HISTORY = 2_000
TICK_SIZE = 2e-4
"""Standard deviation of a market's move from tick to tick: 0.02 % four times a second, 0.04 % a second."""
SPARE = 0.15
"""Share of its notional that each account pays in beyond what admits it: a venue on a calm day."""


@dataclass(frozen=True)
class Venue:
    """What the run needs of the venue that was opened."""

    publisher: Publisher
    names: tuple[str, ...]
    prices: Vector
    events: list[Event]


def history(generator: np.random.Generator) -> Bars:
    """Draw hourly bars of markets that move together."""
    common = 0.006 * generator.standard_normal((HISTORY, 1))
    closes = 100.0 * np.exp(np.cumsum(common + 0.008 * generator.standard_normal((HISTORY, MARKETS)), axis=0))
    opens = np.vstack([np.full(MARKETS, 100.0), closes[:-1]])
    return Bars(
        markets=tuple(f"C{number:02}" for number in range(MARKETS)),
        length=HOUR,
        times=1_700_000_000_000 // HOUR * HOUR + HOUR * np.arange(HISTORY),
        open=opens,
        high=np.maximum(opens, closes) * 1.003,
        low=np.minimum(opens, closes) * 0.997,
        close=closes,
        volume=np.full((HISTORY, MARKETS), np.nan),
    )


def opened() -> Venue:
    """Work out the events that the venue opens with."""
    generator = np.random.default_rng(SEED)
    bars = history(generator)
    publishing = publisher(
        policy(REFERENCE, CalibrationSettings()), bars, Provenance(program="bench", settings="", inputs=())
    )
    now, prices = int(bars.ends[-1]), bars.close[-1]
    listings = list_instruments(bars.markets, prices)
    unit = np.array([listing.lot for listing in listings]) * prices * QUANTA_PER_UNIT
    drawn = draw_population(PopulationSettings(accounts=ACCOUNTS), listings, unit, generator)
    first = publishing.published(now)
    assert first is not None  # noqa: S101 the first call always publishes
    events: list[Event] = [
        Listed(now, listings, ClearingRules()),
        Opened(now, drawn.names, tuple(drawn.deposits.tolist())),
        tick(now, prices),
        Funded(now, 10**15, 10**17),
        Published(now, first),
    ]
    state = begin()
    for event in events:
        state, _ = step(state, event)
    lots = admitted_lots(drawn, state.model_in_force, state.unit)
    spare = np.floor(SPARE * np.abs(lots) @ unit).astype(np.int64)
    events[1] = Opened(now, drawn.names, tuple((drawn.deposits + spare).tolist()))
    events.append(Traded(now, tuple(prices.tolist()), drawn.names, tuple(map(tuple, lots.tolist()))))
    return Venue(publishing, drawn.names, prices, events)


def tick(time_: int, marks: Vector) -> Ticked:
    """Give a tick of a market that is liquid everywhere."""
    return Ticked(time_, tuple(marks.tolist()), (1e9,) * MARKETS, (0.01,) * MARKETS)


@dataclass
class Heard:
    """What came back for the ticks that were sent."""

    applied: int = 0
    late: list[float] = field(default_factory=list)

    def hear(self, answer: "Future[Answer]") -> None:
        """Count a tick that was applied; called in the engine's thread."""
        self.applied += answer.exception() is None


def send_ticks(room: EngineRoom, seconds: float) -> Heard:
    """Send ticks of one market each when they are due, whatever becomes of them, and wait for the last."""
    generator = np.random.default_rng(SEED + 1)
    marks, clock = np.array(room.view.state.market.marks), room.view.state.time
    began, heard = time.perf_counter() + 1.0 / TICKS_PER_SECOND, Heard()
    last: Future[Answer] = Future()
    for number in range(round(seconds * TICKS_PER_SECOND)):
        due = began + number / TICKS_PER_SECOND
        time.sleep(max(0.0, due - time.perf_counter()))
        marks[number % MARKETS] *= np.exp(TICK_SIZE * generator.standard_normal())
        clock += 1000 // TICKS_PER_SECOND
        order = Instruction(tick(clock, marks), "bench", received=due)
        heard.late.append(time.perf_counter() - due)
        last = room.submit(order)
        last.add_done_callback(heard.hear)
    last.result(60.0)
    if not np.array_equal(room.view.state.market.marks, marks):
        raise RuntimeError("the view does not show the last tick")
    return heard


async def asked(
    port: int, token: str, paths: list[str], per_second: float, seconds: float, began: float
) -> list[float]:
    """Ask over kept connections at a steady rate; a request that starts late counts from when it was due."""
    taken: list[float] = []
    waiting = asyncio.Queue[tuple[float, str]]()

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while True:
            due, path = await waiting.get()
            if not path:
                break
            writer.write(
                f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\n\r\n".encode()
            )
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
            if not head.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(head.decode())
            taken.append(time.perf_counter() - due)
        writer.close()

    async def dealt() -> None:
        for number in range(round(seconds * per_second)):
            due = began + number / per_second
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            waiting.put_nowait((due, paths[number % len(paths)]))
        for _ in range(CONNECTIONS):
            waiting.put_nowait((0.0, ""))

    await asyncio.gather(dealt(), *(one() for _ in range(CONNECTIONS)))
    return taken


async def asked_both(port: int, token: str, seconds: float) -> dict[str, list[float]]:
    """Ask for margins, and for nothing beside them."""
    generator = np.random.default_rng(SEED + 2)
    asked_for = generator.integers(0, ACCOUNTS, round(seconds * REQUESTS_PER_SECOND))
    margins = [f"/v1/accounts/A{number:06d}/margin" for number in asked_for]
    began = time.perf_counter() + 0.1
    found = await asyncio.gather(
        asked(port, token, margins, REQUESTS_PER_SECOND, seconds, began),
        asked(port, token, ["/v1/health"], IDLE_REQUESTS_PER_SECOND, seconds, began),
    )
    return {"margin": found[0], "nothing": found[1]}


def ask_process(port: int, token: str, seconds: float) -> None:
    """Be the second process."""
    found = asyncio.run(asked_both(port, token, seconds))
    print(json.dumps({**found, "busy": [time.process_time() / seconds]}))


def service(folder: Path, venue: Venue) -> tuple[Desk, str]:
    """Put the parts of a service together around the opened venue."""
    limits = LimitSettings(requests_per_second=1e6, burst=1_000_000)
    settings = ServiceSettings(limits=limits)
    records = Records(folder / "desk.sqlite")
    room = EngineRoom(
        settings.engine,
        settings.store,
        open_store(folder / "journal.sqlite", writing=True),
        records,
        publisher=venue.publisher,
        markets=tuple(f"C{number:02}" for number in range(MARKETS)),
        builder=None,
    )
    room.resume()
    room.open(venue.events)
    room.start()
    presented, token = issue("bench", (Scope.READ,), 1.0)
    tokens = Tokens(folder / FILE)
    tokens.lend(token)
    described = Described(title="bench", narrative="", replayed=True)
    desk = Desk(
        settings=settings,
        tokens=tokens,
        records=records,
        described=described,
        program="plimsoll 0",
        room=room,
    )
    return desk, presented


@dataclass
class Clocks:
    """Processor time of threads and of the machine, to be compared with a later reading."""

    threads: dict[str, float]
    process: float
    machine: float
    wall: float

    @staticmethod
    def read() -> "Clocks":
        """Read them now."""
        threads = {
            thread.name: time.clock_gettime(time.pthread_getcpuclockid(thread.ident))
            for thread in threading.enumerate()
            if thread.ident is not None
        }
        busy, idle = 0.0, (3, 4)
        fields = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:]
        busy = sum(int(ticks) for place, ticks in enumerate(fields[:8]) if place not in idle)
        return Clocks(threads, time.process_time(), busy / os.sysconf("SC_CLK_TCK"), time.perf_counter())


def run(seconds: float, folder: Path) -> None:
    """Open the venue, load it, and print what was measured."""
    take_short_turns()
    venue = opened()
    desk, token = service(folder, venue)
    venue.events.clear()
    room = desk.engine
    ending = threading.Event()
    rest = desk.settings.engine.insight_seconds
    insight = threading.Thread(target=look_until, args=(ending, rest, room.look_closer), name="insight")
    config = uvicorn.Config(application(desk), port=0, log_config=None, access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    front = threading.Thread(target=server.run, name="front")
    front.start()
    while not server.started:
        time.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    room.look_closer()  # compiles what is left to compile, as do these ticks
    send_ticks(room, 2.0)
    insight.start()
    room.metrics.tick_times.clear()
    before, written, clocks = room.metrics.ticks, room.view.sequence, Clocks.read()
    command = [sys.executable, __file__, "--ask", str(port), token, str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as asking:
        heard = send_ticks(room, seconds)
        after = Clocks.read()
        said, _ = asking.communicate()
    kept = min(heard.applied, room.metrics.ticks - before, room.view.sequence - written)
    requests = json.loads(said)
    report_load(seconds, kept, clocks, after, requests.pop("busy")[0])
    report_times(np.array(room.metrics.tick_times), np.array(heard.late), requests)
    ending.set()
    insight.join()
    server.should_exit = True
    front.join()
    room.stop()


def report_load(seconds: float, kept: int, before: Clocks, after: Clocks, asking: float) -> None:
    """Print what was asked of the machine, and what became of the ticks."""
    sent = round(seconds * TICKS_PER_SECOND)
    wall = after.wall - before.wall
    shares = {
        name: (after.threads[name] - before.threads.get(name, 0.0)) / wall
        for name in ("engine", "front", "insight")
    }
    service_share = (after.process - before.process) / wall
    shares |= {"rest of the service": service_share - sum(shares.values()), "asking process": asking}
    others = (after.machine - before.machine) / wall - service_share - asking
    print(f"{ACCOUNTS:,} accounts, {MARKETS} markets, {seconds:g} s, {os.cpu_count()} cores")
    print("cores busy: " + ", ".join(f"{name} {share:.2f}" for name, share in shares.items()))
    print(f"            others on this machine {others:.2f}; load average {os.getloadavg()[0]:.1f}")
    print(f"ticks sent {sent:,}, journaled, applied and in the view {kept:,}, lost {sent - kept:,}")


def report_times(ticks: Vector, late: Vector, requests: dict[str, list[float]]) -> None:
    """Print how long things took."""
    print(f"tick due to margins updated: {_quantiles(ticks)}")
    print(f"  of which until it was sent: {_quantiles(late)}")
    for name, taken in requests.items():
        print(f"GET {name}: {_quantiles(np.array(taken))}, {len(taken):,} requests")
    idle = float(np.quantile(requests["nothing"], 0.99))
    for name, times in (("tick to margins", ticks), ("GET margin", np.array(requests["margin"]))):
        print(
            f"p99 of {name} over p99 of an endpoint that does nothing: {np.quantile(times, 0.99) / idle:.2f}"
        )


def _quantiles(seconds: Vector) -> str:
    found = np.quantile(1000.0 * seconds, [0.5, 0.99, 1.0])
    return "p50 {:.1f} ms, p99 {:.1f} ms, most {:.1f} ms".format(*found)


def main() -> None:
    """Run as the service, or as the process that asks it."""
    if sys.argv[1:2] == ["--ask"]:
        ask_process(int(sys.argv[2]), sys.argv[3], float(sys.argv[4]))
        return
    with tempfile.TemporaryDirectory() as folder:
        run(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS, Path(folder))


if __name__ == "__main__":
    main()
