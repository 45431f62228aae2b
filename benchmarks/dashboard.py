"""How long does a risk desk wait for its page, with 100,000 or a million accounts behind it?

`python benchmarks/dashboard.py [ACCOUNTS ...] [--pictures FOLDER]`: a venue ticks four times a second while a
headless Chromium opens its page, scrolls to places far apart, orders the list otherwise and searches. Each
wait ends when the rows that were asked for are drawn, and the list is set against the shortest in the same
run. Needs a Chromium on PATH. The least of the repetitions is what a quiet machine takes; the load average is
printed beside it. Memory is that of service, market and benchmark together, which are one process.
"""

import argparse
import os
import resource
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import uvicorn
from playwright.sync_api import Page, sync_playwright

from plimsoll.dashboard.pages import pages
from plimsoll.domain.events import Event, Opened, Ticked, Traded
from plimsoll.domain.money import QUANTA_PER_UNIT
from plimsoll.service.application import application
from plimsoll.service.instructions import Instruction
from plimsoll.service.process import Service
from plimsoll.service.settings import ExternalSettings, LimitSettings, ServiceSettings, StoreSettings
from plimsoll.types import Vector

__all__ = ["main"]

MARKETS = ("BTC", "ETH")
SEED = 7
REPEATS = 15
IN_SIGHT = 14
TICKS_PER_SECOND = 4
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
DRAWN = """([first, order]) => {
  const row = document.querySelector("#rows .rows");
  const there = row && Math.abs(Number(row.dataset.place) - first) <= 25;
  return there && row.parentElement.dataset.order === order;
}"""
SCROLL = """share => {
  const it = document.getElementById("window");
  it.scrollTop = share * (it.scrollHeight - it.clientHeight);
}"""
FRESH = """async name => {
  const headers = { authorization: `Bearer ${sessionStorage.getItem("plimsoll-token")}` };
  const began = performance.now();
  await (await fetch(`/v1/accounts?offset=1000&limit=60&name=${name}`, { headers })).json();
  return performance.now() - began;
}"""
"""Milliseconds that the list's own question takes, without drawing, which every tick repeats."""


class Ticking:
    """A market that moves until told to stop."""

    def __init__(self, service: Service, marks: Vector) -> None:
        self._service, self._marks = service, marks
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Move no more."""
        self._stopping.set()
        self._thread.join()

    def _work(self) -> None:
        generator = np.random.default_rng(SEED)
        clock = self._service.desk.view.state.time
        while not self._stopping.wait(1.0 / TICKS_PER_SECOND):
            clock += 1000 // TICKS_PER_SECOND
            self._marks = self._marks * np.exp(2e-4 * generator.standard_normal(len(self._marks)))
            self._service.desk.engine.submit(Instruction(tick(clock, self._marks), "bench")).result(60.0)


def tick(moment: int, marks: Vector) -> Ticked:
    """Give a tick of a liquid market."""
    return Ticked(moment, tuple(marks.tolist()), (1e9,) * len(marks), (0.01,) * len(marks))


def filled(service: Service, accounts: int) -> Vector:
    """Open the accounts, each with a position of its own size and leverage; give the marks."""
    generator = np.random.default_rng(SEED)
    state = service.desk.view.state
    known = {market.market: market.price for market in state.parameters.method.markets}  # type: ignore[union-attr]
    marks = np.array([known[listing.underlying] for listing in state.listings])
    lots = np.array([listing.lot for listing in state.listings])
    place = generator.integers(0, len(MARKETS), accounts)
    size = np.maximum(1, np.exp(generator.normal(8.0, 1.5, accounts)) / (marks * lots)[place]).astype(
        np.int64
    )
    held = np.zeros((accounts, len(marks)), dtype=np.int64)
    held[np.arange(accounts), place] = np.where(generator.random(accounts) < 0.55, size, -size)
    worth = size * (marks * lots)[place]
    cash = np.ceil(worth * generator.uniform(0.3, 1.5, accounts) * QUANTA_PER_UNIT).astype(np.int64)
    names = tuple(f"A{number:07d}" for number in range(accounts))
    now = state.time
    events: list[Event] = [tick(now, marks), Opened(now, names, tuple(cash.tolist()))]
    events.append(Traded(now, tuple(marks.tolist()), names, tuple(map(tuple, held.tolist()))))
    for event in events:
        service.desk.engine.submit(Instruction(event, "bench")).result(600.0)
    return marks


@contextmanager
def served(accounts: int, folder: Path) -> Iterator[str]:
    """Run a venue of so many accounts that ticks; give the address of its page."""
    settings = ServiceSettings(
        feed="external",
        store=StoreSettings(folder=str(folder), snapshot_events=10_000_000),
        external=ExternalSettings(markets=MARKETS, makers=1e12),
        limits=LimitSettings(requests_per_second=1e6, burst=1_000_000),
    )
    service = Service(settings, "plimsoll bench")
    server = uvicorn.Server(
        uvicorn.Config(application(service.desk, pages()), port=0, log_config=None, lifespan="off")
    )
    thread = threading.Thread(target=server.run)
    service.start(lambda: None)
    service.wait_until_open(120.0)
    ticking = Ticking(service, filled(service, accounts))
    thread.start()
    while not server.started:
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/#token={service.page_token()}"
    finally:
        ticking.stop()
        server.should_exit = True
        thread.join()
        service.close()


def waited(page: Page, act: Callable[[], object], first: int, order: str = "health") -> float:
    """Act, and give the milliseconds until the rows around this place are drawn."""
    began = time.perf_counter()
    act()
    page.wait_for_function(DRAWN, arg=[first, order], polling=10)
    return 1000.0 * (time.perf_counter() - began)


def measured(page: Page, accounts: int) -> dict[str, list[float]]:
    """Scroll, order and search."""
    generator = np.random.default_rng(SEED)
    found: dict[str, list[float]] = {"scroll": [], "order": [], "search": []}
    for share in generator.random(REPEATS):
        place = int(share * (accounts - IN_SIGHT))
        found["scroll"].append(waited(page, partial(page.evaluate, SCROLL, share), place))
    for order in ("-equity", "equity", "-maintenance", "health") * 3:
        head = f'#accounts [data-order="{order.removeprefix("-")}"]'
        found["order"].append(waited(page, partial(page.click, head), 0, order))
    for number in generator.integers(0, accounts, REPEATS):
        name = f"A{number:07d}"
        began = time.perf_counter()
        page.fill("#search", name)
        page.wait_for_selector(f'#rows .rows[data-account="{name}"]')
        found["search"].append(1000.0 * (time.perf_counter() - began))
    for asked, name in (("refresh", ""), ("by name", "A00")):
        found[asked] = [page.evaluate(FRESH, name) for _ in range(REPEATS)]
    page.fill("#search", "")
    page.wait_for_function("() => document.querySelectorAll('#rows .rows').length > 1")
    return found


def run(accounts: int, chromium: str, pictures: Path | None) -> dict[str, list[float]]:
    """Open the page of one venue, and print what was measured."""
    starting = time.perf_counter()
    with (
        tempfile.TemporaryDirectory() as folder,
        served(accounts, Path(folder)) as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(color_scheme="dark", viewport={"width": 1600, "height": 1100})
        page.set_default_timeout(120_000)
        began = time.perf_counter()
        opened = began - starting
        page.goto(address)
        page.wait_for_selector("#rows .rows")
        first = 1000.0 * (time.perf_counter() - began)
        found = {"first table": [first], **measured(page, accounts)}
        heap = page.evaluate("performance.memory.usedJSHeapSize") / 1e6
        drawn = page.locator("#rows .rows").count()
        print(f"\n{accounts:,} accounts: {drawn} rows drawn, {heap:.1f} MB of script memory, ", end="")
        print(f"load average {os.getloadavg()[0]:.1f}")
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(f"  filled and open after {opened:.1f} s, at most {memory:.2f} GB of memory")
        for name, taken in found.items():
            middle = np.median(taken)
            print(f"  {name:12} least {min(taken):6.0f}, median {middle:6.0f}, worst {max(taken):6.0f} ms")
        if pictures is not None:
            page.screenshot(path=pictures / f"desk-{accounts}.png", full_page=True)
        browser.close()
    return found


def main() -> None:
    """Measure each size that is asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("accounts", nargs="*", type=int, default=[1_000, 100_000])
    parser.add_argument("--pictures", type=Path)
    asked = parser.parse_args()
    chromium = next(filter(None, map(shutil.which, NAMES)), None)
    if chromium is None:
        raise SystemExit(f"no Chromium on PATH ({', '.join(NAMES)})")
    found = [run(accounts, chromium, asked.pictures) for accounts in asked.accounts]
    if len(found) > 1:
        for name in found[0]:
            ratio = min(found[-1][name]) / min(found[0][name])
            print(f"{name}: {ratio:.2f} times that of {asked.accounts[0]:,} accounts, the least of each")


if __name__ == "__main__":
    main()
