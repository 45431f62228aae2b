"""Does `plimsoll calibrate --implied` lead to margin on options, by the plain commands?"""

import json
import math
from functools import partial

import pytest

from tests.support.bars import FIRST, HOUR, write_bars
from tests.support.commands import run_plimsoll

HOURS = 2_400
QUOTES = {
    "time": "2020-04-15T00:00:00Z",
    "prices": {"BTC": 5_000, "BTC-PERP": 5_001, "BTC-26JUN20": 5_050},
    "volatilities": {"BTC-26JUN20-5000-P": 0.7},
}
ACCOUNT = {
    "name": "desk",
    "collateral": [{"asset": "USD", "amount": "90000"}],
    "positions": [{"instrument": "BTC-26JUN20-5000-P", "quantity": "-10", "entry_price": "600"}],
}


@pytest.fixture
def plimsoll(monkeypatch, capsys, tmp_path):
    """Run a command in this process, in a folder with bars, an index, quotes and an account."""
    monkeypatch.chdir(tmp_path)
    write_bars(tmp_path / "bars.csv", hours=HOURS)
    index = [f"{FIRST + HOUR * i},{60 + 5 * math.sin(i)}" for i in range(HOURS)]
    (tmp_path / "index.csv").write_text("\n".join(["ts,close", *index]) + "\n")
    (tmp_path / "quotes.json").write_text(json.dumps(QUOTES))
    (tmp_path / "desk.json").write_text(json.dumps(ACCOUNT))
    return partial(run_plimsoll, monkeypatch, capsys)


def test_calibrate_and_margin_put_implied_volatility_into_the_answer(plimsoll, tmp_path):
    files = ("--bars", "bars.csv", "--implied", "BTC=index.csv", "--out", "parameters.json")
    told = " ".join(plimsoll("calibrate", *files).out.split())
    assert "joint rows with implied volatility: 400; BTC 3" in told
    assert "ETH 0 observed, the rest after BTC's relation to spot" in told
    parameters = json.loads((tmp_path / "parameters.json").read_text())
    assert len(parameters["method"]["dependence"][0]["volatility"]) == 400
    assert [entry.split()[0] for entry in parameters["provenance"]["inputs"]] == ["bars.csv", "index.csv"]
    terms = ("--profile", "plimsoll", "--parameters", "parameters.json", "--quotes", "quotes.json")
    answer = json.loads(plimsoll("margin", *terms, "--account", "desk.json", "--json").out)
    rows = [scenario for scenario in answer["scenarios"] if scenario["name"].startswith("moves of 2020-")]
    assert len(rows) == 400
    assert min(scenario["amount"] for scenario in rows) < 0


def test_the_profile_that_moves_volatility_by_the_set_asks_for_less_than_the_constants(plimsoll):
    files = ("--bars", "bars.csv", "--implied", "BTC=index.csv", "--out", "parameters.json", "--quiet")
    plimsoll("calibrate", *files)
    terms = ("--quotes", "quotes.json", "--account", "desk.json", "--json")
    asked = {
        name: json.loads(plimsoll("margin", "--profile", name, "--parameters", "parameters.json", *terms).out)
        for name in ("plimsoll", "plimsoll-implied")
    }
    assert 0 < asked["plimsoll-implied"]["maintenance"] < asked["plimsoll"]["maintenance"]
    assert asked["plimsoll-implied"]["profile"] == "plimsoll-implied"
    alone = plimsoll("margin", "--profile", "plimsoll-implied", *terms)
    assert (alone.status, "--implied" in alone.err) == (2, True)


@pytest.mark.parametrize("given", ["DOGE=index.csv", "BTC", "BTC="])
def test_an_index_of_no_market_is_refused_in_one_line(plimsoll, given):
    ended = plimsoll("calibrate", "--bars", "bars.csv", "--implied", given)
    assert "unknown-market" in ended.err
    assert "--implied BTC=index.parquet" in ended.err
