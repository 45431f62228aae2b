"""Do recorded books become cost curves by the plain commands, and does everybody then use that curve?"""

import json
from functools import partial
from pathlib import Path

import msgspec
import polars as pl
import pytest
from msgspec import structs

from benchmarks.cost_to_close import real_books, real_trades
from plimsoll.calibration import calibrate
from plimsoll.calibration.cost_curves import with_cost_curves
from plimsoll.domain.bars import HOUR
from plimsoll.domain.liquidity import Recording, RecordingSettings
from plimsoll.domain.parameters import ParameterSet, Provenance
from plimsoll.domain.settings import CalibrationSettings
from plimsoll.errors import Code, PlimsollError
from plimsoll.feeds.bars import read_bars
from plimsoll.service.configuration import read_settings
from plimsoll.service.curves import published_curves
from plimsoll.service.external_venue import external_venue
from plimsoll.service.live_sources import tick_settings
from tests.support.bars import FIRST, write_bars
from tests.support.commands import run_plimsoll
from tests.support.order_books import book_frame, drawn_books, drawn_trades, trade_frame

HOURS = 2_400
END = FIRST + HOURS * HOUR
START = END - HOUR
SIZES = (1e3, 3e3, 1e4, 3e4, 1e6)
QUANTUM = 1e-6
NOWHERE = Provenance(program="test", settings="", inputs=())
SETTINGS = """
size_charge = true
[books]
sizes = [1e3, 3e3, 1e4, 3e4, 1e6]
stressed_depth = 0.2
impact = 0.4
"""
ACCOUNT = {
    "name": "desk",
    "collateral": [{"asset": "USD", "amount": "90000"}],
    "positions": [{"instrument": "ETH-PERP", "quantity": "-200", "entry_price": "240"}],
}
FILES = ("--bars", "bars.csv", "--settings", "desk.toml", "--books", "ETH=books.parquet")


@pytest.fixture
def plimsoll(monkeypatch, capsys, tmp_path):
    """Run a command in this process, in a folder with bars and a recording of their last hour."""
    monkeypatch.chdir(tmp_path)
    write_bars(tmp_path / "bars.csv", hours=HOURS)
    book_frame(drawn_books(300, start=START)).write_parquet(tmp_path / "books.parquet")
    trade_frame(drawn_trades(120, impact=0.6, start=START)).write_csv(tmp_path / "trades.csv")
    (tmp_path / "desk.toml").write_text(SETTINGS)
    (tmp_path / "desk.json").write_text(json.dumps(ACCOUNT))
    return partial(run_plimsoll, monkeypatch, capsys)


def read_set(path="parameters.json"):
    return msgspec.json.decode(Path(path).read_bytes(), type=ParameterSet).verified(path)


def test_the_set_holds_the_curve_and_explain_says_how_it_was_fitted(plimsoll):
    more = ("--markets", "ETH", "--trades", "ETH=trades.csv", "--explain", "--out", "parameters.json")
    told = plimsoll("calibrate", *FILES, *more)
    words = " ".join(told.out.split())
    assert "cost curve of ETH: 300 books, sizes to $30.0k" in words
    assert "How the cost curve of ETH was fitted" in words
    assert "from 120 trades" in words
    assert "charges count on 20.0% of this depth" in words
    assert "beyond $30.0k are extrapolated" in words
    found = read_set()
    (entry,) = found.liquidity
    curve, evidence = entry.curves[0], entry.evidence
    assert (entry.market, entry.charged, curve.stressed_depth, curve.impact) == ("ETH", True, 0.2, 0.4)
    assert (evidence.books, evidence.trades, evidence.flow) == (300, 120, "trades")
    assert [each.size for each in evidence.sizes] == list(SIZES)
    assert all(each.fitted == curve.walk(each.size) for each in evidence.sizes)
    worst = max(abs(each.fitted / each.walked - 1.0) for each in evidence.sizes if each.used)
    assert evidence.error == worst > 0.0
    names = [line.split()[0] for line in found.provenance.inputs]
    assert names == ["bars.csv", "books.parquet", "trades.csv"]


def test_a_set_says_that_rates_grow_with_closing_time_and_margin_names_it(plimsoll, tmp_path):
    (tmp_path / "desk.toml").write_text(SETTINGS.replace("[books]", "closing_participation = 0.001\n[books]"))
    told = plimsoll("calibrate", *FILES, "--out", "parameters.json").out
    assert "charged for size, and for closing time at 0.10% of volume" in " ".join(told.split())
    (entry,) = read_set().liquidity
    given = ("--parameters", "parameters.json", "--account", "desk.json", "--mark", "ETH=240", "--json")
    answer = json.loads(plimsoll("margin", *given).out)
    parts = {part["name"]: part["amount"] for part in answer["parts"]}
    (line,) = (each for each in answer["positions"] if each["instrument"] == "ETH-PERP")
    size = 200 * 240.0
    assert parts["time to close ETH"] / 1e6 == pytest.approx(
        size * entry.closing.share(entry.curves, size, line["rate"]), abs=QUANTUM
    )
    assert sum(parts.values()) == answer["maintenance"]
    alone = structs.replace(entry, closing=msgspec.UNSET)
    assert b"closing" not in msgspec.json.encode(alone)


def test_margin_preview_and_service_use_the_curve_of_the_file(plimsoll, tmp_path):
    plimsoll("calibrate", *FILES, "--out", "parameters.json")
    curve = read_set().liquidity[0].curves[0]
    given = ("--parameters", "parameters.json", "--account", "desk.json", "--mark", "ETH=240", "--json")
    answer = json.loads(plimsoll("margin", *given).out)
    parts = {part["name"]: part["amount"] for part in answer["parts"]}
    assert parts["closing ETH"] / 1e6 == pytest.approx(curve.add_on(200 * 240.0), abs=QUANTUM)
    plimsoll("book", "--parameters", "parameters.json", "--accounts", "20", "--out", "book.csv")
    sets = ("--from", "parameters.json", "--to", "parameters.json")
    said = plimsoll("impact", *sets, "--book", "book.csv", "--json")
    depths = {entry["market"]: entry["depth"] for entry in json.loads(said.out)["markets"]}
    assert depths["ETH"] == curve.depth()
    (tmp_path / "serve.toml").write_text(
        'feed = "external"\n[external]\nhistory = "bars.csv"\ncurves_from = "parameters.json"\n'
    )
    serve = read_settings(tmp_path / "serve.toml", {})
    venue = external_venue(serve)
    published = venue.publisher.published(END)
    assert tick_settings(serve, venue.listings).curves == {"ETH": curve}, "live depth is read against it"
    assert published is not None
    (entry,) = published.liquidity
    assert entry.curves == (curve,)
    assert not entry.charged, "the service's own setting decides that"


def test_without_trades_volume_and_volatility_are_those_of_the_bars(plimsoll):
    plimsoll("calibrate", *FILES, "--out", "parameters.json")
    (entry,) = read_set().liquidity
    bars = read_bars(Path("bars.csv"), markets=("ETH",))
    late = slice(-30 * 24, None)
    assert entry.curves[0].volume == pytest.approx(float((bars.volume * bars.close)[late].mean()))
    assert entry.curves[0].volatility == read_set().evidence[2].volatility
    assert (entry.evidence.flow, entry.evidence.measured_impact) == ("bars", None)


def test_a_curve_that_is_given_comes_before_the_one_in_the_set(plimsoll, tmp_path):
    plimsoll("calibrate", *FILES, "--out", "parameters.json")
    plimsoll("calibrate", "--bars", "bars.csv", "--out", "plain.json")
    text = 'feed = "external"\n[external]\nhistory = "bars.csv"\ncurves_from = "NAME"\n'
    own = "[external.curves.ETH]\nhalf_spread=1e-4\nslope=1e-3\nreference=1e6\nexponent=1.0\n"
    given = text.replace("NAME", "parameters.json") + own + "volatility=0.01\nvolume=1e7\n"
    (tmp_path / "serve.toml").write_text(given)
    (entry,) = published_curves(read_settings(tmp_path / "serve.toml", {}))
    assert (entry.curves[0].reference, entry.evidence) == (1e6, msgspec.UNSET)
    (tmp_path / "serve.toml").write_text(text.replace("NAME", "plain.json"))
    with pytest.raises(PlimsollError, match="holds no cost curve") as raised:
        published_curves(read_settings(tmp_path / "serve.toml", {}))
    assert raised.value.code is Code.BAD_SETTING


@pytest.mark.parametrize(
    ("words", "code", "where"),
    [
        (("--books", "DOGE=books.parquet"), Code.UNKNOWN_MARKET, "--books"),
        (("--books", "ETH"), Code.UNKNOWN_MARKET, "--books"),
        (("--trades", "ETH=trades.csv"), Code.BAD_SETTING, "--trades"),
        (("--books", "ETH=nothing.parquet"), Code.MISSING_FILE, "nothing.parquet"),
        (("--books", "ETH=crossed.csv"), Code.BAD_BOOK, "crossed.csv, row 9"),
        (("--books", "ETH=books.parquet", "--to", "2020-03-01"), Code.EMPTY_RANGE, "books of ETH"),
        (
            ("--books", "ETH=books.parquet", "--trades", "ETH=few.csv"),
            Code.TOO_LITTLE_HISTORY,
            "trades of ETH",
        ),
        (("--books", "ETH=shallow.csv"), Code.TOO_LITTLE_HISTORY, "books of ETH"),
    ],
)
def test_what_cannot_be_fitted_is_refused_in_one_line(plimsoll, tmp_path, words, code, where):
    frame = book_frame(drawn_books(60, start=START))
    shallow = frame.with_columns(pl.col(name) * 1e-6 for name in frame.columns if "size" in name)
    shallow.write_csv(tmp_path / "shallow.csv")
    ask = frame["ask_price_0"].to_list()
    ask[8] = frame["bid_price_0"][8]
    frame.with_columns(pl.Series("ask_price_0", ask)).write_csv(tmp_path / "crossed.csv")
    trade_frame(drawn_trades(10, impact=0.6, start=START)).write_csv(tmp_path / "few.csv")
    ended = plimsoll("calibrate", "--bars", "bars.csv", "--quiet", *words)
    assert ended.status == 2
    assert f"[{code}]" in ended.err
    assert where in ended.err


@pytest.fixture(scope="module")
def calibrated(tmp_path_factory):
    """Calibrate without books, and say on which bars."""
    path = write_bars(tmp_path_factory.mktemp("bars") / "bars.csv", hours=HOURS)
    bars = read_bars(path)
    return calibrate(bars, CalibrationSettings(), NOWHERE), bars


def fitted(calibrated, recording):
    parameters, bars = calibrated
    fitting = RecordingSettings(sizes=SIZES)
    return with_cost_curves(parameters, bars, {"ETH": recording}, CalibrationSettings(), fitting)


def test_what_is_recorded_after_the_set_is_in_force_changes_nothing(calibrated):
    start = END - 60_000
    books, trades = drawn_books(400, start=start), drawn_trades(400, impact=0.6, start=END - 2_000_000)
    assert books.times[-1] > END
    assert trades.times[-1] > END
    early = Recording(books.rows(books.times <= END), trades.rows(trades.times <= END))
    assert fitted(calibrated, Recording(books, trades)) == fitted(calibrated, early)
    assert fitted(calibrated, early).liquidity[0].evidence.last <= END


def test_a_set_names_no_evidence_where_there_is_none(calibrated):
    found = fitted(calibrated, Recording(drawn_books(100, start=START)))
    assert found.digest != calibrated[0].digest
    assert found.verified("test").liquidity[0].evidence.books == 100
    plain = structs.replace(found.liquidity[0], evidence=msgspec.UNSET)
    assert b"evidence" not in msgspec.msgpack.encode(plain)
    assert msgspec.json.decode(msgspec.json.encode(found), type=ParameterSet) == found


def test_a_market_whose_bars_know_no_volume_asks_for_its_trades(calibrated):
    parameters, bars = calibrated
    unknown = bars.aligned(bars.markets)
    unknown.volume[:] = float("nan")
    with pytest.raises(PlimsollError, match="--trades ETH") as raised:
        fitted((parameters, unknown), Recording(drawn_books(100, start=START)))
    assert raised.value.code is Code.BAD_VOLUME


def test_the_readers_take_the_real_recording_whole(market_data):
    books, trades = real_books(market_data), real_trades(market_data)
    assert (len(books), len(trades)) == (1_027, 4_095)
    assert books.bids.shape == (1_027, 20, 2)
