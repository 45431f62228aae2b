"""Does a haircut follow risk, size and dependence, does it give notice, and does a score card add up?"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from plimsoll.calibration.announcements import CurveNotice, announce, curves_at
from plimsoll.calibration.collateral import collateral_terms, depeg_share, haircut_of
from plimsoll.calibration.protocol_risk import score
from plimsoll.calibration.score_cards import protocol_card
from plimsoll.domain.bars import HOUR
from plimsoll.domain.collateral import CollateralAsset, CollateralSettings
from plimsoll.domain.cost_curve import CostCurve
from plimsoll.domain.instruments import Listing, Perpetual, Spot
from plimsoll.domain.market import AssetQuote, Market, UnderlyingQuote
from plimsoll.domain.parameters import Level
from plimsoll.domain.portfolios import Collateral, Holding, Portfolio
from plimsoll.domain.profiles import CollateralTerms, LiquidityTerms, PortfolioProfile
from plimsoll.domain.scenario_sets import GridScenario, ScenarioGrid
from plimsoll.errors import Code, PlimsollError
from plimsoll.margin.liquidity import collateral_haircut
from plimsoll.margin.portfolio import PortfolioMargin
from plimsoll.margin.venue import requirement
from tests.support.venues import cross_margin, joint_rows, side

SHARE = st.floats(0.0, 1.0)
SETTINGS = CollateralSettings()
NOTICE = 24.0
CURVE = CostCurve(half_spread=1e-4, slope=0.004, reference=1e5, exponent=0.6, volatility=0.01, volume=1e6)
CURVES = st.builds(
    CostCurve,
    half_spread=st.floats(0.0, 0.01),
    slope=st.floats(1e-5, 0.05),
    reference=st.just(1e5),
    exponent=st.floats(0.2, 2.0),
    volatility=st.floats(1e-3, 0.05),
    volume=st.floats(1e5, 1e9),
)
ROUNDING = 1e-9
"""Of the amounts compared: sums of a few floats."""


@given(SHARE, SHARE, SHARE, SHARE, SHARE)
def test_a_haircut_is_a_share_that_rises_with_each_of_its_causes(fall, cost, depeg, add_on, more):
    plain = haircut_of(fall, cost, depeg, add_on)
    assert -ROUNDING <= plain <= 1.0
    assert plain >= max(fall, cost, depeg, add_on) - ROUNDING
    for worse in (
        haircut_of(max(fall, more), cost, depeg, add_on),
        haircut_of(fall, max(cost, more), depeg, add_on),
        haircut_of(fall, cost, max(depeg, more), add_on),
        haircut_of(fall, cost, depeg, max(add_on, more)),
    ):
        assert worse >= plain - ROUNDING


def terms_of(rate, *, asset=None, price=1.0, held=0.0, curves=(), add_on=0.0):
    return collateral_terms(
        CollateralAsset(asset="TOKEN") if asset is None else asset,
        rates=side(rate),
        price=price,
        held=held,
        curves=curves,
        add_on=add_on,
        settings=SETTINGS,
    )


@given(st.floats(0.01, 0.5), st.floats(1.0, 2.0), st.floats(0.0, 1e9), st.floats(0.0, 1e9), CURVES)
def test_what_collateral_loses_rises_with_volatility_and_size(rate, factor, worth, more, curve):
    for initial in (False, True):
        plain = collateral_haircut(terms_of(rate, curves=(curve,)), worth, initial=initial)
        assert 0.0 <= plain <= 1.0
        riskier = terms_of(min(rate * factor, 1.0), curves=(curve,))
        assert collateral_haircut(riskier, worth, initial=initial) >= plain - ROUNDING
        assert collateral_haircut(terms_of(rate, curves=(curve,)), worth + more, initial=initial) >= plain
        crowded = terms_of(rate, curves=(curve,), held=more)
        assert collateral_haircut(crowded, worth, initial=initial) >= plain
        wilder = structs.replace(curve, volatility=curve.volatility * factor)
        assert collateral_haircut(terms_of(rate, curves=(wilder,)), worth, initial=initial) >= plain
    assert collateral_haircut(terms_of(rate), worth, initial=True) >= collateral_haircut(
        terms_of(rate), worth, initial=False
    )


def test_a_stable_asset_has_a_floor_and_a_peg_that_gives_way_costs_more_each_cent():
    calm = CollateralAsset(asset="USDX", stable=True, worst_depeg=0.12)
    assert terms_of(0.0001, asset=calm).haircut == pytest.approx(1.0 - 0.97 * 0.9999)
    assert terms_of(0.0, asset=structs.replace(calm, worst_depeg=0.0)).haircut == SETTINGS.stable_floor
    shares = [depeg_share(calm, price, SETTINGS) for price in (1.0, 0.995, 0.98, 0.95, 0.6)]
    assert shares == pytest.approx([0.03, 0.03, 0.06, 0.18, 1.0])
    assert depeg_share(CollateralAsset(asset="BTC"), 0.5, SETTINGS) == 0.0


LISTINGS = (Listing(Perpetual("BTC"), 1e-6), Listing(Spot("ETH"), 1e-4))


def effective_haircut(rows, position, worth):
    """Say what a unit of collateral loses of its value in what the whole account needs."""
    table = structs.replace(joint_rows(3, ("BTC", "ETH")), rows=tuple(map(tuple, rows.tolist())))
    model = PortfolioMargin(cross_margin(dependence=(table,), gross_floor=0.0), LISTINGS)
    books = np.array([[position, worth], [position, 0.0]])
    needed = model.requirement(books, Level.MAINTENANCE)
    return (needed[0] - needed[1]) / worth


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10**6),
    st.lists(st.tuples(st.integers(0, 119), st.integers(0, 119)), min_size=1, max_size=40),
    st.sampled_from([0.3, 1.0, 4.0]),
)
def test_collateral_that_falls_with_the_position_is_worth_less_the_closer_they_move_together(
    seed, pairs, ratio
):
    rows = np.array(joint_rows(seed, ("BTC", "ETH")).rows)
    before = effective_haircut(rows, 1e9, ratio * 1e9)
    for first, second in pairs:
        together = (rows[first, 0] - rows[second, 0]) * (rows[first, 1] - rows[second, 1]) >= 0.0
        if not together:
            rows[[first, second], 1] = rows[[second, first], 1]
    after = effective_haircut(rows, 1e9, ratio * 1e9)
    assert after >= before - ROUNDING


def market(token=20.0):
    return Market(
        time=0,
        underlyings=(
            UnderlyingQuote(underlying="BTC", spot=60_000.0, perpetual=60_000.0),
            UnderlyingQuote(underlying="TOKEN", spot=token, perpetual=token),
        ),
        assets=(AssetQuote(asset="TOKEN", price=token), AssetQuote(asset="USDX", price=1.0)),
    )


FALLS = ScenarioGrid(
    scenarios=tuple(GridScenario(name=f"{move:+.0%}", spot=move) for move in (-0.4, -0.1, 0.1, 0.4))
)


def profile(*terms, liquidity=()):
    return PortfolioProfile(
        name="test", title="", source="", scenarios=(FALLS,), collateral=terms, liquidity=liquidity
    )


def excess(portfolio, chosen, level=Level.MAINTENANCE):
    return requirement(portfolio, market(), chosen, level).excess


def test_a_venues_token_held_against_a_long_in_the_same_token_is_worth_little():
    seen = terms_of(0.4, asset=CollateralAsset(asset="TOKEN", moves_with="TOKEN"))
    posted = (Collateral("TOKEN", 1_000.0),)
    long = Portfolio(holdings=(Holding(Perpetual("TOKEN"), 2_000.0),), collateral=posted)
    short = Portfolio(holdings=(Holding(Perpetual("TOKEN"), -2_000.0),), collateral=posted)
    apart = Portfolio(holdings=(Holding(Perpetual("TOKEN"), 2_000.0),), cash=20_000.0)
    assert excess(long, profile(seen)) == pytest.approx(excess(apart, profile(seen)) - 0.4 * 20_000.0)
    assert excess(short, profile(seen)) > excess(long, profile(seen)) + 0.7 * 20_000.0


@given(st.floats(1.0, 1e7), st.floats(1.0, 1e4), CURVES)
def test_one_curve_stands_behind_the_position_and_the_collateral(worth, contracts, curve):
    flat = CollateralTerms(asset="USDX", haircut=0.0, curves=(curve,))
    chosen = profile(flat, liquidity=(LiquidityTerms(underlying="TOKEN", curves=(curve,)),))
    told = requirement(
        Portfolio(
            holdings=(Holding(Perpetual("TOKEN"), -contracts),), collateral=(Collateral("USDX", worth),)
        ),
        market(),
        chosen,
        Level.MAINTENANCE,
    )
    parts = {part.name: part.amount for part in told.parts}
    assert parts["liquidity"] == pytest.approx(curve.add_on(20.0 * contracts))
    assert parts["collateral"] == pytest.approx(curve.add_on(worth))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 30), CURVES), min_size=1, max_size=8),
    st.integers(0, 60),
    st.integers(0, 24),
    st.floats(1.0, 1e7),
)
def test_a_change_of_curves_alone_liquidates_nobody_within_the_notice(announced, met, later, worth):
    """Whoever meets initial margin at some hour meets maintenance for the whole notice after it."""
    notice, hour, needs = CurveNotice(CURVE), 0, {}
    plan = {}
    for gap, curve in announced:
        hour += gap
        plan[hour] = curve
    for hour in range(met + later + 1):
        if hour in plan:
            notice = announce(notice, plan[hour], hour * HOUR, NOTICE)
        notice, curves = curves_at(notice, hour * HOUR, NOTICE)
        terms = terms_of(0.2, curves=curves)
        needs[hour] = (
            collateral_haircut(terms, worth, initial=False),
            collateral_haircut(terms, worth, initial=True),
        )
    assert needs[met + later][0] <= needs[met][1] + ROUNDING


def test_an_announced_curve_takes_force_after_its_notice_and_not_before():
    dear = structs.replace(CURVE, slope=1.0)
    notice = announce(CurveNotice(CURVE), dear, 5 * HOUR, NOTICE)
    assert curves_at(notice, 29 * HOUR, NOTICE)[1] == (CURVE, dear)
    assert curves_at(notice, 29 * HOUR + 1, NOTICE)[1] == (dear,)


CARD = protocol_card()
SAFEST = {
    question.name: min(question.answers, key=lambda given: given.points).answer for question in CARD.questions
}


def test_the_packaged_card_runs_from_nothing_to_everything_and_its_sum_is_shown():
    assert score(CARD, SAFEST).add_on == 0.0
    worst = score(CARD, {})
    assert worst.score == 1.0
    assert worst.add_on == 1.0
    some = score(CARD, SAFEST | {"upgrades": "one key", "issuance": "a regulated issuer"})
    total = sum(question.weight for question in CARD.questions)
    assert some.score == pytest.approx((5.0 + 4.0 * 0.35) / total)
    assert some.lines()[0] == "upgrades  1.00 x  5.0 =  5.00  one key"
    assert some.lines()[-2] == f"sum       6.40 of {total:.1f} = {some.score:.1%}"
    assert (
        score(CARD, {name: SAFEST[name] for name in SAFEST if name != "age"})
        .lines()[3]
        .endswith("not answered")
    )


@given(st.sampled_from(CARD.questions), st.data())
def test_a_riskier_answer_never_lowers_the_add_on(question, data):
    answers = {
        each.name: data.draw(st.sampled_from(each.answers)).answer
        for each in CARD.questions
        if data.draw(st.booleans())
    }
    added = [
        score(CARD, answers | {question.name: given.answer}).add_on
        for given in sorted(question.answers, key=lambda given: given.points)
    ]
    assert added == sorted(added)
    unanswered = {name: given for name, given in answers.items() if name != question.name}
    assert score(CARD, unanswered).add_on == added[-1]


@pytest.mark.parametrize("answers", [{"colour": "blue"}, {"age": "old"}])
def test_a_question_or_answer_that_the_card_does_not_have_is_refused(answers):
    with pytest.raises(PlimsollError) as refusal:
        score(CARD, answers)
    assert refusal.value.code is Code.BAD_SETTING
