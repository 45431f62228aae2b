"""Does a running service margin a large venue within its tick, and answer while it does?

`python benchmarks/service.py [SECONDS]`: 100,000 accounts in 50 markets, 200 ticks a second, and a second
process that asks for the margin of random accounts 500 times a second and, in turns, for an endpoint that
does nothing. The default is 20 seconds; 300 is what the target is stated for. The targets are for a
machine with two free cores; the load average is printed beside the figures.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
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
from plimsoll.service.instructions import Instruction
from plimsoll.service.records import Records
from plimsoll.service.room import EngineRoom
from plimsoll.service.settings import LimitSettings, ServiceSettings, StoreSettings
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


def send_ticks(room: EngineRoom, venue: Venue, seconds: float) -> int:
    """Send ticks of one market each on time, whatever becomes of them; give how many."""
    generator = np.random.default_rng(SEED + 1)
    marks, clock = venue.prices.copy(), room.view.state.time
    began, count = time.perf_counter(), round(seconds * TICKS_PER_SECOND)
    done = []
    for number in range(count):
        due = began + number / TICKS_PER_SECOND
        time.sleep(max(0.0, due - time.perf_counter()))
        marks[number % MARKETS] *= np.exp(TICK_SIZE * generator.standard_normal())
        clock += 1000 // TICKS_PER_SECOND
        done.append(room.submit(Instruction(tick(clock, marks), "bench")))
    return sum(answer.result(60.0).refusal is None for answer in done)


async def asked(port: int, token: str, paths: list[str], per_second: float, seconds: float) -> list[float]:
    """Ask over kept connections at a steady rate; a request that starts late counts from when it was due."""
    taken: list[float] = []

    async def one(worker: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        began = time.perf_counter()
        for number in range(worker, round(seconds * per_second), CONNECTIONS):
            due = began + number / per_second
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            path = paths[number % len(paths)]
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

    await asyncio.gather(*(one(worker) for worker in range(CONNECTIONS)))
    return taken


def ask_process(port: int, token: str, seconds: float) -> None:
    """Be the second process: margins at full rate, then nothing at the same rate, in turns."""
    generator = np.random.default_rng(SEED + 2)
    margins = [f"/v1/accounts/A{number:06d}/margin" for number in generator.integers(0, ACCOUNTS, 4_001)]
    found: dict[str, list[float]] = {"margin": [], "nothing": []}
    turn = seconds / 4
    for _ in range(2):
        found["margin"] += asyncio.run(asked(port, token, margins, REQUESTS_PER_SECOND, turn))
        found["nothing"] += asyncio.run(asked(port, token, ["/v1/health"], REQUESTS_PER_SECOND, turn))
    print(json.dumps(found))


def service(folder: Path, venue: Venue) -> tuple[Desk, str]:
    """Put the parts of a service together around the opened venue."""
    limits = LimitSettings(requests_per_second=1e6, burst=1_000_000)
    settings = ServiceSettings(limits=limits)
    records = Records(folder / "desk.sqlite")
    room = EngineRoom(
        settings.engine,
        StoreSettings(snapshot_events=10_000_000),
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


def run(seconds: float, folder: Path) -> None:
    """Open the venue, load it, and print what was measured."""
    venue = opened()
    desk, token = service(folder, venue)
    room = desk.engine
    config = uvicorn.Config(application(desk), port=0, log_config=None, access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    send_ticks(room, venue, 2.0)  # compiles what is left to compile
    room.metrics.tick_times.clear()
    before = room.metrics.ticks
    command = [sys.executable, __file__, "--ask", str(port), token, str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as asking:
        applied = send_ticks(room, venue, seconds)
        said, _ = asking.communicate()
    report(np.array(room.metrics.tick_times), json.loads(said), applied, room.metrics.ticks - before, seconds)
    server.should_exit = True
    thread.join()
    room.stop()


def report(
    ticks: Vector, requests: dict[str, list[float]], applied: int, margined: int, seconds: float
) -> None:
    """Print the figures."""
    sent = round(seconds * TICKS_PER_SECOND)
    load = os.getloadavg()[0]
    print(f"{ACCOUNTS:,} accounts, {MARKETS} markets, {seconds:g} s")
    print(f"load average {load:.1f} on {os.cpu_count()} cores")
    print(f"ticks sent {sent:,}, applied {applied:,}, lost {sent - min(applied, margined):,}")
    print(f"tick received to margins updated: {_quantiles(ticks)}")
    for name, taken in requests.items():
        print(f"GET {name}: {_quantiles(np.array(taken))}, {len(taken):,} requests")
    ratio = np.quantile(requests["margin"], 0.99) / np.quantile(requests["nothing"], 0.99)
    print(f"p99 of GET margin over an endpoint that does nothing: {ratio:.2f}")


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
