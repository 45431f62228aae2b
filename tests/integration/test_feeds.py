"""Does every feed bring the same values through lost connections, repetitions, garbage and silence?"""

import asyncio
from contextlib import suppress

import msgspec
import polars as pl
import pytest
from msgspec.structs import replace

from plimsoll.domain.observations import Depth, Fault, Observation
from plimsoll.feeds.gates import GateSettings
from plimsoll.feeds.live import LiveSettings, run_source
from plimsoll.feeds.waiting import Waiting
from tests.support.players import DROP, GARBAGE, HANG, PLAYERS, START, expected

GATE = GateSettings(longest_age=3_600.0)
SLOW = GateSettings(longest_age=86_400.0)
PATIENT = LiveSettings(silent_seconds=20.0)
HASTY = LiveSettings(silent_seconds=1.0)
TIMES = [START + 1_000 * number for number in range(4)]

every_kind = pytest.mark.parametrize("kind", sorted(PLAYERS))


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    for variable in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)


def played(kind, script, last, *, live=PATIENT, gate=GATE):
    """Listen until the observation of that time came; return what came, the counts and the pauses."""
    if kind == "exchange":
        pytest.importorskip("ccxt", reason="install the extra plimsoll-margin[exchanges] to run this test")
    pauses = []

    async def pause(seconds):
        pauses.append(seconds)
        await asyncio.sleep(0)

    async def listen():
        waiting = Waiting(1_000)
        taken: list[Observation] = []
        async with PLAYERS[kind](script) as source, asyncio.timeout(60):
            running = asyncio.ensure_future(
                run_source(source, waiting, gate=gate, live=live, clock=lambda: last + 60_000, sleep=pause)
            )
            while all(one.time != last for one in taken):
                with suppress(TimeoutError):
                    came = await asyncio.wait_for(waiting.take(), 0.02)
                    taken += [replace(one, received=0) for one in came]
                assert not running.done(), running.result()
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
        return taken, waiting.counts, pauses

    return asyncio.run(listen())


def are_in_order(kind, taken, last):
    """Trades all come; of an oracle's prices some may have been replaced by newer ones. None comes twice."""
    numbers = [number for number in range(last + 1) if expected(kind, number) in taken]
    complete = kind not in {"exchange", "lines"} or len(numbers) == last + 1
    return complete and taken == [expected(kind, number) for number in numbers]


@every_kind
def test_what_the_server_plays_comes_as_typed_values_in_order(kind):
    taken, counts, pauses = played(kind, [[0, 1, 2, 3, HANG]], TIMES[3])
    assert are_in_order(kind, taken, 3)
    assert not counts
    assert pauses == []


@every_kind
def test_a_lost_connection_is_made_again_and_what_is_repeated_counts_once(kind):
    script = [[0, 1, DROP], [0, 1, 2, DROP], [1, 2, 3, HANG]]
    taken, counts, pauses = played(kind, script, TIMES[3])
    assert are_in_order(kind, taken, 3)
    assert counts[kind, Fault.DISCONNECTED] == 2
    assert counts[kind, Fault.DUPLICATE] + counts[kind, Fault.LATE] == 4
    assert pauses == [0.5, 0.5]


@every_kind
def test_attempts_that_fail_at_once_are_made_at_growing_intervals(kind):
    taken, counts, pauses = played(kind, [[DROP], [DROP], [DROP], [0, HANG]], TIMES[0])
    assert taken == [expected(kind, 0)]
    assert counts[kind, Fault.DISCONNECTED] == 3
    assert pauses == [0.5, 1.0, 2.0]


@every_kind
def test_garbage_is_counted_and_what_follows_still_comes(kind):
    """Of a message that it cannot read ccxt says nothing and hears nothing more: that is silence."""
    taken, counts, _ = played(kind, [[0, GARBAGE, 1, HANG], [0, 1, HANG]], TIMES[1], live=HASTY)
    assert are_in_order(kind, taken, 1)
    assert counts[kind, Fault.SILENT if kind == "exchange" else Fault.UNREADABLE] == 1


@every_kind
def test_a_silent_connection_is_left_and_made_again(kind):
    taken, counts, _ = played(kind, [[0, HANG], [0, 1, HANG]], TIMES[1], live=HASTY)
    assert are_in_order(kind, taken, 1)
    assert counts[kind, Fault.SILENT] >= 1


@every_kind
def test_what_comes_late_is_dropped_where_it_is_a_state_and_kept_where_it_is_a_fact(kind):
    taken, counts, _ = played(kind, [[0, 2, 1, 3, HANG]], TIMES[3])
    if kind in {"exchange", "lines"}:
        assert [one.time for one in taken] == [TIMES[number] for number in (0, 2, 1, 3)]
    else:
        assert counts[kind, Fault.LATE] == 1
        assert expected(kind, 1) not in taken


def test_real_replies_of_hermes_come_through_the_stream(market_data):
    """The recorded reply is a page of JSON; the stream sends the same in one line."""
    reply = (market_data / "oracle_samples" / "hermes_v2_sample.json").read_bytes()
    one_line = msgspec.json.encode(msgspec.json.decode(reply))
    (price,), counts, _ = played("hermes", [[one_line, HANG]], 1_708_363_256_000)
    assert price.price == pytest.approx(51_900.75917635)
    assert not counts


def test_real_rounds_of_chainlink_come_through_a_node(market_data):
    rounds = pl.read_parquet(market_data / "oracle" / "chainlink_rounds_eth_btc_usd_2023-04_2024-01.parquet")
    script: list[bytes] = []
    row, seconds = {}, [0]
    for row in rounds.filter(pl.col("feed") == "ETH/USD").head(20).iter_rows(named=True):
        seconds = [int(row[name].timestamp()) for name in ("started_at", "updated_at")]
        words = (int(row["round_id"]), int(row["answer_raw"]), *seconds, int(row["answered_in_round"]))
        result = "0x" + "".join(f"{word:064x}" for word in words)
        script.append(msgspec.json.encode([{"jsonrpc": "2.0", "id": 0, "result": result}]))
    taken, counts, _ = played("chainlink", [[*script, HANG]], 1_000 * seconds[1], gate=SLOW)
    assert taken[-1].price == pytest.approx(row["price"])
    assert not counts


def test_real_books_and_trades_come_through_ccxt(market_data):
    books = pl.read_parquet(market_data / "l2" / "hyperliquid_eth_l2_20lvl_2025-12-10.parquet").head(60)
    script: list[bytes] = []
    row, time = {}, 0
    for row in books.iter_rows(named=True):
        sides = [
            [
                {"px": str(row[f"{side}_price_{n}"]), "sz": str(row[f"{side}_size_{n}"]), "n": 1}
                for n in range(20)
            ]
            for side in ("bid", "ask")
        ]
        time = round(row["ts"].timestamp() * 1_000)
        data = {"coin": "ETH", "time": time, "levels": sides}
        script.append(msgspec.json.encode({"channel": "l2Book", "data": data}))
    taken, counts, _ = played("exchange", [[*script, HANG]], time)
    last = taken[-1]
    assert isinstance(last, Depth)
    assert (len(last.bids), last.bids[0]) == (20, (row["bid_price_0"], row["bid_size_0"]))
    assert not counts
