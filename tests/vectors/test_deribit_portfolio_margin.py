"""Does the engine with Deribit's parameters give Deribit's risk vectors and margins?"""

import json
from typing import Any

import pytest
from msgspec import structs

from plimsoll.domain.instruments import Perpetual
from plimsoll.domain.market import Market, UnderlyingQuote
from plimsoll.domain.parameters import Level
from plimsoll.domain.portfolios import Holding, Portfolio
from plimsoll.domain.profiles import PortfolioProfile, RollShock
from plimsoll.domain.scenario_sets import GridScenario, ScenarioGrid, VolatilityMove, VolatilityRange
from plimsoll.margin.parts import Requirement
from plimsoll.margin.profiles import profile as packaged
from plimsoll.margin.venue import VenueMargin, requirement

TOLERANCE = 1e-9
"""Margins are published to nine decimals of a coin."""

SIDE_MOVES = 4
EXTENDED = (-0.66, -0.33, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0)


@pytest.fixture(scope="module")
def case(vectors) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((vectors / "deribit_pme_eth.json").read_text(encoding="utf-8"))
    return read


def profile(case: dict[str, Any]) -> PortfolioProfile:
    general, currency, pair = (case["model_params"][key] for key in ("general", "currency", "currency_pair"))
    reach = pair["price_range"]
    moves = [VolatilityMove.UP, VolatilityMove.NONE, VolatilityMove.DOWN]
    volatility = VolatilityRange(
        rise=pair["volatility_range_up"],
        fall=pair["volatility_range_down"],
        short_power=pair["short_term_vega_power"],
        long_power=pair["long_term_vega_power"],
        least_after_rise=pair["min_volatility_for_shock_up"],
    )
    standard = tuple(
        GridScenario(name=f"{step} {move}", spot=reach * step / SIDE_MOVES, volatility=move)
        for step in range(-SIDE_MOVES, SIDE_MOVES + 1)
        for move in moves
    )
    extended = tuple(
        GridScenario(
            name=f"{spot:+g}",
            spot=spot,
            volatility=VolatilityMove.UP,
            weight=pair["extended_table_factor"] * reach / abs(spot),
            linear_spot=reach if spot > 0.0 else -reach,
        )
        for spot in EXTENDED
    )
    credit, dampener = currency["pnl_offset"], currency["extended_dampener"]
    return PortfolioProfile(
        name="deribit-pm",
        title="Deribit",
        source="the case",
        unit="coin",
        scenarios=(
            ScenarioGrid(scenarios=standard, volatility=volatility, gain_credit=credit),
            ScenarioGrid(scenarios=extended, volatility=volatility, gain_credit=credit, allowance=dampener),
        ),
        maintenance_factor=general["mm_factor"],
        roll=RollShock(least=currency["min_annualised_move"], per_year=currency["annualised_move_risk"]),
    )


def market(case: dict[str, Any]) -> Market:
    (mark,) = case["mark_price"].values()
    quote = UnderlyingQuote(underlying="ETH", spot=case["index_price"], perpetual=mark)
    return Market(time=case["timestamp_ms"], underlyings=(quote,))


def portfolio(case: dict[str, Any]) -> Portfolio:
    (size,) = case["positions"].values()
    return Portfolio(holdings=(Holding(Perpetual("ETH"), size),))


def answer(case: dict[str, Any], level: Level) -> Requirement:
    return requirement(portfolio(case), market(case), profile(case), level)


def test_risk_vectors_of_the_contract_are_the_venues(case):
    engine = VenueMargin((Perpetual("ETH"),), market(case), profile(case))
    (vectors,) = case["initial_risk_vectors"].values()
    (size,) = case["positions"].values()
    for table, name in zip(engine.tables(initial=True), ("standard", "extended"), strict=True):
        assert list(size * table.change[0]) == pytest.approx(vectors[name], rel=TOLERANCE, abs=TOLERANCE)


def test_aggregated_risk_vectors_are_the_venues(case):
    found = [scenario.profit for scenario in answer(case, Level.INITIAL).scenarios]
    expected = case["aggregated_risk_vectors"]
    assert found == pytest.approx(expected["standard"] + expected["extended"], rel=TOLERANCE, abs=TOLERANCE)


def test_margins_and_their_parts_are_the_venues(case):
    expected, initial = case["expected"], answer(case, Level.INITIAL)
    assert initial.part("scenarios") == pytest.approx(expected["worst_case"], abs=TOLERANCE)
    assert initial.part("roll") == pytest.approx(expected["roll_shock"], abs=TOLERANCE)
    assert initial.required == pytest.approx(expected["risk_matrix_margin"], abs=TOLERANCE)
    assert initial.required == pytest.approx(expected["initial_margin"], abs=TOLERANCE)
    maintenance = answer(case, Level.MAINTENANCE).required
    assert maintenance == pytest.approx(expected["maintenance_margin"], abs=TOLERANCE)


def test_the_worst_case_stands_in_the_venues_bucket(case):
    names = [scenario.name for scenario in answer(case, Level.INITIAL).scenarios]
    row = names.index(answer(case, Level.INITIAL).worst)
    assert (
        row // case["model_params"]["general"]["vol_scenarios_count"] + 1
        == case["expected"]["worst_case_bucket"]
    )


def test_the_packaged_profile_is_that_of_the_case(case):
    shipped = structs.replace(packaged("deribit-pm"), title="", source="")
    found = requirement(portfolio(case), market(case), shipped, Level.INITIAL)
    assert found.required == pytest.approx(case["expected"]["initial_margin"], abs=TOLERANCE)
