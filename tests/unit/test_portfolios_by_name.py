"""Can a program write portfolios, levels and profiles down by their names, and use what comes back?"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from plimsoll import (
    Account,
    CollateralBalance,
    Level,
    PlimsollError,
    Portfolio,
    Position,
    Quotes,
    market_of,
    profiles,
    requirement,
)
from plimsoll.domain.instruments import Perpetual
from plimsoll.domain.portfolios import Collateral, Holding

MARKET = market_of(
    Quotes(
        time=datetime(2026, 1, 15, 8, tzinfo=UTC),
        prices={"BTC": 95_000.0, "BTC-PERP": 95_040.0, "BTC-27MAR26": 96_100.0},
        volatilities={"BTC-27MAR26-90000-P": 0.52},
    )
)
PORTFOLIO = Portfolio.of({"BTC-27MAR26-90000-P": -2.0, "BTC-PERP": 1.0}, cash=1e5)


def test_names_stand_for_instruments_and_assets():
    written = Portfolio.of({"BTC-PERP": 1.5}, cash=7.0, unrealised=-1.0, collateral={"USDT": 3.0})
    assert written == Portfolio(
        cash=7.0,
        unrealised=-1.0,
        holdings=(Holding(Perpetual("BTC"), 1.5),),
        collateral=(Collateral("USDT", 3.0),),
    )


def test_a_name_that_is_no_instrument_is_refused_with_its_place():
    with pytest.raises(PlimsollError, match=r"holdings\.BTC-90000"):
        Portfolio.of({"BTC-90000": 1.0})


@pytest.mark.parametrize("level", list(Level))
def test_a_level_is_known_by_value_number_and_name(level):
    found = requirement(PORTFOLIO, MARKET, "derive-pmrm2", level)
    for written in (int(level), level.name, level.name.lower()):
        assert requirement(PORTFOLIO, MARKET, "derive-pmrm2", written) == found
    assert found.level is level


@pytest.mark.parametrize("level", [3, -1, "margin", None])
def test_another_level_is_refused(level):
    with pytest.raises(PlimsollError, match="maintenance, call, initial"):
        requirement(PORTFOLIO, MARKET, "derive-pmrm2", level)


NEED_MORE = {"dydx-large-cap", "plimsoll-implied"}
"""Profiles that open interest, or a calibrated set, has to be given for."""


@pytest.mark.parametrize("name", [name for name in profiles.profile_names() if name not in NEED_MORE])
def test_a_requirement_can_be_written_as_json(name):
    found = requirement(PORTFOLIO, MARKET, name)
    assert msgspec.json.decode(msgspec.json.encode(found), type=type(found)) == found


def test_plain_numbers_in_an_account_mean_what_they_show():
    cash: Any = 25_000
    quantity: Any = 0.1
    price: Any = 42_000.0
    account = Account("A", (CollateralBalance("USD", cash),), (Position("BTC-PERP", quantity, price),))
    assert account.collateral[0].amount == Decimal(25_000)
    assert account.positions[0].quantity == Decimal("0.1")
    assert account.positions[0].entry_price == Decimal("42000.0")
