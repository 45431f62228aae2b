"""Do explanations of portfolios add up, do trades change what they should, are liquidation prices right?"""

from decimal import Decimal
from itertools import product

import numpy as np
import pytest
from msgspec import structs

from plimsoll.domain.accounts import Account, CollateralBalance, Position
from plimsoll.domain.parameters import Level
from plimsoll.domain.profiles import PortfolioProfile, UnderlyingRange
from plimsoll.domain.quotes import market_of
from plimsoll.domain.scenario_sets import JointMoves, MarketMove, NamedStress, ScenarioGrid
from plimsoll.errors import Code, PlimsollError
from plimsoll.margin.breakdown import Breakdown, break_down
from plimsoll.margin.contributions import binding_loss
from plimsoll.margin.explain import Explanation, explain
from plimsoll.margin.holdings import portfolio_of
from plimsoll.margin.liquidation_price import PRECISION, liquidation_prices
from plimsoll.margin.losses import position_profit, scenario_profit
from plimsoll.margin.profiles import profile
from plimsoll.margin.terms import MarginTerms, ParameterTerms, ProfileTerms
from plimsoll.margin.venue import requirement, venue_margin
from plimsoll.margin.what_if import Trade, traded, what_if
from tests.support.desks import DESK, QUOTES, market
from tests.support.venues import LISTINGS, MARKS, cross_margin, parameter_set, per_position

MARKET = market()
ADDITION = 1e-11
"""Relative room for sums of some ten floats taken in another order."""
QUANTUM_ROOM = 10
"""Quanta between equity and maintenance at a liquidation price, beside what its precision moves."""


def tail_of(rows: int) -> JointMoves:
    generator = np.random.default_rng(17)
    moves = 0.05 * generator.standard_t(3, (rows, 2)) * (1.0, 1.3)
    volatility = 0.2 * generator.standard_normal((rows, 2))
    return JointMoves(
        underlyings=("BTC", "ETH"),
        names=tuple(f"hour {row}" for row in range(rows)),
        spot=tuple(map(tuple, np.clip(moves, -0.6, 0.6).tolist())),
        volatility=tuple(map(tuple, volatility.tolist())),
        tail=4,
    )


RANGES = tuple(
    UnderlyingRange(underlying=name, maintenance=most, initial=1.5 * most, least=0.5 * most)
    for name, most in (("BTC", 0.05), ("ETH", 0.08))
)


def laddered(rows: int) -> JointMoves:
    moves = tail_of(rows)
    unit = tuple(tuple(20.0 * move for move in row) for row in moves.spot)
    return structs.replace(moves, spot=unit, rungs=tuple(0.01 * 1.2**k for k in range(24)))


def plain(name: str, *scenarios, **parts) -> PortfolioProfile:
    return PortfolioProfile(name=name, title=name, source="the test", scenarios=scenarios, **parts)


SPAN = profile("span-16")
(SPAN_GRID,) = SPAN.scenarios
assert isinstance(SPAN_GRID, ScenarioGrid)
CRASH = NamedStress(
    name="crash", moves=(MarketMove(underlying="BTC", spot=-0.5, volatility=0.6),), others=0.2
)
PROFILES = {
    "derive": profile("derive-pmrm2"),
    "span": SPAN,
    "plimsoll": profile("plimsoll"),
    "credited": structs.replace(
        SPAN, scenarios=(structs.replace(SPAN_GRID, gain_credit=0.4, allowance=2_000.0),)
    ),
    "floored": structs.replace(SPAN, gross_floor=0.95),
    "basis": structs.replace(profile("derive-pmrm2"), scenarios=(structs.replace(SPAN_GRID, scenarios=()),)),
    "undiscounted": structs.replace(profile("derive-pmrm2"), discount=None),
    "tail": plain("tail", tail_of(60)),
    "rungs": plain("rungs", laddered(60), ranges=RANGES, gross_floor=0.1),
    "stress": plain("stress", CRASH, initial_factor=1.2),
}
MEASURES = {
    "derive": "sum of worst scenarios",
    "credited": "worst scenario",
    "floored": "correlation-break floor",
    "basis": "basis",
    "tail": "mean of the worst",
    "rungs": "mean of the worst",
    "stress": "worst scenario",
}
every_profile = pytest.mark.parametrize("name", PROFILES)


@every_profile
def test_contributions_sum_to_the_loss_that_the_requirement_charges(name):
    portfolio = portfolio_of(DESK, MARKET, PROFILES[name])
    venue = venue_margin(portfolio, MARKET, PROFILES[name])
    for level, factor in (
        (Level.MAINTENANCE, PROFILES[name].maintenance_factor),
        (Level.INITIAL, PROFILES[name].initial_factor),
    ):
        binding = binding_loss(venue.exposed(portfolio), venue, initial=level is Level.INITIAL)
        charged = requirement(portfolio, MARKET, PROFILES[name], level).part("scenarios")
        assert charged == pytest.approx(factor * binding.loss, rel=ADDITION)
        assert binding.shares.sum() - binding.relief == pytest.approx(binding.loss, rel=ADDITION)
        assert binding.loss > 0.0
        assert binding.measure == MEASURES.get(name, binding.measure)
        assert (binding.relief > 0.0) == (name == "credited")


@every_profile
def test_position_profits_sum_to_that_of_their_underlying_in_every_scenario(name):
    portfolio = portfolio_of(DESK, MARKET, PROFILES[name])
    venue = venue_margin(portfolio, MARKET, PROFILES[name])
    held = venue.exposed(portfolio)
    for exposed, table in product((held, -held), venue.tables(initial=True)):
        shares = position_profit(exposed, table, PROFILES[name].discount)
        whole = scenario_profit(exposed, table, PROFILES[name].discount)
        for u in range(len(table.chain.underlyings)):
            np.testing.assert_allclose(
                shares[table.chain.underlying == u].sum(axis=0), whole[u], rtol=ADDITION, atol=1e-6
            )


@every_profile
def test_a_share_is_what_the_loss_grows_by_as_its_position_grows(name):
    """Euler: the derivative of the loss in one quantity, times the quantity."""
    portfolio = portfolio_of(DESK, MARKET, PROFILES[name])
    venue = venue_margin(portfolio, MARKET, PROFILES[name])
    exposed = venue.exposed(portfolio)
    binding = binding_loss(exposed, venue, initial=False)
    for i in np.flatnonzero(exposed):
        more, less = (exposed * np.where(np.arange(len(exposed)) == i, 1.0 + h, 1.0) for h in (1e-6, -1e-6))
        slope = binding_loss(more, venue, initial=False).loss - binding_loss(less, venue, initial=False).loss
        assert slope / 2e-6 == pytest.approx(binding.shares[i], rel=1e-4, abs=1e-2)


@every_profile
def test_parts_and_contributions_add_up_to_the_quantum(name):
    told = break_down(DESK, MARKET, PROFILES[name])
    portfolio = portfolio_of(DESK, MARKET, PROFILES[name])
    assert sum(part.amount for part in told.parts) == told.maintenance
    assert sum(part.amount for part in told.initial_parts) == told.initial
    assert sum(line.loss for line in told.contributions) + told.relief == told.loss
    later = told.at_initial
    assert sum(line.loss for line in later.contributions) + later.relief == later.loss >= told.loss
    for level, total in ((Level.MAINTENANCE, told.maintenance), (Level.INITIAL, told.initial)):
        asked = requirement(portfolio, MARKET, PROFILES[name], level)
        assert 0.0 <= total - asked.required * 1e6 < 1.0 + 1e-3
        parts = {part.name: part.amount for part in (told.parts, told.initial_parts)[level is Level.INITIAL]}
        for part in asked.parts:
            assert abs(parts.get(part.name, 0) - part.amount * 1e6) <= 2.0
        assert told.worst == asked.worst or level is Level.INITIAL


def test_an_account_without_positions_needs_nothing():
    told = break_down(Account("idle", (CollateralBalance("USD", Decimal(7)),)), MARKET, SPAN)
    assert (told.equity, told.maintenance, told.initial, told.loss) == (7_000_000, 0, 0, 0)
    assert (told.parts, told.contributions, told.verdict) == ((), (), "initial met")


LINEAR = Account(
    name="keeper",
    collateral=(CollateralBalance("USD", Decimal(14_000)), CollateralBalance("BTC", Decimal("0.1"))),
    positions=(
        Position("BTC-PERP", Decimal(2), Decimal(60_000)),
        Position("ETH-PERP", Decimal(-20), Decimal(3_000)),
    ),
)
PRICES = {entry.name: float(mark) for entry, mark in zip(LISTINGS, MARKS, strict=True)}
CASES: dict[str, tuple[Account, MarginTerms, tuple[Trade, ...]]] = {
    "per-position": (
        LINEAR,
        ParameterTerms(parameter_set(per_position()), PRICES),
        (Trade("BTC-PERP", Decimal("-1.5")), Trade("BTC", Decimal("0.05"))),
    ),
    "cross-margin": (
        LINEAR,
        ParameterTerms(parameter_set(cross_margin()), PRICES),
        (Trade("ETH-PERP", Decimal(-3)),),
    ),
    "span": (DESK, ProfileTerms(SPAN, MARKET), (Trade("BTC-27MAR26-90000-P", Decimal(10)),)),
    "derive": (
        DESK,
        ProfileTerms(PROFILES["derive"], MARKET),
        (Trade("BTC-27MAR26-110000-C", Decimal(5)), Trade("BTC", Decimal("-0.1"))),
    ),
}
every_case = pytest.mark.parametrize("case", CASES)


@every_case
def test_before_and_after_a_trade_are_two_separate_requirements(case):
    account, terms, trades = CASES[case]
    told = what_if(account, trades, terms)
    for standing, answer in (
        (told.before, terms.answer(account)),
        (told.after, terms.answer(traded(account, trades, terms))),
    ):
        assert (standing.equity, standing.maintenance, standing.initial, standing.verdict) == (
            answer.equity, answer.maintenance, answer.initial, answer.verdict,
        )  # fmt: skip
    assert sum(part.before for part in told.parts) == told.before.maintenance
    assert sum(part.after for part in told.parts) == told.after.maintenance
    assert told.before.maintenance != told.after.maintenance


@every_case
def test_a_trade_at_the_mark_leaves_equity_where_it_was(case):
    account, terms, trades = CASES[case]
    told = what_if(account, trades, terms)
    assert abs(told.after.equity - told.before.equity) <= len(trades) + 1


@every_case
def test_a_trade_and_its_reverse_change_nothing(case):
    account, terms, trades = CASES[case]
    back = tuple(structs.replace(trade, quantity=-trade.quantity) for trade in trades)
    told = what_if(account, (*trades, *back), terms)
    assert told.after.maintenance == pytest.approx(told.before.maintenance, abs=2)
    assert told.after.initial == pytest.approx(told.before.initial, abs=2)


@every_case
def test_at_a_liquidation_price_equity_is_maintenance_and_just_beyond_it_is_less(case):
    account, terms, _ = CASES[case]
    found = liquidation_prices(account, "BTC", terms)
    sides = [price for price in (found.below, found.above) if price is not None]
    assert len(sides) == 2 or isinstance(terms, ParameterTerms)
    assert sides
    for price in sides:
        multiple = price / found.price
        answer = terms.moved("BTC", multiple).answer(account)
        moved = QUANTUM_ROOM + 4 * PRECISION * 20 * price * 1e6
        assert abs(answer.equity - answer.maintenance) <= moved
        beyond = terms.moved("BTC", multiple * (1 + (1e-9 if multiple > 1 else -1e-9))).answer(account)
        assert beyond.equity < beyond.maintenance
        within = terms.moved("BTC", 0.5 * (1 + multiple)).answer(account)
        assert within.equity >= within.maintenance


def test_a_covered_account_has_no_liquidation_price():
    covered = Account("covered", (CollateralBalance("BTC", Decimal(1)),))
    found = liquidation_prices(covered, "BTC", ProfileTerms(SPAN, MARKET))
    assert (found.below, found.above, found.liquidated) == (None, None, False)


def test_an_account_below_maintenance_is_liquidated_today():
    poor = structs.replace(DESK, collateral=())
    found = liquidation_prices(poor, "BTC", ProfileTerms(SPAN, MARKET))
    assert (found.below, found.above, found.liquidated) == (None, None, True)


def test_a_market_that_is_not_held_has_no_liquidation_price():
    for account, terms, _ in (CASES["per-position"], CASES["span"]):
        with pytest.raises(PlimsollError, match="BTC, ETH") as refused:
            liquidation_prices(account, "DOGE", terms)
        assert refused.value.code is Code.UNKNOWN_MARKET


def test_terms_answer_what_their_own_functions_do():
    assert isinstance(CASES["span"][1].answer(DESK), Breakdown)
    told = CASES["cross-margin"][1].answer(LINEAR)
    assert isinstance(told, Explanation)
    assert told == explain(LINEAR, parameter_set(cross_margin()), PRICES)


def test_an_account_in_a_coin_refuses_dollars():
    with pytest.raises(PlimsollError, match=r"holds .*USD") as refused:
        break_down(DESK, MARKET, profile("deribit-pm"))
    assert refused.value.code is Code.BAD_ACCOUNT


def test_a_moved_market_is_one_quoted_at_the_moved_prices():
    moved = {name: p * (0.875 if name.startswith("BTC") else 1.0) for name, p in QUOTES.prices.items()}
    fallen = market_of(structs.replace(QUOTES, prices=moved), "quotes")
    for chosen in (SPAN, PROFILES["derive"]):
        assert ProfileTerms(chosen, MARKET).moved("BTC", 0.875).answer(DESK) == break_down(
            DESK, fallen, chosen
        )
    marks = {name: p * (0.875 if name.startswith("BTC") else 1.0) for name, p in PRICES.items()}
    assert CASES["cross-margin"][1].moved("BTC", 0.875).answer(LINEAR) == explain(
        LINEAR, parameter_set(cross_margin()), marks
    )
