"""Does ccxt itself, talking to a server on this machine, bring the bars and its errors?"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest

from plimsoll.errors import Code, PlimsollError
from plimsoll.feeds.bars import read_bars
from plimsoll.feeds.exchange import CcxtExchange, open_exchange
from plimsoll.feeds.fetch import Request, fetch

MINUTE = 60_000
START = 1_700_000_100_000 // MINUTE * MINUTE
COUNT = 1300
SYMBOL = {
    "symbol": "BTCUSDT",
    "status": "TRADING",
    "baseAsset": "BTC",
    "quoteAsset": "USDT",
    "baseAssetPrecision": 8,
    "quotePrecision": 8,
    "isSpotTradingAllowed": True,
    "permissions": ["SPOT"],
    "permissionSets": [["SPOT"]],
    "orderTypes": ["LIMIT"],
    "filters": [
        {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000.0", "tickSize": "0.01"},
        {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000.0", "stepSize": "0.00001"},
    ],
}


class Venue(BaseHTTPRequestHandler):
    """A few routes of a spot exchange's public interface; the first answer about bars is an outage."""

    outages = 1

    def do_GET(self):
        parts = urlsplit(self.path)
        if parts.path.endswith("/exchangeInfo"):
            return self.answer(200, {"timezone": "UTC", "serverTime": START, "symbols": [SYMBOL]})
        if not parts.path.endswith("/klines"):
            return self.answer(404, {"code": -1, "msg": parts.path})
        if type(self).outages:
            type(self).outages -= 1
            return self.answer(503, {"msg": "down for a moment"})
        asked = parse_qs(parts.query)
        first = max(-(-(int(asked["startTime"][0]) - START) // MINUTE), 0)
        rows = range(first, min(first + int(asked["limit"][0]), COUNT))
        return self.answer(200, [self.kline(row) for row in rows])

    @staticmethod
    def kline(row):
        opens, price = START + row * MINUTE, 30_000 + row % 50
        prices = [f"{value:.2f}" for value in (price, price + 10.5, price - 20.25, price + 1)]
        return [opens, *prices, "12.5", opens + MINUTE - 1, "1.0", 7, "1.0", "1.0", "0"]

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass


@pytest.fixture
def exchange(monkeypatch):
    pytest.importorskip("ccxt", reason="install the extra plimsoll-margin[exchanges] to run this test")
    for variable in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(Venue, "outages", 1)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Venue)
    Thread(target=server.serve_forever, daemon=True).start()
    opened = open_exchange("binance")
    client = opened._client
    base = f"http://127.0.0.1:{server.server_port}"
    client.urls["api"] = {
        name: base + "/" + name if isinstance(url, str) else url for name, url in client.urls["api"].items()
    }
    client.options["fetchMarkets"] = {"types": ["spot"]}
    client.options["fetchCurrencies"] = False
    client.has["fetchCurrencies"] = False
    client.session.trust_env = False
    yield opened
    client.session.close()
    server.shutdown()
    server.server_close()


def test_ccxt_brings_every_bar_and_an_outage_is_waited_out(tmp_path, exchange):
    waits: list[float] = []
    request = Request("BTC/USDT", "1m", START, START + 1200 * MINUTE)
    done = fetch(exchange, request, tmp_path, now=lambda: START + 2000 * MINUTE, pause=waits.append)
    assert done.path == tmp_path / "binance" / "1m" / "BTC-USDT.parquet"
    bars = read_bars(done.path)
    assert bars.times.tolist() == [START + row * MINUTE for row in range(1200)]
    assert [bars.open[7, 0], bars.high[7, 0], bars.low[7, 0], bars.close[7, 0]] == [
        30007,
        30017.5,
        29986.75,
        30008,
    ]
    assert bars.volume[7, 0] == 12.5
    assert waits == [1.0]


def test_what_ccxt_refuses_is_said_in_our_words(exchange):
    with pytest.raises(PlimsollError) as caught:
        exchange.candles("NOPE/USDT", "1m", START, 10)
    assert caught.value.code == Code.UNKNOWN_MARKET
    with pytest.raises(ConnectionError, match="503"):
        exchange.candles("BTC/USDT", "1m", START, 10)


def test_timeframes_are_those_of_the_exchange_and_have_one_length(exchange):
    assert exchange.length("5m") == 5 * MINUTE
    for timeframe in ("7m", "1M", "../5m"):
        with pytest.raises(PlimsollError, match=rf"no bars of {timeframe} .*1h"):
            exchange.length(timeframe)


def test_an_unknown_exchange_is_refused():
    pytest.importorskip("ccxt", reason="install the extra plimsoll-margin[exchanges] to run this test")
    with pytest.raises(PlimsollError, match="ccxt knows no exchange nasdaq"):
        open_exchange("nasdaq")


def test_without_ccxt_the_remedy_is_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ccxt", None)
    for opening in (lambda: open_exchange("binance"), lambda: CcxtExchange(object())):
        with pytest.raises(PlimsollError) as caught:
            opening()
        assert caught.value.code == Code.MISSING_EXTRA
        assert "pip install 'plimsoll-margin[exchanges]'" in str(caught.value)
