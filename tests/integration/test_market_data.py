"""Do the real bar files hold the prices, gaps and faults that are known of them?"""

import numpy as np
import pytest

from plimsoll.domain.bars import HOUR, MINUTE
from plimsoll.errors import Code, PlimsollError
from plimsoll.feeds.bars import read_bars


def at(bars, moment):
    return int(np.flatnonzero(bars.times == np.datetime64(moment, "ms").astype(np.int64))[0])


@pytest.mark.parametrize(
    ("file", "market", "moment", "length", "low"),
    [
        ("spot_1h_binance.parquet", "BTC", "2020-03-13T02:00", HOUR, 3782.13),
        ("spot_1h_binance.parquet", "ETH", "2020-03-13T02:00", HOUR, 86.0),
        ("win/spot_1m_2021-04_06_core.parquet", "BTC", "2021-05-19T13:10", MINUTE, 30000.0),
        ("spot_1h_binance.parquet", "BTC", "2022-05-12T05:00", HOUR, 26700.0),
        (
            "permissive/spot_5m_20coins_2024-07-20_08-25.parquet",
            "BTC",
            "2024-08-05T06:20",
            5 * MINUTE,
            49000.0,
        ),
    ],
)
def test_known_lows_are_read_to_the_cent(market_data, file, market, moment, length, low):
    bars = read_bars(market_data / file, markets=(market,))
    assert bars.length == length
    assert bars.low[at(bars, moment), 0] == low


def test_a_float32_file_is_read_within_its_own_rounding(market_data):
    bars = read_bars(market_data / "btc_30m_2019_2026.parquet")
    assert bars.length == 30 * MINUTE
    assert bars.low[at(bars, "2020-03-13T02:00") : at(bars, "2020-03-13T03:00"), 0].min() == np.float32(
        3782.13
    )
    assert (bars.low <= np.minimum(bars.open, bars.close)).all()


def test_the_month_that_was_removed_is_a_gap_and_no_return_crosses_it(market_data):
    bars = read_bars(market_data / "spot_1h_binance.parquet", markets=("BTC",))
    november = (bars.times >= np.datetime64("2022-11-01", "ms").astype(np.int64)) & (
        bars.times < np.datetime64("2022-12-01", "ms").astype(np.int64)
    )
    assert not november.any()
    after = int(np.argmax(bars.times >= np.datetime64("2022-12-01", "ms").astype(np.int64)))
    assert not bars.contiguous()[after, 0]
    assert bars.contiguous()[after + 1, 0]


def test_every_file_is_read_or_lacks_a_column(market_data):
    folders = {"options", "l2", "iv", "oracle", "macro"}
    files = [
        path
        for path in sorted(market_data.rglob("*.parquet"))
        if not folders & set(path.relative_to(market_data).parts)
    ]
    refused = {}
    for path in files:
        try:
            bars = read_bars(path)
        except PlimsollError as error:
            refused[path.name] = error.code
        else:
            assert (bars.high >= bars.low)[~np.isnan(bars.close)].all()
    assert set(refused.values()) <= {Code.MISSING_COLUMN}
    assert "pair_btc_eth_1h_1500.parquet" in refused
    assert "spot_1h_binance.parquet" not in refused
