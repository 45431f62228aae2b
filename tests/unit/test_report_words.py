"""Does the summary say what the figures say, also where they speak against the calibrated policy?"""

from dataclasses import replace

import numpy as np
import pytest

from plimsoll.report import figures
from plimsoll.report.measures import MEASURES, best_policies, is_broken
from plimsoll.report.summary import summarise
from tests.support.replays import build_replay, build_summary


def judged(**changes: object) -> str:
    """Return what is said of plimsoll against static when plimsoll's figures are changed."""
    replay = build_replay(bars=90, policies=("static", "plimsoll"))
    static, ours = replay.outcomes
    changed = replace(ours, summary=build_summary("plimsoll", **changes))
    verdict = summarise(replace(replay, outcomes=(static, changed))).verdict
    return " ".join(f"{finding.judgement} {finding.grounds}" for finding in verdict)


@pytest.mark.parametrize(
    ("bad_debt", "mean_margin", "words"),
    [
        (3e5, 0.009, "better on both counts"),
        (3e5, 0.0104, "safer at the same cost"),
        (3e5, 0.0400, "safer, but dearer"),
        (9.42e6, 0.009, "as safe, and cheaper"),
        (9.42e6, 0.0400, "not better: as safe, and dearer"),
        (2e7, 0.009, "not safer: cheaper, and paid for with losses"),
        (2e7, 0.0104, "not better: less safe at the same cost"),
        (2e7, 0.0400, "worse on both counts"),
    ],
)
def test_the_verdict_follows_debt_and_margin_whichever_way_they_fall(bad_debt, mean_margin, words):
    assert f"plimsoll against static: {words}." in judged(bad_debt=bad_debt, mean_margin=mean_margin)


def test_a_policy_that_let_in_less_is_said_to_have_had_less_to_lose():
    assert "10.7% less notional" in judged()
    assert "notional" not in judged(admitted=1.31e9).replace("of open notional", "")
    assert "7.00% more notional" in judged(admitted=1.4017e9)


def test_a_broken_notice_is_named_and_marked():
    assert "Notice was kept." in judged()
    assert "Notice was broken. plimsoll did it to 3 accounts" in judged(liquidated_by_rise=3)
    row = next(measure for measure in MEASURES if "rise alone" in measure.label)
    assert is_broken(row, build_summary("plimsoll", liquidated_by_rise=3))
    assert not is_broken(row, build_summary("plimsoll"))


def test_who_paid_is_said_and_who_did_not_is_left_out():
    static, matched = summarise(build_replay(bars=90, policies=("static", "static-matched"))).policies
    assert "nobody paid $442k" in static
    assert "nobody" not in matched


def test_the_price_is_told_from_its_widest_move_in_either_direction():
    replay = build_replay(bars=200, markets=1)
    falling = np.array([100.0, 110.0, np.nan, 60.0, 70.0] + [65.0] * 195)[:, None]
    rising = np.array([100.0, 80.0, 240.0, 200.0, 190.0] + [195.0] * 195)[:, None]
    told = [summarise(replace(replay, undisturbed=prices, outcomes=())) for prices in (falling, rising)]
    assert "BTC fell 45.5%, from $110.0 " in told[0].price
    assert "BTC rose 200%, from $80.00 " in told[1].price
    assert told[0].verdict == ()


def test_the_best_of_a_row_is_marked_only_where_there_is_a_difference():
    debt = next(measure for measure in MEASURES if measure.label == "bad debt")
    differing = [build_summary("static"), build_summary("plimsoll")]
    assert best_policies(debt, differing) == {"plimsoll"}
    assert best_policies(debt, [build_summary("a", bad_debt=0.0), build_summary("b", bad_debt=0.0)]) == set()


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        (12_350_000, "$12.3M"),
        (999_999, "$1.00M"),
        (0.0, "$0"),
        (-4_200, "-$4.20k"),
        (512.4, "$512"),
        (0.5, "$0.5"),
        (3.21e9, "$3.21B"),
        (float("nan"), "n/a"),
    ],
)
def test_money_reads_at_a_glance(amount, written):
    assert figures.money(amount) == written


@pytest.mark.parametrize(
    ("part", "written"),
    [(0.0472, "4.72%"), (0.5, "50.0%"), (0.0, "0%"), (23.3, "2,330%"), (0.09996, "10.0%")],
)
def test_shares_keep_about_three_digits(part, written):
    assert figures.share(part) == written


def test_prices_are_never_in_powers_of_ten():
    assert [figures.price(quote) for quote in (63_210.4, 4.25, 0.0000123)] == [
        "$63,210",
        "$4.250",
        "$0.00001230",
    ]
