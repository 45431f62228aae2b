"""Are bars from memory checked as those of a file are, and is a table of any kind read?"""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from plimsoll.calibration import absorb, begin
from plimsoll.calibration.policies import DEFAULT, RATE_POLICIES
from plimsoll.calibration.series import rate_series
from plimsoll.domain.bar_checks import check_bars
from plimsoll.domain.bars import HOUR, Bars
from plimsoll.domain.settings import CalibrationSettings
from plimsoll.errors import Code, PlimsollError
from plimsoll.feeds.bars import bars_from
from plimsoll.testing.bars import holed, rows_of, wild_bars

SOUND = wild_bars(5, 50)


def spoilt(name: str, value: float, bars: Bars = SOUND) -> Bars:
    prices = getattr(bars, name).copy()
    prices[7, 1] = value
    return replace(bars, **{name: prices})


def swapped(times: np.ndarray) -> np.ndarray:
    return np.concatenate([times[:9], times[9:11][::-1], times[11:]])


REFUSED = {
    "high below low": (spoilt("high", 1.0), Code.BAD_PRICE),
    "low above the close": (spoilt("low", 1e9), Code.BAD_PRICE),
    "close below zero": (spoilt("close", -3.0), Code.BAD_PRICE),
    "open of nought": (spoilt("open", 0.0), Code.BAD_PRICE),
    "an infinite high": (spoilt("high", np.inf), Code.BAD_PRICE),
    "a close without a range": (spoilt("low", np.nan), Code.BAD_PRICE),
    "a range without a close": (spoilt("close", np.nan), Code.BAD_PRICE),
    "volume below zero": (spoilt("volume", -1.0), Code.BAD_VOLUME),
    "one column for two markets": (replace(SOUND, close=SOUND.close[:, :1]), Code.UNEVEN_BARS),
    "a list of prices": (replace(SOUND, close=SOUND.close.tolist()), Code.UNEVEN_BARS),
    "whole-number prices": (replace(SOUND, close=SOUND.close.astype(np.int64)), Code.UNEVEN_BARS),
    "times as floats": (replace(SOUND, times=SOUND.times.astype(np.float64)), Code.UNEVEN_BARS),
    "bars that overlap": (replace(SOUND, length=2 * HOUR), Code.UNEVEN_BARS),
    "a length of nought": (replace(SOUND, length=0), Code.UNEVEN_BARS),
    "times out of order": (replace(SOUND, times=swapped(SOUND.times)), Code.UNSORTED_TIMES),
    "a time twice": (replace(SOUND, times=np.maximum(SOUND.times, SOUND.times[1])), Code.DUPLICATE_TIMES),
    "a market twice": (replace(SOUND, markets=("BTC", "BTC")), Code.AMBIGUOUS_MARKET),
}


@pytest.mark.parametrize("name", list(REFUSED))
def test_bars_that_contradict_themselves_teach_nothing(name):
    bars, code = REFUSED[name]
    with pytest.raises(PlimsollError) as refusal:
        absorb(begin(bars.markets, CalibrationSettings()), bars)
    assert refusal.value.code is code
    with pytest.raises(PlimsollError) as refusal:
        rate_series(bars, RATE_POLICIES[DEFAULT])
    assert refusal.value.code is code


def test_the_error_names_the_row_and_the_market():
    with pytest.raises(PlimsollError, match=r"row 8 \(ETH\)"):
        check_bars(spoilt("high", 1.0))


def test_bars_with_holes_and_unknown_volume_are_sound():
    check_bars(holed(SOUND, 3, 0.3))
    check_bars(spoilt("volume", np.nan))
    check_bars(rows_of(SOUND, slice(0, 0)))
    check_bars(spoilt("close", SOUND.high[7, 1] * (1.0 + 5e-7)))


COLUMNS: dict[str, Any] = {
    "symbol": ["BTC/USDT", "ETHUSDT", "BTC/USDT", "BTC/USDT"],
    "ts": np.array(["2024-03-01T00", "2024-03-01T00", "2024-03-01T01", "2024-03-01T03"], "datetime64[ns]"),
    "open": [100.0, 10.0, 101.0, 99.0],
    "high": [102.0, 10.5, 101.5, 99.5],
    "low": [99.0, 9.5, 98.0, 98.5],
    "close": [101.0, 10.0, 99.0, 99.25],
    "remark": ["", "", "thin", ""],
}
TABLES = {
    "mapping": COLUMNS,
    "polars": pl.DataFrame(COLUMNS),
    "pandas": pd.DataFrame(COLUMNS),
    "pandas, with a zone": pd.DataFrame(COLUMNS).assign(ts=lambda f: f.ts.dt.tz_localize("Asia/Kolkata")),
    "pandas, in seconds": pd.DataFrame(COLUMNS).assign(ts=lambda f: f.ts.astype("datetime64[s]")),
    "text": {name: [str(entry) for entry in column] for name, column in COLUMNS.items()},
}


@pytest.mark.parametrize("kind", list(TABLES))
def test_a_table_of_any_kind_is_read_as_a_file_is(kind):
    bars = bars_from(TABLES[kind])
    assert bars.markets == ("BTC", "ETH")
    assert bars.length == HOUR
    opened = np.datetime64("2024-03-01T00") - np.timedelta64(330 if "zone" in kind else 0, "m")
    assert bars.times.astype("datetime64[ms]")[0] == opened
    assert np.array_equal(bars.close, [[101.0, 10.0], [99.0, np.nan], [99.25, np.nan]], equal_nan=True)
    assert np.isnan(bars.volume).all()
    check_bars(bars)
    assert len(bars_from(TABLES[kind], markets=("BTC",), first=int(bars.times[1]))) == 2


@pytest.mark.parametrize(
    ("change", "code", "place"),
    [
        ({"close": [101.0, 10.0, -99.0, 99.25]}, Code.BAD_PRICE, "table, row 3"),
        ({"close": [101.0, 10.0, None, 99.25]}, Code.BAD_PRICE, "table, row 3"),
        ({"ts": COLUMNS["ts"][[0, 0, 2, 0]]}, Code.UNSORTED_TIMES, "table, row 4"),
        ({"close": [101.0]}, Code.UNREADABLE_FILE, "table"),
        ({"close": np.ones((4, 2))}, Code.UNREADABLE_FILE, "table"),
        ({"close": [object()] * 4}, Code.UNREADABLE_FILE, "table"),
    ],
)
def test_a_table_is_refused_as_a_file_is(change, code, place):
    with pytest.raises(PlimsollError) as refusal:
        bars_from(COLUMNS | change)
    assert refusal.value.code is code
    assert refusal.value.where.startswith(place)


def test_a_table_without_a_column_is_refused():
    with pytest.raises(PlimsollError, match="no column low"):
        bars_from(pl.DataFrame(COLUMNS).drop("low"))
