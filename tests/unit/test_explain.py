"""Does an explanation add up, agree with the engine, and refuse what cannot be margined?"""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.clearing.statuses import Status
from plimsoll.domain.accounts import Account, CollateralBalance, Position
from plimsoll.domain.events import Listed, Opened, Published, Ticked, Traded
from plimsoll.domain.parameters import Level
from plimsoll.domain.settings import ClearingRules
from plimsoll.engine.machine import begin, step
from plimsoll.errors import Code, PlimsollError
from plimsoll.margin.explain import explain
from tests.support.venues import LIQUIDITY, LISTINGS, MARKS, TIERS, cross_margin, parameter_set, per_position

SETS = {
    "static": parameter_set(TIERS),
    "per-position": parameter_set(per_position()),
    "cross-margin": parameter_set(cross_margin()),
    "floored": parameter_set(cross_margin(gross_floor=0.95)),
    "charged": parameter_set(cross_margin(), liquidity=LIQUIDITY),
}
PRICES = {entry.name: float(mark) for entry, mark in zip(LISTINGS, MARKS, strict=True)}
LOTS = st.tuples(*[st.integers(-(10**9), 10**9)] * 4, st.integers(0, 10**8))
every_set = pytest.mark.parametrize("name", list(SETS))


def account_of(lots, cash):
    sizes = [Decimal(str(entry.lot)) * count for entry, count in zip(LISTINGS, lots, strict=True)]
    return Account(
        name="keeper",
        collateral=(CollateralBalance("USD", Decimal(cash)), CollateralBalance("BTC", sizes[4])),
        positions=tuple(
            Position(entry.name, size, Decimal(str(PRICES[entry.name])))
            for entry, size in zip(LISTINGS[:4], sizes[:4], strict=True)
        ),
    )


@every_set
@settings(max_examples=40)
@given(lots=LOTS, cash=st.integers(-(10**7), 10**8))
def test_the_parts_add_up_to_maintenance_exactly(name, lots, cash):
    told = explain(account_of(lots, cash), SETS[name], PRICES)
    assert sum(part.amount for part in told.parts) == told.maintenance
    rounding = [abs(part.amount) for part in told.parts if part.name == "rounding"]
    assert sum(rounding) <= len(LISTINGS) + 6
    assert told.maintenance <= told.call <= told.initial
    assert (told.parameters, told.digest) == (1, SETS[name].digest)
    if any(lots):
        assert told.worst is not None
        assert told.worst.loss > 0


@every_set
@settings(max_examples=40)
@given(lots=LOTS, share=st.floats(0.2, 3.0))
def test_the_verdict_is_what_the_engine_does(name, lots, share):
    needed = explain(account_of(lots, 0), SETS[name], PRICES).maintenance
    cash = Decimal(round(share * needed)) / 10**6
    coin = Decimal(lots[4]) * Decimal(str(LISTINGS[4].lot)) * Decimal(str(PRICES["BTC"]))
    told = explain(account_of(lots, (cash - coin).quantize(Decimal("1e-6"))), SETS[name], PRICES)
    state = engine_at(lots, told.equity, SETS[name])
    equity = int(np.floor(state.book.cash[5] + state.book.lots[5] @ state.unit))
    assert abs(equity - told.equity) <= len(LISTINGS)
    if any(abs(told.equity - level) <= 3 * len(LISTINGS) for level in (told.maintenance, told.call)):
        return
    expected = {
        "liquidated": {Status.PARTIAL, Status.FULL},
        "called": {Status.CALLED},
        "no new risk": {Status.HEALTHY},
        "initial met": {Status.HEALTHY},
    }
    assert Status(state.book.status[5]) in expected[told.verdict]
    met = (
        equity >= state.model_in_force.requirement((state.book.lots[5] * state.unit)[None], Level.INITIAL)[0]
    )
    if abs(told.equity - told.initial) > 3 * len(LISTINGS):
        assert met == (told.verdict == "initial met")


def engine_at(lots, equity, parameters):
    """Put the same account into an engine: bought with plenty, then drained to the same equity."""
    columns = len(LISTINGS)
    tick = Ticked(1, tuple(MARKS.tolist()), (0.0,) * columns, (0.02,) * columns)
    rich = parameter_set(TIERS)
    state = begin()
    for event in (
        Listed(1, LISTINGS, ClearingRules()),
        Opened(1, ("keeper",), (10**17,)),
        tick,
        Published(1, rich),
        Traded(1, tick.marks, ("keeper",), (tuple(lots),)),
        Published(2, parameters)
        if parameters.version > 1
        else Published(2, parameter_set(parameters.method, 2, liquidity=parameters.liquidity)),
    ):
        state, effects = step(state, event)
        assert not effects
    cash = state.book.cash.copy()
    cash[5] = equity - int(np.floor(state.book.lots[5] @ state.unit))
    object.__setattr__(state.book, "cash", cash)
    return step(state, Ticked(3, tick.marks, tick.volume, tick.impact))[0]


def one(position=None, collateral=None):
    return Account(
        "keeper",
        collateral=() if collateral is None else (collateral,),
        positions=() if position is None else (position,),
    )


D = Decimal
REFUSED = [
    (one(Position("BTC-perp", D(1), D(5))), Code.UNKNOWN_INSTRUMENT),
    (one(Position("BTC-31FEB26", D(1), D(5))), Code.UNKNOWN_INSTRUMENT),
    (one(Position("", D(1), D(5))), Code.UNKNOWN_INSTRUMENT),
    (one(Position("BTC-27MAR26-90000-P", D(1), D(5))), Code.UNSUPPORTED_INSTRUMENT),
    (one(Position("BTC-PERP", D("NaN"), D(5))), Code.BAD_QUANTITY),
    (one(Position("BTC-PERP", D("-Infinity"), D(5))), Code.BAD_QUANTITY),
    (one(Position("BTC-PERP", D(1), D("NaN"))), Code.BAD_QUANTITY),
    (one(Position("BTC-PERP", D(1), D(0))), Code.BAD_ACCOUNT),
    (one(Position("BTC", D(1), D(5))), Code.BAD_ACCOUNT),
    (one(Position("XMR-PERP", D(1), D(5))), Code.MISSING_PRICE),
    (one(collateral=CollateralBalance("BTC", D(-1))), Code.BAD_ACCOUNT),
    (one(collateral=CollateralBalance("BTC", D("sNaN"))), Code.BAD_QUANTITY),
    (one(collateral=CollateralBalance("USD", D("NaN"))), Code.AMOUNT_OUT_OF_RANGE),
    (one(collateral=CollateralBalance("USD", D("sNaN"))), Code.AMOUNT_OUT_OF_RANGE),
    (one(collateral=CollateralBalance("USD", D("Infinity"))), Code.AMOUNT_OUT_OF_RANGE),
    (one(collateral=CollateralBalance("USD", D("0.0000001"))), Code.AMOUNT_OUT_OF_RANGE),
    (one(collateral=CollateralBalance("USD", D("1e30"))), Code.AMOUNT_OUT_OF_RANGE),
    (one(Position("BTC-PERP", D("1e20"), D(5))), Code.AMOUNT_OUT_OF_RANGE),
    (one(Position("BTC-PERP", D("1e400"), D(5))), Code.AMOUNT_OUT_OF_RANGE),
    (one(Position("BTC-PERP", D("1e999999"), D(5))), Code.AMOUNT_OUT_OF_RANGE),
    (one(Position("BTC-PERP", D(1), D("1e400"))), Code.AMOUNT_OUT_OF_RANGE),
    (one(collateral=CollateralBalance("BTC", D("1e400"))), Code.AMOUNT_OUT_OF_RANGE),
]


@every_set
@pytest.mark.parametrize(("account", "code"), REFUSED, ids=lambda value: str(value)[:70])
def test_what_cannot_be_margined_is_refused_by_code(name, account, code):
    with pytest.raises(PlimsollError) as refusal:
        explain(account, SETS[name], {"BTC": 60_000.0})
    assert refusal.value.code is code
    assert "keeper" in str(refusal.value) or refusal.value.code is not Code.BAD_ACCOUNT


def test_a_price_that_no_money_can_pay_is_refused():
    with pytest.raises(PlimsollError, match="amount-out-of-range"):
        explain(one(Position("BTC-PERP", D(2), D(5))), SETS["cross-margin"], {"BTC": 1e308})


@every_set
def test_a_market_without_parameters_is_refused_unless_constants_hold_for_all(name):
    account = one(Position("XMR-PERP", D(3), D(150)))
    if name == "static":
        assert explain(account, SETS[name], {"XMR": 160.0}).maintenance > 0
        return
    with pytest.raises(PlimsollError) as refusal:
        explain(account, SETS[name], {"XMR": 160.0})
    assert refusal.value.code is Code.MISSING_PARAMETERS


@pytest.mark.parametrize("mark", [0.0, -5.0, float("nan"), float("inf")])
def test_a_mark_that_is_no_price_is_not_used(mark):
    told = explain(one(Position("BTC-PERP", D(1), D(5))), SETS["cross-margin"], {"BTC": mark})
    assert told.positions[0].mark == PRICES["BTC-PERP"]
    with pytest.raises(PlimsollError) as refusal:
        explain(one(Position("BTC-PERP", D(1), D(5))), SETS["static"], {"BTC": mark})
    assert refusal.value.code is Code.MISSING_PRICE


@every_set
def test_an_account_without_positions_needs_nothing(name):
    told = explain(one(collateral=CollateralBalance("USD", D("12.5"))), SETS[name], {})
    assert (told.equity, told.maintenance, told.initial, told.parts) == (12_500_000, 0, 0, ())
    assert told.worst is None
    assert told.verdict == "initial met"


def test_the_same_instrument_twice_adds_up_and_opposite_ones_cancel():
    twice = Account(
        "keeper",
        positions=(Position("BTC-PERP", D(2), D(60_000)), Position("BTC-PERP", D(-2), D(61_000))),
    )
    told = explain(twice, SETS["cross-margin"], {"BTC": 50_000.0})
    assert told.maintenance == 0
    assert told.equity == 2_000 * 10**6
    assert len(told.positions) == 1
