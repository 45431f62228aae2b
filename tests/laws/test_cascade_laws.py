"""Does a simulated cascade keep money, repeat itself, forget the order of accounts, and obey its market?"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from plimsoll.domain.events import Deposited, Ticked
from plimsoll.engine.book import FIRST_TRADER, FUND
from plimsoll.engine.runner import DigestJournal, Runner
from plimsoll.engine.state import digest, restore, snapshot
from plimsoll.sim.cascade import advance, draw_cast
from plimsoll.sim.cascade_settings import CascadeSettings
from plimsoll.sim.market_makers import begin_market, move_market
from plimsoll.sim.seeds import simulate
from plimsoll.sim.shock import anchor, draw_value
from tests.support.cascades import QUICK, SCENARIO, cast_of, run

SEED = 3
SUM_ORDER = 1e-9
"""Prices of permuted accounts: forced trades are added up in another order."""
UP_TO_ROUNDING = 1e-6
"""An account's cash, relative to what it paid in: marks that differ in the last bits round differently."""


class Kept(DigestJournal):
    """Keeps the events as well."""

    def __init__(self):
        super().__init__()
        self.events = []

    def append(self, event):
        super().append(event)
        self.events.append(event)


def test_everything_happens_in_the_quick_crash():
    facts, series, _ = run(cast_of(SEED))
    assert facts.called > 0
    assert facts.answered > 0
    assert facts.sold > 0
    assert facts.taken_over > 0
    assert facts.deleveraged > 0
    assert facts.bad_debt > 0
    assert facts.allocation_delay is not None
    assert facts.allocation_delay > 0
    assert np.isclose(facts.forced, facts.sold + facts.taken_over + facts.deleveraged)
    assert facts.peak_minute_share <= 1.0
    assert (np.diff(series.bad_debt) >= 0.0).all()


def test_cash_and_lots_sum_to_zero_in_every_second():
    cast = cast_of(SEED)
    _, _, runner = run(cast, structs.replace(QUICK, shock=structs.replace(QUICK.shock, seconds=60)))
    state = runner.state
    assert (state.book.status[FIRST_TRADER:] > 0).any()
    situation = opened_situation(cast)
    for _ in range(40):
        situation, _, _ = advance(cast, QUICK, situation, runner)
        book = runner.state.book
        assert sum(map(int, book.cash)) == 0
        assert not book.lots.sum(axis=0).any()
        assert book.cash[FUND] >= 0


def opened_situation(cast, second=60):
    """Go on from a second of the run, with the market as it was at the start."""
    markets = len(cast.interest)
    from plimsoll.sim.cascade import Situation

    return Situation(second, begin_market(markets, QUICK), np.zeros(markets), cast.owners)


def test_the_same_seed_gives_the_same_journal_and_another_seed_another():
    first, second = run(cast_of(SEED))[0], run(draw_cast(anchor(SCENARIO), QUICK, SEED))[0]
    assert first == second
    assert run(cast_of(SEED + 1))[0].journal != first.journal


def test_a_run_goes_on_from_a_snapshot_as_if_it_had_never_stopped():
    cast = cast_of(SEED)
    short = structs.replace(QUICK, shock=structs.replace(QUICK.shock, seconds=70))
    _, _, runner = run(cast, short)
    other = Runner(DigestJournal(), restore(snapshot(runner.state)))
    one = two = opened_situation(cast, 70)
    for _ in range(30):
        one, _, _ = advance(cast, QUICK, one, runner)
        two, _, _ = advance(cast, QUICK, two, other)
    assert digest(runner.state) == digest(other.state)
    assert np.array_equal(one.market.log_price, two.market.log_price)
    assert np.array_equal(one.owners.due, two.owners.due)


def test_no_result_depends_on_the_order_of_accounts():
    cast = cast_of(SEED)
    order = np.random.default_rng(0).permutation(len(cast.population.names))
    people, owners = cast.population, cast.owners
    shuffled = replace(
        cast,
        population=replace(
            people,
            names=tuple(people.names[place] for place in order),
            deposits=people.deposits[order],
            collateral=people.collateral[order],
            wanted=people.wanted[order],
        ),
        owners=replace(
            owners, delay=owners.delay[order], reserve=owners.reserve[order], due=owners.due[order]
        ),
    )
    first, series, runner = run(cast)
    other, moved, rerun = run(shuffled)
    np.testing.assert_allclose(moved.price, series.price, rtol=SUM_ORDER)
    assert other.liquidated == first.liquidated
    cash = runner.state.book.cash[FIRST_TRADER:][order]
    slack = UP_TO_ROUNDING * people.deposits[order] + 100
    assert (np.abs(rerun.state.book.cash[FIRST_TRADER:] - cash) <= slack).all()


def test_events_of_a_second_come_in_one_order():
    cast = cast_of(SEED)
    _, _, runner = run(cast, structs.replace(QUICK, shock=structs.replace(QUICK.shock, seconds=60)))
    journal = Kept()
    later = Runner(journal, runner.state)
    situation = opened_situation(cast)
    due = np.where(np.isfinite(cast.owners.delay), 62, -1)
    situation = replace(situation, owners=replace(cast.owners, due=due))
    for _ in range(4):
        situation, _, _ = advance(cast, QUICK, situation, later)
    assert [type(event) for event in journal.events if event.time == journal.events[1].time] == [
        Deposited,
        Ticked,
    ]
    assert sum(isinstance(event, Ticked) for event in journal.events) == 4


def test_seeds_in_two_processes_give_what_one_gives():
    quick = structs.replace(
        QUICK,
        seeds=2,
        population=structs.replace(QUICK.population, accounts=40),
        shock=structs.replace(QUICK.shock, seconds=60),
    )
    alone, together = simulate(SCENARIO, quick, workers=1), simulate(SCENARIO, quick, workers=2)
    assert [run.facts for run in alone.runs] == [run.facts for run in together.runs]
    assert alone.runs[0].facts != alone.runs[1].facts


def test_the_shock_passes_the_known_fall_and_ends_at_the_known_close():
    known = anchor(SCENARIO)
    assert known.markets == ("BTC", "ETH", "SOL", "BNB", "XRP")
    np.testing.assert_allclose(np.exp(known.fall[4]), 1.2543 / 2.494, rtol=1e-9)
    still = structs.replace(QUICK.shock, noise_per_hour=1e-12, fall_spread=0.0, seconds=3_000)
    value = draw_value(known, still, np.random.default_rng(1))
    trough = still.onset_second + round(still.fall_seconds)
    np.testing.assert_allclose(value[trough], still.share * known.fall, rtol=1e-6)
    np.testing.assert_allclose(value[-1], known.close, atol=1e-6)
    assert known.before.ends[-1] == known.start


INTEREST = np.array([4e6, 9e5])


def moved(forced, before=None, scale=1.0, drawn=QUICK):
    market = begin_market(2, drawn) if before is None else before
    return move_market(market, np.zeros(2), scale * np.array(forced), scale * INTEREST, drawn)[0]


@given(st.floats(0.0, 5e5), st.floats(0.0, 5e5))
@settings(max_examples=40)
def test_selling_never_raises_a_price_and_more_never_less(one, more):
    little, much = moved([-one, 0.0]), moved([-one - more, 0.0])
    assert much.displacement[0] <= little.displacement[0] <= 0.0
    assert little.displacement[1] == 0.0


@given(st.floats(-3e5, 3e5), st.floats(1e-3, 1e6))
@settings(max_examples=40)
def test_the_market_knows_no_unit_of_money(forced, scale):
    plain, scaled = moved([forced, -forced / 3.0]), moved([forced, -forced / 3.0], scale=scale)
    np.testing.assert_allclose(scaled.displacement, plain.displacement, rtol=1e-9)
    np.testing.assert_allclose(scaled.share, plain.share, rtol=1e-9)


def test_makers_who_bought_in_one_market_quote_less_in_the_other():
    calm = moved([0.0, 0.0])
    hit = moved([-3e5, 0.0])
    assert hit.share[1] < calm.share[1]
    assert hit.variance[1] == calm.variance[1]


@given(st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=25))
@settings(max_examples=30)
def test_depth_stays_between_the_least_and_normal(orders):
    market = None
    for order in orders:
        market = moved([order, 0.0], market)
        assert (market.share >= QUICK.makers.least_depth - 1e-12).all()
        assert (market.share <= 1.0).all()


def test_left_alone_a_displaced_price_comes_back():
    market = moved([-2e5, 0.0])
    pushed = market.displacement[0]
    for _ in range(2_000):
        market = moved([0.0, 0.0], market)
    assert abs(market.displacement[0]) < 0.05 * abs(pushed)


@pytest.mark.parametrize("field", ["seeds", "seed"])
def test_settings_out_of_bounds_are_refused(field):
    import msgspec

    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({field: -1}, CascadeSettings)
