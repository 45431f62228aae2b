"""Are good bar files read whole, and bad ones refused with the file, the row and the remedy?"""

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from plimsoll.errors import Code, PlimsollError
from plimsoll.feeds.bars import file_digest, read_bars

FIRST = 1_584_057_600_000  # 2020-03-13T00:00Z
HEADER = "symbol,ts,open,high,low,close,volume\n"
GOOD = (
    "BTCUSDT,2020-03-13T00:00:00Z,4800,5000,4500,4900,10\n"
    "ETHUSDT,2020-03-13T00:00:00Z,110,120,100,105,\n"
    "BTCUSDT,2020-03-13T01:00:00Z,4900,4950,3800,4000,20\n"
    "BTCUSDT,2020-03-13T02:00:00Z,4000,4300,3782.13,4250,30\n"
    "ETHUSDT,2020-03-13T02:00:00Z,105,106,86,95,7\n"
)
HOUR = 3_600_000


@pytest.fixture
def csv(tmp_path: Path):
    def write(body: str, header: str = HEADER) -> Path:
        path = tmp_path / "bars.csv"
        path.write_text(header + body)
        return path

    return write


def test_interleaved_markets_share_one_grid_and_gaps_are_known(csv):
    bars = read_bars(csv(GOOD))
    assert bars.markets == ("BTC", "ETH")
    assert bars.length == HOUR
    assert bars.times.tolist() == [FIRST, FIRST + HOUR, FIRST + 2 * HOUR]
    assert bars.low[:, 0].tolist() == [4500.0, 3800.0, 3782.13]
    assert np.isnan(bars.close[1, 1])
    assert bars.volume[2].tolist() == [30.0, 7.0]
    assert np.isnan(bars.volume[0, 1])
    assert bars.contiguous().tolist() == [[False, False], [True, False], [True, False]]


def test_markets_come_in_the_order_asked_for_and_the_range_keeps_whole_bars(csv):
    path = csv(GOOD)
    assert read_bars(path, markets=("ETH/USDT", "btc")).markets == ("ETH", "BTC")
    inside = read_bars(path, first=FIRST + 1, last=FIRST + 3 * HOUR - 1)
    assert inside.times.tolist() == [FIRST + HOUR]
    assert inside.markets == ("BTC",)


@pytest.mark.parametrize(
    "stamp",
    [
        lambda time: time,
        lambda time: time.replace(tzinfo=None),
        lambda time: int(time.timestamp()),
        lambda time: int(time.timestamp()) * 1000,
        lambda time: int(time.timestamp()) * 10**6,
        lambda time: int(time.timestamp()) * 10**9,
        lambda time: time.replace(tzinfo=None).isoformat(),
        lambda time: (time + timedelta(hours=9)).replace(tzinfo=None).isoformat() + "+09:00",
        lambda time: time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S"),
    ],
    ids=["aware", "naive", "s", "ms", "us", "ns", "text", "offset", "spaced"],
)
@pytest.mark.parametrize("kind", ["csv", "csv.gz", "parquet"])
def test_every_way_to_write_a_time_is_read_alike(tmp_path, stamp, kind):
    hours = [datetime(2020, 3, 13, hour, tzinfo=UTC) for hour in range(3)]
    frame = pl.DataFrame(
        {
            "symbol": ["BTC"] * 3,
            "ts": [stamp(hour) for hour in hours],
            "open": [1.0, 2.0, 3.0],
            "high": [4.0, 5.0, 6.0],
            "low": [0.5, 1.5, 2.5],
            "close": [2.0, 3.0, 4.0],
            "funding": [9.0, 9.0, 9.0],
        }
    )
    path = tmp_path / f"bars.{kind}"
    if kind == "parquet":
        frame.write_parquet(path)
    else:
        text = frame.write_csv().encode()
        path.write_bytes(gzip.compress(text) if kind == "csv.gz" else text)
    bars = read_bars(path)
    assert bars.times.tolist() == [FIRST, FIRST + HOUR, FIRST + 2 * HOUR]
    assert bars.high[:, 0].tolist() == [4.0, 5.0, 6.0]
    assert np.isnan(bars.volume).all()


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Tokyo"])
def test_a_datetime_of_any_unit_and_zone_is_the_same_moment(tmp_path, unit, zone):
    stamps = pl.Series([FIRST, FIRST + HOUR]).cast(pl.Datetime("ms")).cast(pl.Datetime(unit))
    if zone:
        stamps = stamps.dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
    prices = {key: [7.0, 8.0] for key in ("open", "high", "low", "close")}
    frame = pl.DataFrame({"symbol": ["BTC", "BTC"], "ts": stamps, **prices})
    frame = frame.with_columns(pl.col("symbol").cast(pl.Categorical))
    frame.write_parquet(tmp_path / "bars.parquet")
    assert read_bars(tmp_path / "bars.parquet").times.tolist() == [FIRST, FIRST + HOUR]


def test_daily_dates_are_midnights(tmp_path):
    days = [datetime(2020, 3, day, tzinfo=UTC).date() for day in (12, 13, 15)]
    prices = {key: [7.0, 8.0, 9.0] for key in ("open", "high", "low", "close")}
    pl.DataFrame({"symbol": ["BTC"] * 3, "ts": days, **prices}).write_parquet(tmp_path / "days.parquet")
    bars = read_bars(tmp_path / "days.parquet")
    assert bars.length == 24 * HOUR
    assert bars.times[1] == FIRST


def test_rounding_of_stored_prices_widens_the_range_and_no_more(csv):
    close = 4900.0 * (1 + 4e-7)
    bars = read_bars(csv(f"BTC,2020-03-13,1,2,1,2,\nBTC,2020-03-14,4800,4900,4800.003,{close!r},\n"))
    assert bars.high[1, 0] == close
    assert bars.low[1, 0] == 4800.0
    too_far = f"BTC,2020-03-13,1,2,1,2,\nBTC,2020-03-14,4800,4900,4800,{4900.0 * (1 + 2e-6)!r},\n"
    with pytest.raises(PlimsollError, match="row 2"):
        read_bars(csv(too_far))


BTC = "BTC,2020-03-13T{}Z,4800,5000,4500,4900,{}\n"


def rows(*times: str, volume: str = "1") -> str:
    return "".join(BTC.format(time, volume) for time in times)


def bad_third(row: str) -> str:
    return rows("00:00:00", "01:00:00") + row + "\n" + rows("03:00:00")


@pytest.mark.parametrize(
    ("body", "code", "row", "remedy"),
    [
        (rows("00:00:00", "02:00:00", "01:00:00"), Code.UNSORTED_TIMES, 3, "Sort"),
        (rows("02:00:00", "01:00:00", "00:00:00"), Code.UNSORTED_TIMES, 2, "Sort"),
        (rows("00:00:00", "01:00:00", "01:00:00"), Code.DUPLICATE_TIMES, 3, "Keep one"),
        (rows("00:00:00", "01:00:00", "02:00:00", "02:30:00", "04:00:00"), Code.UNEVEN_BARS, 4, "Remove"),
        (bad_third("BTC,2020-03-13T02:00:00Z,,5000,4500,4900,1"), Code.BAD_PRICE, 3, "gap is allowed"),
        (bad_third("BTC,2020-03-13T02:00:00Z,4800,nan,4500,4900,1"), Code.BAD_PRICE, 3, "gap is allowed"),
        (bad_third("BTC,2020-03-13T02:00:00Z,4800,5000,0,4900,1"), Code.BAD_PRICE, 3, "gap is allowed"),
        (bad_third("BTC,2020-03-13T02:00:00Z,4800,5000,-4500,4900,1"), Code.BAD_PRICE, 3, "gap is allowed"),
        (bad_third("BTC,2020-03-13T02:00:00Z,4800,inf,4500,4900,1"), Code.BAD_PRICE, 3, "gap is allowed"),
        (bad_third("BTC,2020-03-13T02:00:00Z,4800,5000,4500,n/a,1"), Code.BAD_PRICE, 3, "gap is allowed"),
        (bad_third("BTC,2020-03-13T02:00:00Z,4800,4850,4500,4900,1"), Code.BAD_PRICE, 3, "Correct"),
        (bad_third("BTC,2020-03-13T02:00:00Z,4800,5000,4850,4900,1"), Code.BAD_PRICE, 3, "Correct"),
        (bad_third("BTC,2020-03-13T02:00:00Z,4800,4500,5000,4700,1"), Code.BAD_PRICE, 3, "Correct"),
        (bad_third("BTC,2020-03-13T02:00:00Z,4800,5000,4500,4900,-1"), Code.BAD_VOLUME, 3, "leave it empty"),
        (bad_third("BTC,2020-03-13T02:00:00Z,4800,5000,4500,4900,inf"), Code.BAD_VOLUME, 3, "leave it empty"),
        (bad_third("BTC,,4800,5000,4500,4900,1"), Code.BAD_TIME, 3, "ISO 8601"),
        (bad_third("BTC,13/03/2020,4800,5000,4500,4900,1"), Code.BAD_TIME, 3, "ISO 8601"),
        ("BTC,20200313,1,1,1,1,\nBTC,20200314,1,1,1,1,\n", Code.BAD_TIME, 1, "ISO 8601"),
        (bad_third(",2020-03-13T02:00:00Z,4800,5000,4500,4900,1"), Code.UNKNOWN_MARKET, 3, "symbol"),
    ],
)
def test_a_bad_row_is_refused_with_its_file_row_and_remedy(csv, body, code, row, remedy):
    path = csv(body)
    with pytest.raises(PlimsollError) as caught:
        read_bars(path)
    assert caught.value.code == code
    assert f"{path}, row {row}" in caught.value.where
    assert remedy in caught.value.remedy


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ("", Code.EMPTY_RANGE, "at least two bars"),
        (rows("00:00:00"), Code.UNEVEN_BARS, "at least two bars"),
        (
            GOOD + "ETH/USD,2020-03-13T02:00:00Z,1,1,1,1,\n",
            Code.AMBIGUOUS_MARKET,
            "ETHUSDT in bars.csv and ETH/USD in bars.csv",
        ),
        (
            rows("00:00:00", "01:00:00", "02:00:00", "03:00:00")
            + "".join(f"ETH,2020-03-{day},1,1,1,1,\n" for day in (13, 14, 15)),
            Code.UNEVEN_BARS,
            "ETH has 1440-min bars among 60-min bars",
        ),
    ],
)
def test_a_file_that_is_bad_as_a_whole_is_refused_by_name(csv, body, code, words):
    path = csv(body)
    with pytest.raises(PlimsollError) as caught:
        read_bars(path)
    assert caught.value.code == code
    assert str(path) in str(caught.value)
    assert words in str(caught.value)


def test_two_symbols_of_one_market_are_told_apart_by_their_full_names(csv):
    path = csv(GOOD + "ETH/USD,2020-03-13T02:00:00Z,1,1,1,1,\n")
    bars = read_bars(path, markets=("ETH/USD", "BTC"))
    assert bars.markets == ("ETH", "BTC")
    assert bars.close[2].tolist() == [1.0, 4250.0]


def test_rows_that_were_not_asked_for_are_not_judged(csv):
    path = csv(GOOD + "DOGE,2020-03-13T02:00:00Z,-1,-1,-1,-1,\n")
    assert len(read_bars(path, markets=("BTC", "ETH"))) == 3
    with pytest.raises(PlimsollError, match="row 6"):
        read_bars(path)


def test_an_unknown_market_and_an_empty_range_say_what_there_is(csv):
    path = csv(GOOD)
    with pytest.raises(PlimsollError, match=r"no market DOGE.*Choose among BTC, ETH"):
        read_bars(path, markets=("DOGE",))
    with pytest.raises(PlimsollError, match=r"no bar of ETH .*2020-03-13T00:00 UTC to 2020-03-13T02:00"):
        read_bars(path, markets=("BTC", "ETH"), first=FIRST + HOUR, last=FIRST + 2 * HOUR)
    with pytest.raises(PlimsollError, match=r"begins on 2020-03-13T01:00 UTC and ends on 2020-03-13T00:00"):
        read_bars(path, first=FIRST + HOUR, last=FIRST)
    with pytest.raises(PlimsollError, match="no bar of BTC in the range"):
        read_bars(path, first=FIRST + 9 * HOUR)


def test_files_that_cannot_be_read_say_why(tmp_path, csv):
    missing = tmp_path / "none.parquet"
    with pytest.raises(PlimsollError, match="missing-file"):
        read_bars(missing)
    with pytest.raises(PlimsollError, match="missing-file"):
        file_digest(missing)
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 but not really PAR1")
    (tmp_path / "empty").mkdir()
    with pytest.raises(PlimsollError, match=r"no .parquet or .csv file"):
        read_bars(tmp_path / "empty")
    (tmp_path / "bars.xlsx").touch()
    csv("BTC,1\n1,2,3,4,5,6,7,8,9\n")
    for name in ("broken.parquet", "bars.xlsx", "bars.csv"):
        with pytest.raises(PlimsollError, match="unreadable-file"):
            read_bars(tmp_path / name)
    with pytest.raises(PlimsollError, match="unreadable-file"):
        read_bars(csv("", ""))
    with pytest.raises(PlimsollError, match=r"no column ts, close; found symbol, time, open, high, low"):
        read_bars(csv("BTC,1,1,1,1\n", "symbol,time,open,high,low\n"))


def test_a_folder_is_read_as_one_and_its_rows_are_named_by_file(tmp_path):
    (tmp_path / "BTC.csv").write_text(HEADER + rows("00:00:00", "01:00:00", "02:00:00"))
    (tmp_path / "ETH.csv").write_text(HEADER + rows("01:00:00", "03:00:00").replace("BTC", "ETH"))
    bars = read_bars(tmp_path)
    assert bars.markets == ("BTC", "ETH")
    assert np.isnan(bars.close).tolist() == [[False, True], [False, False], [False, True], [True, False]]
    before = file_digest(tmp_path)
    (tmp_path / "ETH.csv").write_text(HEADER + rows("01:00:00", "01:00:00").replace("BTC", "ETH"))
    assert file_digest(tmp_path) != before
    with pytest.raises(PlimsollError, match=r"ETH.csv, row 2 \(ETH\)"):
        read_bars(tmp_path)
    (tmp_path / "old.csv").write_text(HEADER + rows("00:00:00"))
    with pytest.raises(PlimsollError, match=r"BTC in BTC.csv and BTC in old.csv both name market BTC"):
        read_bars(tmp_path)


def test_the_digest_is_that_of_the_bytes(csv):
    path = csv("x")
    path.write_bytes(b"abc")
    assert file_digest(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
