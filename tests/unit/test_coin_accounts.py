"""How is an account margined that a coin settles, and whose contracts are inverse?"""

from decimal import Decimal

import pytest

from plimsoll.domain.accounts import Account, CollateralBalance, Position
from plimsoll.domain.instruments import Option
from plimsoll.domain.market import ExpiryQuote, Market, OptionQuote, UnderlyingQuote
from plimsoll.domain.money import QUANTA_PER_UNIT
from plimsoll.errors import Code, PlimsollError
from plimsoll.margin.breakdown import break_down
from plimsoll.margin.liquidation_price import liquidation_prices
from plimsoll.margin.profiles import profile
from plimsoll.margin.terms import ProfileTerms
from plimsoll.margin.what_if import Trade, what_if
from tests.support.books import NEAR, NOW

CALL = Option("ETH", NEAR, 2_600.0, "C")
MARKET = Market(
    time=NOW,
    underlyings=(
        UnderlyingQuote(
            underlying="ETH",
            spot=2_600.0,
            perpetual=2_601.0,
            expiries=(ExpiryQuote(expiry=NEAR, forward=2_620.0),),
        ),
    ),
    options=(OptionQuote(CALL, 0.66),),
)
TERMS = ProfileTerms(profile("deribit-pm"), MARKET)
QUANTUM = 2
"""Rounded once up and once down."""


def account(*positions, coins="60"):
    return Account("desk", (CollateralBalance("ETH", Decimal(coins)),), positions)


def perpetual(quantity, entry):
    return Position("ETH-PERP", Decimal(quantity), Decimal(entry))


def test_a_perpetual_gains_in_coins_what_its_dollars_are_worth_less():
    told = break_down(account(perpetual("-100", "2500")), MARKET, profile("deribit-pm"))
    expected = 60.0 - 100.0 * 2_500.0 * (1.0 / 2_500.0 - 1.0 / 2_601.0)
    assert told.currency == "ETH"
    assert told.equity == pytest.approx(expected * QUANTA_PER_UNIT, abs=QUANTUM)
    (line,) = told.contributions
    assert line.quantity == pytest.approx(-100.0 * 2_500.0 / 2_601.0)
    assert line.loss == told.loss
    assert sum(part.amount for part in told.parts) == told.maintenance


def test_two_entries_into_one_contract_are_two_sizes_in_dollars():
    apart = account(perpetual("3", "2000"), perpetual("-1", "3000"))
    together = account(perpetual("1.5", "2000"))
    told, same = (break_down(each, MARKET, profile("deribit-pm")) for each in (apart, together))
    assert told.maintenance == pytest.approx(same.maintenance, abs=QUANTUM)
    assert told.equity - same.equity == pytest.approx((1.5 - 1.0) * QUANTA_PER_UNIT, abs=QUANTUM)


def test_an_option_is_bought_from_the_coins_at_its_value_in_coins():
    trade = Trade(instrument=CALL.name, quantity=Decimal(10))
    changed = what_if(account(), (trade,), TERMS)
    assert changed.currency == "ETH"
    assert changed.after.equity == pytest.approx(changed.before.equity, abs=QUANTUM)
    assert 0 < changed.after.maintenance <= 10.0 * TERMS.mark(CALL) * QUANTA_PER_UNIT + QUANTUM


def test_at_its_liquidation_price_a_short_has_what_it_must_hold():
    short = account(perpetual("-100", "2500"), coins="40")
    found = liquidation_prices(short, "ETH", TERMS)
    assert found.below is None
    assert found.above is not None
    there = TERMS.moved("ETH", found.above / found.price).answer(short)
    assert 0 <= there.equity - there.maintenance <= 0.001 * QUANTA_PER_UNIT


@pytest.mark.parametrize(
    "other",
    [
        Account("desk", (CollateralBalance("USD", Decimal(5)),)),
        Account("desk", (CollateralBalance("BTC", Decimal(1)),)),
        account(Position("BTC-PERP", Decimal(1), Decimal(60000))),
    ],
)
def test_another_currency_in_the_account_is_refused(other):
    with pytest.raises(PlimsollError, match="an account in ETH holds") as raised:
        break_down(other, MARKET, profile("deribit-pm"))
    assert raised.value.code is Code.BAD_ACCOUNT


def test_the_coin_itself_cannot_be_traded_against_itself():
    with pytest.raises(PlimsollError, match="cannot buy or sell ETH"):
        what_if(account(), (Trade(instrument="ETH", quantity=Decimal(1)),), TERMS)
