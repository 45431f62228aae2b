"""Does the engine with Derive's parameters give Derive's margins, in every scenario of every case?"""

import json
from typing import Any

import pytest

from plimsoll.domain.instruments import Option, Perpetual
from plimsoll.domain.market import AssetQuote, ExpiryQuote, Market, OptionQuote, UnderlyingQuote
from plimsoll.domain.parameters import Level
from plimsoll.domain.portfolios import Collateral, Holding, Portfolio
from plimsoll.domain.profiles import (
    BasisContingency,
    CollateralTerms,
    ConfidenceCharge,
    Contingencies,
    ExpiryDiscount,
    PegCharge,
    PortfolioProfile,
    SideDiscount,
)
from plimsoll.domain.scenario_sets import (
    GridScenario,
    ScenarioGrid,
    SkewShape,
    VolatilityMove,
    VolatilityRange,
)
from plimsoll.margin.venue import VenueMargin, requirement

TOLERANCE = 1e-8
"""The cases were computed in fixed point of 18 digits; both sides round, in different places."""

UNDERLYING = "ETH"
DIRECTIONS = {
    "Up": VolatilityMove.UP,
    "Down": VolatilityMove.DOWN,
    "None": VolatilityMove.NONE,
    "LINEAR": VolatilityMove.LINEAR_SKEW,
    "ABS": VolatilityMove.ABSOLUTE_SKEW,
}


def option(entry: dict[str, Any]) -> Option:
    return Option(
        UNDERLYING, entry["seconds_to_expiry"] * 1000, entry["strike"], "C" if entry["is_call"] else "P"
    )


def asset(number: int, entry: dict[str, Any]) -> str:
    return f"{entry['name']} {number}"


def market(case: dict[str, Any]) -> Market:
    quotes = case["market"]
    expiries = tuple(
        ExpiryQuote(
            expiry=entry["seconds_to_expiry"] * 1000,
            forward=entry["forward"],
            rate=entry["rate"],
            confidence=min(entry["forward_confidence"], entry["rate_confidence"], entry["vol_confidence"]),
        )
        for entry in quotes["expiries"]
    )
    collateral = enumerate(case["account"]["collaterals"])
    return Market(
        time=0,
        stable=quotes["stable"],
        underlyings=(
            UnderlyingQuote(
                underlying=UNDERLYING,
                spot=quotes["spot"],
                perpetual=quotes["perp"] or None,
                spot_confidence=quotes["spot_confidence"],
                perpetual_confidence=quotes["perp_confidence"],
                expiries=expiries,
            ),
        ),
        options=tuple(OptionQuote(option(entry), entry["mark_vol"]) for entry in case["account"]["options"]),
        assets=tuple(
            AssetQuote(asset=asset(i, entry), price=entry["price"], confidence=entry["confidence"])
            for i, entry in collateral
        ),
    )


def portfolio(case: dict[str, Any]) -> Portfolio:
    account = case["account"]
    holdings = [Holding(option(entry), entry["amount"]) for entry in account["options"]]
    if account["perps"]:
        holdings.append(Holding(Perpetual(UNDERLYING), account["perps"]))
    return Portfolio(
        cash=account["cash"],
        unrealised=account["unrealised_perp_pnl"] + account["unrealised_funding"],
        holdings=tuple(holdings),
        collateral=tuple(
            Collateral(asset(i, entry), entry["amount"]) for i, entry in enumerate(account["collaterals"])
        ),
    )


def grid(parameters: dict[str, Any]) -> ScenarioGrid:
    volatility, skew = parameters["VolShock"], parameters["SkewShock"]
    return ScenarioGrid(
        scenarios=tuple(
            GridScenario(
                name=str(number),
                spot=float(entry["SpotShock"]) - 1.0,
                volatility=DIRECTIONS[entry["VolShockDirection"]],
                weight=float(entry["DampeningFactor"]),
            )
            for number, entry in enumerate(parameters["Scenarios"])
        ),
        volatility=VolatilityRange(
            rise=volatility["VOLRANGEUP"],
            fall=volatility["VOLRANGEDOWN"],
            short_power=volatility["SHORTTERMPOWER"],
            long_power=volatility["LONGTERMPOWER"],
            shortest=volatility["DTE_FLOOR"],
            least_after_rise=volatility["MIN_VOL_EVAL_SHOCKED"],
        ),
        skew=SkewShape(
            linear_cap=skew["LINEAR_SCALE_CAP"],
            linear_slope=skew["LINEAR_CBASE"],
            absolute_cap=skew["ABS_SCALE_CAP"],
            absolute_slope=skew["ABS_CBASE"],
            narrowest=skew["MIN_K_STAR"],
            width=skew["MIN_WIDTH_SCALE"],
            level=skew["VOL_PARAM_STATIC"],
            change=skew["VOL_PARAM_SCALE"],
        ),
    )


def profile(case: dict[str, Any]) -> PortfolioProfile:
    parameters = case["parameters"]
    margin, basis, other = (parameters[key] for key in ("Margin", "BasisContingency", "OtherContingency"))
    return PortfolioProfile(
        name="derive-pmrm2",
        title="Derive PMRM 2",
        source="the case",
        scenarios=(grid(parameters),),
        maintenance_factor=margin["MM_LOSS_FACTOR"],
        initial_factor=margin["IM_LOSS_FACTOR"],
        discount=ExpiryDiscount(
            asset=SideDiscount(
                static=margin["BASE_STATIC_DISCOUNT"],
                multiple=margin["LONG_RATE_MULTSCALE"],
                spread=margin["LONG_RATE_ADDSCALE"],
            ),
            liability=SideDiscount(
                static=margin["BASE_STATIC_DISCOUNT_NEG"],
                multiple=margin["SHORT_RATE_MULTSCALE"],
                spread=margin["SHORT_RATE_ADDSCALE"],
            ),
        ),
        basis=BasisContingency(
            up=basis["SCENARIO_SPOT_UP"] - 1.0,
            down=basis["SCENARIO_SPOT_DOWN"] - 1.0,
            add=basis["BASIS_CONT_ADD_FACTOR"],
            per_year=basis["BASIS_CONT_MULT_FACTOR"],
        ),
        contingencies=Contingencies(
            linear=other["MM_PERP_PERCENT"],
            linear_initial=other["IM_PERP_PERCENT"],
            short_option=other["MM_OPTION_PERCENT"],
            short_option_initial=other["IM_OPTION_PERCENT"],
        ),
        peg=PegCharge(threshold=other["PEG_LOSS_THRESHOLD"], factor=other["PEG_LOSS_FACTOR"]),
        confidence=ConfidenceCharge(threshold=other["CONF_THRESHOLD"], charge=other["CONF_MARGIN"]),
        collateral=tuple(
            CollateralTerms(
                asset=asset(i, entry),
                haircut=entry["mm_haircut"],
                haircut_initial=entry["im_haircut_extra"],
                moves_with=UNDERLYING if entry["risk_cancelling"] else None,
            )
            for i, entry in enumerate(case["account"]["collaterals"])
        ),
    )


@pytest.fixture(scope="module")
def cases(vectors) -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = json.loads((vectors / "derive_pmrm2.json").read_text(encoding="utf-8"))
    assert read, "the file holds no case"
    return read


def close(reference: float | str) -> object:
    return pytest.approx(float(reference), rel=TOLERANCE, abs=TOLERANCE)


def test_every_scenario_profit_is_that_of_the_venue(cases):
    for case in cases:
        answer = requirement(portfolio(case), market(case), profile(case), Level.MAINTENANCE)
        profits = [scenario.profit for scenario in answer.scenarios]
        assert profits == [close(value) for value in case["expected"]["scenario_pnl"]], case["name"]


@pytest.mark.parametrize(("level", "key"), [(Level.MAINTENANCE, "maintenance"), (Level.INITIAL, "initial")])
def test_every_margin_is_that_of_the_venue(cases, level, key):
    for case in cases:
        answer = requirement(portfolio(case), market(case), profile(case), level)
        assert answer.excess == close(case["expected"][key]), case["name"]


def test_every_part_is_that_of_the_venue(cases):
    for case in cases:
        expected, held = case["expected"], portfolio(case)
        answer = requirement(held, market(case), profile(case), Level.MAINTENANCE)
        doubt = requirement(held, market(case), profile(case), Level.INITIAL).part("confidence")
        assert -answer.part("linear") == close(expected["perp_contingency_mm"]), case["name"]
        assert -answer.part("short options") == close(expected["option_contingency_mm"]), case["name"]
        assert -answer.part("collateral") == close(expected["collateral_contingency_mm"]), case["name"]
        assert -doubt == close(expected["oracle_contingency"]), case["name"]


def test_basis_and_collateral_values_are_those_of_the_venue(cases):
    for case in cases:
        expected, held = case["expected"], portfolio(case)
        instruments = tuple(holding.instrument for holding in held.holdings)
        engine = VenueMargin(instruments, market(case), profile(case))
        quantity = engine._quantity(held.holdings)
        assert -engine.charges.basis(quantity) == close(expected["basis_contingency"]), case["name"]
        value = engine.charges.collateral_value(held)
        assert value == close(expected["collateral_mark_to_market"]), case["name"]
