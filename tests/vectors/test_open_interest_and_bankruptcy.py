"""Do integer margins, bankruptcy prices and insurance payments equal those of the venue's own tests?"""

import json
from fractions import Fraction
from typing import Any

import pytest

from plimsoll.clearing.bankruptcy import Standing, bankruptcy_quote_up, fillable_price, insurance_delta
from plimsoll.domain.profiles import OpenInterestTier
from plimsoll.margin.open_interest import initial_margin_up, initial_ppm_down, maintenance_ppm_down

QUANTA = 1_000_000
PRICE_TOLERANCE = 1e-6
"""Fillable prices are written to the quantum."""


@pytest.fixture(scope="module")
def cases(vectors) -> dict[str, list[dict[str, Any]]]:
    read: dict[str, list[dict[str, Any]]] = json.loads(
        (vectors / "dydx_margin.json").read_text(encoding="utf-8")
    )
    assert all(read.values()), "a section of the file holds no case"
    return read


def exact(value: float) -> Fraction:
    """Read a decimal as it was written."""
    return Fraction(str(value))


def quanta(value: float) -> int:
    scaled = exact(value) * QUANTA
    assert scaled.denominator == 1
    return int(scaled)


def tier(case: dict[str, Any]) -> OpenInterestTier:
    return OpenInterestTier(
        initial_ppm=case["base_ppm"] if "base_ppm" in case else case["im_ppm"],
        maintenance_ppm=case.get("frac_ppm", QUANTA),
        lower=int(case.get("lower", 0)),
        upper=int(case.get("upper", 0)),
    )


def maintenance(size: Fraction, oracle: float, case: dict[str, Any]) -> int:
    return int(abs(size) * exact(oracle) * QUANTA * exact(case["mmf"]))


def standing(case: dict[str, Any]) -> Standing:
    held = [(exact(position["size"]), position["oracle_price"]) for position in case["positions"]]
    return Standing(
        net_collateral=quanta(case["usdc"]) + int(sum(size * exact(price) * QUANTA for size, price in held)),
        maintenance=sum(maintenance(size, price, case) for size, price in held),
    )


def bankruptcy(case: dict[str, Any], market: str, change: Fraction) -> int:
    (position,) = (p for p in case["positions"] if p["market"] == market)
    size, oracle = exact(position["size"]), position["oracle_price"]
    released = maintenance(size + change, oracle, case) - maintenance(size, oracle, case)
    return bankruptcy_quote_up(standing(case), int(change * exact(oracle) * QUANTA), released)


def test_bankruptcy_prices_equal_the_venues_to_the_quantum(cases):
    for case in cases["bankruptcy_price"]:
        found = bankruptcy(case, case["close_market"], exact(case["close_size"]))
        assert found == quanta(case["expected_usd"]), case["name"]


def test_fillable_prices_equal_the_venues(cases):
    for case in cases["fillable_price"]:
        (position,) = (p for p in case["positions"] if p["market"] == case["liquidate_market"])
        found = fillable_price(
            standing(case),
            exact(position["oracle_price"]),
            exact(case["mmf"]),
            exact(case["spread_to_mmr"]),
            exact(case["bankruptcy_adjustment"]),
            1 if position["size"] > 0 else -1,
        )
        assert float(found) == pytest.approx(case["expected_price"], abs=PRICE_TOLERANCE), case["name"]


def test_insurance_payments_equal_the_venues_to_the_quantum(cases):
    for case in cases["insurance_fund_delta"]:
        (position,) = case["positions"]
        change = exact(case["fill_size"]) * (1 if case["fill_side"] == "buy" else -1)
        quote = int(-change * exact(case["fill_price"]) * QUANTA)
        fee = int(exact(case["max_liquidation_fee"]) * QUANTA)
        found = insurance_delta(quote, bankruptcy(case, position["market"], change), fee)
        assert found == quanta(case["expected_insurance_fund_delta_usd"]), case["name"]


def test_maintenance_fractions_equal_the_venues(cases):
    for case in cases["maintenance_margin_ppm"]:
        assert maintenance_ppm_down(tier(case)) == case["expected"], case


def test_fractions_grow_with_open_interest_as_the_venues_do(cases):
    for case in cases["open_interest_adjusted_imf_ppm"]:
        assert initial_ppm_down(tier(case), int(case["oi"])) == case["expected"], case


def test_initial_margins_equal_the_venues_to_the_quantum(cases):
    for case in cases["initial_margin_quote_quantums"]:
        found = initial_margin_up(tier(case), int(case["oi"]), int(case["notional"]))
        assert found == case["expected"], case
