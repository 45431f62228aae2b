"""Does the whole path run through crashes that happened, balance, repeat itself, and keep its notice?"""

from dataclasses import dataclass

import numpy as np
import pytest

from plimsoll.domain.bars import HOUR
from plimsoll.domain.events import Event, Ticked
from plimsoll.engine.runner import replayed
from plimsoll.engine.state import digest
from plimsoll.feeds.bars import read_bars
from plimsoll.scenarios.scenario import ScenarioPath
from plimsoll.sim.replay import Origin, replay
from plimsoll.sim.settings import PopulationSettings, ReplaySettings

ORIGIN = Origin(title="test", narrative="", source="", inputs=())
POLICIES = ("static", "static-matched", "dynamic", "plimsoll")


@dataclass(frozen=True)
class Crash:
    file: str
    history: str
    markets: tuple[str, ...]
    known: str
    first: str
    last: str


CRASHES = {
    "august-2024": Crash(
        "permissive/spot_5m_20coins_2024-07-20_08-25.parquet",
        "permissive/spot_1h_2024-01_09_30coins.parquet",
        ("BTC", "ETH", "SOL", "DOGE"),
        "2024-04-01",
        "2024-08-04",
        "2024-08-06",
    ),
    "may-2021": Crash(
        "win/spot_1m_2021-04_06_core.parquet",
        "spot_1h_binance.parquet",
        ("BTC", "ETH"),
        "2021-01-01",
        "2021-05-19",
        "2021-05-20",
    ),
    "march-2020": Crash(
        "spot_1h_binance.parquet",
        "spot_1h_binance.parquet",
        ("BTC", "ETH", "XRP"),
        "2019-11-01",
        "2020-03-12",
        "2020-03-14",
    ),
}


def moment(day):
    return int(np.datetime64(day, "ms").astype(np.int64))


class Kept:
    """A journal in memory, with the events themselves."""

    def __init__(self):
        self.events: list[Event] = []

    def append(self, event):
        self.events.append(event)

    def digest(self):
        return str(len(self.events))


@pytest.fixture(scope="module")
def prices(market_data):
    known = {}

    def read(name):
        if name not in known:
            crash = CRASHES[name]
            first, last = moment(crash.first), moment(crash.last)
            path = read_bars(market_data / crash.file, markets=crash.markets, first=first, last=last)
            history = read_bars(
                market_data / crash.history, markets=crash.markets, first=moment(crash.known), last=first
            )
            known[name] = path, history
        return known[name]

    return read


def run(bars, history, policies=POLICIES):
    journals = {}

    def journal(name):
        journals[name] = Kept()
        return journals[name]

    settings = ReplaySettings(
        policies=policies, seed=11, population=PopulationSettings(accounts=200, median_leverage=12.0)
    )
    path = ScenarioPath(bars, np.ones(len(bars)))
    result = replay(ORIGIN, path, history, settings, journal=journal, progress=lambda *_: None)
    return result, journals


@pytest.mark.parametrize("name", list(CRASHES))
def test_a_real_crash_runs_balances_and_repeats_itself(name, prices):
    bars, history = prices(name)
    assert history.ends[-1] <= bars.times[0]
    assert history.length == HOUR
    result, journals = run(bars, history)
    again, _ = run(bars, history)
    liquidated = 0
    for outcome, repeated in zip(result.outcomes, again.outcomes, strict=True):
        summary = outcome.summary
        assert summary == repeated.summary
        assert outcome.price.tobytes() == repeated.price.tobytes()
        paid = summary.fund_paid + summary.allocated + summary.uncovered
        assert summary.bad_debt == pytest.approx(paid, abs=1e-6)
        assert (outcome.fund >= 0.0).all()
        assert np.isfinite(outcome.price).all()
        assert np.isfinite(outcome.maintenance).all()
        assert (outcome.initial >= outcome.maintenance).all()
        final = replayed(journals[summary.policy].events)
        assert digest(final) == summary.state
        assert sum(map(int, final.book.cash)) == 0
        assert not final.book.lots.sum(axis=0).any()
        liquidated += summary.liquidated
    assert liquidated > 0
    figures = {outcome.policy: outcome.summary for outcome in result.outcomes}
    assert figures["plimsoll"].liquidated_by_rise == 0
    assert figures["static"].liquidated_by_rise == 0
    assert figures["dynamic"].liquidated_by_rise > 0, "the yardstick finds rises where there is no notice"


def test_a_run_resumed_in_the_middle_of_a_crash_ends_the_same(prices):
    bars, history = prices("may-2021")
    _, journals = run(bars, history, ("plimsoll",))
    events = journals["plimsoll"].events
    middle = len(events) // 2
    assert isinstance(events[middle], Ticked)
    assert digest(replayed(events[middle:], replayed(events[:middle]))) == digest(replayed(events))


def test_hours_without_a_bar_of_one_market_do_no_harm(prices):
    bars, history = prices("august-2024")
    holed = bars.select(bars.markets)
    for series in (holed.open, holed.high, holed.low, holed.close, holed.volume):
        series[100:190, 2] = np.nan
    result, _ = run(holed, history, ("dynamic", "plimsoll"))
    for outcome in result.outcomes:
        assert np.isfinite(outcome.price).all()
        assert np.isfinite(outcome.maintenance).all()
    assert result.outcomes[1].summary.liquidated_by_rise == 0
