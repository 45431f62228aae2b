"""How long does a month of five-minute bars take with 20,000 accounts, against a loop over accounts?

Thirty days around 12 March 2020: BTC and ETH drawn within their real daily highs, lows and closes, and three
followers that move with BTC (seeded), so that accounts hedge across five markets. One process, policy
``plimsoll``: calibration, margins, calls, liquidations and the record of all of it. The peer values the same
accounts at the same marks in a Python loop with NumPy vectors per account: equity and the same expected
shortfall, nothing else. It is timed on a sample of accounts and bars and scaled up.
"""

import resource
import time
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from plimsoll.calibration import absorb, begin, propose
from plimsoll.domain.bars import HOUR, MINUTE, Bars
from plimsoll.domain.parameters import CrossMargin, Level, Provenance
from plimsoll.kernels.shortfall import expected_shortfall_definition
from plimsoll.margin import margin_model
from plimsoll.margin.portfolio import PortfolioMargin
from plimsoll.scenarios.bridge import bridge
from plimsoll.scenarios.library import daily_history
from plimsoll.scenarios.scenario import ScenarioPath
from plimsoll.sim.population import admitted_lots, draw_population, list_instruments
from plimsoll.sim.replay import Origin, replay
from plimsoll.sim.settings import PopulationSettings, ReplaySettings

ACCOUNTS = 20_000
DAYS = 30
FIRST = int(datetime(2020, 2, 20, tzinfo=UTC).timestamp() * 1000)
FOLLOWERS = {"BNB": 1.1, "XRP": 0.9, "SOL": 1.4}


class NoJournal:
    """Keeps nothing: the benchmark is of the replay, not of the disk."""

    def append(self, event: object) -> None:
        """Drop the event."""

    def digest(self) -> str:
        """Name nothing."""
        return ""


def with_followers(bars: Bars, generator: np.random.Generator) -> Bars:
    """Add markets that move with BTC, each with noise of its own."""
    moves = np.diff(np.log(bars.close[:, 0]), prepend=np.log(bars.close[0, 0]))
    close = [bars.close]
    for beta in FOLLOWERS.values():
        noise = 0.5 * moves.std() * generator.standard_normal(len(moves))
        close.append(100.0 * np.exp(np.cumsum(beta * moves + noise))[:, None])
    closes = np.hstack(close)
    before = np.vstack([closes[:1], closes[:-1]])
    return replace(
        bars,
        markets=bars.markets + tuple(FOLLOWERS),
        open=before,
        high=np.maximum(before, closes),
        low=np.minimum(before, closes),
        close=closes,
        volume=np.full(closes.shape, np.nan),
    )


def peer_seconds(bars: Bars, history: Bars, settings: ReplaySettings) -> float:
    """Time the loop over accounts on a sample, and scale it to all accounts and bars."""
    state = absorb(begin(bars.markets, settings.calibration), history)
    parameters, _ = propose(state, CrossMargin, Provenance(program="benchmark", settings="", inputs=()))
    listings = list_instruments(bars.markets, bars.close[0])
    columns = np.array([bars.markets.index(entry.underlying) for entry in listings])
    unit = np.array([entry.lot for entry in listings]) * bars.close[0, columns] * 1e6
    model = margin_model(parameters.method, listings)
    if not isinstance(model, PortfolioMargin):
        raise SystemExit("the benchmark is of netted portfolios")
    population = draw_population(settings.population, listings, unit, np.random.default_rng(settings.seed))
    lots = admitted_lots(population, model, unit)
    sample = range(0, ACCOUNTS, 40)
    started = time.perf_counter()
    for account in sample:
        notional = lots[account] * unit
        float(population.deposits[account] + notional.sum())
        exposure = model.exposure(notional[None])[0]
        for table in model.tables:
            moves = table.moves[Level.MAINTENANCE]
            expected_shortfall_definition(exposure[table.columns], moves, table.scenarios.tail)
    per_account = (time.perf_counter() - started) / len(sample)
    return per_account * ACCOUNTS * len(bars)


def main() -> None:
    """Run and print."""
    generator = np.random.default_rng(5)
    daily = daily_history(FIRST + DAYS * 24 * HOUR)
    known = daily.between(0, FIRST)
    month = with_followers(bridge(daily.between(FIRST, FIRST + DAYS * 24 * HOUR), 5 * MINUTE, 1), generator)
    history = with_followers(known, generator)
    settings = ReplaySettings(policies=("plimsoll",), population=PopulationSettings(accounts=ACCOUNTS))
    origin = Origin("benchmark", "", "", ())
    started = time.perf_counter()
    outcome = replay(
        origin,
        ScenarioPath(month, np.ones(len(month))),
        history,
        settings,
        journal=lambda _: NoJournal(),
        progress=lambda *_: None,
    )
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    peer = peer_seconds(month, history, settings)
    print(f"{ACCOUNTS:,} accounts, {len(month):,} bars, {len(month.markets)} markets")
    hit = outcome.outcomes[0].summary.liquidated
    print(f"replay {seconds:.1f} s, peak memory {peak:.2f} GiB, {hit:,} accounts liquidated")
    print(f"loop over accounts {peer:,.0f} s (valuation alone, scaled up): {peer / seconds:.0f} times")


if __name__ == "__main__":
    main()
