"""Do the settings open the sources that they name, and are settings refused that nobody could listen to?"""

import json

import pytest

from plimsoll.domain.observations import Fault, OraclePrice, Refusal
from plimsoll.errors import Code, PlimsollError
from plimsoll.service.bar_builder import without
from plimsoll.service.configuration import PREFIX, read_settings, shown
from plimsoll.service.live_sources import open_source
from plimsoll.service.records import KeptBar
from plimsoll.service.settings import SourceSettings

FEED = "ab" * 32
KEYED = "https://node.invalid/v1/secret-key"
TIME = 1_765_401_034_000
GOOD = """
feed = "external"
[external]
markets = ["BTC", "ETH"]
[sources.desk]
kind = "lines"
address = "127.0.0.1:9000"
markets = { BTC = "XBT", ETH = "ETH" }
"""
FALLING = "[prices]\nage_steps = [{above = 9, multiplier = 2}, {above = 3, multiplier = 3}]\n"


def line(market, price):
    told = {"type": "oracle-price", "market": market, "time": TIME, "price": price}
    return json.dumps(told).encode()


def test_a_source_speaks_in_the_names_of_the_venue_and_other_markets_are_refused():
    settings = SourceSettings(kind="lines", address="[::1]:9000", markets={"BTC": "XBT"})
    source = open_source("desk", settings)
    (said,) = source.read(line("XBT", 61_000.0), TIME + 5)
    assert said == OraclePrice("desk", "BTC", TIME, TIME + 5, 61_000.0)
    for message in (line("BTC", 1.0), line("ETH", 1.0)):
        (refused,) = source.read(message, TIME)
        assert isinstance(refused, Refusal)
        assert (refused.source, refused.market, refused.fault) == ("desk", None, Fault.UNKNOWN_MARKET)


def test_pyth_and_chainlink_are_asked_for_the_markets_of_the_settings():
    pyth = open_source("pyth", SourceSettings(kind="pyth", address="http://h", markets={"BTC": f"0x{FEED}"}))
    quoted = {"price": "6100000000000", "conf": "1", "expo": -8, "publish_time": TIME // 1000}
    (said,) = pyth.read(json.dumps([{"id": FEED, "price": quoted}]).encode(), TIME)
    assert isinstance(said, OraclePrice)
    assert (said.source, said.market) == ("pyth", "BTC")
    assert said.price == pytest.approx(61_000.0)
    settings = SourceSettings(kind="chainlink", address=KEYED, markets={"ETH": "0x" + "f4" * 20}, decimals=6)
    words = (7, 3_000_000_000, TIME // 1000, TIME // 1000, 7)
    result = "0x" + "".join(word.to_bytes(32, "big").hex() for word in words)
    (said,) = open_source("link", settings).read(json.dumps([{"id": 0, "result": result}]).encode(), TIME)
    assert isinstance(said, OraclePrice)
    assert (said.source, said.market, said.price) == ("link", "ETH", 3_000.0)


def test_an_exchange_is_heard_under_the_name_of_its_source():
    pytest.importorskip("ccxt", reason="install the extra plimsoll-margin[exchanges] to run this test")
    settings = SourceSettings(kind="exchange", address="kraken", markets={"BTC": "XBT/USD"})
    assert open_source("spot", settings).name == "spot"
    with pytest.raises(PlimsollError) as refused:
        open_source("spot", SourceSettings(kind="exchange", address="nowhere", markets={"BTC": "BTC/USD"}))
    assert refused.value.code is Code.BAD_SETTING


def read(tmp_path, text, environment=None):
    path = tmp_path / "plimsoll.toml"
    path.write_text(text, encoding="utf-8")
    return read_settings(path, environment or {})


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ('feed = "external"', 'feed = "replay"', "sources"),
        ('ETH = "ETH" }', 'SOL = "SOL" }', "sources.desk.markets"),
        (', ETH = "ETH" }', " }", "sources"),
        ('ETH = "ETH"', 'ETH = "XBT"', "sources.desk.markets"),
        ("127.0.0.1:9000", "nowhere", "sources.desk.address"),
        ('"lines"', '"fax"', "sources[...].kind"),
        (
            "[sources.desk]",
            FALLING + "[sources.desk]",
            "prices.age_steps",
        ),
    ],
)
def test_settings_that_do_not_go_together_are_refused(tmp_path, old, new, where):
    assert old in GOOD
    with pytest.raises(PlimsollError) as refused:
        read(tmp_path, GOOD.replace(old, new))
    assert (refused.value.code, refused.value.where) == (Code.BAD_SETTING, where)


def test_an_address_comes_from_the_environment_and_is_never_shown(tmp_path):
    variable = f"{PREFIX}SOURCES__DESK__ADDRESS"
    settings = read(tmp_path, GOOD, {variable: "secret.invalid:9000"})
    assert settings.sources["desk"].address == "secret.invalid:9000"
    assert shown(settings)["sources"]["desk"]["address"] == "(set)"
    assert "secret" not in json.dumps(shown(settings))


def test_a_market_that_stood_still_for_want_of_a_source_is_left_out_of_a_bar():
    prices = (1.0, 2.0, 3.0)
    bar = KeptBar(time=TIME, length=1, open=prices, high=prices, low=prices, close=prices, volume=(None,) * 3)
    kept = without(bar, {1})
    assert kept.open == kept.high == kept.low == kept.close == (1.0, None, 3.0)
