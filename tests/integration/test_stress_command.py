"""Does `plimsoll stress` answer, for people and for scripts, and refuse bad input in one line?"""

import json
import re

import msgspec
import pytest

from plimsoll.cli import application
from tests.support.desks import write_desk
from tests.support.venues import cross_margin, parameter_set

LINEAR = """account,instrument,size,price
keeper,USD,9000,
keeper,BTC-PERP,1,60000
desk,USD,500000,
desk,BTC-PERP,-1,60000
stranger,USD,10,
stranger,DOGE-PERP,1,0.1
"""
OPTIONS = """account,instrument,size,price
desk,USD,70000,
desk,BTC-PERP,2,94000
desk,BTC-27MAR26-110000-C,-5,
desk,BTC-27MAR26-80000-P,-3,
"""


@pytest.fixture
def plimsoll(monkeypatch, capsys, tmp_path):
    """Run a command in this process, in a folder with books and terms; return status, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    write_desk(tmp_path)
    (tmp_path / "parameters.json").write_bytes(msgspec.json.encode(parameter_set(cross_margin())))
    (tmp_path / "linear.csv").write_text(LINEAR)
    (tmp_path / "options.csv").write_text(OPTIONS)

    def run(words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["plimsoll", *words.split()])
        status = application._status()
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


def test_a_linear_book_is_stressed_under_a_parameter_set(plimsoll):
    words = "stress --book linear.csv --parameters parameters.json --mark BTC=60000"
    status, out, err = plimsoll(f"{words} --scenarios ftx-2022,gap-30 --fund 1000 --json")
    assert (status, err) == (0, "")
    told = json.loads(out)
    assert [outcome["name"] for outcome in told["outcomes"]] == ["ftx-2022", "ftx-2022 rebound", "gap-30"]
    assert [line["account"] for line in told["worst_accounts"]] == ["keeper", "desk"]
    assert told["refused"][0]["account"] == "stranger"
    assert told["outcomes"][2]["shortfall"] == pytest.approx(0.31 * 60_000 - 9_000)


def test_a_book_with_options_is_stressed_under_a_profile_and_drawn(plimsoll, tmp_path):
    words = "stress --book options.csv --profile span-16 --quotes quotes.json --top 1 --fund 1000"
    status, out, _ = plimsoll(f"{words} --picture picture.svg")
    assert status == 0
    assert "black-thursday-2020 rebound" in out
    assert "desk" in out
    drawn = (tmp_path / "picture.svg").read_text()
    assert re.findall(r">([^<]+)</text>", drawn).count("october-2025") == 1


def test_the_scenarios_of_a_margin_are_drawn(plimsoll, tmp_path):
    words = "margin --profile plimsoll --quotes quotes.json --account desk.json --picture margin.svg --quiet"
    assert plimsoll(words)[0] == 0
    assert (tmp_path / "margin.svg").read_text().count('<rect class="loss"') == 40


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("stress --book nowhere.csv --parameters parameters.json", "missing-file"),
        ("stress --book linear.csv", "bad-setting"),
        ("stress --book linear.csv --parameters parameters.json --scenarios ftx", "unknown-scenario"),
        ("stress --book linear.csv --parameters parameters.json --mark SOL=9", "unknown-market"),
        ("margin --parameters parameters.json --account keeper.json --picture p.svg", "bad-setting"),
    ],
)
def test_what_cannot_be_stressed_is_refused_in_one_line(plimsoll, tmp_path, words, code):
    account = '{"name": "keeper", "collateral": [{"asset": "USD", "amount": "1"}]}'
    (tmp_path / "keeper.json").write_text(account)
    status, out, err = plimsoll(f"{words} --quiet")
    assert (status, out) == (2, "")
    assert err.startswith("error: ")
    assert f"[{code}]" in err
    assert err.count("\n") == 1
