"""Do prices in scenarios equal their definition, and does a tick reprice exactly what it must?"""

import numpy as np
import pytest

from plimsoll.domain.scenario_sets import JointMoves, MarketMove, NamedStress
from plimsoll.kernels.repricing import shocked_value_definition
from plimsoll.margin.profiles import profile, profile_names
from plimsoll.pricing import build_chain, build_moves, price_table, repriced
from tests.support.books import INSTRUMENTS, MARKET, market_at

ROUNDING = 1e-12
"""Of the forward: the definition loses its last digits where two terms cancel."""

JOINT = JointMoves(
    underlyings=("ETH", "BTC"),
    names=("then", "later"),
    spot=((-0.3, -0.2), (0.1, 0.25)),
    volatility=((0.8, 0.5), (-0.2, -2.0)),
    tail=1,
)
STRESS = NamedStress(
    name="a crash", moves=(MarketMove(underlying="BTC", spot=-0.4, volatility=1.0),), others=-0.5
)
SETS = {
    **{f"{name} {i}": s for name in profile_names() for i, s in enumerate(profile(name).scenarios)},
    "joint": JOINT,
    "stress": STRESS,
}


@pytest.mark.parametrize("name", SETS)
def test_every_cell_of_the_table_equals_its_definition(name):
    chain = build_chain(INSTRUMENTS, MARKET)
    moves = build_moves(
        SETS[name], chain, {"BTC": 0.15, "ETH": 0.2} if name.startswith(("span", "dydx", "plimsoll")) else {}
    )
    table = price_table(chain, moves)
    for i, e in enumerate(chain.slot):
        terms = (chain.forward[e], chain.tau[e], chain.discount[e])
        for s in range(len(moves.names)):
            move = (
                moves.multiple[e, s],
                moves.scale[e, s],
                moves.floor[s],
                int(moves.skew[s]),
                moves.cap[e, s],
                moves.width[e],
            )
            value = shocked_value_definition(
                int(chain.kind[i]), chain.strike[i], chain.volatility[i], *terms, move
            )
            assert abs(table.shocked[i, s] - value) <= ROUNDING * chain.forward[e] * max(
                1.0, moves.multiple[e, s]
            )


def test_repricing_one_underlying_gives_the_table_made_anew_and_leaves_the_old_one():
    chain = build_chain(INSTRUMENTS, MARKET)
    before = price_table(chain, build_moves(profile("derive-pmrm2").scenarios[0], chain, {}))
    kept = before.shocked.copy()
    later = build_chain(INSTRUMENTS, market_at(1.07))
    moves = build_moves(profile("derive-pmrm2").scenarios[0], later, {})
    after, anew = repriced(before, later, moves, "BTC"), price_table(later, moves)
    assert np.array_equal(after.shocked, anew.shocked)
    assert np.array_equal(after.value, anew.value)
    assert np.array_equal(before.shocked, kept)
    assert not np.array_equal(before.shocked, after.shocked)


def test_joint_moves_carry_volatility_to_other_tenors_and_never_below_zero():
    chain = build_chain(INSTRUMENTS, MARKET)
    moves = build_moves(JOINT, chain, {})
    for e, slot in enumerate(chain.slots):
        column = 1 if chain.underlyings[slot.underlying] == "BTC" else 0
        assert list(moves.multiple[e]) == [1.0 + row[column] for row in JOINT.spot]
        if slot.is_option:
            tenor = (30.0 / chain.days[e]) ** (0.3 if chain.days[e] <= 30.0 else 0.13)
            assert moves.scale[e, 0] == pytest.approx(1.0 + tenor * JOINT.volatility[0][column])
    assert moves.scale.min() == 0.0
