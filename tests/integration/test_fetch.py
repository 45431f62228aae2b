"""Does a download lose nothing, repeat nothing and store nothing unfinished, however it is interrupted?"""

import numpy as np
import polars as pl
import pytest

from plimsoll.errors import Code, PlimsollError
from plimsoll.feeds.bars import read_bars
from plimsoll.feeds.fetch import Request, fetch

MINUTE = 60_000
START = 1_600_000_000_000 // MINUTE * MINUTE
COUNT = 3000


class FakeExchange:
    """An exchange with `COUNT` minutes of bars, pages of at most `page`, and failures to order."""

    name = "fake"

    def __init__(self, *, page=200, listed=START, gap=(0, 0), failures=()):
        self.page, self.listed, self.gap = page, listed, range(*gap)
        self.failures = list(failures)
        self.asked = []

    def length(self, timeframe):
        return {"1m": MINUTE, "5m": 5 * MINUTE}[timeframe]

    def candles(self, symbol, timeframe, since, limit):  # noqa: ARG002
        self.asked.append(since)
        if self.failures:
            failure = self.failures.pop(0)
            if failure is not None:
                raise failure
        first = max(-(-(since - START) // MINUTE), (self.listed - START) // MINUTE)
        rows = [row for row in range(first, COUNT) if row not in self.gap]
        return [self.candle(row) for row in rows[: min(limit, self.page)]]

    @staticmethod
    def candle(row):
        price = 100.0 + row % 97
        return [START + row * MINUTE, price, price + 1.5, price - 2.5, price + 1.0, float(row)]


class WindowExchange(FakeExchange):
    """An exchange that looks only at `page` bars from `since` on, and so answers nothing within a gap."""

    def candles(self, symbol, timeframe, since, limit):
        answer = super().candles(symbol, timeframe, since, limit)
        return [candle for candle in answer if candle[0] < since + self.page * MINUTE]


def request(first=0, last=COUNT, symbol="BTC/USDT"):
    return Request(symbol, "1m", START + first * MINUTE, START + last * MINUTE)


def minutes(*, now):
    return {"now": lambda: START + int(now * MINUTE), "pause": lambda seconds: None}


LATE = minutes(now=2 * COUNT)


def stored(path):
    bars = read_bars(path)
    return ((bars.times - START) // MINUTE).tolist()


@pytest.mark.parametrize("exchange", [FakeExchange(page=1), FakeExchange(), WindowExchange(page=100)])
def test_all_pages_arrive_once_and_read_bars_reads_them(tmp_path, exchange):
    told: list[float] = []
    done = fetch(exchange, request(7, 320), tmp_path, progress=told.append, **LATE)
    assert done.path == tmp_path / "fake" / "1m" / "BTC-USDT.parquet"
    assert stored(done.path) == list(range(7, 320))
    assert (done.bars, done.added, done.missing) == (313, 313, 0)
    bars = read_bars(done.path)
    assert bars.markets == ("BTC",)
    assert [bars.open[3, 0], bars.high[3, 0], bars.low[3, 0], bars.close[3, 0], bars.volume[3, 0]] == [
        *FakeExchange.candle(10)[1:]
    ]
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert not list(tmp_path.rglob("*.part"))


def test_the_bar_that_is_still_open_is_never_stored(tmp_path):
    for now in (50.0, 50.1, 50.99):
        assert stored(fetch(FakeExchange(), request(), tmp_path, **minutes(now=now)).path)[-1] == 48 + (
            now > 50.1
        )
    assert stored(fetch(FakeExchange(), request(), tmp_path, **minutes(now=51.2)).path) == list(range(51))


def test_a_second_run_asks_only_for_what_is_new(tmp_path):
    fetch(FakeExchange(), request(100, 900), tmp_path, **LATE)
    again = FakeExchange()
    done = fetch(again, request(100, 900), tmp_path, **LATE)
    assert (again.asked, done.added) == ([], 0)
    done = fetch(again, request(100, 950), tmp_path, **LATE)
    assert min(again.asked) == START + 900 * MINUTE
    assert (done.added, done.bars) == (50, 850)


def test_a_span_is_extended_at_both_ends_without_a_hole(tmp_path):
    fetch(FakeExchange(), request(1000, 1100), tmp_path, **LATE)
    fetch(FakeExchange(), request(1200, 1300), tmp_path, **LATE)
    done = fetch(FakeExchange(), request(3, 40), tmp_path, **LATE)
    assert stored(done.path) == list(range(3, 1300))
    assert done.missing == 0


@pytest.mark.parametrize(
    "stop", [KeyboardInterrupt(), PlimsollError(Code.EXCHANGE_FAILED, "", where="", remedy="")]
)
@pytest.mark.parametrize("first", [0, 1500])
def test_an_interruption_keeps_what_arrived_and_the_next_run_continues(tmp_path, stop, first):
    if first:
        fetch(FakeExchange(), request(first + 900, first + 1000), tmp_path, **LATE)
    exchange = FakeExchange(failures=[None] * 4 + [stop])
    with pytest.raises(type(stop)):
        fetch(exchange, request(first, first + 1000), tmp_path, **LATE)
    path = tmp_path / "fake" / "1m" / "BTC-USDT.parquet"
    kept = stored(path)
    assert kept == list(range(kept[0], kept[-1] + 1))
    assert 500 <= len(kept) < 1000
    again = FakeExchange()
    fetch(again, request(first, first + 1000), tmp_path, **LATE)
    assert stored(path) == list(range(first, first + 1000))
    assert not {time for time in again.asked if (time - START) // MINUTE in kept}


def test_a_kill_while_writing_leaves_the_whole_old_file(tmp_path, monkeypatch):
    done = fetch(FakeExchange(), request(0, 300), tmp_path, **LATE)
    before = done.path.read_bytes()

    def killed(self, file, **options):
        file.write(b"PAR1 half of it")
        raise KeyboardInterrupt

    monkeypatch.setattr(pl.DataFrame, "write_parquet", killed)
    with pytest.raises(KeyboardInterrupt):
        fetch(FakeExchange(), request(0, 400), tmp_path, **LATE)
    assert done.path.read_bytes() == before
    assert [entry.name for entry in done.path.parent.iterdir()] == ["BTC-USDT.parquet"]


def test_whoever_reads_the_file_while_it_grows_reads_the_whole_old_one(tmp_path):
    done = fetch(FakeExchange(), request(0, 300), tmp_path, **LATE)
    before = done.path.read_bytes()
    with done.path.open("rb") as reader:
        fetch(FakeExchange(), request(0, 2000), tmp_path, **LATE)
        assert reader.read() == before
    assert done.path.read_bytes() != before


def test_a_failing_connection_is_tried_again_with_growing_waits_and_then_given_up(tmp_path):
    waits: list[float] = []
    clock = {"now": LATE["now"], "pause": waits.append}
    down = ConnectionError("no route")
    done = fetch(FakeExchange(failures=[down] * 3), request(0, 100), tmp_path, **clock)
    assert done.bars == 100
    assert waits == [1.0, 2.0, 4.0]
    with pytest.raises(
        PlimsollError, match=r"no answer after 6 tries: no route .*run the same command again"
    ):
        fetch(FakeExchange(failures=[None] + [down] * 6), request(0, 900), tmp_path, **clock)
    assert len(stored(done.path)) == 300


@pytest.mark.parametrize("kind", [FakeExchange, WindowExchange])
def test_a_gap_of_the_exchange_is_passed_over_and_counted(tmp_path, kind):
    done = fetch(kind(gap=(150, 1370)), request(0, 2000), tmp_path, **LATE)
    assert stored(done.path) == [*range(150), *range(1370, 2000)]
    assert done.missing == 1220


def test_the_time_before_the_listing_costs_one_question_and_is_not_asked_about_again(tmp_path):
    listed = START + 2500 * MINUTE
    exchange = FakeExchange(listed=listed)
    done = fetch(exchange, request(0, 2600), tmp_path, **LATE)
    assert len(exchange.asked) == 1
    assert stored(done.path)[0] == 2500
    again = FakeExchange(listed=listed)
    fetch(again, request(0, 2600), tmp_path, **LATE)
    assert not again.asked
    with pytest.raises(PlimsollError, match=r"no complete bar.*\[empty-range\]"):
        fetch(again, request(0, 2400, "ETH/USDT"), tmp_path, **LATE)
    assert len(again.asked) == 1
    assert len(list(done.path.parent.iterdir())) == 1


def test_candles_without_prices_are_gaps(tmp_path):
    class Quiet(FakeExchange):
        @staticmethod
        def candle(row):
            return [START + row * MINUTE, *([None] * 5)] if row % 10 == 4 else FakeExchange.candle(row)

    done = fetch(Quiet(), request(0, 100), tmp_path, **LATE)
    assert (done.bars, done.missing) == (90, 10)


def test_the_markets_of_a_timeframe_are_read_as_one_folder(tmp_path):
    fetch(FakeExchange(), request(0, 100), tmp_path, **LATE)
    done = fetch(FakeExchange(), request(50, 150, "ETH/USDT:USDT"), tmp_path, **LATE)
    assert done.path.name == "ETH-USDT_USDT.parquet"
    bars = read_bars(done.path.parent)
    assert bars.markets == ("BTC", "ETH")
    assert np.isnan(bars.close[:50, 1]).all()


def test_a_strange_file_in_the_cache_and_an_empty_span_are_refused(tmp_path):
    path = tmp_path / "fake" / "1m" / "BTC-USDT.parquet"
    path.parent.mkdir(parents=True)
    for write in (lambda: path.write_bytes(b"nothing"), lambda: pl.DataFrame({"a": [1]}).write_parquet(path)):
        write()
        with pytest.raises(PlimsollError, match="not a file of this cache"):
            fetch(FakeExchange(), request(0, 100), tmp_path, **LATE)
    with pytest.raises(PlimsollError, match="the end is not after the start"):
        fetch(FakeExchange(), request(5, 5), tmp_path, **LATE)
