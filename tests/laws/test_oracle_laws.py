"""Can a minority of liars, an order of arrival or a repetition move what reporters agree on?"""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from plimsoll.domain.observations import Fault, count_refusals
from plimsoll.domain.oracle import (
    LONGEST_LADDER,
    Agreed,
    OracleSettings,
    Report,
    Step,
    check_ladder,
    raised_by,
)
from plimsoll.errors import Code, PlimsollError
from plimsoll.estimators.oracle_median import agree, weighted_median
from plimsoll.feeds.report_board import ReportBoard

NOW = 1_760_000_000_000
ROUNDING = 1e-12
"""Relative: a midpoint of two doubles, and a difference of two, are each off by an ulp or two at most."""

prices = st.floats(1e-6, 1e9, allow_subnormal=False)
confidences = st.floats(0.0, 1e6)
weights = st.integers(1, 9)
ages = st.integers(-4_000, 59_000)


def report(number, price, confidence=0.0, age=1_000, market="BTC"):
    return Report(f"reporter-{number}", market, price, confidence, NOW - age)


def settings_for(all_weights, **changed):
    return OracleSettings(weights={f"reporter-{n}": w for n, w in enumerate(all_weights)}, **changed)


def agreed_by(reports, settings, now=NOW, before=None) -> Agreed:
    agreed = agree(reports, "BTC", settings, now, before)
    assert agreed is not None
    return agreed


@st.composite
def assemblies(draw):
    """Draw reporters, of whom liars hold less than a third, and of the honest at most so many are silent."""
    all_weights = draw(st.lists(weights, min_size=4, max_size=13))
    total = sum(all_weights)
    order = draw(st.permutations(range(len(all_weights))))
    liars, held = [], 0
    for number in order[: draw(st.integers(0, len(all_weights)))]:
        if 3 * (held + all_weights[number]) < total:
            liars.append(number)
            held += all_weights[number]
    honest = [number for number in order if number not in liars]
    centre = draw(st.floats(0.01, 1e6))
    spread = draw(st.floats(0.0, 0.2))
    told = [
        report(
            n,
            centre * (1 + spread * draw(st.floats(-1.0, 1.0))),
            draw(st.floats(0.0, 0.1)) * centre,
            draw(ages),
        )
        for n in honest
    ]
    lies = [report(n, draw(prices), draw(confidences), draw(ages)) for n in liars]
    silent = draw(st.integers(0, 2))
    return settings_for(all_weights), told[silent:], lies


@given(assemblies())
def test_liars_below_a_third_cannot_move_the_price_beyond_the_honest_range(assembly):
    settings, honest, lies = assembly
    agreed = agree([*lies, *honest], "BTC", settings, NOW, None)
    if agreed is None:
        return  # the honest that spoke are no quorum
    low, high = (choose(one.price for one in honest) for choose in (min, max))
    assert low <= agreed.price <= high
    widest = max([high - low, *(one.confidence for one in honest)])
    assert agreed.confidence <= widest * (1 + ROUNDING)
    assert agreed.confidence >= min(one.confidence for one in honest)


@given(assemblies())
def test_liars_that_stay_silent_or_shout_leave_a_quorum_of_the_honest(assembly):
    settings, honest, lies = assembly
    told = sum(settings.weights[one.reporter] for one in honest)
    if told >= settings.quorum * sum(settings.weights.values()):
        assert agreed_by([*honest, *lies], settings).has_quorum


def test_a_third_of_the_weight_is_where_the_law_ends():
    """Six counted of nine, three of them liars: half of those counted move the price, fewer do not."""
    honest, lies = [report(n, 100.0) for n in range(3)], [report(n, 900.0) for n in range(3, 6)]
    assert agreed_by(honest + lies, settings_for([1] * 9)).price == 500.0
    assert agreed_by([*honest, report(6, 101.0), *lies], settings_for([1] * 9)).price == 101.0


@given(assemblies(), st.data())
def test_no_order_of_arrival_and_no_repetition_changes_anything(assembly, data):
    settings, honest, lies = assembly
    reports = honest + lies
    repeated = data.draw(st.permutations(reports + data.draw(st.lists(st.sampled_from(reports), max_size=9))))
    assert agree(repeated, "BTC", settings, NOW, None) == agree(reports, "BTC", settings, NOW, None)


@given(st.lists(st.tuples(prices, weights), min_size=1, max_size=9))
def test_the_weighted_median_is_that_of_each_value_repeated_by_its_weight(pairs):
    listed = sorted(value for value, weight in pairs for _ in range(weight))
    half = len(listed) // 2
    low, high = (listed[half], listed[half]) if len(listed) % 2 else (listed[half - 1], listed[half])
    median = weighted_median([value for value, _ in pairs], [weight for _, weight in pairs])
    assert low <= median <= high
    assert math.isclose(median, low + (high - low) / 2, rel_tol=ROUNDING)


@given(
    st.lists(st.tuples(prices, weights), min_size=1, max_size=9), st.integers(1, 9), st.floats(0.01, 100.0)
)
def test_scaling_and_weighting_all_alike_scale_the_median_and_leave_it(pairs, factor, scale):
    values, given_weights = [value for value, _ in pairs], [weight for _, weight in pairs]
    median = weighted_median(values, given_weights)
    assert weighted_median(values, [factor * weight for weight in given_weights]) == median
    scaled = weighted_median([scale * value for value in values], given_weights)
    assert math.isclose(scaled, scale * median, rel_tol=ROUNDING)


@given(st.lists(prices, min_size=4, max_size=9), prices, st.integers(1, 59_000))
def test_who_signs_two_prices_for_one_moment_is_not_counted(told, other, age):
    assume(other != told[0])
    settings = settings_for([1] * len(told))
    reports = [report(n, price, age=age) for n, price in enumerate(told)]
    agreed = agreed_by([*reports, report(0, other, age=age)], settings)
    assert agreed == agree([report(0, other, age=age), *reports], "BTC", settings, NOW, None)
    without = agreed_by(reports[1:], settings)
    assert (agreed.price, agreed.confidence) == (without.price, without.confidence)
    assert count_refusals(agreed.refusals)["oracle:reporter-0", Fault.EQUIVOCAL] == 1


def test_a_later_report_replaces_an_earlier_one_of_the_same_reporter():
    settings = settings_for([1, 1, 1])
    old, new = report(0, 50.0, age=9_000), report(0, 110.0, age=2_000)
    others = [report(1, 100.0), report(2, 120.0)]
    assert agreed_by([new, old, *others], settings).price == 110.0


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        (report(0, 100.0, age=60_001), Fault.STALE),
        (report(0, 100.0, age=-5_001), Fault.AHEAD),
        (report(0, math.nan), Fault.BAD_PRICE),
        (report(0, math.inf), Fault.BAD_PRICE),
        (report(0, -1.0), Fault.BAD_PRICE),
        (report(0, 100.0, -1.0), Fault.BAD_PRICE),
        (report(7, 100.0), Fault.UNKNOWN_REPORTER),
        (report(0, 100.0, market="ETH"), Fault.UNKNOWN_MARKET),
    ],
)
def test_a_report_that_may_not_count_is_a_refusal_with_its_code(bad, fault):
    others = [report(n, 90.0 + n) for n in range(1, 4)]
    agreed = agreed_by([bad, *others], settings_for([1] * 4))
    assert agreed.price == 92.0
    assert [refusal.fault for refusal in agreed.refusals] == [fault]
    assert agreed.share == 0.75


def test_a_deviating_report_is_named_and_keeps_its_vote():
    agreed = agreed_by(
        [report(n, price) for n, price in enumerate((99.0, 100.0, 130.0))], settings_for([1] * 3)
    )
    assert agreed.price == 100.0
    assert [refusal.source for refusal in agreed.refusals] == ["oracle:reporter-2"]


def test_without_a_quorum_the_last_price_stays_and_grows_old():
    settings = settings_for([1, 1, 1])
    before = agreed_by([report(n, 100.0) for n in range(3)], settings)
    assert before.has_quorum
    for seconds in (10, 61, 80_000):
        now = NOW + 1_000 * seconds
        held = agreed_by([Report("reporter-1", "BTC", 5.0, 0.0, now)], settings, now, before)
        assert (held.price, held.time, held.has_quorum) == (100.0, NOW, False)
        before = held
    now = NOW + 80_001_000
    heard = [Report(f"reporter-{n}", "BTC", 80.0, 0.0, now) for n in range(2)]
    back = agreed_by(heard, settings, now, before)
    assert (back.price, back.time, back.has_quorum) == (80.0, now, True)


def test_before_the_first_quorum_there_is_no_price():
    assert agree([report(0, 100.0)], "BTC", settings_for([1, 1]), NOW, None) is None


def test_reporters_far_apart_widen_the_confidence_though_there_is_a_quorum():
    told = [report(n, price) for n, price in enumerate((80.0, 100.0, 120.0))]
    agreed = agreed_by(told, settings_for([1] * 3))
    assert agreed.confidence == 20.0


@given(
    st.lists(st.tuples(st.floats(0.0, 1e4), st.floats(1.0, 10.0)), max_size=8),
    st.floats(0, 1e5),
    st.floats(0, 1e5),
)
def test_a_ladder_never_falls(steps, one, other):
    ladder = tuple(Step(above, multiplier) for above, multiplier in steps)
    low, high = sorted((one, other))
    assert 1.0 <= raised_by(ladder, low) <= raised_by(ladder, high)


@pytest.mark.parametrize(
    "ladder",
    [
        (Step(60.0, 1.5), Step(30.0, 2.0)),
        (Step(0.1, 2.0), Step(0.2, 1.5)),
        tuple(Step(float(n), 1.0 + n / 10) for n in range(LONGEST_LADDER + 1)),
    ],
)
def test_steps_that_make_no_ladder_are_refused(ladder):
    with pytest.raises(PlimsollError) as refusal:
        check_ladder("steps", ladder)
    assert refusal.value.code is Code.BAD_SETTING


def test_settings_that_name_nobody_are_refused():
    with pytest.raises(PlimsollError) as refusal:
        OracleSettings(weights={})
    assert refusal.value.code is Code.BAD_SETTING


_times = st.integers(0, 8)
_told = st.builds(
    Report,
    st.sampled_from([f"reporter-{n}" for n in range(4)]),
    st.just("BTC"),
    st.sampled_from([99.0, 100.0, 101.0]),
    st.sampled_from([0.0, 0.5]),
    _times.map(lambda second: NOW + 1000 * second),
)


@given(st.lists(_told, max_size=25), st.integers(0, 70))
def test_the_board_keeps_enough_of_what_came_to_agree_as_if_it_kept_all(told, later):
    settings = settings_for([1, 2, 3, 1])
    board = ReportBoard(settings, ("BTC",))
    now = NOW + 8_000
    for one in told:
        board.put(one, now)
    for _ in range(2):
        whole = agree(told, "BTC", settings, now, None)
        found = board.agreed("BTC", now)
        if whole is not None:
            assert found is not None
            assert (found.price, found.confidence, found.share) == (
                whole.price,
                whole.confidence,
                whole.share,
            )
        assert (found is not None and found.has_quorum) == (whole is not None)
        now += 1000 * later
    assert len(board.standing("BTC")) <= 2 * len(settings.weights)
