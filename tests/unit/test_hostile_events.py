"""Does the venue answer, or refuse by name, whatever it is sent?"""

import re
from dataclasses import replace

import pytest
from msgspec import structs

from plimsoll.clearing.statuses import Status
from plimsoll.domain.events import (
    Allocated,
    Closed,
    Deposited,
    Funded,
    Liquidated,
    Listed,
    Opened,
    Published,
    Refused,
    Ticked,
    Traded,
)
from plimsoll.domain.instruments import Listing, parse_instrument
from plimsoll.domain.money import LARGEST_AMOUNT
from plimsoll.domain.parameters import StaticTiers, Tier
from plimsoll.domain.settings import ClearingRules
from plimsoll.engine.book import MAKERS
from plimsoll.engine.machine import begin, step
from plimsoll.engine.state import digest
from plimsoll.errors import Code, PlimsollError
from plimsoll.margin import margin_model
from tests.support.venues import LISTINGS, MARKS, TIERS, cross_margin, parameter_set, per_position

COLUMNS = len(LISTINGS)
PRICES = tuple(MARKS.tolist())
BTC_LOT = 61_234.5e-7 * 1e6
"""Quanta per lot of BTC-PERP at the first mark."""


def tick(time, factor=1.0, volume=1e6, impact=0.02):
    return Ticked(time, tuple((MARKS * factor).tolist()), (volume,) * COLUMNS, (impact,) * COLUMNS)


def bought(first, *others):
    return (first, *others, *(0,) * (COLUMNS - 1 - len(others)))


def venue(*amounts, method=None):
    state = begin()
    names = tuple(f"trader-{place}" for place in range(len(amounts)))
    for event in (
        Listed(1, LISTINGS, ClearingRules()),
        Opened(2, names, amounts),
        Funded(2, 0, 10**12),
        tick(3),
        Published(4, parameter_set(method or cross_margin())),
    ):
        state, _ = step(state, event)
    return state


STATE = venue(10**12, 10**12)
NAN, INF = float("nan"), float("inf")
REFUSED = [
    (tick(5, NAN), Code.BAD_PRICE),
    (tick(5, INF), Code.BAD_PRICE),
    (tick(5, 0.0), Code.BAD_PRICE),
    (tick(5, -1.0), Code.BAD_PRICE),
    (tick(5, volume=INF), Code.BAD_PRICE),
    (tick(5, volume=NAN), Code.BAD_PRICE),
    (tick(5, volume=-1.0), Code.BAD_PRICE),
    (tick(5, impact=INF), Code.BAD_PRICE),
    (Ticked(5, PRICES[:2], (1.0,) * 2, (1.0,) * 2), Code.BAD_PRICE),
    (tick(2), Code.OUT_OF_ORDER),
    (Listed(5, LISTINGS, ClearingRules()), Code.OUT_OF_ORDER),
    (Opened(5, ("fresh", "fresh"), (1, 2)), Code.BAD_ACCOUNT),
    (Opened(5, ("trader-0",), (1,)), Code.BAD_ACCOUNT),
    (Opened(5, ("fund",), (1,)), Code.BAD_ACCOUNT),
    (Opened(5, ("fresh",), (-1,)), Code.BAD_ACCOUNT),
    (Opened(5, ("fresh",), (1, 2)), Code.BAD_ACCOUNT),
    (Opened(5, ("fresh",), (2**70,)), Code.AMOUNT_OUT_OF_RANGE),
    (Deposited(5, ("trader-0",), (2**70,)), Code.AMOUNT_OUT_OF_RANGE),
    (Deposited(5, ("trader-0",), (-(2**63),)), Code.AMOUNT_OUT_OF_RANGE),
    (Deposited(5, ("trader-0",), (LARGEST_AMOUNT,)), Code.AMOUNT_OUT_OF_RANGE),
    (Deposited(5, ("trader-0", "trader-0"), (1, 1)), Code.BAD_ACCOUNT),
    (Deposited(5, ("makers",), (1,)), Code.BAD_ACCOUNT),
    (Deposited(5, ("nobody",), (1,)), Code.UNKNOWN_ACCOUNT),
    (Funded(5, -1, 0), Code.BAD_ACCOUNT),
    (Funded(5, 0, -1), Code.BAD_ACCOUNT),
    (Funded(5, 2**70, 0), Code.AMOUNT_OUT_OF_RANGE),
    (Traded(5, PRICES, ("trader-0",), (bought(2**70),)), Code.AMOUNT_OUT_OF_RANGE),
    (Traded(5, PRICES, ("trader-0",), (bought(2**62),)), Code.AMOUNT_OUT_OF_RANGE),
    (Traded(5, PRICES, ("trader-0",), (bought(6 * 10**14, 10**15),)), Code.AMOUNT_OUT_OF_RANGE),
    (Traded(5, PRICES, ("trader-0",), ((1, 0),)), Code.UNKNOWN_INSTRUMENT),
    (Traded(5, PRICES[:3], ("trader-0",), (bought(1),)), Code.UNKNOWN_INSTRUMENT),
    (Traded(5, (NAN, *PRICES[1:]), ("trader-0",), (bought(1),)), Code.MISSING_PRICE),
    (Traded(5, (INF, *PRICES[1:]), ("trader-0",), (bought(1),)), Code.MISSING_PRICE),
    (Traded(5, (-1.0, *PRICES[1:]), ("trader-0",), (bought(1),)), Code.MISSING_PRICE),
    (Traded(5, PRICES, ("trader-0",), ()), Code.BAD_ACCOUNT),
    (Published(5, parameter_set(TIERS, 1)), Code.OUT_OF_ORDER),
    (Published(5, parameter_set(per_position(per_position().markets[:1]), 2)), Code.MISSING_PARAMETERS),
]


@pytest.mark.parametrize(("event", "code"), REFUSED, ids=lambda value: str(value)[:60])
def test_what_makes_no_sense_is_refused_and_leaves_no_trace(event, code):
    before = digest(STATE)
    with pytest.raises(PlimsollError) as refusal:
        step(STATE, event)
    assert refusal.value.code is code
    assert digest(STATE) == before


@pytest.mark.parametrize("listings", [(*LISTINGS, LISTINGS[0]), (LISTINGS[0], LISTINGS[0])])
def test_an_instrument_is_listed_once_and_before_all_else(listings):
    with pytest.raises(PlimsollError):
        step(begin(), Listed(1, listings, ClearingRules()))
    opened, _ = step(begin(), Opened(1, ("early",), (5,)))
    with pytest.raises(PlimsollError):
        step(opened, Listed(2, LISTINGS, ClearingRules()))


@pytest.mark.parametrize("method", [TIERS, per_position(), cross_margin()])
def test_no_model_takes_an_option_for_linear(method):
    option = Listing(parse_instrument("BTC-27MAR26-90000-C"), 1e-4)
    with pytest.raises(PlimsollError) as refusal:
        margin_model(method, (*LISTINGS, option))
    assert refusal.value.code is Code.UNSUPPORTED_INSTRUMENT


@pytest.mark.parametrize("ends", [(), (500.0, 500.0, 1e9), (500.0, 100.0, 1e9)])
def test_tiers_that_do_not_rise_are_refused(ends):
    tiers = tuple(Tier(up_to=end, maintenance=0.01, initial=0.02) for end in ends)
    with pytest.raises(PlimsollError) as refusal:
        margin_model(StaticTiers(tiers=tiers), LISTINGS)
    assert refusal.value.code is Code.BAD_SETTING


@pytest.mark.parametrize(
    ("held", "more"), [(5 * 10**9, 2 * 10**9), (-5 * 10**9, -2 * 10**9), (4 * 10**9, 3 * 10**9)]
)
def test_a_position_of_many_millions_cannot_grow_without_margin(held, more):
    state = venue(int(abs(held) * BTC_LOT * 0.07))
    state, refused = step(state, Traded(5, PRICES, ("trader-0",), (bought(held),)))
    assert not refused
    after, refused = step(state, Traded(6, PRICES, ("trader-0",), (bought(more),)))
    assert [effect.account for effect in refused if isinstance(effect, Refused)] == ["trader-0"]
    assert after.book.lots[5, 0] == held
    assert (after.book.cost == state.book.cost).all()


@pytest.mark.parametrize(("held", "less"), [(4 * 10**10, -3 * 10**8), (-(4 * 10**10), 10**9)])
def test_a_position_of_many_millions_can_always_shrink(held, less):
    state = venue(int(abs(held) * BTC_LOT * 0.08))
    state, refused = step(state, Traded(5, PRICES, ("trader-0",), (bought(held),)))
    assert not refused
    poor, _ = step(state, tick(6, 0.985 if held > 0 else 1.015, volume=0.0))
    state, refused = step(poor, Traded(7, tick(7, 0.9).marks, ("trader-0",), (bought(less),)))
    assert not refused
    share = (held + less) / held
    assert state.book.cost[5, 0] == pytest.approx(share * poor.book.cost[5, 0], rel=1e-12)


@pytest.mark.parametrize(
    ("field", "place", "figure", "said"),
    [
        ("marks", 1, -3.5, f"the mark of {LISTINGS[1].name} is -3.5; it has to be finite and above zero"),
        ("volume", 2, NAN, f"the volume of {LISTINGS[2].name} is nan; it has to be finite and zero or more"),
        ("impact", 0, INF, f"the impact of {LISTINGS[0].name} is inf; it has to be finite and zero or more"),
        ("depth", 4, 0.0, f"the depth of {LISTINGS[4].name} is 0; it has to be finite and above zero"),
        ("marks", None, 0.0, f"there are {COLUMNS + 1} marks for {COLUMNS} listings"),
    ],
)
def test_a_tick_that_cannot_be_is_refused_by_listing_and_figure(field, place, figure, said):
    ones = (1.0,) * COLUMNS
    figures = (*ones, figure) if place is None else (*ones[:place], figure, *ones[place + 1 :])
    event = structs.replace(Ticked(5, ones, ones, ones, ones), **{field: figures})
    with pytest.raises(PlimsollError, match=re.escape(said)):
        step(venue(10**12, 10**12), event)


def test_a_debt_without_positions_is_closed_and_paid_at_the_next_tick():
    """No trade makes one, so that this one is written into the book."""
    state = venue(10**12, 10**12)
    state, _ = step(state, Traded(5, PRICES, ("trader-0",), (bought(2 * 10**9),)))
    far = tuple((MARKS * 0.5).tolist())
    _, refused = step(state, Traded(6, far, ("trader-0",), (bought(-2 * 10**9),)))
    assert [one.code for one in refused if isinstance(one, Refused)] == [Code.INSUFFICIENT_MARGIN]
    state, refused = step(state, Traded(6, PRICES, ("trader-0",), (bought(-2 * 10**9),)))
    assert not refused
    owed = 7 * 10**11
    state = replace(state, book=state.book.paid(5, MAKERS, int(state.book.cash[5]) + owed))
    state, effects = step(state, tick(7))
    assert [effect.shortfalls for effect in effects if isinstance(effect, Closed)] == [(owed,)]
    assert state.book.cash[5] == 0
    assert state.book.status[5] == Status.CLOSED
    state, _ = step(state, Deposited(8, ("trader-0",), (5,)))
    assert state.book.status[5] == Status.HEALTHY


@pytest.mark.parametrize("volume", [0.0, 1e-9, 1e6, 1e15])
@pytest.mark.parametrize("factor", [0.1, 1e-9, 50.0])
def test_a_crash_of_any_depth_in_any_market_keeps_the_books(factor, volume):
    state = venue(10**12, 3 * 10**11, 10**9)
    lots = (bought(10**9, -(10**9)), bought(-(10**8), 0, 10**8), bought(0, 0, 0, 2 * 10**6, 10**5))
    state, refused = step(state, Traded(5, PRICES, ("trader-0", "trader-1", "trader-2"), lots))
    assert not refused
    for minute in range(1, 40):
        state, _ = step(state, tick(5 + 60_000 * minute, factor if minute > 1 else 1.0, volume))
        assert sum(map(int, state.book.cash)) == 0
        assert not state.book.lots.sum(axis=0).any()
    if volume == 0.0:
        assert state.book.lots[5:].any()


@pytest.mark.parametrize("events_between", [0, 3])
def test_events_between_ticks_do_not_slow_forced_selling(events_between):
    state = venue(10**12, 10**6)
    state, _ = step(state, Traded(5, PRICES, ("trader-0",), (bought(2 * 10**9),)))
    state, _ = step(state, tick(6, volume=1e5))
    for place in range(events_between):
        state, _ = step(state, Deposited(3_599_990 + place, ("trader-1",), (1,)))
    state, effects = step(state, tick(3_600_006, 0.93, volume=1e5))
    sold = sum(-lots for effect in effects if isinstance(effect, Liquidated) for lots in effect.lots)
    worth = sold * BTC_LOT * 0.93 / 1e6
    assert worth == pytest.approx(0.2 * 1e5, rel=1e-3)


def test_amounts_at_the_edge_of_the_ledger_neither_wrap_nor_warn():
    state = venue(LARGEST_AMOUNT - 10**13)
    assert state.book.cash[5] == LARGEST_AMOUNT - 10**13
    state, refused = step(state, Traded(5, PRICES, ("trader-0",), (bought(10**14),)))
    assert not refused
    state, _ = step(state, tick(6, 0.5))
    assert sum(map(int, state.book.cash)) == 0
    with pytest.raises(PlimsollError):
        step(state, Deposited(7, ("trader-0",), (LARGEST_AMOUNT,)))


def test_winners_pay_for_what_the_empty_fund_cannot():
    state = venue(10**11, 10**12)
    lots = (bought(2 * 10**8), bought(-(2 * 10**8)))
    state, refused = step(state, Traded(5, PRICES, ("trader-0", "trader-1"), lots))
    assert not refused
    state, effects = step(state, tick(3_600_006, 0.8, volume=1e12, impact=0.0))
    (allocated,) = [effect for effect in effects if isinstance(effect, Allocated)]
    assert allocated.accounts == ("trader-1",)
    assert allocated.uncovered == 0
    assert state.book.status[5] == Status.CLOSED
    assert state.book.cash[5] == 0
