"""Can a rise of parameters alone liquidate an account that met initial margin within the notice?

Prices are held; rates, hedge credit and the table of joint moves go wherever the guard lets them. Models are
adversarial: jumps up and down by any factor at any hour, sides and markets apart.
"""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.calibration import absorb, begin, propose
from plimsoll.calibration.guards import CEILING, apply_guard, begin_guard
from plimsoll.domain.bars import HOUR
from plimsoll.domain.parameters import CrossMargin, Level, PerPosition, Provenance, SideParameters
from plimsoll.domain.settings import CalibrationSettings, GuardSettings, JointSettings, YoungMarketSettings
from plimsoll.kernels.rise import rise_height
from plimsoll.margin import margin_model
from plimsoll.testing.bars import holed, rows_of, wild_bars
from tests.support.venues import LISTINGS, MARKETS, cross_margin, joint_rows, market, per_position

COLUMNS = len(LISTINGS)
PROVENANCE = Provenance(program="tests", settings="none", inputs=())
ROUNDING = 1e-9
"""Relative: rates compounded over many steps, and sums in another order."""

seeds = st.integers(0, 2**32 - 1)
GUARDS = st.builds(
    GuardSettings,
    rise_per_hour=st.sampled_from([0.005, 0.02, 0.2, 1.0]),
    rise_at_once=st.sampled_from([0.0, 0.25]),
    rise_base=st.sampled_from([0.005, 0.05]),
    fall_half_life=st.sampled_from([0.0, 3.0, 24.0]),
    notice_hours=st.sampled_from([1.0, 5.0, 24.0]),
    floor_share=st.sampled_from([0.0, 0.7, 1.0]),
    credit_fall_per_hour=st.sampled_from([0.001, 0.02, 0.1]),
    call_buffer=st.sampled_from([1.0, 1.1]),
    initial_buffer=st.sampled_from([1.0, 1.25]),
)


def guarded_path(generator, settings, hours):
    """Drive the guard with models that jump as they please: what it publishes, early, on time or late."""
    level = np.exp(generator.normal(-3.0, 0.5, (3, 2)))
    state, published, time = begin_guard(3), [], 1_000 * HOUR
    for _ in range(hours):
        jump = generator.random((3, 2)) < 0.3
        level = np.clip(level * np.where(jump, np.exp(generator.normal(0.0, 1.0, (3, 2))), 1.0), 1e-4, 3.0)
        limited = level * np.exp(generator.normal(0.0, 0.3, (3, 2)))
        long_run = np.clip(level * np.exp(generator.normal(0.0, 0.8, (3, 2))), 1e-4, 2.0)
        guarded, state = apply_guard(state, settings, time, level, limited, long_run, limited)
        published.append((time, guarded))
        time += int(generator.choice([HOUR // 4, HOUR - 1, HOUR, HOUR, 2 * HOUR, 7 * HOUR]))
    return published


def method_of(guarded, tables, floor):
    def side(m, s):
        rates = (guarded.maintenance, guarded.call, guarded.initial, guarded.credit, guarded.initial_credit)
        figures = [float(rate[m, s]) for rate in rates]
        return SideParameters(
            maintenance=figures[0],
            call=figures[1],
            initial=figures[2],
            credit=figures[3],
            initial_credit=figures[4],
        )

    markets = tuple(market(name, side(m, 0), side(m, 1)) for m, name in enumerate(MARKETS))
    if floor is None:
        return per_position(markets)
    return cross_margin(markets, dependence=tables, gross_floor=floor)


def tables_at(times, announced, notice_hours):
    """Two tables follow each other: the second is announced at one moment, in force a notice later."""
    first, second = joint_rows(1), joint_rows(2, MARKETS[:2])
    start = times[announced]
    due = [time - start >= notice_hours * HOUR for time in times]
    return [
        (first,) if time < start else (second,) if over else (first, second)
        for time, over in zip(times, due, strict=True)
    ]


def last_moment(times, at):
    """Find the last moment at which a set is in force: whoever trades then still has the whole notice."""
    return times[at + 1] - 1 if at + 1 < len(times) else times[at]


@pytest.mark.parametrize("floor", [None, 0.0, 0.2])
@settings(max_examples=40)
@given(seed=seeds, guard=GUARDS, announced=st.integers(0, 29))
def test_a_rise_alone_never_liquidates_within_the_notice(floor, seed, guard, announced):
    generator = np.random.default_rng(seed)
    published = guarded_path(generator, guard, 30)
    times = [time for time, _ in published]
    tables = tables_at(times, announced, guard.notice_hours)
    models = [
        margin_model(method_of(guarded, rows, floor), LISTINGS)
        for (_, guarded), rows in zip(published, tables, strict=True)
    ]
    notional = generator.normal(0.0, 1e10, (40, COLUMNS)) * (generator.random((40, COLUMNS)) < 0.6)
    notional[:20, 1] = -notional[:20, 0] * generator.uniform(0.7, 1.3, 20)
    notional[:, 4] = np.abs(notional[:, 4])
    for at, model in enumerate(models):
        enough = model.requirement(notional, Level.INITIAL)
        later = [
            other.requirement(notional, Level.MAINTENANCE)
            for time, other in zip(times[at:], models[at:], strict=True)
            if time - last_moment(times, at) <= guard.notice_hours * HOUR
        ]
        assert (np.max(later, axis=0) <= enough * (1.0 + ROUNDING) + 1e-6).all()


@settings(max_examples=60)
@given(seed=seeds, guard=GUARDS)
def test_what_the_guard_publishes_keeps_every_limit(seed, guard):
    published = guarded_path(np.random.default_rng(seed), guard, 40)
    base = guard.rise_base
    for (then, before), (now, after) in itertools.combinations(published, 2):
        for low, high in zip(before.maintenance.flat, after.maintenance.flat, strict=True):
            rise = rise_height(high, base) - rise_height(low, base)
            assert rise <= guard.rise_within((now - then) / HOUR) + ROUNDING
    for (then, before), (now, after) in itertools.pairwise(published):
        hours = (now - then) / HOUR
        least = before.credit * (1.0 - guard.credit_fall_per_hour) ** hours
        assert (after.credit >= least * (1.0 - ROUNDING)).all()
    for _, guarded in published:
        for rates in (guarded.maintenance, guarded.call, guarded.initial, guarded.credit):
            assert np.isfinite(rates).all()
            assert ((rates >= 0.0) & (rates <= CEILING)).all()
        assert (guarded.maintenance <= guarded.call).all()
        assert (guarded.call <= guarded.initial).all()
        assert (guarded.initial_credit <= guarded.credit).all()


def lively(seed, count):
    """Draw bars with a calm that breaks: a gap of half, a tick far off, a market that falls silent."""
    bars = wild_bars(seed, count, markets=MARKETS, volatility=0.004)
    generator = np.random.default_rng(seed)
    for prices in (bars.open, bars.high, bars.low, bars.close):
        prices[count - 60 :, 1] *= 0.45
    bars.high[count - 50, 0] *= 3.0
    bars.low[count - 40, 2] *= 0.1
    return holed(bars, int(generator.integers(1000)), 0.03)


@pytest.mark.parametrize("method", [PerPosition, CrossMargin])
@settings(max_examples=8)
@given(seed=seeds, rise=st.sampled_from([0.005, 0.05]), notice=st.sampled_from([6.0, 24.0]))
def test_initial_margin_covers_what_the_calibrator_publishes_within_the_notice(method, seed, rise, notice):
    wanted = CalibrationSettings(
        guard=GuardSettings(rise_per_hour=rise, notice_hours=notice),
        joint=JointSettings(rows=100, refresh_hours=20.0),
        young=YoungMarketSettings(windows=150),
    )
    bars = lively(seed, 420)
    state = absorb(begin(MARKETS, wanted), rows_of(bars, bars.ends <= bars.ends[0] + 280 * HOUR))
    rest = rows_of(bars, bars.ends > bars.ends[0] + 280 * HOUR)
    generator = np.random.default_rng(seed)
    notional = generator.normal(0.0, 1e10, (30, COLUMNS)) * (generator.random((30, COLUMNS)) < 0.6)
    times, models = [], []
    for row in range(len(rest)):
        state = absorb(state, rows_of(rest, slice(row, row + 1)))
        parameters, state = propose(state, method, PROVENANCE)
        times.append(parameters.effective)
        models.append(margin_model(parameters.method, LISTINGS))
    maintenance = np.array([model.requirement(notional, Level.MAINTENANCE) for model in models])
    initial = np.array([model.requirement(notional, Level.INITIAL) for model in models])
    assert np.isfinite(maintenance).all()
    moments = np.array(times)
    for at, time in enumerate(times):
        within = (moments >= time) & (moments <= last_moment(times, at) + notice * HOUR)
        assert (maintenance[within].max(axis=0) <= initial[at] * (1.0 + ROUNDING)).all()
