"""Does a walk know nothing of its future, judge what it says it judges, and go on after an interruption?"""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.backtest import ledger, walkforward
from plimsoll.backtest.crash import hour_by_hour, worst_moment
from plimsoll.backtest.league import common_rows, play
from plimsoll.backtest.realised import excursions_after, excursions_definition, next_variance
from plimsoll.backtest.shock import shock_response
from plimsoll.backtest.standing import standings
from plimsoll.backtest.trial import TrialPlan, run_trial
from plimsoll.backtest.walk import Target, judge, phases_of
from plimsoll.backtest.walkforward import walk_forward, walk_one
from plimsoll.calibration.policies import RATE_POLICIES
from plimsoll.calibration.series import rate_series
from plimsoll.domain.bars import HOUR, MINUTE
from plimsoll.domain.rates import RateSeries
from plimsoll.errors import Code, PlimsollError
from plimsoll.testing.bars import holed, same_up_to, wild_bars

TARGET = Target(horizon_hours=4.0, level=0.98)
HOURS = 1_400
ROW = 1_250


def one_market(seed, count=HOURS, **given):
    return wild_bars(seed, count, markets=("BTC",), **given)


def series_of(bars, policy):
    return rate_series(bars, RATE_POLICIES[policy], horizon_hours=TARGET.horizon_hours, level=TARGET.level)


HISTORICAL = {"historical": RATE_POLICIES["historical"]}


@pytest.fixture(scope="module")
def past():
    return holed(one_market(3), 5, 0.01).alone("BTC")


@pytest.mark.parametrize("poison", ["other", "huge", "none"])
@pytest.mark.parametrize("policy", sorted(RATE_POLICIES))
def test_no_rate_knows_what_comes_after_it(past, policy, poison):
    row = ROW - (HOURS - len(past))
    other = one_market(99, len(past), volatility=0.1)
    other = replace(other, times=past.times)
    if poison != "other":
        spoilt = np.full(other.close.shape, 1e9 if poison == "huge" else np.nan)
        other = replace(other, open=spoilt, high=spoilt, low=spoilt, close=spoilt, volume=spoilt)
    mixed = same_up_to(past, row, other)
    whole, marred = series_of(past, policy), series_of(mixed, policy)
    known = int(past.ends[row - 1])
    before, after = (series.times <= known for series in (whole, marred))
    assert before.sum() > 100
    for name in ("times", "rates", "shortfall", "variance"):
        assert getattr(whole, name)[before].tobytes() == getattr(marred, name)[after].tobytes(), name
    if poison == "other":
        assert not np.array_equal(whole.rates[-1], marred.rates[-1])


@pytest.mark.parametrize("policy", sorted(RATE_POLICIES))
def test_every_rate_is_a_number_and_no_shortfall_is_below_it(past, policy):
    series = series_of(past, policy)
    assert (np.diff(series.times) > 0).all()
    assert np.isin(series.times, past.ends).all()
    for values in (series.rates, series.shortfall, series.variance):
        assert np.isfinite(values).all()
        assert (values > 0.0).all()
    assert (series.shortfall >= series.rates).all()
    assert series.rates.max() <= 1.0


LEAST_SHARE = 1e-3
"""Of the median forecast: volatility in these bars varies by a factor of ten, variance by a hundred."""


def test_a_bar_that_ends_where_it_began_does_not_forecast_stillness():
    bars = one_market(3, 800)
    opened, close = bars.open.copy(), bars.close.copy()
    for row in range(718, 724):  # about the first outcomes that a young cascade is corrected by
        opened[row + 1] = close[row + 1] = close[row]
    still = replace(
        bars,
        open=opened,
        high=np.maximum(bars.high, close),
        low=np.minimum(bars.low, close),
        close=close,
    )
    series = rate_series(still, RATE_POLICIES["fhs-har-plus"], horizon_hours=1.0)
    assert series.variance.min() > LEAST_SHARE * np.median(series.variance)


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**20),
    horizon=st.integers(1, 7),
    share=st.sampled_from([0.0, 0.05]),
    length=st.sampled_from([HOUR, 5 * MINUTE]),
)
def test_excursions_are_those_of_their_definition(seed, horizon, share, length):
    bars = holed(one_market(seed, 60, length=length), seed, share).alone("BTC")
    moments = np.concatenate([bars.ends, bars.ends[:3] + 1])
    found = excursions_after(bars, moments, horizon * length)
    wanted = excursions_definition(bars, moments, horizon * length)
    assert found.tobytes() == wanted.tobytes()
    assert np.isnan(found[-horizon - 3 :]).all()


def test_a_horizon_that_is_no_whole_number_of_bars_is_refused():
    for horizon in (90 * MINUTE, 30 * MINUTE):
        with pytest.raises(PlimsollError) as found:
            excursions_after(one_market(1, 10), np.zeros(1, dtype=np.int64), horizon)
        assert found.value.code is Code.BAD_SETTING


def test_the_realised_variance_is_that_of_the_bar_that_begins():
    bars = one_market(1, 10)
    flat = replace(bars, high=np.where(np.arange(10)[:, None] == 4, bars.low, bars.high))
    found = next_variance(flat, bars.ends)
    assert np.isnan(found[[3, 9]]).all()
    assert found[0] == pytest.approx(math.log(bars.high[1, 0] / bars.low[1, 0]) ** 2 / (4.0 * math.log(2.0)))


@given(
    hours=st.lists(st.integers(0, 500), min_size=1, max_size=80, unique=True),
    horizon=st.sampled_from([1, 4, 6]),
)
def test_horizons_of_one_phase_never_overlap_and_no_hour_is_lost(hours, horizon):
    times = HOUR * np.sort(np.array(hours, dtype=np.int64))
    phases = phases_of(times, HOUR, horizon * HOUR)
    assert sorted(np.concatenate(phases).tolist()) == list(range(len(times)))
    for rows in phases:
        assert (np.diff(times[rows]) >= horizon * HOUR).all()


def test_moments_between_hours_are_in_no_phase():
    times = 5 * MINUTE * np.arange(200, dtype=np.int64)
    phases = phases_of(times, 5 * MINUTE, 4 * HOUR)
    assert len(phases) == 4
    assert (times[np.concatenate(phases)] % HOUR == 0).all()
    assert len(phases_of(times, 5 * MINUTE, 30 * MINUTE)) == 6


@pytest.fixture
def walked(past, tmp_path):
    return walk_forward(past, HISTORICAL, TARGET, tmp_path, lambda *_: None, workers=1)


def test_a_run_goes_on_where_it_was_stopped(past, walked, tmp_path, monkeypatch):
    (path,) = tmp_path.iterdir()
    made = []

    def counted(bars, name, policy, target):
        made.append(name)
        return walk_one(bars, name, policy, target)

    monkeypatch.setattr(walkforward, "walk_one", counted)

    def again(target=TARGET, bars=past):
        (walk,) = walk_forward(bars, HISTORICAL, target, tmp_path, lambda *_: None, workers=1).values()
        return walk

    kept = again()
    assert made == []
    fresh = walked["BTC", "historical"]
    assert kept.series.rates.tobytes() == fresh.series.rates.tobytes()
    assert kept.excursions.tobytes() == fresh.excursions.tobytes()
    path.write_bytes(path.read_bytes()[:-100])  # as if the disk had filled up
    again()
    assert len(made) == 1
    again(Target(horizon_hours=4.0, level=0.97))
    assert len(made) == 2
    again()
    assert len(made) == 3
    again(bars=past.between(int(past.times[1]), int(past.ends[-1])))
    assert len(made) == 4


def test_a_change_of_the_source_makes_old_walks_stale(past, monkeypatch):
    before = ledger.walk_digest(past, HISTORICAL["historical"], TARGET)
    monkeypatch.setattr(ledger, "_source_digest", lambda: "another")
    assert ledger.walk_digest(past, HISTORICAL["historical"], TARGET) != before


def test_several_processes_give_what_one_gives(tmp_path):
    bars = wild_bars(4, 900)
    told = []
    one = walk_forward(bars, HISTORICAL, TARGET, tmp_path / "one", lambda *_: None, workers=1)
    two = walk_forward(bars, HISTORICAL, TARGET, tmp_path / "two", lambda *note: told.append(note), workers=2)
    assert list(one) == list(two) == [("BTC", "historical"), ("ETH", "historical")]
    for key, walk in one.items():
        assert walk.series.rates.tobytes() == two[key].series.rates.tobytes()
    assert told[-1] == ("walking forward", 2, 2)


def test_a_history_too_short_for_any_rate_is_refused():
    with pytest.raises(PlimsollError) as found:
        walk_one(one_market(1, 40), "historical", HISTORICAL["historical"], TARGET)
    assert found.value.code is Code.TOO_LITTLE_HISTORY


def constant(bars, rate, policy):
    count = len(bars)
    series = RateSeries(
        bars.ends, np.full((count, 2), rate), np.full((count, 2), 1.2 * rate), np.full(count, 1e-4)
    )
    return judge(bars, "BTC", policy, TARGET, series)


def test_a_constant_at_the_true_quantile_is_found_to_cover_and_half_of_it_not_to():
    bars = one_market(8, 6_000)
    pooled = excursions_after(bars, bars.ends, TARGET.horizon)
    right = float(np.nanquantile(pooled, TARGET.level))
    walks = (constant(bars, right, "right"), constant(bars, 0.5 * right, "half"))
    league = play(walks, "right", seed=1, sets=False)
    good, bad = standings((league,), TARGET)
    assert abs(good.covered - TARGET.level) < 0.005
    assert good.worst_rise == 0.0
    assert good.spread == 1.0
    assert bad.covered < good.covered
    assert bad.kupiec == bad.anytime == 0.0
    assert bad.matched_mean == pytest.approx(good.matched_mean)
    (duel,) = [duel for duel in league.duels if duel.score == "pinball"]
    assert duel.relative > 0.0
    assert duel.contest.p_value < 0.01
    years = league.assessments[0].sides[0].years
    assert sum(year.windows for year in years) == league.assessments[0].sides[0].windows


def test_policies_are_judged_on_what_they_all_judge():
    bars = one_market(8, 400)
    early, late = (
        constant(bars, 0.05, "early"),
        constant(bars, 0.05, "late").between(int(bars.ends[200]), 2**60),
    )
    first, second = common_rows((early, late))
    assert first.series.times.tobytes() == second.series.times.tobytes()
    assert first.series.times[0] == bars.ends[200]
    with pytest.raises(PlimsollError) as found:
        common_rows((early, late.between(0, 1)))
    assert found.value.code is Code.TOO_LITTLE_HISTORY


def test_the_hours_of_a_crash_add_up():
    bars = one_market(8, 400)
    walk = constant(bars, 0.04, "constant")
    moment = worst_moment((walk,))
    row = int(np.flatnonzero(walk.series.times == moment)[0])
    assert walk.excursions[row].max() == np.nanmax(walk.excursions)
    hours = hour_by_hour((walk, walk), 0, int(bars.ends[0]), int(bars.ends[-1]) + 1)
    assert sum(hour.windows for hour in hours) == 2 * walk.judged.sum()
    assert sum(hour.breaches for hour in hours) == 2 * walk.breaches[:, 0].sum()


def test_a_shock_raises_the_rate_of_a_policy_that_follows_the_market():
    response = shock_response(RATE_POLICIES["fhs-ewma"], TARGET, seed=1)
    assert response.overshoot > 0.5
    assert response.half_life < 240.0


def test_a_trial_is_the_same_for_the_same_seed(past, tmp_path):
    plan = TrialPlan(
        policies=HISTORICAL,
        reference="historical",
        target=TARGET,
        first=int(past.ends[600]),
        last=int(past.ends[1_200]),
    )
    one, two = (run_trial(past, plan, tmp_path, lambda *_: None) for _ in range(2))
    assert one.leagues == two.leagues
    assert one.crash == two.crash
    assert one.leagues[0].assessments[0].first == past.ends[600]
    assert one.leagues[0].assessments[0].last < past.ends[1_200]
