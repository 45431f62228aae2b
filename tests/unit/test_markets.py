"""Is every spelling of a market's symbol read as the same market, and nothing else as that?"""

import pytest

from plimsoll.domain.markets import market_name


@pytest.mark.parametrize(
    "symbol",
    [
        *("BTC", "btc", " BTC ", "XBT", "BTCUSDT", "BTCUSD", "BTCUSDC", "BTCFDUSD", "XBTUSD", "BTC/USDT"),
        *("BTC-USD", "BTC_USDC", "BTC/USDT:USDT", "BTC/USD:BTC", "BTC-PERP", "BTC-USDT-SWAP", "BTCUSD_PERP"),
        *("BTC-PERPETUAL", "BTCUSDT.P", "BTC/BUSD", "XBT/USD"),
    ],
)
def test_every_dollar_spelling_names_the_base(symbol):
    assert market_name(symbol) == "BTC"


@pytest.mark.parametrize(
    ("symbol", "market"),
    [
        ("BNBUSD", "BNB"),
        ("DOTUSD", "DOT"),
        ("USDT", "USDT"),
        ("BUSD", "BUSD"),
        ("USDTUSD", "USDT"),
        ("USDCUSDT", "USDC"),
        ("USDT/USD", "USDT"),
        ("1000PEPEUSDT", "1000PEPE"),
        ("ETH/BTC", "ETH/BTC"),
        ("ethbtc", "ETHBTC"),
        ("BTC-EUR", "BTC-EUR"),
        ("BTC/USDT:USDT-240628", "BTC/USDT:USDT-240628"),
        ("/USDT", "/USDT"),
    ],
)
def test_another_price_keeps_another_name(symbol, market):
    assert market_name(symbol) == market
