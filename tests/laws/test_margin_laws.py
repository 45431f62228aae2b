"""Does every margin model ask for more when risk rises, for nothing without positions, and alike of all?

A new model is one line in `MODELS`. `NETTING` are those that credit hedges.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from plimsoll.domain.parameters import CrossMargin, Level, MarginMethod, PerPosition
from plimsoll.margin import margin_model
from plimsoll.margin.portfolio import PortfolioMargin
from tests.support.venues import (
    LISTINGS,
    MARKETS,
    MARKS,
    TIERS,
    cross_margin,
    joint_rows,
    market,
    per_position,
    side,
)

MODELS: dict[str, MarginMethod] = {
    "static": TIERS,
    "dynamic": per_position(),
    "portfolio": cross_margin(),
    "portfolio-without-floor": cross_margin(gross_floor=0.0),
    "portfolio-of-two-of-three": cross_margin(dependence=(joint_rows(9, MARKETS[1:]),)),
    "portfolio-before-rows": cross_margin(dependence=()),
}
NETTING = ["portfolio", "portfolio-without-floor", "portfolio-of-two-of-three", "portfolio-before-rows"]
COLUMNS = len(LISTINGS)
ROUNDING = 1e-11
"""Sums of floats in another order; requirements are then rounded up to a whole quantum."""

SIZE = st.one_of(st.just(0.0), st.floats(-1e12, 1e12).filter(lambda size: abs(size) > 1.0))
NOTIONAL: st.SearchStrategy[np.ndarray] = st.lists(st.tuples(*[SIZE] * COLUMNS), min_size=1, max_size=6).map(
    np.array
)
PER_LEVEL = pytest.mark.parametrize("level", list(Level))
every_model = pytest.mark.parametrize("name", list(MODELS))
every_netting = pytest.mark.parametrize("name", NETTING)


def slack(notional):
    return ROUNDING * np.abs(notional).sum(axis=1)


def model_of(method):
    return margin_model(method, LISTINGS)


@every_model
@PER_LEVEL
@settings(max_examples=25)
@given(NOTIONAL)
def test_requirements_are_sound_and_nothing_needs_nothing(name, level, notional):
    model = model_of(MODELS[name])
    needed = model.requirement(notional, level)
    assert needed.shape == (len(notional),)
    assert np.isfinite(needed).all()
    assert (needed >= 0.0).all()
    assert (model.requirement(0.0 * notional, level) == 0.0).all()


@every_model
@settings(max_examples=25)
@given(NOTIONAL)
def test_maintenance_then_call_then_initial_never_fall(name, notional):
    model = model_of(MODELS[name])
    maintenance, call, initial = (model.requirement(notional, level) for level in Level)
    assert (maintenance <= call + slack(notional)).all()
    assert (call <= initial + slack(notional)).all()


@every_model
@PER_LEVEL
@settings(max_examples=25)
@given(notional=NOTIONAL, seed=st.integers(0, 1000))
def test_the_order_of_accounts_and_columns_changes_nothing(name, level, notional, seed):
    generator = np.random.default_rng(seed)
    columns, rows = generator.permutation(COLUMNS), generator.permutation(len(notional))
    shuffled = margin_model(MODELS[name], tuple(LISTINGS[column] for column in columns))
    needed = model_of(MODELS[name]).requirement(notional, level)
    assert np.allclose(shuffled.requirement(notional[:, columns], level), needed, rtol=1e-9, atol=1e-3)
    assert (model_of(MODELS[name]).requirement(notional[rows], level) == needed[rows]).all()


@every_model
@PER_LEVEL
@settings(max_examples=25)
@given(notional=NOTIONAL, share=st.floats(0.0, 1.0))
def test_a_share_of_a_book_needs_at_most_that_share(name, level, notional, share):
    model = model_of(MODELS[name])
    part, whole = model.requirement(share * notional, level), model.requirement(notional, level)
    assert (part <= share * whole + slack(notional)).all()
    if name != "static":
        assert np.allclose(part, share * whole, rtol=1e-9, atol=1e-3)


@every_model
@PER_LEVEL
@settings(max_examples=25)
@given(
    lots=st.lists(st.tuples(*[st.integers(-(10**10), 10**10)] * COLUMNS), min_size=1, max_size=5),
    short_of=st.integers(-3, 3),
    scale=st.sampled_from([1, 10**4]),
)
def test_no_account_below_its_level_escapes_notice(name, level, lots, short_of, scale):
    model, held = model_of(MODELS[name]), np.array(lots, dtype=np.int64) * scale
    unit = np.array([entry.lot for entry in LISTINGS]) * MARKS * 1e6
    notional = held * unit
    needed = np.ceil(model.requirement(notional, level))
    cash = np.floor(needed - notional.sum(axis=1)).astype(np.int64) + short_of
    below = np.floor(cash + notional.sum(axis=1)) < needed
    near = model.near(cash, held, unit, level)
    assert near[below].all()
    rich = np.ceil(3.0 * np.abs(notional).sum(axis=1)).astype(np.int64) + 10
    assert not model.near(rich, held, unit, level).any()


@every_model
@PER_LEVEL
def test_a_lone_small_position_pays_exactly_its_rate(name, level):
    model = model_of(MODELS[name])
    rates = model.standalone(level)
    for column in range(COLUMNS):
        for place, sign in enumerate((1.0, -1.0)):
            notional = np.zeros((1, COLUMNS))
            notional[0, column] = sign * 7.3e9
            assert model.requirement(notional, level)[0] == pytest.approx(
                7.3e9 * rates[column, place], rel=1e-12
            )


@every_netting
@PER_LEVEL
@settings(max_examples=25)
@given(NOTIONAL)
def test_netting_never_exceeds_the_sum_of_the_parts(name, level, notional):
    model = model_of(MODELS[name])
    parts = sum(model.requirement(notional * (np.arange(COLUMNS) == i), level) for i in range(COLUMNS))
    assert (model.requirement(notional, level) <= parts + slack(notional)).all()


@every_netting
@PER_LEVEL
@settings(max_examples=25)
@given(first=NOTIONAL, second=NOTIONAL)
def test_two_books_together_need_at_most_what_they_need_apart(name, level, first, second):
    model = model_of(MODELS[name])
    one, other = first[:1], second[:1]
    apart = model.requirement(one, level) + model.requirement(other, level)
    assert model.requirement(one + other, level)[0] <= apart[0] + slack(one)[0] + slack(other)[0]


def test_opposite_contracts_of_one_market_need_nothing():
    notional = np.zeros((1, COLUMNS))
    notional[0, [0, 3]] = 5e9, -5e9
    assert model_of(MODELS["portfolio"]).requirement(notional, Level.INITIAL)[0] == 0.0


def test_a_hedge_across_markets_is_credited_but_never_below_the_floor():
    notional = np.zeros((1, COLUMNS))
    notional[0, :2] = 5e9, -4e9
    for name in ("portfolio", "portfolio-without-floor"):
        model = model_of(MODELS[name])
        assert isinstance(model, PortfolioMargin)
        gross = model.alone(model.exposure(notional), Level.MAINTENANCE).sum()
        needed = model.requirement(notional, Level.MAINTENANCE)[0]
        assert model.gross_floor * gross <= needed < 0.9 * gross


def many_books(seed):
    """Draw books of every kind, most of them hedged within or between markets."""
    generator = np.random.default_rng(seed)
    books = np.exp(generator.normal(22.0, 3.0, (80, COLUMNS))) * generator.choice(
        [-1.0, 0.0, 1.0], (80, COLUMNS)
    )
    books[:40, 1] = -books[:40, 0] * generator.uniform(0.5, 1.5, 40)
    return books


def raised_side(sides, which, level, factor):
    """Raise one level of one side, and those above it as far as they must."""
    names = ("maintenance", "call", "initial")
    raised = getattr(sides[which], names[level]) * factor
    changes = {name: max(getattr(sides[which], name), raised) for name in names[level:]}
    return tuple(structs.replace(s, **changes) if i == which else s for i, s in enumerate(sides))


def with_market(method, place, sides):
    changed = tuple(
        market(entry.market, *sides) if i == place else entry for i, entry in enumerate(method.markets)
    )
    return structs.replace(method, markets=changed)


def riskier_calibrated(method, data):
    place = data.draw(st.integers(0, len(method.markets) - 1))
    sides = method.markets[place].long, method.markets[place].short
    kinds = ["rate", "credit", "floor", "table"] if isinstance(method, CrossMargin) else ["rate"]
    kind = data.draw(st.sampled_from(kinds))
    if kind == "floor":
        return structs.replace(method, gross_floor=data.draw(st.floats(method.gross_floor, 1.0)))
    if kind == "table":
        tables = method.dependence + ((joint_rows(77, MARKETS[1:]),) if method.dependence else ())
        return structs.replace(method, dependence=tables)
    which, factor = data.draw(st.integers(0, 1)), data.draw(st.floats(1.0, 3.0))
    if kind == "rate":
        return with_market(
            method, place, raised_side(sides, which, data.draw(st.sampled_from(Level)), factor)
        )
    lower = structs.replace(
        sides[which], credit=sides[which].credit / factor, initial_credit=sides[which].initial_credit / factor
    )
    return with_market(method, place, tuple(lower if i == which else s for i, s in enumerate(sides)))


def riskier_tiers(method, data):
    place = data.draw(st.integers(0, len(method.tiers) - 1))
    tier, factor = method.tiers[place], data.draw(st.floats(1.0, 3.0))
    kind = data.draw(st.sampled_from(["maintenance", "initial", "buffer"]))
    if kind == "buffer":
        return structs.replace(method, call_buffer=method.call_buffer * factor)
    changed = structs.replace(tier, **{kind: getattr(tier, kind) * factor})
    tiers = tuple(changed if i == place else entry for i, entry in enumerate(method.tiers))
    return structs.replace(method, tiers=tiers)


@every_model
@PER_LEVEL
@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), data=st.data())
def test_the_requirement_never_falls_when_a_risk_parameter_rises(name, level, seed, data):
    method, notional = MODELS[name], many_books(seed)
    calibrated = isinstance(method, PerPosition | CrossMargin)
    riskier = riskier_calibrated(method, data) if calibrated else riskier_tiers(method, data)
    before = model_of(method).requirement(notional, level)
    after = model_of(riskier).requirement(notional, level)
    assert (after >= before - slack(notional)).all()


@given(st.floats(1.001, 5.0))
@settings(max_examples=20)
def test_a_higher_rate_is_felt_by_the_side_that_pays_it(factor):
    for method in (per_position(), cross_margin()):
        riskier = with_market(method, 0, (side(0.031 * factor), method.markets[0].short))
        long, short = np.zeros((1, COLUMNS)), np.zeros((1, COLUMNS))
        long[0, 0], short[0, 0] = 1e9, -1e9
        for level in Level:
            before, after = model_of(method), model_of(riskier)
            assert after.requirement(long, level)[0] > before.requirement(long, level)[0]
            assert after.requirement(short, level)[0] == before.requirement(short, level)[0]
