"""Does a model serve other listings as one that was made for them would?"""

from decimal import Decimal

import numpy as np
import pytest

from plimsoll.domain.accounts import Account, CollateralBalance, Position
from plimsoll.domain.instruments import Listing, Perpetual
from plimsoll.domain.parameters import Level
from plimsoll.errors import PlimsollError
from plimsoll.margin import margin_model
from plimsoll.margin.explain import explain
from plimsoll.margin.portfolio import PortfolioMargin
from tests.support.venues import (
    LIQUIDITY,
    LISTINGS,
    MARKETS,
    TIERS,
    cross_margin,
    joint_rows,
    parameter_set,
    per_position,
)

SETS = {
    "static": parameter_set(TIERS),
    "per-position": parameter_set(per_position()),
    "cross-margin": parameter_set(cross_margin()),
    "some-joint": parameter_set(cross_margin(dependence=(joint_rows(5, MARKETS[:2]), joint_rows(6)))),
    "charged-for-size": parameter_set(cross_margin(), liquidity=LIQUIDITY),
}
every_set = pytest.mark.parametrize("parameters", SETS.values(), ids=SETS)
MARKS = {market: 100.0 * (1 + place) for place, market in enumerate(MARKETS)}


def account(*markets):
    positions = tuple(
        Position(f"{market}-PERP", Decimal(3 - 5 * place), Decimal("99.5"))
        for place, market in enumerate(markets)
    )
    return Account("desk", (CollateralBalance("USD", Decimal(9_000)),), positions)


@every_set
@pytest.mark.parametrize("held", [(), MARKETS[:1], MARKETS[:2], MARKETS[1:3], MARKETS])
def test_the_explanation_is_the_same_with_a_model_over_other_listings(parameters, held):
    known = margin_model(parameters.method, LISTINGS, parameters.liquidity)
    if isinstance(known, PortfolioMargin):
        assert known.terms is not None  # remembered for its own listings, and not for others
    assert explain(account(*held), parameters, MARKS, known) == explain(account(*held), parameters, MARKS)


@every_set
def test_a_model_over_other_listings_asks_what_one_made_for_them_asks(parameters):
    fewer = LISTINGS[::-2]
    generator = np.random.default_rng(4)
    notional = 1e12 * generator.standard_normal((20, len(fewer)))
    known, made = (
        margin_model(parameters.method, listings, parameters.liquidity) for listings in (LISTINGS, fewer)
    )
    if isinstance(known, PortfolioMargin):
        assert known.terms is not None
    for level in Level:
        assert (known.over(fewer).requirement(notional, level) == made.requirement(notional, level)).all()
        assert (known.over(fewer).steepest(level) == made.steepest(level)).all()
    lots = np.rint(notional / 1e6).astype(np.int64)
    worth = np.zeros(20, dtype=np.int64), lots, np.full(len(fewer), 1e6)
    for level in Level:
        assert (known.over(fewer).room(*worth, level) == made.room(*worth, level)).all()
    over = known.over(fewer)
    if isinstance(over, PortfolioMargin) and isinstance(made, PortfolioMargin):
        found, expected = (model.valued(np.arange(20), *worth) for model in (over, made))
        assert found is not None
        assert expected is not None
        assert (found == expected).all()


def test_a_model_over_a_market_that_it_does_not_know_is_refused():
    unknown = (*LISTINGS, Listing(Perpetual("DOGE"), 1.0))
    for method in (per_position(), cross_margin()):
        with pytest.raises(PlimsollError, match="DOGE"):
            margin_model(method, LISTINGS).over(unknown)
