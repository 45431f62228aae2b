"""Does what a large position must hold grow with the time that closing takes, and obey the laws of size?"""

import itertools

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from plimsoll.calibration.liquidity import market_liquidity
from plimsoll.domain.accounts import Account
from plimsoll.domain.closing_time import ClosingTime
from plimsoll.domain.instruments import parse_instrument
from plimsoll.domain.market_liquidity import MarketLiquidity
from plimsoll.domain.parameters import Level
from plimsoll.domain.portfolios import Holding, Portfolio
from plimsoll.domain.quotes import Quotes, market_of
from plimsoll.domain.settings import CalibrationSettings
from plimsoll.kernels.closing_cost import closing_growth
from plimsoll.margin import margin_model
from plimsoll.margin.calibrated import with_calibration
from plimsoll.margin.explain import explain
from plimsoll.margin.profiles import profile
from plimsoll.margin.venue import requirement
from plimsoll.sim.curves import with_liquidity
from tests.laws.test_notice import GUARDS, guarded_path, last_moment, method_of, seeds
from tests.laws.test_one_curve import COLUMNS, CURVES, QUANTA, notional_of
from tests.support.venues import (
    LIQUIDITY,
    LISTINGS,
    MARKS,
    TIERS,
    cross_margin,
    joint_rows,
    parameter_set,
    per_position,
)

CURVE = LIQUIDITY[0].curves[0]
ROUNDING = 1e-9
"""Relative: the same sums in another order."""
CLOSINGS = st.builds(
    ClosingTime, base_hours=st.sampled_from([0.5, 4.0, 24.0]), participation=st.floats(0.02, 0.5)
)
SIZES = st.floats(1e3, 1e11)


def liquid(closing, *curves):
    return (MarketLiquidity(market="BTC", curves=curves, charged=True, closing=closing),)


def without(closing, *curves):
    return (MarketLiquidity(market="BTC", curves=curves, charged=True),)


def added(closing, curves, notional, level, method=None):
    """Give what closing time adds to a requirement, quote units."""
    method = method or cross_margin()
    lasting, plain = (
        margin_model(method, LISTINGS, make(closing, *curves)).requirement(notional, level)
        for make in (liquid, without)
    )
    return (lasting - plain) / QUANTA


SIDES = st.sampled_from([-1.0, 1.0])
LEVELS = st.sampled_from(list(Level))


@given(CLOSINGS, CURVES, SIZES, st.floats(1.0, 4.0), SIDES, LEVELS)
def test_it_starts_at_nothing_and_grows_with_size_and_never_lowers_the_base(
    closing, curve, size, factor, side, level
):
    start = closing.participation * curve.volume * (closing.least_hours(curve) - curve.detect_hours)
    small, large = (
        added(closing, (curve,), notional_of(side * each), level)[0] for each in (size, size * factor)
    )
    room = ROUNDING * size * factor
    assert -room <= small <= large + room
    assert abs(added(closing, (curve,), notional_of(side * min(size, start)), level)[0]) <= room + 1e-3
    rate = margin_model(cross_margin(), LISTINGS).standalone(level)[0, int(side < 0.0)]
    beyond = 1.01 * start
    if rate < 1.0:
        expected = beyond * rate * closing.growth(curve, beyond)
        assert expected > 0.0
        told = added(closing, (curve,), notional_of(side * beyond), level)[0]
        assert told == pytest.approx(expected, rel=1e-6, abs=1e-4)


@given(CLOSINGS, CURVES, SIZES, st.floats(1.0, 50.0), st.floats(0.0, 1.0))
def test_it_is_convex_up_to_where_the_whole_position_is_held(closing, curve, size, factor, share):
    other, rate = size * factor, 0.08
    between = share * size + (1.0 - share) * other

    def held(each):
        return each * closing.share((curve,), each, rate)

    if closing.share((curve,), other, rate) < 1.0:
        chord = share * held(size) + (1.0 - share) * held(other)
        assert held(between) <= chord + ROUNDING * other


@given(CLOSINGS, CURVES, SIZES, st.floats(1.0, 4.0))
def test_a_busier_market_a_faster_close_and_a_longer_horizon_ask_for_less(closing, curve, size, factor):
    growth = closing.growth(curve, size)
    assert closing.growth(structs.replace(curve, volume=curve.volume * factor), size) <= growth
    faster = structs.replace(closing, participation=min(0.99, closing.participation * factor))
    assert faster.growth(curve, size) <= growth
    patient = structs.replace(closing, base_hours=closing.base_hours * factor)
    assert patient.growth(curve, size) <= growth


@given(CLOSINGS, CURVES, st.lists(st.floats(0.0, 1e12), min_size=1, max_size=20))
def test_the_fast_growth_is_the_definition(closing, curve, sizes):
    fast = closing_growth(
        np.array(sizes),
        closing.least_hours(curve),
        curve.detect_hours,
        curve.floor_hours,
        closing.participation * curve.volume,
    )
    assert fast == pytest.approx([closing.growth(curve, size) for size in sizes], rel=ROUNDING, abs=1e-12)


@given(CLOSINGS, CURVES, SIZES)
def test_what_is_hedged_in_its_own_market_takes_no_time(closing, curve, size):
    notional = notional_of(size)
    notional[0, 3] = -size * QUANTA
    assert added(closing, (curve,), notional, Level.INITIAL)[0] == pytest.approx(0.0, abs=1e-3)
    notional = notional_of(-size)
    notional[0, 4] = size * QUANTA
    assert added(closing, (curve,), notional, Level.INITIAL)[0] == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize("netted", [False, True])
@settings(max_examples=25)
@given(seed=seeds, guard=GUARDS, closing=CLOSINGS, curve=CURVES, dearer=CURVES, announced=st.integers(0, 19))
def test_a_rise_or_a_slower_curve_never_liquidates_within_the_notice(
    netted, seed, guard, closing, curve, dearer, announced
):
    generator = np.random.default_rng(seed)
    published = guarded_path(generator, guard, 20)
    times = [time for time, _ in published]
    floor, tables = (0.2, (joint_rows(1),)) if netted else (None, ())
    models = []
    for time, guarded in published:
        told = time >= times[announced]
        over = time - times[announced] >= guard.notice_hours * 3_600_000
        curves = (dearer,) if over else (curve, dearer) if told else (curve,)
        models.append(margin_model(method_of(guarded, tables, floor), LISTINGS, liquid(closing, *curves)))
    notional = generator.normal(0.0, 1.0, (30, COLUMNS)) * 10.0 ** generator.uniform(8, 17, (30, 1))
    notional[:, 4] = np.abs(notional[:, 4])
    for at, model in enumerate(models):
        enough = model.requirement(notional, Level.INITIAL)
        assert (model.requirement(notional, Level.CALL) <= enough * (1.0 + ROUNDING)).all()
        for time, later in itertools.islice(zip(times, models, strict=True), at, None):
            if time - last_moment(times, at) <= guard.notice_hours * 3_600_000:
                needed = later.requirement(notional, Level.MAINTENANCE)
                assert (needed <= enough * (1.0 + ROUNDING) + 1.0).all()


@given(CLOSINGS, CURVES, st.integers(0, 10_000), st.sampled_from(list(Level)))
@settings(max_examples=30)
def test_nobody_below_a_level_is_passed_over_and_nothing_is_steeper_than_said(closing, curve, seed, level):
    generator = np.random.default_rng(seed)
    lots = generator.integers(-(10**9), 10**9, (30, COLUMNS)) * (generator.random((30, COLUMNS)) < 0.5)
    unit = np.array([entry.lot for entry in LISTINGS]) * MARKS * QUANTA
    model = margin_model(cross_margin(), LISTINGS, liquid(closing, curve))
    needed = model.requirement(lots * unit, level)
    cash = np.rint(generator.uniform(0.9, 1.1, 30) * needed - lots @ unit).astype(np.int64)
    below = cash + lots @ unit < needed
    assert model.near(cash, lots, unit, level)[below].all()
    moved = lots * unit * (1.0 + 0.01 * generator.standard_normal((1, COLUMNS)))
    bound = np.abs(moved - lots * unit) @ model.steepest(level)
    grown = np.abs(model.requirement(moved, level) - needed)
    assert (grown <= bound * (1.0 + 1e-6) + 1.0).all()


def test_the_parts_of_an_account_add_up_and_name_the_time():
    curve = structs.replace(CURVE, volume=1e6)
    closing = ClosingTime(base_hours=4.0, participation=0.1)
    for method in (cross_margin(), per_position()):
        known = parameter_set(method, liquidity=liquid(closing, curve))
        account = msgspec.convert(
            {
                "name": "desk",
                "collateral": [{"asset": "USD", "amount": "1e7"}],
                "positions": [{"instrument": "BTC-PERP", "quantity": "-80", "entry_price": "61000"}],
            },
            Account,
        )
        answer = explain(account, known, {"BTC": 61_234.5})
        parts = {part.name: part.amount for part in answer.parts}
        assert sum(parts.values()) == answer.maintenance
        size = 80 * 61_234.5
        rate = per_position().markets[0].short.maintenance
        assert parts["time to close BTC"] == round(size * closing.share((curve,), size, rate) * QUANTA)
        assert parts["time to close BTC"] > 0


QUOTES = {
    "time": "2026-01-15T08:00:00Z",
    "prices": {"BTC": 61_000, "BTC-PERP": 61_000, "BTC-27MAR26": 61_500},
    "volatilities": {"BTC-27MAR26-60000-C": 0.5},
}


def test_the_own_profile_asks_the_same_of_a_size_and_nets_futures():
    market = market_of(msgspec.convert(QUOTES, Quotes), "test")
    closing = ClosingTime(base_hours=4.0, participation=0.1)
    curve = structs.replace(CURVE, volume=1e6)
    known = parameter_set(cross_margin(), liquidity=liquid(closing, curve))
    chosen = with_calibration(profile("plimsoll"), known)
    range_ = next(each for each in chosen.ranges if each.underlying == "BTC")

    def part(name, *held):
        portfolio = Portfolio(holdings=tuple(Holding(parse_instrument(i), q) for i, q in held))
        told = requirement(portfolio, market, chosen, Level.MAINTENANCE)
        assert told.required == pytest.approx(sum(each.amount for each in told.parts))
        return told.part(name)

    size = 80 * 61_000.0
    expected = size * closing.share((curve,), size, range_.maintenance)
    assert expected > 0.0
    assert part("closing time", ("BTC-PERP", 80.0)) == pytest.approx(expected)
    hedged = part("closing time", ("BTC-PERP", 80.0), ("BTC-27MAR26", -79.0))
    assert hedged == 0.0
    quiet = parameter_set(cross_margin(), liquidity=without(None, curve))
    plain = with_calibration(profile("plimsoll"), quiet)
    names = [p.name for p in requirement(Portfolio(), market, plain, Level.MAINTENANCE).parts]
    assert "closing time" not in names


def test_the_setting_is_in_no_file_unless_it_is_set():
    plain = CalibrationSettings()
    assert b"closing" not in msgspec.json.encode(plain)
    assert b"closing" not in msgspec.msgpack.encode(market_liquidity("BTC", CURVE, plain))
    chosen = CalibrationSettings(size_charge=True, closing_participation=0.1, horizon_hours=2.0)
    entry = market_liquidity("BTC", CURVE, chosen)
    assert entry.closing == ClosingTime(base_hours=2.0, participation=0.1)
    assert msgspec.json.decode(msgspec.json.encode(entry), type=MarketLiquidity) == entry
    constants = with_liquidity(parameter_set(TIERS), (entry,))
    assert b"closing_" not in msgspec.msgpack.encode(constants)
    with pytest.raises(msgspec.ValidationError, match="size_charge"):
        msgspec.toml.decode("closing_participation = 0.1", type=CalibrationSettings)
