"""What holds of every portfolio that is margined by its Greeks?"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from plimsoll.domain.instruments import Instrument, Option, Perpetual
from plimsoll.domain.parameters import Level
from plimsoll.domain.portfolios import Holding, Portfolio
from plimsoll.domain.profiles import PortfolioProfile
from plimsoll.domain.scenario_sets import FactorCovariance, ScenarioGrid
from plimsoll.errors import Code, PlimsollError
from plimsoll.margin.greeks import greeks_report, greeks_requirement, held_quantity
from plimsoll.margin.profiles import profile
from plimsoll.margin.quadratic_risk import quadratic_risk, quadratic_terms
from plimsoll.margin.venue import requirement
from tests.support.books import INSTRUMENTS, MARKET, holdings

ROUNDING = 1e-9
"""Of the gross value of a portfolio: sums of some hundred products."""
DRAWS = 200_000
DEVIATIONS = 4.0
"""Sampling errors that a share of draws may be off."""
PROFILES = (profile("plimsoll"), profile("span-16"))
LINEAR: tuple[Instrument, ...] = tuple(i for i in INSTRUMENTS if not isinstance(i, Option))
OPTIONS: tuple[Instrument, ...] = tuple(i for i in INSTRUMENTS if isinstance(i, Option))
FACTORS = FactorCovariance(
    underlyings=("BTC", "ETH"),
    covariance=(
        (0.0009, 0.0010, -0.0012, -0.0010),
        (0.0010, 0.0016, -0.0011, -0.0016),
        (-0.0012, -0.0011, 0.0100, 0.0060),
        (-0.0010, -0.0016, 0.0060, 0.0144),
    ),
)
levels = st.sampled_from([Level.MAINTENANCE, Level.INITIAL])


def gross(held: tuple[Holding, ...]) -> float:
    return sum(abs(holding.quantity) for holding in held) * 100_000.0


def bare(chosen: PortfolioProfile) -> PortfolioProfile:
    return structs.replace(chosen, basis=None, gross_floor=0.0)


def with_range(chosen: PortfolioProfile, reach: float) -> PortfolioProfile:
    ranges = tuple(structs.replace(one, maintenance=reach, initial=reach) for one in chosen.ranges)
    return structs.replace(chosen, ranges=ranges)


@pytest.mark.parametrize("chosen", PROFILES, ids=lambda p: p.name)
@given(held=holdings(), level=levels)
@settings(max_examples=40)
def test_full_repricing_never_asks_for_more_than_the_bound(chosen, held, level):
    book = Portfolio(holdings=held)
    full = requirement(book, MARKET, bare(chosen), level).part("scenarios")
    found = greeks_requirement(book, MARKET, chosen, level)
    assert full <= found.bound + ROUNDING * gross(held)
    assert found.required >= found.bound - ROUNDING * gross(held)


@pytest.mark.parametrize("chosen", PROFILES, ids=lambda p: p.name)
@given(held=holdings(), level=levels)
@settings(max_examples=20)
def test_no_part_is_negative_they_add_up_and_a_closed_book_needs_nothing(chosen, held, level):
    found = greeks_requirement(Portfolio(holdings=held), MARKET, chosen, level)
    assert all(part.amount >= 0.0 for part in found.parts)
    assert found.required == pytest.approx(sum(part.amount for part in found.parts))
    closed = held + tuple(Holding(holding.instrument, -holding.quantity) for holding in held)
    assert greeks_requirement(Portfolio(holdings=closed), MARKET, chosen, level).required <= ROUNDING * gross(
        held
    )


@pytest.mark.parametrize("chosen", PROFILES, ids=lambda p: p.name)
@given(held=holdings(LINEAR), level=levels)
@settings(max_examples=20)
def test_a_book_without_options_needs_exactly_what_full_repricing_asks_for(chosen, held, level):
    book = Portfolio(holdings=held)
    full = requirement(book, MARKET, bare(chosen), level).part("scenarios")
    found = greeks_requirement(book, MARKET, chosen, level)
    assert found.required == pytest.approx(full, abs=ROUNDING * gross(held))
    assert found.unguarded == pytest.approx(full, abs=ROUNDING * gross(held))


@pytest.mark.parametrize("chosen", PROFILES, ids=lambda p: p.name)
@given(held=holdings(), reach=st.floats(0.02, 0.2), more=st.floats(0.0, 0.1))
@settings(max_examples=30)
def test_a_wider_range_of_spot_never_asks_for_less(chosen, held, reach, more):
    book = Portfolio(holdings=held)
    narrow, wide = (
        greeks_requirement(book, MARKET, with_range(chosen, r), Level.INITIAL) for r in (reach, reach + more)
    )
    assert wide.unguarded >= narrow.unguarded - ROUNDING * gross(held)
    assert wide.bound >= narrow.bound - ROUNDING * gross(held)


@given(held=holdings(), times=st.floats(1.0, 1.8))
@settings(max_examples=30)
def test_a_wider_range_of_volatility_never_lowers_what_the_greeks_ask_for(held, times):
    (grid,) = profile("span-16").scenarios
    assert isinstance(grid, ScenarioGrid)
    wider = structs.replace(
        grid,
        volatility=structs.replace(
            grid.volatility, rise=times * grid.volatility.rise, fall=times * grid.volatility.fall
        ),
    )
    narrow, wide = (
        greeks_requirement(
            Portfolio(holdings=held),
            MARKET,
            structs.replace(profile("span-16"), scenarios=(one,)),
            Level.INITIAL,
        )
        for one in (grid, wider)
    )
    assert wide.unguarded >= narrow.unguarded - ROUNDING * gross(held)


@given(held=st.lists(st.tuples(st.sampled_from(OPTIONS), st.floats(0.1, 50.0)), min_size=1, max_size=6))
@settings(max_examples=30)
def test_a_book_long_gamma_needs_no_more_than_its_delta_part(held):
    book = Portfolio(holdings=tuple(Holding(option, size) for option, size in held))
    reach = 0.1
    chosen = with_range(profile("span-16"), reach)
    by_underlying: dict[str, float] = {}
    forwards = {
        (quote.underlying, expiry.expiry): expiry.forward
        for quote in MARKET.underlyings
        for expiry in quote.expiries
    }
    for line in greeks_report(book, MARKET):
        cash = line.delta * forwards[line.underlying, line.expiry]
        by_underlying[line.underlying] = by_underlying.get(line.underlying, 0.0) + cash
    delta_part = reach * sum(map(abs, by_underlying.values()))
    found = greeks_requirement(book, MARKET, chosen, Level.MAINTENANCE)
    assert found.parts[0].name == "delta-gamma"
    assert found.parts[0].amount <= delta_part * (1.0 + ROUNDING)


@given(held=holdings())
@settings(max_examples=20)
def test_the_report_of_a_sum_is_the_sum_of_reports_and_shows_what_repricing_shows(held):
    (whole, parts) = (
        greeks_report(Portfolio(holdings=held), MARKET),
        [greeks_report(Portfolio(holdings=(one,)), MARKET)[0] for one in held],
    )
    for line in whole:
        same = [p for p in parts if (p.underlying, p.expiry) == (line.underlying, line.expiry)]
        for name in ("delta", "gamma", "vega", "theta"):
            total = sum(getattr(part, name) for part in same)
            assert getattr(line, name) == pytest.approx(total, abs=ROUNDING * gross(held))


def test_a_lone_perpetual_has_the_value_at_risk_of_its_normal_move():
    book = Portfolio(holdings=(Holding(Perpetual("BTC"), 2.0),))
    price = MARKET.underlyings[0].perpetual
    assert price is not None
    assert quadratic_risk(book, MARKET, FACTORS, 0.01) == pytest.approx(
        2.0 * price * 0.03 * 2.3263478740408408
    )


def test_two_underlyings_that_hedge_each_other_risk_less_than_both_apart():
    one, other = Holding(Perpetual("BTC"), 1.0), Holding(Perpetual("ETH"), -25.0)
    together = quadratic_risk(Portfolio(holdings=(one, other)), MARKET, FACTORS, 0.01)
    apart = [quadratic_risk(Portfolio(holdings=(h,)), MARKET, FACTORS, 0.01) for h in (one, other)]
    assert together < 0.9 * max(apart)


def test_options_of_two_underlyings_lose_more_than_their_risk_as_often_as_stated():
    rng = np.random.default_rng(5)
    sizes = rng.normal(size=len(OPTIONS)).tolist()
    held = tuple(Holding(option, size) for option, size in zip(OPTIONS, sizes, strict=True))
    book = Portfolio(holdings=held)
    linear, square = quadratic_terms(*held_quantity(book, MARKET), FACTORS)
    moves = rng.multivariate_normal(np.zeros(4), np.array(FACTORS.covariance), DRAWS)
    profits = moves @ linear + 0.5 * ((moves @ square) * moves).sum(axis=1)
    for share in (0.005, 0.01, 0.05):
        exceeded = np.mean(-profits > quadratic_risk(book, MARKET, FACTORS, share))
        assert abs(exceeded - share) < DEVIATIONS * np.sqrt(share * (1.0 - share) / DRAWS)


@pytest.mark.parametrize(
    "covariance",
    [
        ((1.0,),),
        tuple((1.0,) * 4 for _ in range(3)),
        ((0.0, 1.0, 0.0, 0.0),) * 4,
        tuple(map(tuple, -np.eye(4))),
    ],
)
def test_what_is_no_covariance_is_refused(covariance):
    book = Portfolio(holdings=(Holding(Perpetual("BTC"), 2.0),))
    with pytest.raises(PlimsollError) as caught:
        quadratic_risk(book, MARKET, structs.replace(FACTORS, covariance=covariance), 0.01)
    assert caught.value.code is Code.BAD_SETTING


def test_a_profile_that_greeks_cannot_see_is_refused():
    book = Portfolio(holdings=(Holding(OPTIONS[0], 2.0),))
    for name in ("derive-pmrm2", "deribit-pm"):
        with pytest.raises(PlimsollError) as caught:
            greeks_requirement(book, MARKET, profile(name), Level.INITIAL)
        assert caught.value.code is Code.BAD_SETTING
