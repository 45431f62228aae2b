"""Does the library hold the crashes it names, and nothing that was not known before them?"""

import numpy as np
import pytest

from plimsoll.domain.bars import HOUR, MINUTE
from plimsoll.errors import PlimsollError
from plimsoll.scenarios.hypothetical import hypotheses
from plimsoll.scenarios.library import daily_history, hourly, path, scenario, scenarios
from plimsoll.scenarios.scenario import Kind

HISTORICAL = [entry.name for entry in scenarios() if entry.kind is Kind.HISTORICAL]
HYPOTHETICAL = [entry.name for entry in scenarios() if entry.kind is Kind.HYPOTHETICAL]
DAY = 24 * HOUR


def moment(text):
    return int(np.datetime64(text, "ms").astype(np.int64))


def test_the_library_names_the_six_crashes_and_the_five_stresses():
    crashes = "black-thursday-2020 may-2021 luna-2022 ftx-2022 august-2024 october-2025"
    stresses = "gap-30 slow-grind whipsaw depth-gone stablecoin-depeg"
    assert [entry.name for entry in scenarios()] == [*crashes.split(), *stresses.split()]
    for entry in scenarios():
        assert entry.title
        assert len(entry.summary) > 100
        assert "\n" not in entry.summary
        assert entry.source


@pytest.mark.parametrize(
    ("name", "market", "hour", "low"),
    [
        ("black-thursday-2020", "BTC", "2020-03-13T02:00", 3782.1),
        ("may-2021", "BTC", "2021-05-19T13:00", 30000.0),
        ("luna-2022", "BTC", "2022-05-12T05:00", 26700.0),
        ("ftx-2022", "BTC", "2022-11-09T23:00", 15588.0),
        ("august-2024", "BTC", "2024-08-05T06:00", 49000.0),
        ("october-2025", "XRP", "2025-10-10T21:00", 1.2543),
    ],
)
def test_the_low_of_each_crash_is_in_its_hour(name, market, hour, low):
    bars = hourly(name)
    lows = bars.low[:, bars.column(market)]
    assert lows.min() == low
    assert bars.times[lows.argmin()] == moment(hour)


@pytest.mark.parametrize("name", HISTORICAL)
def test_an_hour_opens_at_the_close_before_it_within_its_own_range(name):
    bars, entry = hourly(name), scenario(name)
    assert (bars.times[0], bars.ends[-1], bars.markets) == (entry.first, entry.last, entry.markets)
    assert bars.contiguous()[1:].all()
    assert (bars.low <= np.minimum(bars.open, bars.close)).all()
    assert (bars.high >= np.maximum(bars.open, bars.close)).all()
    previous = bars.close[:-1]
    inside = (previous >= bars.low[1:]) & (previous <= bars.high[1:])
    assert inside.mean() > 0.97
    np.testing.assert_array_equal(bars.open[1:][inside], previous[inside])
    np.testing.assert_allclose(np.median(bars.volume, axis=0), 1.0)


@pytest.mark.parametrize("before", ["2020-03-11T00:00", "2025-10-09T12:00", "2025-10-10T23:59:59.999"])
def test_the_history_ends_before_the_moment_asked_for_and_an_earlier_one_is_its_beginning(before):
    known = daily_history(moment(before))
    assert known.ends[-1] <= moment(before) < known.ends[-1] + DAY
    earlier = daily_history(moment(before) - 30 * DAY)
    assert len(known) == len(earlier) + 30
    np.testing.assert_array_equal(known.open[: len(earlier)], earlier.open)
    np.testing.assert_array_equal(known.close[: len(earlier)], earlier.close)


def test_the_history_begins_in_august_2017_and_is_empty_before():
    assert len(daily_history(moment("2017-08-17T23:00"))) == 0
    first = daily_history(moment("2017-08-18"))
    assert first.close.tolist() == [[4285.1, 302.0]]
    assert daily_history(2**60).contiguous()[1:].all()


def test_what_a_caller_writes_into_bars_does_not_reach_the_library():
    daily_history(moment("2020-01-01")).close[:] = 0.0
    hourly("may-2021").low[:] = 0.0
    assert daily_history(moment("2020-01-01")).close.min() > 0.0
    assert hourly("may-2021").low.min() > 0.0


def test_a_misspelt_scenario_is_answered_with_the_nearest():
    with pytest.raises(PlimsollError, match=r"no scenario may-2020 .*Try .*may-2021"):
        scenario("may-2020")
    with pytest.raises(PlimsollError, match="unknown-scenario"):
        path("may-2020", length=MINUTE, seed=1)
    with pytest.raises(PlimsollError, match="gap-30 did not happen"):
        hourly("gap-30")


@pytest.mark.parametrize("name", HISTORICAL + HYPOTHETICAL)
def test_every_path_has_consistent_bars_from_its_first_to_its_last_moment(name):
    entry, drawn = scenario(name), path(name, length=5 * MINUTE, seed=11)
    bars = drawn.bars
    assert (bars.times[0], bars.ends[-1], bars.markets) == (entry.first, entry.last, entry.markets)
    assert bars.contiguous()[1:].all()
    assert (bars.low > 0.0).all()
    assert (bars.low <= np.minimum(bars.open, bars.close)).all()
    assert (bars.high >= np.maximum(bars.open, bars.close)).all()
    assert (bars.volume > 0.0).all()
    assert drawn.liquidity.shape == bars.times.shape
    assert ((drawn.liquidity > 0.0) & (drawn.liquidity <= 1.0)).all()


@pytest.mark.parametrize("name", HYPOTHETICAL)
def test_a_stress_passes_its_waypoints_and_starts_at_the_last_known_close(name):
    stress, bars = hypotheses().stresses[name], path(name, length=MINUTE, seed=5).bars
    known = daily_history(hypotheses().first)
    for column, market in enumerate(stress.markets):
        minutes, levels = np.array(stress.path[market]).T
        assert minutes[0] == 0
        assert (np.diff(minutes) > 0).all()
        assert minutes[-1] == stress.minutes
        start = stress.start.get(market) or known.close[-1, known.column(market)]
        closes = bars.close[minutes[1:].astype(int) - 1, column]
        np.testing.assert_allclose(closes, start * levels[1:], rtol=1e-12)
        assert bars.open[0, column] == start


@pytest.mark.parametrize("name", HYPOTHETICAL)
def test_a_stress_is_the_same_for_a_seed_at_any_length_and_another_for_another(name):
    minutes, fives = path(name, length=MINUTE, seed=5), path(name, length=5 * MINUTE, seed=5)
    rows = len(fives.bars)
    np.testing.assert_array_equal(minutes.bars.low.reshape(rows, 5, -1).min(axis=1), fives.bars.low)
    np.testing.assert_array_equal(minutes.liquidity.reshape(rows, 5).min(axis=1), fives.liquidity)
    again, other = path(name, length=MINUTE, seed=5), path(name, length=MINUTE, seed=6)
    np.testing.assert_array_equal(again.bars.close, minutes.bars.close)
    assert (other.bars.close != minutes.bars.close).mean() > 0.9


def test_the_gap_falls_within_one_minute_and_the_grind_in_no_large_bar():
    gap = path("gap-30", length=MINUTE, seed=1).bars
    assert np.log(gap.close / gap.open).min() < np.log(0.71)
    assert np.sort(np.abs(np.log(gap.close / gap.open)), axis=0)[-2].max() < 0.005
    grind = path("slow-grind", length=60 * MINUTE, seed=1).bars
    assert np.abs(np.log(grind.close / grind.open)).max() < 0.025
    assert grind.close[-1, 0] / grind.open[0, 0] == pytest.approx(0.6)


def test_depth_goes_where_the_stress_says_so():
    assert path("depth-gone", length=60 * MINUTE, seed=1).liquidity.min() == 0.05
    assert path("may-2021", length=60 * MINUTE, seed=1).liquidity.min() == 1.0
    gap = path("gap-30", length=MINUTE, seed=1)
    assert gap.liquidity[720] == pytest.approx(0.1)
    assert gap.liquidity[719] == 1.0
