"""How long does one seed of a cascade take with 100,000 accounts, against an object per agent?

One hour in steps of a second, five markets, policies ``static`` and ``plimsoll``: calibration, market,
engine, owners, record and all. The peer is a mesa model with one agent per account: each second every agent
values its positions at the marks and compares its equity with a flat maintenance rate, and sells in full
where it is below; no tiers, no slices, no queue, no ledger, no owners. It is timed on fewer accounts and
seconds and scaled up in proportion. Both are timed by processor time, in this process, on one core.
"""

import os
import sys
import time

import mesa
import numpy as np
from msgspec import structs

from plimsoll.domain.money import QUANTA_PER_UNIT
from plimsoll.engine.runner import DigestJournal, Runner
from plimsoll.scenarios.library import daily_history, scenario
from plimsoll.sim.cascade import Cast, draw_cast, run_cascade
from plimsoll.sim.cascade_policies import cascade_parameters, exposure_of
from plimsoll.sim.cascade_settings import CascadeSettings
from plimsoll.sim.shock import anchor

SCENARIO = "october-2025"
POLICIES = ("static", "plimsoll")
ACCOUNTS = 100_000
PEER_ACCOUNTS = 2_000
PEER_SECONDS = 30
MAINTENANCE = 0.02
TARGET_SECONDS = 30.0


class Trader(mesa.Agent):  # type: ignore[misc]
    """One account."""

    def __init__(self, model: "Venue", equity: float, sizes: dict[int, float]) -> None:
        super().__init__(model)
        self.cash = equity - sum(size * model.prices[market] for market, size in sizes.items())
        self.sizes = sizes

    def step(self) -> None:
        """Value, compare, and sell everything where too little is left."""
        prices = self.model.prices
        worth = sum(size * prices[market] for market, size in self.sizes.items())
        needed = MAINTENANCE * sum(abs(size * prices[market]) for market, size in self.sizes.items())
        if self.sizes and self.cash + worth < needed:
            for market, size in self.sizes.items():
                self.model.sold[market] += size * prices[market]
            self.cash += worth
            self.sizes = {}


class Venue(mesa.Model):  # type: ignore[misc]
    """All accounts, and prices that fall with what they sell."""

    def __init__(self, cast: Cast, depth: np.ndarray) -> None:
        super().__init__()
        self.prices = cast.anchor.prices.tolist()
        self.sold = [0.0] * len(self.prices)
        self.depth = depth.tolist()
        lot = np.array([entry.lot for entry in cast.listings])
        sizes = cast.population.wanted * lot
        for row, deposit in enumerate(cast.population.deposits.tolist()):
            held = {int(cast.columns[i]): float(sizes[row, i]) for i in np.flatnonzero(sizes[row])}
            Trader(self, deposit / QUANTA_PER_UNIT, held)

    def step(self) -> None:
        """Let everybody act in random order, then move the prices."""
        self.agents.shuffle_do("step")
        for market, sold in enumerate(self.sold):
            self.prices[market] *= 1.0 - min(0.01 * sold / self.depth[market], 0.25)
        self.sold = [0.0] * len(self.prices)


def seconds_of_one_seed(name: str, settings: CascadeSettings) -> tuple[float, float]:
    """Time one seed: processor time of drawing and running it, and the notional closed by force."""
    known, history = anchor(SCENARIO), daily_history(scenario(SCENARIO).first)
    started = time.process_time()
    cast = draw_cast(known, settings, settings.seed)
    parameters = cascade_parameters(name, cast, settings, history)
    runner = Runner(DigestJournal())
    facts, _ = run_cascade(name, parameters, cast, settings, runner, exposure=exposure_of(name))
    return time.process_time() - started, facts.forced


def seconds_of_the_peer(settings: CascadeSettings) -> float:
    """Time the peer's seconds and scale them to all accounts and all seconds."""
    few = structs.replace(settings, population=structs.replace(settings.population, accounts=PEER_ACCOUNTS))
    cast = draw_cast(anchor(SCENARIO), few, settings.seed)
    venue = Venue(cast, settings.makers.depth * cast.interest)
    started = time.process_time()
    for _ in range(PEER_SECONDS):
        venue.step()
    spent = time.process_time() - started
    return spent * (settings.shock.seconds / PEER_SECONDS) * (settings.population.accounts / PEER_ACCOUNTS)


def main() -> None:
    """Compile on a small book, then run and print; the first argument replaces the number of accounts."""
    accounts = int(sys.argv[1]) if len(sys.argv) > 1 else ACCOUNTS
    settings = CascadeSettings()
    small = structs.replace(
        settings,
        population=structs.replace(settings.population, accounts=500),
        shock=structs.replace(settings.shock, seconds=500, onset_second=60),
    )
    for name in POLICIES:
        seconds_of_one_seed(name, small)
    settings = structs.replace(settings, population=structs.replace(settings.population, accounts=accounts))
    load = os.getloadavg()[0]
    print(f"{accounts:,} accounts, {settings.shock.seconds:,} steps of a second, 5 markets; load {load:.1f}")
    peer = seconds_of_the_peer(settings)
    print(f"mesa, an object per account: {peer:,.0f} s of one core, scaled up")
    for name in POLICIES:
        seconds, forced = seconds_of_one_seed(name, settings)
        print(
            f"{name}: one seed {seconds:.1f} s of one core (aim: {TARGET_SECONDS:.0f} s), "
            f"{forced / 1e9:.2f} billion closed by force; mesa takes {peer / seconds:.0f} times as long"
        )


if __name__ == "__main__":
    main()
