"""Is whatever a feed may send answered by values: observations that are sound, or refusals with a code?"""

import json
from pathlib import Path

import msgspec
import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from plimsoll.domain.observations import Depth, Fault, OraclePrice, Refusal, Ticker, Trade
from plimsoll.errors import Code, PlimsollError
from plimsoll.feeds.chainlink import Proxy, read_round
from plimsoll.feeds.exchange_stream import Heard, open_exchange_source, read_unified
from plimsoll.feeds.gates import Gate, GateSettings
from plimsoll.feeds.hermes import read_update
from plimsoll.feeds.lines import LineSource, read_line, recorded_lines

NOW = 1_765_401_040_000
FEED = "e62df6c8b4a85fe1a67db44dc12de5db330f7ac66b72dc658afedf0f4a415b43"
PROXY = Proxy("ETH", "0x" + "5f" * 20, 8)
NAMES = [
    *("type", "market", "time", "received", "price", "size", "side", "identity", "bids", "asks", "last"),
    *("bid", "ask", "confidence", "sequence", "id", "parsed", "conf", "expo", "publish_time", "metadata"),
    *("slot", "jsonrpc", "result", "timestamp", "amount", "nonce", "close"),
]
TYPES = ("trade", "depth", "ticker", "oracle-price", "BTC", "buy", FEED, "0x00", "nan", "1e999", "-1", "12.5")

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(TYPES)
)
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=9),
    max_leaves=25,
)
"""Anything JSON can hold, in the words that feeds use."""
messages = st.binary(max_size=200) | documents.map(lambda value: json.dumps(value).encode())


def is_answer(said):
    """Hold every answer to what the engine relies on; the gate refuses what is still unsound."""
    gate = Gate(GateSettings(longest_age=86_400.0))
    for one in said:
        assert isinstance(one, Trade | Depth | Ticker | OraclePrice | Refusal)
        assert msgspec.json.decode(msgspec.json.encode(one), type=type(one)).source == one.source
        if not isinstance(one, Refusal):
            admitted = gate.admit(one)
            assert (admitted.observation is None) <= bool(admitted.refusals)
    return True


@given(messages)
@example(b'{"type":"trade","market":"BTC","time":' + b"[" * 5_000)
@example(b'{"type":"ticker","market":"BTC","time":1,"last":' + b"9" * 5_000 + b"}")
def test_no_line_makes_the_reader_of_lines_fail(message):
    assert is_answer(read_line("lines", message, NOW, None))
    assert is_answer(read_line("lines", message, NOW, ("type", "market", "time", "price", "size")))


@given(messages)
@example(b"[" * 5_000)
def test_no_update_makes_the_reader_of_hermes_fail(message):
    assert is_answer(read_update("hermes", message, NOW, {FEED: "BTC"}))


@given(messages | st.text(max_size=400).map(str.encode))
def test_no_answer_makes_the_reader_of_chainlink_fail(message):
    pytest.importorskip("httpx", reason="install the extra plimsoll-margin[service] to run this test")
    from plimsoll.feeds.chainlink import ChainlinkSource

    assert is_answer(ChainlinkSource("chainlink", "http://node", [PROXY], 1.0).read(message, NOW))


@given(st.lists(st.integers(0, 2**256 - 1), min_size=5, max_size=5))
def test_no_five_words_make_the_decoder_of_rounds_fail(words):
    assert is_answer(read_round("chainlink", PROXY, "0x" + "".join(f"{word:064x}" for word in words), NOW))


@given(st.sampled_from(["trades", "depth", "ticker"]), documents)
def test_no_content_makes_the_reader_of_exchanges_fail(channel, content):
    assert is_answer(read_unified("exchange", Heard(channel, "BTC/USDT:USDT", content), NOW))


def test_a_unified_trade_book_and_ticker_become_values():
    trade = {"timestamp": NOW - 5, "price": 61_234.5, "amount": "0.25", "side": "sell", "id": 77}
    book = {"timestamp": None, "bids": [[10.0, 1.0], [9.5, 2.0, 7]], "asks": [[10.5, 3.0]], "nonce": 8}
    ticker = {"timestamp": NOW - 9, "last": None, "close": 10.25, "bid": 10.0, "ask": None}
    said = [
        read_unified("exchange", Heard(channel, "BTC/USDT:USDT", content), NOW)
        for channel, content in (("trades", [trade]), ("depth", book), ("ticker", ticker))
    ]
    assert said == [
        [Trade("exchange", "BTC", NOW - 5, NOW, 61_234.5, 0.25, "sell", "77")],
        [Depth("exchange", "BTC", NOW, NOW, ((10.0, 1.0), (9.5, 2.0)), ((10.5, 3.0),), 8)],
        [Ticker("exchange", "BTC", NOW - 9, NOW, 10.25, 10.0, None)],
    ]


def test_a_round_is_decoded_and_an_incomplete_or_carried_one_is_refused():
    def round_of(*words):
        blob = b"".join(word.to_bytes(32, "big", signed=word < 0) for word in words)
        return read_round("chainlink", PROXY, "0x" + blob.hex(), NOW)[0]

    seconds = NOW // 1_000 - 60
    price = OraclePrice(
        "chainlink", "ETH", 1_000 * seconds, NOW, 1_908.18855712, 0.0, "110680464442257309697"
    )
    assert round_of(110680464442257309697, 190818855712, seconds, seconds, 110680464442257309697) == price
    assert round_of(7, -1, seconds, seconds, 7).fault is Fault.BAD_PRICE
    assert round_of(7, 5, seconds, 0, 7).fault is Fault.BAD_TIME
    assert round_of(7, 5, seconds, seconds, 6).fault is Fault.STALE


observations = st.sampled_from(
    [
        Trade("lines", "BTC", NOW - 4, NOW, 61_234.5, 0.25, "buy", "77"),
        Trade("lines", "BTC", NOW - 3, NOW, 61_234.0, 0.5),
        Depth("lines", "ETH", NOW - 2, NOW, ((10.0, 1.0), (9.5, 2.0)), ((10.5, 3.0),), 8),
        Ticker("lines", "ETH", NOW - 1, NOW, 10.25, 10.0, 10.5),
        OraclePrice("lines", "SOL", NOW, NOW, 143.21, 0.07, "slot"),
    ]
)


@given(st.lists(observations, max_size=6))
def test_what_is_recorded_as_lines_is_read_back_as_it_was(said):
    lines = recorded_lines(said).splitlines()
    assert [one for line in lines for one in read_line("lines", line, NOW + 99, None)] == said


def test_a_csv_file_is_replayed_under_its_header(tmp_path):
    import asyncio

    path = tmp_path / "trades.csv"
    path.write_text(
        f"type,market,time,price,size,side\ntrade,BTC,{NOW},61234.5,0.25,buy\n\ntrade,BTC,x,1,1,buy\na,b\n"
    )
    source = LineSource("lines", path)

    async def heard():
        return [said async for line in source.listen() for said in source.read(line, NOW)]

    trade, bad_time, short = asyncio.run(heard())
    assert trade == Trade("lines", "BTC", NOW, NOW, 61_234.5, 0.25, "buy")
    assert [bad_time.fault, short.fault] == [Fault.BAD_TIME, Fault.UNREADABLE]


def test_an_exchange_that_ccxt_does_not_stream_is_refused():
    pytest.importorskip("ccxt", reason="install the extra plimsoll-margin[exchanges] to run this test")
    with pytest.raises(PlimsollError) as refusal:
        open_exchange_source("nasdaq", ("BTC/USDT",))
    assert refusal.value.code is Code.BAD_SETTING


def test_real_replies_of_hermes_are_read(market_data: Path):
    samples = market_data / "oracle_samples"
    old, new = (
        read_update("hermes", (samples / f"hermes_v{version}_sample.json").read_bytes(), NOW, {FEED: "BTC"})
        for version in (1, 2)
    )
    time, slots = 1_708_363_256_000, ("85480034", "125976528")
    first = OraclePrice("hermes", "BTC", time, NOW, 2920679499999 * 1e-8, 509500001 * 1e-8, slots[0])
    second = OraclePrice("hermes", "BTC", time, NOW, 5190075917635 * 1e-8, 2661582364 * 1e-8, slots[1])
    assert [*old, *new] == [first, second]


def test_real_rounds_of_chainlink_are_decoded_to_their_prices(market_data: Path):
    rounds = pl.read_parquet(market_data / "oracle/chainlink_rounds_eth_btc_usd_2023-04_2024-01.parquet")
    for row in rounds.sample(200, seed=5).iter_rows(named=True):
        seconds = [int(row[name].timestamp()) for name in ("started_at", "updated_at")]
        words = (int(row["round_id"]), int(row["answer_raw"]), *seconds, int(row["answered_in_round"]))
        result = "".join(f"{word:064x}" for word in words)
        [said] = read_round("chainlink", Proxy("X", "", row["decimals"]), result, NOW)
        assert isinstance(said, OraclePrice)
        assert said.price == pytest.approx(row["price"], rel=1e-12)
        assert said.time == 1_000 * seconds[1]
