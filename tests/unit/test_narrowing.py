"""Does an account learn the same from the part of the parameters that concerns it?"""

from decimal import Decimal

import pytest

from plimsoll.domain.accounts import Account, CollateralBalance, Position
from plimsoll.margin.explain import explain
from plimsoll.service.narrowing import Narrowing
from tests.support.venues import MARKETS, TIERS, cross_margin, joint_rows, parameter_set, per_position

METHODS = {
    "static": TIERS,
    "per-position": per_position(),
    "cross-margin": cross_margin(),
    "some-joint": cross_margin(dependence=(joint_rows(5, MARKETS[:2]), joint_rows(6))),
}
MARKS = {market: 100.0 * (1 + place) for place, market in enumerate(MARKETS)}


def account(*markets):
    positions = tuple(
        Position(f"{market}-PERP", Decimal(3 - 5 * place), Decimal("99.5"))
        for place, market in enumerate(markets)
    )
    return Account("desk", (CollateralBalance("USD", Decimal(9_000)),), positions)


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
@pytest.mark.parametrize("held", [(), MARKETS[:1], MARKETS[:2], MARKETS[1:3], MARKETS])
def test_the_explanation_is_the_same_in_every_part(method, held):
    parameters = parameter_set(method)
    narrowing = Narrowing()
    part = narrowing.of(parameters, frozenset(held))
    whole = explain(account(*held), parameters, MARKS)
    for _ in range(2):
        assert explain(account(*held), part, MARKS, narrowing.model) == whole


def test_a_new_set_is_not_answered_with_an_old_part_or_model():
    narrowing = Narrowing()
    held = frozenset(MARKETS[:2])
    first, second = parameter_set(cross_margin()), parameter_set(cross_margin(gross_floor=0.9), version=2)
    for given in (first, second, first):
        part = narrowing.of(given, held)
        assert part.version == given.version
        told = explain(account(*MARKETS[:2]), part, MARKS, narrowing.model)
        assert told == explain(account(*MARKETS[:2]), given, MARKS)
