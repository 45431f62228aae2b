"""What does a tick cost a service whose venue lists options, beside the same venue without any?

`python benchmarks/service_options.py [ACCOUNTS ...]`: the replayed venue with the same accounts twice, first
with perpetuals alone, then with eight boards of options too, a fifth of the accounts holding some. A tick is
timed as the engine's thread carries it out: applied, then all margins brought up to date for readers. Every
price moves in it. The least of several is given, for others may be at work on the machine. Beside it stands
what alone is asked of the machine: pricing every option in every cell, and adding every position up in each.
"""

import os
import sys
import time

import numpy as np

from plimsoll.domain.parameters import Level
from plimsoll.engine.machine import begin, step
from plimsoll.engine.state import State
from plimsoll.margin import OptionMargin
from plimsoll.pricing import price_table
from plimsoll.service.replay_feed import ReplayedVenue, opening, replayed_venue
from plimsoll.service.replayed_options import with_options
from plimsoll.service.settings import ReplaySettings, ServiceSettings
from plimsoll.service.touched import Touched
from plimsoll.sim.settings import PopulationSettings
from plimsoll.sim.venue import market_tick

__all__ = ["main"]

ACCOUNTS = (1_000, 10_000)
TICKS = 12


def opened(accounts: int, *, options: bool) -> tuple[ReplayedVenue, State]:
    """Open the replayed venue."""
    chosen = ReplaySettings(options=options, population=PopulationSettings(accounts=accounts))
    venue = replayed_venue(ServiceSettings(replay=chosen))
    state = begin()
    for event in opening(venue, chosen):
        state, _ = step(state, event)
    return venue, state


def tick_times(venue: ReplayedVenue, state: State) -> tuple[list[float], list[float], State]:
    """Time ticks: applied, and shown; seconds."""
    touched, bars = Touched(), venue.stage.market.bars
    touched.margins(state)
    applied, shown = [], []
    for row in range(1, 1 + TICKS):
        tick = market_tick(venue.stage, row, int(bars.ends[row]), bars.close[row])
        if isinstance(state.model, OptionMargin):
            tick = with_options(tick, state)
        began = time.perf_counter()
        state, _ = step(state, tick)
        done = time.perf_counter()
        touched.margins(state)
        applied.append(done - began)
        shown.append(time.perf_counter() - done)
    return applied, shown, state


def least(work: list[float]) -> float:
    """Give the least of some times, milliseconds."""
    return 1e3 * min(work)


def floors(state: State) -> tuple[float, float]:
    """Time what cannot be spared, milliseconds: pricing both levels, and one pass over positions."""
    model = state.model
    assert isinstance(model, OptionMargin)  # noqa: S101 the venue lists options
    venue, notional = model.venue, state.book.lots * state.unit
    pricing, passing = [], []
    for _ in range(5):
        began = time.perf_counter()
        for tables in (venue.tables(initial=initial) for initial in (False, True)):
            for table in tables:
                price_table(table.chain, table.moves)
        pricing.append(time.perf_counter() - began)
        began = time.perf_counter()
        model.requirement(notional, Level.MAINTENANCE)
        passing.append(time.perf_counter() - began)
    return least(pricing), least(passing)


def main() -> None:
    """Print a line for each size."""
    sizes = [int(word) for word in sys.argv[1:]] or list(ACCOUNTS)
    for accounts in sizes:
        applied, shown, _ = tick_times(*opened(accounts, options=False))
        plain = least(applied) + least(shown)
        applied, shown, state = tick_times(*opened(accounts, options=True))
        whole = least(applied) + least(shown)
        pricing, passing = floors(state)
        held = int(np.count_nonzero(state.book.lots[5:]))
        print(
            f"{accounts:>9,} accounts, {held:,} positions, {len(state.listings)} listings: "
            f"{plain:.1f} ms a tick without options, {whole:.1f} ms with them "
            f"({least(applied):.1f} applied, {least(shown):.1f} shown), {whole / plain:.1f} times; "
            f"pricing alone {pricing:.1f} ms, one level of all accounts {passing:.1f} ms; "
            f"load {os.getloadavg()[0]:.1f}"
        )


if __name__ == "__main__":
    main()
