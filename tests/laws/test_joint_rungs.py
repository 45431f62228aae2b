"""Do joint rows that carry changes of implied volatility keep the notice, whatever a portfolio holds?

Ranges and credits move as far as the guard lets them, each underlying for itself; tables change as they are
announced. A row whose moves merely scale with the range does not have the law: the last test shows the
straddle that breaks it.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from plimsoll.domain.instruments import Option, Perpetual
from plimsoll.domain.parameters import JointScenarios, Level, ParameterSet
from plimsoll.domain.portfolios import Holding, Portfolio
from plimsoll.domain.profiles import Contingencies, PortfolioProfile, UnderlyingRange
from plimsoll.domain.scenario_sets import JointMoves, ScenarioGrid
from plimsoll.errors import Code, PlimsollError
from plimsoll.margin.calibrated import with_calibration
from plimsoll.margin.parts import Requirement
from plimsoll.margin.profiles import profile
from plimsoll.margin.venue import requirement
from tests.support.books import INSTRUMENTS, MARKET, NEAR, holdings
from tests.support.venues import cross_margin, joint_rows, market, parameter_set, side, with_implied

ROUNDING = 1e-9
"""Of the gross value of a portfolio: sums of a dozen products."""
RUNG = 1.1003
"""A rung over the one below it, as the profile rounds them to four figures."""
NAMES = ("BTC", "ETH")
FIRST, SECOND, THIRD = (with_implied(joint_rows(seed, NAMES), seed + 1) for seed in (5, 15, 25))
sizes = st.floats(0.01, 0.4)
shares = st.floats(0.0, 1.0)


def published(
    rates: tuple[float, ...], reach: float, lent: tuple[float, ...], tables: tuple[JointScenarios, ...]
) -> ParameterSet:
    """Publish maintenance and credit per market; initial margin reaches so far above, and below a credit."""
    markets = tuple(
        market(
            name,
            structs.replace(side(rate, steps=(1.0, reach)), credit=credit, initial_credit=0.97 * credit),
            structs.replace(
                side(0.9 * rate, steps=(1.0, reach)), credit=credit, initial_credit=0.97 * credit
            ),
        )
        for name, rate, credit in zip(NAMES, rates, lent, strict=True)
    )
    return parameter_set(cross_margin(markets, dependence=tables))


def asked(
    held: tuple[Holding, ...], parameters: ParameterSet, level: Level, *, rows_alone: bool = True
) -> Requirement:
    chosen = with_calibration(profile("plimsoll"), parameters)
    if rows_alone:
        joint = tuple(s for s in chosen.scenarios if isinstance(s, JointMoves))
        chosen = structs.replace(
            chosen, scenarios=joint, basis=None, contingencies=Contingencies(), gross_floor=0.0
        )
    return requirement(Portfolio(holdings=held), MARKET, chosen, level)


def gross(held: tuple[Holding, ...]) -> float:
    return sum(abs(holding.quantity) for holding in held) * 100_000.0


@given(
    held=holdings(),
    rates=st.tuples(sizes, sizes),
    grown=st.tuples(shares, shares),
    faded=st.tuples(shares, shares),
    rows_alone=st.booleans(),
    turned=st.booleans(),
)
@settings(max_examples=40)
def test_initial_margin_covers_every_maintenance_that_the_guard_lets_come_within_the_notice(
    held, rates, grown, faded, rows_alone, turned
):
    reach = 1.49
    today = published(rates, reach, tuple(0.6 * rate for rate in rates), (FIRST, SECOND))
    later = published(
        tuple(rate * reach**share for rate, share in zip(rates, grown, strict=True)),
        reach,
        tuple(0.6 * rate * 0.97**share for rate, share in zip(rates, faded, strict=True)),
        (SECOND, THIRD) if turned else (FIRST, SECOND),
    )
    before = asked(held, today, Level.INITIAL, rows_alone=rows_alone)
    after = asked(held, later, Level.MAINTENANCE, rows_alone=rows_alone)
    assert after.required <= before.required + ROUNDING * gross(held)


@given(one=holdings(), other=holdings(), rates=st.tuples(sizes, sizes))
@settings(max_examples=15)
def test_two_books_together_need_no_more_than_both(one, other, rates):
    parameters = published(rates, 1.49, tuple(0.6 * rate for rate in rates), (FIRST,))
    together = asked(one + other, parameters, Level.MAINTENANCE).required
    apart = sum(asked(held, parameters, Level.MAINTENANCE).required for held in (one, other))
    assert together <= apart + ROUNDING * gross(one + other)


@given(rate=sizes, sign=st.sampled_from([-1.0, 1.0]), name=st.sampled_from(NAMES))
@settings(max_examples=15)
def test_a_lone_linear_position_pays_its_range_rounded_up_to_a_rung(rate, sign, name):
    parameters = published((rate, rate), 1.49, (0.6 * rate, 0.6 * rate), (FIRST,))
    held = (Holding(Perpetual(name), 2.0 * sign),)
    required = asked(held, parameters, Level.MAINTENANCE).required
    price = next(q.perpetual for q in MARKET.underlyings if q.underlying == name)
    assert required <= RUNG * rate * 2.0 * price
    if rate < 0.2:
        assert required >= (1.0 - ROUNDING) * rate * 2.0 * price


def test_an_announced_table_counts_at_initial_margin_alone():
    held = (Holding(Perpetual("BTC"), 3.0), Holding(Perpetual("ETH"), -80.0))
    alone = published((0.06, 0.08), 1.49, (0.03, 0.04), (FIRST,))
    both = published((0.06, 0.08), 1.49, (0.03, 0.04), (FIRST, SECOND))
    swapped = published((0.06, 0.08), 1.49, (0.03, 0.04), (SECOND,))
    assert asked(held, both, Level.MAINTENANCE) == asked(held, alone, Level.MAINTENANCE)
    dearest = max(asked(held, each, Level.INITIAL).required for each in (alone, swapped))
    assert asked(held, both, Level.INITIAL).required == dearest
    assert (
        dearest > asked(held, alone, Level.INITIAL).required
        or dearest > asked(held, swapped, Level.INITIAL).required
    )


@given(held=holdings(), rates=st.tuples(sizes, sizes))
@settings(max_examples=10)
def test_rungs_give_what_trying_them_one_by_one_gives(held, rates):
    """The definition: each underlying by itself at each rung, the worst in each row, then the tail."""
    chosen = with_calibration(
        profile("plimsoll"), published(rates, 1.49, tuple(0.6 * rate for rate in rates), (FIRST,))
    )
    (joint,) = (s for s in chosen.scenarios if isinstance(s, JointMoves))
    total = np.zeros(len(joint.names))
    for each, name in zip(chosen.ranges, NAMES, strict=True):
        own = tuple(holding for holding in held if holding.instrument.underlying == name)
        last = next(k for k, rung in enumerate(joint.rungs) if rung >= each.maintenance)
        first = max((k for k, rung in enumerate(joint.rungs) if rung <= each.least), default=0)
        total += np.min([profits(own, joint, rung) for rung in joint.rungs[first : last + 1]], axis=0)
    bare = structs.replace(
        chosen, scenarios=(joint,), basis=None, contingencies=Contingencies(), gross_floor=0.0
    )
    found = requirement(Portfolio(holdings=held), MARKET, bare, Level.MAINTENANCE).required
    expected = max(0.0, float(-np.sort(total)[: joint.tail].mean()))
    assert found == pytest.approx(expected, rel=ROUNDING, abs=ROUNDING * gross(held))


def profits(held: tuple[Holding, ...], joint: JointMoves, rung: float) -> np.ndarray:
    """Reprice with the rows taken at one rung as plain moves."""
    moved = tuple(tuple(max(rung * move, -0.99) for move in row) for row in joint.spot)
    plain = structs.replace(joint, spot=moved, rungs=())
    chosen = PortfolioProfile(name="plain", title="Plain", source="the test", scenarios=(plain,))
    answer = requirement(Portfolio(holdings=held), MARKET, chosen, Level.MAINTENANCE)
    return np.array([each.profit for each in answer.scenarios])


def test_the_binding_row_is_named_by_its_date():
    held = (Holding(Perpetual("BTC"), 3.0),)
    worst = asked(held, published((0.06, 0.08), 1.49, (0.03, 0.04), (FIRST,)), Level.MAINTENANCE).worst
    assert worst.startswith("moves of 2020-09-")


def test_an_underlying_without_rows_counts_in_the_grid_alone():
    alone = with_implied(joint_rows(5, ("BTC",)), 6)
    parameters = published((0.06, 0.08), 1.49, (0.03, 0.04), (alone,))
    held = (Holding(Perpetual("ETH"), 3.0),)
    assert asked(held, parameters, Level.MAINTENANCE).required == 0.0
    assert asked(held, parameters, Level.MAINTENANCE, rows_alone=False).part("scenarios") > 0.0


def test_a_set_without_implied_volatility_adds_no_rows():
    plain = published((0.06, 0.08), 1.49, (0.03, 0.04), (joint_rows(5, NAMES),))
    assert with_calibration(profile("plimsoll"), plain).scenarios == profile("plimsoll").scenarios


def test_rows_that_only_scale_with_the_range_would_break_the_notice_and_rungs_do_not():
    """A long straddle loses most where little moves: rows scaled to a wider range leave that place."""
    call, put = (i for i in INSTRUMENTS if isinstance(i, Option) and i.strike == 90_000 and i.expiry == NEAR)
    held = (Holding(call, 1.0), Holding(put, 1.0))
    chosen = with_calibration(profile("plimsoll"), published((0.02, 0.02), 1.49, (0.01, 0.01), (FIRST,)))
    (joint,) = (s for s in chosen.scenarios if isinstance(s, JointMoves))

    def needed(rungs: tuple[float, ...], least: float, most: float) -> float:
        ranges = tuple(
            UnderlyingRange(underlying=name, maintenance=most, initial=most, least=least) for name in NAMES
        )
        only = structs.replace(joint, rungs=rungs)
        bare = PortfolioProfile(name="rows", title="Rows", source="test", scenarios=(only,), ranges=ranges)
        return requirement(Portfolio(holdings=held), MARKET, bare, Level.MAINTENANCE).required

    assert needed((0.4,), 0.4, 0.4) < needed((0.02,), 0.02, 0.02)
    ladder = (0.02, 0.05, 0.1, 0.2, 0.4)
    assert needed(ladder, 0.02, 0.4) >= needed(ladder, 0.02, 0.02)


def asked_by_implied(held, parameters, level):
    chosen = with_calibration(profile("plimsoll-implied"), parameters)
    return requirement(Portfolio(holdings=held), MARKET, chosen, level)


@given(
    held=holdings(),
    rates=st.tuples(sizes, sizes),
    grown=st.tuples(shares, shares),
    turned=st.booleans(),
)
@settings(max_examples=25)
def test_a_grid_that_moves_volatility_as_the_rows_do_keeps_the_notice(held, rates, grown, turned):
    reach = 1.49
    today = published(rates, reach, tuple(0.6 * rate for rate in rates), (FIRST, WILDER))
    later = published(
        tuple(rate * reach**share for rate, share in zip(rates, grown, strict=True)),
        reach,
        tuple(0.6 * rate * 0.97 for rate in rates),
        (WILDER, THIRD) if turned else (FIRST, WILDER),
    )
    before = asked_by_implied(held, today, Level.INITIAL)
    after = asked_by_implied(held, later, Level.MAINTENANCE)
    assert after.required <= before.required + ROUNDING * gross(held)


WILDER = structs.replace(
    SECOND, volatility=tuple(tuple(2.5 * change for change in row) for row in SECOND.volatility)
)


def test_the_grid_moves_volatility_as_far_as_the_mean_of_the_worst_rows():
    parameters = published((0.1, 0.1), 1.49, (0.06, 0.06), (FIRST, WILDER))
    chosen = with_calibration(profile("plimsoll-implied"), parameters)
    grids = [each for each in chosen.scenarios if isinstance(each, ScenarioGrid)]
    (stated,) = (each for each in profile("plimsoll").scenarios if isinstance(each, ScenarioGrid))
    assert [grid.announced for grid in grids] == [False, True]
    for grid, table in zip(grids, (FIRST, WILDER), strict=True):
        changes = np.sort(np.array(table.volatility), axis=0)
        assert grid.volatility.rise == np.expm1(changes[-table.tail :].mean(axis=0)).max()
        assert grid.volatility.fall == -np.expm1(changes[: table.tail].mean(axis=0)).min()
        assert grid.volatility.short_power == stated.volatility.short_power
    assert grids[1].volatility.rise > grids[0].volatility.rise > 0.0
    held = (Holding(Option("BTC", NEAR, 90_000, "C"), -1.0),)
    asked = [asked_by_implied(held, published((0.1, 0.1), 1.49, (0.06, 0.06), (t,)), Level.MAINTENANCE)
             for t in (FIRST, WILDER)]  # fmt: skip
    assert asked[0].required < asked[1].required


def test_a_set_that_knows_no_implied_volatility_moves_no_grid():
    plain = published((0.1, 0.1), 1.49, (0.06, 0.06), (joint_rows(5, NAMES), FIRST))
    with pytest.raises(PlimsollError, match="--implied") as refused:
        with_calibration(profile("plimsoll-implied"), plain)
    assert refused.value.code is Code.BAD_SETTING
