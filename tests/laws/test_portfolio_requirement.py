"""What holds of every portfolio under every profile?"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from plimsoll.domain.instruments import Instrument, Option, Perpetual
from plimsoll.domain.parameters import Level, PerPosition
from plimsoll.domain.portfolios import Holding, Portfolio
from plimsoll.domain.profiles import Contingencies, PortfolioProfile
from plimsoll.domain.scenario_sets import (
    GridScenario,
    JointMoves,
    ScenarioGrid,
    VolatilityMove,
    VolatilityRange,
)
from plimsoll.errors import PlimsollError
from plimsoll.margin.calibrated import with_calibration
from plimsoll.margin.open_interest import with_open_interest
from plimsoll.margin.parts import Requirement
from plimsoll.margin.profiles import profile
from plimsoll.margin.venue import requirement, requirements
from tests.support.books import INSTRUMENTS, MARKET, NEAR, holdings, portfolios
from tests.support.venues import cross_margin, parameter_set

ROUNDING = 1e-9
"""Of the gross value of a portfolio: sums of a dozen products."""

DRAWS = np.random.default_rng(3).standard_t(4, (60, 2)) * 0.05
SHORTFALL = PortfolioProfile(
    name="shortfall",
    title="Joint shortfall alone",
    source="the test",
    scenarios=(
        JointMoves(
            underlyings=("BTC", "ETH"),
            names=tuple(map(str, range(len(DRAWS)))),
            spot=tuple((float(b), float(0.6 * b + e)) for b, e in DRAWS),
            volatility=tuple((float(-2.0 * b), float(-e)) for b, e in DRAWS),
            tail=5,
        ),
    ),
)
LINEAR: tuple[Instrument, ...] = tuple(i for i in INSTRUMENTS if not isinstance(i, Option))
PROFILES = (
    profile("derive-pmrm2"),
    profile("span-16"),
    structs.replace(profile("span-16"), gross_floor=0.3),
    SHORTFALL,
    profile("plimsoll"),
)
ALL_PROFILES = (*PROFILES, with_open_interest(profile("dydx-large-cap"), {"BTC": 10**13, "ETH": 3 * 10**13}))
levels = st.sampled_from([Level.MAINTENANCE, Level.INITIAL])


def tradable(chosen: PortfolioProfile) -> tuple[Instrument, ...]:
    return INSTRUMENTS if chosen.open_interest is None else LINEAR


def margin(held: tuple[Holding, ...], chosen: PortfolioProfile, level: Level) -> Requirement:
    return requirement(Portfolio(holdings=held), MARKET, chosen, level)


def gross(held: tuple[Holding, ...]) -> float:
    return sum(abs(holding.quantity) for holding in held) * 100_000.0


@pytest.mark.parametrize("chosen", ALL_PROFILES, ids=lambda p: p.name)
@given(data=st.data(), level=levels)
@settings(max_examples=20)
def test_closing_all_positions_asks_for_nothing(chosen, data, level):
    held = data.draw(holdings(tradable(chosen)))
    closing = tuple(Holding(holding.instrument, -holding.quantity) for holding in held)
    assert margin(held + closing, chosen, level).required <= ROUNDING * gross(held)


@pytest.mark.parametrize("chosen", ALL_PROFILES, ids=lambda p: p.name)
@given(data=st.data(), level=levels)
@settings(max_examples=20)
def test_no_part_is_negative_and_the_parts_add_up(chosen, data, level):
    answer = requirement(data.draw(portfolios(tradable(chosen))), MARKET, chosen, level)
    assert all(part.amount >= 0.0 for part in answer.parts)
    assert answer.required == pytest.approx(sum(part.amount for part in answer.parts))
    assert answer.excess == answer.equity - answer.required


@pytest.mark.parametrize("chosen", ALL_PROFILES, ids=lambda p: p.name)
@given(data=st.data(), level=levels, seed=st.randoms(use_true_random=False))
@settings(max_examples=15)
def test_the_order_of_holdings_accounts_and_quotes_changes_nothing(chosen, data, level, seed):
    books = data.draw(st.lists(portfolios(tradable(chosen)), min_size=2, max_size=4))
    order = seed.sample(range(len(books)), len(books))
    shuffled = tuple(
        structs.replace(books[i], holdings=tuple(seed.sample(books[i].holdings, len(books[i].holdings))))
        for i in order
    )
    market = structs.replace(
        MARKET,
        underlyings=MARKET.underlyings[::-1],
        options=tuple(seed.sample(MARKET.options, len(MARKET.options))),
    )
    answers = requirements(tuple(books), MARKET, chosen, level)
    for i, found in zip(order, requirements(shuffled, market, chosen, level), strict=True):
        assert isinstance(found, Requirement)
        assert isinstance(answers[i], Requirement)
        assert abs(found.required - answers[i].required) <= ROUNDING * gross(books[i].holdings)


@pytest.mark.parametrize("chosen", ALL_PROFILES, ids=lambda p: p.name)
@given(data=st.data())
@settings(max_examples=20)
def test_initial_margin_is_never_below_maintenance(chosen, data):
    held = data.draw(holdings(tradable(chosen)))
    initial, maintenance = (
        margin(held, chosen, level).required for level in (Level.INITIAL, Level.MAINTENANCE)
    )
    assert initial >= maintenance - ROUNDING * gross(held)


@given(one=holdings(), other=holdings())
@settings(max_examples=40)
def test_a_shortfall_of_two_books_together_is_at_most_the_sum_of_both(one, other):
    together = margin(one + other, SHORTFALL, Level.INITIAL).required
    apart = sum(margin(held, SHORTFALL, Level.INITIAL).required for held in (one, other))
    assert together <= apart + ROUNDING * gross(one + other)


def nested(steps: int) -> PortfolioProfile:
    """Make a grid whose cells contain those of fewer steps: 2 % each way, volatility up and down."""
    cells = tuple(
        GridScenario(name=f"{sign * step} {move}", spot=0.02 * sign * step, volatility=move)
        for step in range(1, steps + 1)
        for sign in (1, -1)
        for move in (VolatilityMove.UP, VolatilityMove.DOWN)
    )
    grid = ScenarioGrid(scenarios=cells, volatility=VolatilityRange(rise=0.4, fall=0.3, short_power=0.3))
    return PortfolioProfile(name="nested", title="Nested", source="the test", scenarios=(grid,))


@given(held=holdings(), fewer=st.integers(1, 8), more=st.integers(0, 8))
@settings(max_examples=40)
def test_a_wider_nested_range_never_asks_for_less(held, fewer, more):
    narrow, wide = (
        margin(held, nested(steps), Level.MAINTENANCE).required for steps in (fewer, fewer + more)
    )
    assert wide >= narrow


HOURS, RISE = 24, 0.005
NOTICE = (1.0 + RISE) ** HOURS
"""The most that a range may grow within the notice."""
LADDER_STEP = 1.1003
"""A rung over the one below it, as the profile rounds them to four figures."""


def with_ranges(maintenance: float, initial: float) -> PortfolioProfile:
    chosen = profile("plimsoll")
    ranges = tuple(structs.replace(r, maintenance=maintenance, initial=initial) for r in chosen.ranges)
    return structs.replace(chosen, ranges=ranges)


@given(held=holdings(), reach=st.floats(0.02, 0.4), elapsed=st.floats(0.0, 1.0))
@settings(max_examples=60)
def test_initial_margin_covers_maintenance_at_every_range_within_the_notice(held, reach, elapsed):
    today = margin(held, with_ranges(reach, reach * NOTICE), Level.INITIAL)
    later = reach * NOTICE**elapsed
    assert margin(held, with_ranges(later, later), Level.MAINTENANCE).required <= today.required


@pytest.mark.parametrize("method", [cross_margin(), PerPosition(markets=cross_margin().markets)])
def test_calibrated_rates_become_the_ranges_of_the_own_profile(method):
    chosen = with_calibration(profile("plimsoll"), parameter_set(method))
    for market, given_range in zip(method.markets, chosen.ranges, strict=True):
        assert given_range.underlying == market.market
        assert given_range.maintenance == max(market.long.maintenance, market.short.maintenance)
        assert given_range.initial == max(market.long.initial, market.short.initial)


@pytest.mark.parametrize("reach", [0.0131, 0.07, 0.33, 0.94])
@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_a_lone_position_under_the_own_profile_pays_its_range_rounded_up_to_a_rung(reach, sign):
    held = (Holding(Perpetual("BTC"), sign * 2.0),)
    bare = structs.replace(with_ranges(reach, reach), contingencies=Contingencies(), basis=None)
    required = margin(held, bare, Level.MAINTENANCE).required
    price = MARKET.underlyings[0].perpetual
    assert price is not None
    notional = 2.0 * price
    assert reach * notional <= required <= LADDER_STEP * reach * notional


def test_a_profile_that_states_its_ranges_takes_none_from_calibration():
    with pytest.raises(PlimsollError, match="states its own ranges"):
        with_calibration(profile("span-16"), parameter_set(cross_margin()))


def test_a_grid_that_only_scales_would_break_the_notice_and_a_nested_one_does_not():
    """A long straddle gains from large moves: it loses most in small ones, which a wider grid skips."""
    call, put = (i for i in INSTRUMENTS if isinstance(i, Option) and i.strike == 90_000 and i.expiry == NEAR)
    held = (Holding(call, 1.0), Holding(put, 1.0))

    def asked(reach: float, *, nested: bool) -> float:
        (grid,) = profile("plimsoll").scenarios
        assert isinstance(grid, ScenarioGrid)
        edges = tuple(cell for cell in grid.scenarios if abs(cell.spot) in {0.01, 0.0})[3:]
        scaled = tuple(structs.replace(cell, spot=100.0 * cell.spot) for cell in edges)
        cells = grid if nested else structs.replace(grid, scenarios=scaled, nested=False)
        chosen = structs.replace(with_ranges(reach, reach), scenarios=(cells,), gross_floor=0.0, basis=None)
        return margin(held, chosen, Level.MAINTENANCE).part("scenarios")

    assert asked(0.3, nested=False) < asked(0.02, nested=False)
    assert asked(0.3, nested=True) >= asked(0.02, nested=True)


@given(size=st.floats(0.01, 100.0), sign=st.sampled_from([-1.0, 1.0]), reach=st.floats(0.01, 0.5))
@settings(max_examples=40)
def test_a_lone_linear_position_pays_exactly_its_range(size, sign, reach):
    grid = ScenarioGrid(
        scenarios=tuple(GridScenario(name=f"{move}", spot=move) for move in (-1.0, -0.5, 0.5, 1.0))
    )
    ranges = profile("span-16").ranges[:1]
    chosen = PortfolioProfile(
        name="range",
        title="Range",
        source="the test",
        scenarios=(grid,),
        ranges=tuple(structs.replace(r, maintenance=reach, initial=reach) for r in ranges),
    )
    held = (Holding(Perpetual("BTC"), sign * size),)
    notional = size * MARKET.underlyings[0].perpetual
    assert margin(held, chosen, Level.MAINTENANCE).required == pytest.approx(reach * notional, rel=ROUNDING)


@given(held=holdings(LINEAR), share=st.floats(0.0, 1.0))
@settings(max_examples=30)
def test_a_perfect_hedge_takes_its_share_of_the_scenario_part_away(held, share):
    hedge = tuple(Holding(holding.instrument, -share * holding.quantity) for holding in held)
    whole = margin(held, profile("span-16"), Level.MAINTENANCE).part("scenarios")
    hedged = margin(held + hedge, profile("span-16"), Level.MAINTENANCE).part("scenarios")
    assert hedged == pytest.approx((1.0 - share) * whole, rel=ROUNDING, abs=ROUNDING * gross(held))


def test_what_is_wrong_with_one_account_is_its_own_answer():
    good = Portfolio(cash=10.0, holdings=(Holding(INSTRUMENTS[1], 2.0),))
    bad = Portfolio(holdings=(Holding(Perpetual("DOGE"), 1.0),))
    first, fault, last = requirements((good, bad, good), MARKET, profile("span-16"), Level.INITIAL)
    assert isinstance(fault, PlimsollError)
    assert first == last == requirement(good, MARKET, profile("span-16"), Level.INITIAL)
