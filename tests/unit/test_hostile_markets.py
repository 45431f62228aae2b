"""Does calibration answer, or refuse by name, whatever a market does?

Nothing here may end in NaN margin, a rate below zero, an error of another kind, or a warning of NumPy's.
"""

from dataclasses import replace

import msgspec
import numpy as np
import pytest
from msgspec import structs

from plimsoll.calibration import absorb, begin, calibrate, propose
from plimsoll.domain.bars import HOUR, MINUTE
from plimsoll.domain.parameters import CrossMargin, ParameterSet, PerPosition, Provenance
from plimsoll.domain.settings import CalibrationSettings, GuardSettings
from plimsoll.errors import Code, PlimsollError
from plimsoll.testing.bars import START, rows_of, wild_bars

PROVENANCE = Provenance(program="tests", settings="none", inputs=())
SETTINGS = CalibrationSettings()
MARKETS = ("BTC", "ETH")


def with_prices(bars, rows, column, factor):
    changed = replace(
        bars, **{name: getattr(bars, name).copy() for name in ("open", "high", "low", "close", "volume")}
    )
    for prices in (changed.open, changed.high, changed.low, changed.close):
        prices[rows, column] = prices[rows, column] * factor
    return changed


def blank(bars, rows, column):
    changed = with_prices(bars, rows, column, np.nan)
    changed.volume[rows, column] = np.nan
    return changed


def flat_from(bars, row, column):
    changed = with_prices(bars, slice(row, None), column, 1.0)
    for prices in (changed.open, changed.high, changed.low, changed.close):
        prices[row:, column] = bars.close[row, column]
    return changed


def rising(bars, column):
    """Only ever rise: no fall has ever been seen."""
    changed = with_prices(bars, slice(None), column, 1.0)
    path = 100.0 * np.exp(0.002 * np.arange(len(bars) + 1))
    changed.open[:, column] = changed.low[:, column] = path[:-1]
    changed.close[:, column] = changed.high[:, column] = path[1:]
    return changed


def spiked(bars, row, column):
    changed = with_prices(bars, slice(None), column, 1.0)
    changed.high[row, column] *= 9.0
    changed.low[row, column] /= 9.0
    return changed


def silent(bars):
    return replace(bars, volume=np.zeros_like(bars.volume))


def unknown_volume(bars):
    return replace(bars, volume=np.full_like(bars.volume, np.nan))


DRAWN = wild_bars(21, 900, markets=MARKETS)
HOSTILE = {
    "a market stands still from some day on": flat_from(DRAWN, 500, 1),
    "a market has never moved": flat_from(DRAWN, 0, 1),
    "a market has only ever risen": rising(DRAWN, 1),
    "nothing trades": silent(DRAWN),
    "volume is unknown": unknown_volume(DRAWN),
    "a gap of nine tenths in one bar": with_prices(DRAWN, slice(800, None), 0, 0.1),
    "the very last bar gaps": with_prices(DRAWN, slice(899, None), 0, 0.1),
    "one tick far off": spiked(DRAWN, 850, 1),
    "missing days": rows_of(DRAWN, np.r_[0:400, 472:700, 701:900]),
    "a market under two weeks old": blank(DRAWN, slice(0, 620), 1),
    "a market two bars old": blank(DRAWN, slice(0, 898), 1),
    "a market that fell silent long ago": blank(DRAWN, slice(300, None), 1),
    "silent for hours every day": blank(DRAWN, np.arange(900) % 24 < 7, 1),
    "tiny prices": with_prices(DRAWN, slice(None), 0, 2e-12),
    "prices of a million": with_prices(DRAWN, slice(None), 0, 200.0),
    "two markets that are one": with_prices(replace(DRAWN, close=DRAWN.close.copy()), slice(None), 1, 1.0),
    "one market only": rows_of(DRAWN, slice(None)).select(("ETH",)),
}


def calibrated(parameters):
    """Give the parameters of each market; constants have none."""
    assert isinstance(parameters.method, PerPosition | CrossMargin)
    return parameters.method.markets


def assert_sound(parameters):
    for entry in calibrated(parameters):
        assert entry.price > 0.0
        for side in (entry.long, entry.short):
            rates = [side.maintenance, side.call, side.initial]
            assert rates == sorted(rates)
            assert np.isfinite(rates).all()
            assert 0.0 < rates[0] <= rates[2] <= 1.0
            assert 0.0 <= side.initial_credit <= side.credit <= 1.0
    read = msgspec.json.decode(msgspec.json.encode(parameters), type=ParameterSet)
    assert read.verified("test") == parameters


@pytest.mark.parametrize("method", [PerPosition, CrossMargin])
@pytest.mark.parametrize("name", list(HOSTILE))
def test_no_market_makes_calibration_give_nonsense(name, method):
    bars = HOSTILE[name]
    assert_sound(calibrate(bars, SETTINGS, PROVENANCE, method))
    state = absorb(begin(bars.markets, SETTINGS), rows_of(bars, slice(0, 700)))
    for row in range(700, 760):
        if row < len(bars) and not np.isnan(state.last.price).any():
            state = absorb(state, rows_of(bars, slice(row, row + 1)))
            parameters, state = propose(state, method, PROVENANCE)
            if row % 10 == 0:
                assert np.isfinite([m.long.maintenance for m in calibrated(parameters)]).all()


@pytest.mark.parametrize("hours", [1, 2, 30, 303])
def test_too_little_history_is_refused_by_name(hours):
    with pytest.raises(PlimsollError) as refusal:
        calibrate(rows_of(DRAWN, slice(0, hours)), SETTINGS, PROVENANCE)
    assert refusal.value.code is Code.TOO_LITTLE_HISTORY
    assert "300" in str(refusal.value)


def test_a_market_that_never_had_a_price_is_refused_by_name():
    with pytest.raises(PlimsollError) as refusal:
        calibrate(blank(DRAWN, slice(None), 1), SETTINGS, PROVENANCE)
    assert refusal.value.code is Code.MISSING_PRICE
    assert "ETH" in str(refusal.value)


def test_nothing_absorbed_is_too_little_history():
    with pytest.raises(PlimsollError) as refusal:
        propose(begin(MARKETS, SETTINGS), CrossMargin, PROVENANCE)
    assert refusal.value.code is Code.TOO_LITTLE_HISTORY


def test_a_young_market_borrows_more_than_the_riskiest_pays():
    parameters = calibrate(HOSTILE["a market under two weeks old"], SETTINGS, PROVENANCE)
    old, young = calibrated(parameters)
    assert young.long.maintenance > old.long.maintenance
    assert young.short.maintenance > old.short.maintenance
    borrowed = {entry.market: entry.borrowed_from for entry in parameters.evidence}
    assert borrowed == {"BTC": None, "ETH": "BTC"}
    assert isinstance(parameters.method, CrossMargin)
    assert parameters.method.dependence == ()


def test_the_price_of_a_silent_market_is_its_last_known_one():
    bars = HOSTILE["a market that fell silent long ago"]
    parameters = calibrate(bars, SETTINGS, PROVENANCE)
    assert calibrated(parameters)[1].price == bars.close[299, 1]


def test_a_rate_is_never_nought_and_so_never_stuck():
    quiet = HOSTILE["a market has only ever risen"]
    state = absorb(begin(MARKETS, SETTINGS), quiet)
    first, state = propose(state, PerPosition, PROVENANCE)
    fall = wild_bars(4, 400, markets=MARKETS, start=int(quiet.ends[-1]), volatility=0.05)
    state = absorb(state, fall)
    second, _ = propose(state, PerPosition, PROVENANCE)
    assert calibrated(first)[1].long.maintenance > 0.0
    assert calibrated(second)[1].long.maintenance > calibrated(first)[1].long.maintenance


def test_without_a_speed_limit_rates_follow_at_once_and_stay_sound():
    guard = GuardSettings(rise_per_hour=None, fall_half_life=0.0, notice_hours=0.0, floor_share=0.0)
    settings = structs.replace(SETTINGS, guard=guard)
    for name, bars in HOSTILE.items():
        parameters = calibrate(bars, settings, PROVENANCE, PerPosition)
        for entry in calibrated(parameters):
            assert 0.0 < entry.long.maintenance <= entry.long.initial <= 1.0, name
    endless = structs.replace(SETTINGS, guard=structs.replace(guard, notice_hours=24.0))
    parameters = calibrate(DRAWN, endless, PROVENANCE, PerPosition)
    assert calibrated(parameters)[0].long.initial == 1.0


def test_years_of_days_and_then_minutes_stay_sound():
    days = wild_bars(9, 700, markets=MARKETS, length=24 * HOUR)
    minutes = wild_bars(10, 900, markets=MARKETS, length=MINUTE, start=START + 700 * 24 * HOUR)
    state = absorb(absorb(begin(MARKETS, SETTINGS), days), minutes)
    assert_sound(propose(state, CrossMargin, PROVENANCE)[0])
    with pytest.raises(PlimsollError):
        absorb(state, days)


def test_the_evidence_says_what_held_the_rate():
    calm = wild_bars(2, 800, markets=MARKETS, volatility=0.003)
    state = absorb(begin(MARKETS, SETTINGS), calm)
    before, state = propose(state, PerPosition, PROVENANCE)
    wild = wild_bars(3, 6, markets=MARKETS, start=int(calm.ends[-1]), volatility=0.15)
    after, _ = propose(absorb(state, wild), PerPosition, PROVENANCE)
    for entry in after.evidence:
        assert entry.binding == "rise-limit"
        assert entry.maintenance < entry.target
    limit = np.exp(SETTINGS.guard.rise_within(6.0)) * (1.0 + 1e-9)
    for old, new in zip(calibrated(before), calibrated(after), strict=True):
        assert old.long.maintenance < new.long.maintenance <= old.long.maintenance * limit


def test_one_tick_far_off_raises_initial_margin_at_once_and_is_forgotten():
    calm = wild_bars(2, 1800, markets=MARKETS, volatility=0.004)
    struck = wild_bars(2, 1800, markets=MARKETS, volatility=0.004)
    struck.low[1600, 0] *= 0.6
    published = {}
    for name, bars in (("calm", calm), ("struck", struck)):
        first = rows_of(bars, slice(0, 1601))
        state = absorb(begin(MARKETS, SETTINGS), first)
        at_once, state = propose(state, PerPosition, PROVENANCE)
        later, _ = propose(absorb(state, rows_of(bars, slice(1601, 1800))), PerPosition, PROVENANCE)
        published[name] = calibrated(at_once)[0].long, calibrated(later)[0].long
    assert published["struck"][0].initial > 0.4
    assert published["struck"][0].initial > 2.0 * published["calm"][0].initial
    assert published["struck"][1].initial < 1.5 * published["calm"][1].initial
    assert published["struck"][1].maintenance < 1.5 * published["calm"][1].maintenance


def test_without_a_jump_rule_initial_margin_takes_no_notice_of_a_tick_that_comes_back():
    bars = wild_bars(2, 900, markets=MARKETS, volatility=0.004)
    bars.low[899, 0] *= 0.6
    still = structs.replace(SETTINGS, guard=structs.replace(SETTINGS.guard, jump_deviations=None))
    with_rule, without = (
        calibrated(calibrate(bars, chosen, PROVENANCE, PerPosition))[0].long for chosen in (SETTINGS, still)
    )
    assert without.initial < 0.4 < with_rule.initial


TWO_PRINTS = 1.5
"""Two bars cut at sixteen times the scale among 700; uncut they multiply the memory by more than eight."""


def test_a_wrong_print_does_not_stay_in_the_long_memory():
    bars = wild_bars(5, 700, markets=MARKETS, volatility=0.004)
    before = absorb(begin(MARKETS, SETTINGS), bars).volatility.stressed[0]
    for prices in (bars.high, bars.close):
        prices[600, 0] *= 5.0
    after = absorb(begin(MARKETS, SETTINGS), bars).volatility.stressed[0]
    assert before < after < TWO_PRINTS * before


def test_the_evidence_names_the_forecaster():
    young = calibrate(wild_bars(2, 500, markets=MARKETS), SETTINGS, PROVENANCE, PerPosition)
    grown = calibrate(wild_bars(2, 900, markets=MARKETS), SETTINGS, PROVENANCE, PerPosition)
    plain = structs.replace(SETTINGS, forecaster="ewma")
    averaged = calibrate(wild_bars(2, 900, markets=MARKETS), plain, PROVENANCE, PerPosition)
    found = [{entry.forecaster for entry in one.evidence} for one in (young, grown, averaged)]
    assert found == [{"ewma"}, {"har-plus"}, {"ewma"}]


def test_a_rate_near_nought_rises_by_even_steps_and_is_not_stuck():
    still = wild_bars(2, 400, markets=MARKETS, volatility=1e-7)
    state = absorb(begin(MARKETS, SETTINGS), still)
    first, state = propose(state, PerPosition, PROVENANCE)
    last = first
    wild = wild_bars(3, 48, markets=MARKETS, start=int(still.ends[-1]), volatility=0.02)
    for row in range(48):
        state = absorb(state, rows_of(wild, slice(row, row + 1)))
        last, state = propose(state, PerPosition, PROVENANCE)
    assert calibrated(first)[0].long.maintenance < 1e-3
    assert calibrated(last)[0].long.maintenance > 2e-3
