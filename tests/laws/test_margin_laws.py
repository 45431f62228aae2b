"""Does every margin model ask for more when risk rises, for nothing without positions, and alike of all?

The laws of any model are the public suite; a new model is one line in `MODELS`. `NETTING` are those that
credit hedges. Beside them stand laws of the parameters.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from plimsoll.domain.parameters import CrossMargin, Level, MarginMethod, PerPosition
from plimsoll.margin import margin_model
from plimsoll.margin.portfolio import PortfolioMargin
from plimsoll.testing import check_margin_model, strategies
from plimsoll.testing.margin_models import MARGIN_LAWS, NETTING_LAWS
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
CANCELLED = 1e-15
"""Of the gross: what is left of a float where large opposite positions net to little."""
ROUNDING = 1e-11
"""Sums of floats in another order; requirements are then rounded up to a whole quantum."""

PER_LEVEL = pytest.mark.parametrize("level", list(Level))
every_model = pytest.mark.parametrize("name", list(MODELS))
every_netting = pytest.mark.parametrize("name", NETTING)


def slack(notional):
    return ROUNDING * np.abs(notional).sum(axis=1)


def model_of(method):
    return margin_model(method, LISTINGS)


@every_model
@PER_LEVEL
@pytest.mark.parametrize("law", MARGIN_LAWS)
@settings(max_examples=20)
@given(book=strategies.books(LISTINGS, MARKS))
def test_every_law_of_a_model(law, name, level, book):
    MARGIN_LAWS[law](model_of(MODELS[name]), book, level)


@every_netting
@PER_LEVEL
@pytest.mark.parametrize("law", NETTING_LAWS)
@settings(max_examples=20)
@given(book=strategies.books(LISTINGS, MARKS))
def test_every_law_of_netting(law, name, level, book):
    NETTING_LAWS[law](model_of(MODELS[name]), book, level)


@every_model
@PER_LEVEL
@given(book=strategies.books(LISTINGS, MARKS), share=st.floats(0.0, 1.0))
@settings(max_examples=20)
def test_without_tiers_a_share_needs_just_its_share(name, level, book, share):
    model = model_of(MODELS[name])
    part, whole = model.requirement(share * book.notional, level), model.requirement(book.notional, level)
    room = CANCELLED * np.abs(book.notional).sum(axis=1) + 1e-3
    assert name == "static" or (np.abs(part - share * whole) <= 1e-9 * np.abs(whole) + room).all()


@every_model
def test_drawn_books_keep_every_law(name):
    check_margin_model(model_of(MODELS[name]), LISTINGS, MARKS, nets=name in NETTING)


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
