"""Do `plimsoll backtest` and `plimsoll frontier` do what they say, and are their pages safe to open?"""

import json
import re
from dataclasses import replace
from functools import partial

import polars as pl
import pytest

from plimsoll.backtest.frontier import GUARDED, NO_GUARD, variants
from plimsoll.backtest.trial import TrialPlan, run_trial
from plimsoll.backtest.walk import Target
from plimsoll.calibration.policies import DEFAULT, RATE_POLICIES, UNGUARDED
from plimsoll.report.backtest_page import render_backtest
from plimsoll.report.plot_frame import nice_ticks
from plimsoll.testing.bars import wild_bars
from tests.support.bars import write_bars
from tests.support.commands import run_plimsoll

NASTY = "</style><script>alert(1)</script><img src=x onerror=alert(2)>&"
LARGEST_PAGE = 1_500_000


@pytest.fixture
def plimsoll(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    return partial(run_plimsoll, monkeypatch, capsys)


@pytest.fixture
def bars(tmp_path):
    return write_bars(tmp_path / "bars.csv", hours=1_600)


WORDS = ("--policy", "fhs-ewma", "--policy", "historical", "--workers", 1, "--level", "0.95")


def test_a_backtest_leaves_a_report_the_figures_and_the_rows(plimsoll, bars, tmp_path):
    done = plimsoll("backtest", "--bars", bars, *WORDS, "--day", "2020-03-01", "--out", "run")
    assert (done.status, done.err.splitlines()[-1]) == (0, "shocking")
    for words in (
        "fhs-ewma, market by market",
        "BTC long",
        "who scores better",
        "Breaches by the hour, 1 Mar 2020",
        "Promise",
        "report: run/",
    ):
        assert words in done.out
    left = {path.relative_to(tmp_path / "run").as_posix() for path in (tmp_path / "run").rglob("*.*")}
    walks = {f"walks/{m}.{p}.parquet" for m in ("BTC", "ETH") for p in ("fhs-ewma", "historical")}
    assert left == walks | {"report.html", "summary.json", "run.json"}
    rows = pl.read_parquet(tmp_path / "run/walks/BTC.fhs-ewma.parquet")
    summary = json.loads((tmp_path / "run/summary.json").read_text())
    (market,) = [m for m in summary["markets"] if m["market"] == "BTC"]
    (found,) = [a for a in market["assessments"] if a["policy"] == "fhs-ewma"]
    side = found["sides"][0]
    judged = rows.filter(pl.col("excursion_long").is_not_nan())
    assert side["windows"] == len(judged)
    assert side["breaches"] == (judged["excursion_long"] > judged["rate_long"]).sum()


def test_a_run_that_was_interrupted_goes_on_and_says_the_same(plimsoll, bars, tmp_path):
    once = plimsoll("backtest", "--bars", bars, *WORDS, "--out", "run", "--json")
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "run/walks").iterdir()}
    lost = sorted(kept)[1]
    lost.unlink()
    again = plimsoll("backtest", "--bars", bars, *WORDS, "--out", "run", "--json")
    assert again.status == 0
    assert json.loads(again.out) == json.loads(once.out)
    assert {path for path, time in kept.items() if path.stat().st_mtime_ns != time} == {lost}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--policy", "no-such"), "unknown-policy"),
        (("--horizon", "90m"), "bad-setting"),
        (("--horizon", "soon"), "bad-setting"),
        (("--level", "99.5"), "bad-setting"),
        (("--markets", "DOGE"), "unknown-market"),
        (("--from", "2031-01-01"), "too-little-history"),
        (("--day", "2031-01-01"), "empty-range"),
    ],
)
def test_what_cannot_be_tested_is_refused_in_one_line(plimsoll, bars, words, told):
    plain = ("--policy", "historical", "--workers", 1, "--out", "run")
    done = plimsoll("backtest", "--bars", bars, *plain, *words)
    assert done.status == 2
    assert told in done.err.splitlines()[-1]


OWN = """
level = 0.95
horizon_hours = 2.0
forecaster = "ewma"
decay_per_hour = 0.9
residual_windows = 500
[guard]
stress_weight = 0.2
rise_per_hour = 0.05
"""


def test_a_venues_own_settings_are_walked_judged_and_named(plimsoll, bars, tmp_path):
    (tmp_path / "desk.toml").write_text(OWN)
    words = ("--settings", "desk.toml", "--policy", "fhs-ewma", "--markets", "BTC", "--workers", 1)
    done = plimsoll("backtest", "--bars", bars, *words, "--out", "run", "--json")
    told = json.loads(done.out)
    assert told["reference"] == "own"
    assert told["target"] == {"horizon_hours": 2.0, "level": 0.95}
    assert [standing["policy"] for standing in told["standings"]] == ["own", "fhs-ewma"]
    record = json.loads((tmp_path / "run/run.json").read_text())
    assert "--settings desk.toml --policy fhs-ewma --horizon 2h --level 0.95" in record["command"]
    assert [name for name, _ in record["inputs"]] == ["bars.csv", "desk.toml"]


def test_the_frontier_of_own_settings_varies_their_guard(plimsoll, bars, tmp_path):
    (tmp_path / "desk.toml").write_text(OWN)
    words = ("--markets", "BTC", "--settings", "desk.toml", "--workers", 1)
    told = json.loads(plimsoll("frontier", "--bars", bars, *words, "--json").out)
    names = [row["variant"] for row in told]
    assert "rise_per_hour 0.01" in names
    assert "rise_per_hour 0.05" not in names, "which is what the settings say"
    both = plimsoll("frontier", "--bars", bars, *words, "--policy", "fhs-ewma")
    assert (both.status, "bad-setting" in both.err) == (2, True)


@pytest.mark.parametrize(
    ("text", "told"), [("level = 2.0", "level"), ("levels = 0.9", "levels"), ("level = ", "TOML")]
)
def test_settings_that_do_not_hold_are_refused_with_their_field(plimsoll, bars, tmp_path, text, told):
    (tmp_path / "desk.toml").write_text(text)
    for command in ("backtest", "frontier"):
        done = plimsoll(command, "--bars", bars, "--settings", "desk.toml", "--out", "run")
        assert done.status == 2
        assert told in done.err


def test_a_folder_with_other_things_in_it_is_left_alone(plimsoll, bars, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("years of work")
    for command in ("backtest", "frontier"):
        done = plimsoll(command, "--bars", bars, "--out", "mine")
        assert done.status == 2
        assert "file-exists" in done.err
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


def test_a_frontier_switches_each_part_off(plimsoll, bars, tmp_path):
    words = ("--markets", "BTC", "--policy", "fhs-ewma", "--level", "0.95", "--workers", 1)
    done = plimsoll("frontier", "--bars", bars, *words)
    assert done.status == 0, done.err
    for told in (GUARDED, NO_GUARD, "without floor", "rise_per_hour none", "report: runs/frontier/"):
        assert told in done.out
    assert_safe((tmp_path / "runs/frontier/report.html").read_text())


def test_every_variant_differs_from_the_guard_as_it_is_set():
    tried = variants(RATE_POLICIES[DEFAULT])
    assert tried[0].policy == RATE_POLICIES[DEFAULT]
    assert tried[1].policy.guard == UNGUARDED
    assert all(variant.policy != tried[0].policy for variant in tried[1:])
    assert len({variant.name for variant in tried}) == len(tried)


def assert_safe(page: str) -> None:
    assert "<script" not in page
    outside = re.sub(r"\"[^\"]*\"|'[^']*'", "", page)  # what stands in quotes is no attribute
    assert not re.findall(r"<[^>]*\s(?:on\w+|src|href)=", outside)
    assert not re.findall(r"@import|url\(|https?://", page)
    assert "default-src 'none'" in page
    assert len(page) < LARGEST_PAGE
    for tag in ("table", "section", "details", "figure", "svg", "tr", "td"):
        assert page.count(f"<{tag} ") + page.count(f"<{tag}>") == page.count(f"</{tag}>"), tag


def test_the_page_loads_nothing_and_escapes_every_name(tmp_path):
    bars = replace(wild_bars(7, 1_200), markets=("BTC", NASTY))
    plan = TrialPlan(
        policies=dict.fromkeys(("fhs-ewma", "twin"), RATE_POLICIES["fhs-ewma"]),
        reference="fhs-ewma",
        target=Target(horizon_hours=4.0, level=0.98),
    )
    trial = run_trial(replace(bars, markets=("BTC", "ETH")), plan, tmp_path, lambda *_: None)
    leagues = tuple(replace(league, market=NASTY) for league in trial.leagues[1:])
    hostile = replace(
        trial,
        leagues=(trial.leagues[0], *leagues),
        walks=trial.walks | {(NASTY, policy): trial.walks["ETH", policy] for policy in plan.policies},
    )
    page = render_backtest(
        hostile, source=NASTY, inputs=((NASTY, "0"),), program="plimsoll 0", command=f"plimsoll {NASTY}"
    )
    assert_safe(page)
    assert "&lt;script&gt;" in page
    for heading in ("Promises, kept or missed", "Every test", "Through the crash of", "beyond chance"):
        assert heading in page


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (0.013, 0.37), (2.0, 1_234.0), (5.0, 5.0)])
def test_ticks_are_round_and_within_their_axis(low, high):
    ticks = nice_ticks(low, high, 5)
    assert ticks
    assert all(low - 1e-9 <= tick <= high * (1.0 + 1e-9) for tick in ticks)
    assert len(ticks) <= 11
