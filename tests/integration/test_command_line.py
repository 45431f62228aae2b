"""Does the command line do what its help says, and refuse bad input in one line that helps?"""

import json
import os
import re
import signal
import subprocess
import sys
import tomllib
from functools import partial
from pathlib import Path

import msgspec
import pytest

from plimsoll.cli import application, calibrate
from plimsoll.domain.parameters import ParameterSet
from plimsoll.domain.settings import CalibrationFile
from plimsoll.sim.settings import ReplaySettings
from tests.support.bars import write_bars
from tests.support.commands import run_plimsoll

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = [sys.executable, "-c", "from plimsoll.cli import main; main()"]


@pytest.fixture
def plimsoll(monkeypatch, capsys, tmp_path):
    """Run a command in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return partial(run_plimsoll, monkeypatch, capsys)


@pytest.fixture
def bars(tmp_path):
    return write_bars(tmp_path / "bars.csv")


def left(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def altered(path: Path, row: int, change) -> Path:
    """Change one data row; the first is 1."""
    lines = path.read_text().splitlines()
    lines[row] = change(lines[row])
    path.write_text("\n".join(lines) + "\n")
    return path


def cell(column: int, value: str):
    def change(line: str) -> str:
        cells = line.split(",")
        cells[column] = value
        return ",".join(cells)

    return change


@pytest.mark.parametrize("command", ["", *application._COMMANDS])
def test_every_command_explains_itself_with_examples(plimsoll, command):
    ended = plimsoll(*command.split(), "--help")
    assert ended.status == 0
    assert ended.err == ""
    assert f"plimsoll {command}".strip() in ended.out
    assert "Examples" in ended.out or command == ""


def test_the_defaults_that_the_help_states_are_the_defaults(plimsoll):
    settings = re.search(r"these are the defaults.*?```\n(.*?)```", calibrate.run.__doc__ or "", re.DOTALL)
    assert settings is not None
    stated = "\n".join(line.strip() for line in settings[1].splitlines())
    assert msgspec.toml.decode(stated, type=CalibrationFile) == CalibrationFile()
    assert set(tomllib.loads(stated)) == {"level", "horizon_hours", "guard", "books"}
    told = " ".join(plimsoll("replay", "--help").out.replace("│", " ").split())
    assert f"Default: {ReplaySettings().population.accounts}." in told
    assert f"Default: {', '.join(ReplaySettings().policies)}." in told
    assert f"Default: {ReplaySettings().seed}." in told


def test_the_program_alone_shows_its_help_and_its_version_on_request(plimsoll):
    assert "Commands" in plimsoll().out
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert plimsoll("--version").out in {f"plimsoll {version}\n", "plimsoll uninstalled\n"}


def test_scenarios_are_listed_for_people_and_for_scripts(plimsoll):
    assert "black-thursday-2020" in plimsoll("scenarios").out
    names = [entry["name"] for entry in json.loads(plimsoll("scenarios", "--json").out)]
    assert len(names) == len(set(names)) >= 6
    assert plimsoll("scenarios", "--quiet").out == ""


def test_calibrate_writes_a_sealed_parameter_set_and_shows_its_evidence(plimsoll, bars, tmp_path):
    ended = plimsoll("calibrate", "--bars", bars, "--out", "parameters.json")
    assert (ended.status, ended.out.count("BTC")) == (0, 4)
    assert "volatility forecast by har-plus for BTC, ETH" in ended.out
    written = msgspec.json.decode((tmp_path / "parameters.json").read_bytes(), type=ParameterSet)
    assert written.verified("parameters.json") == written
    assert {side.market for side in written.evidence} == {"BTC", "ETH"}
    assert "bars.csv sha256:" in written.provenance.inputs[0]


def test_calibrate_explains_what_each_part_of_the_guard_did(plimsoll, bars):
    shown = plimsoll("calibrate", "--bars", bars, "--markets", "BTC", "--explain").out
    assert "What the guard did to BTC" in shown
    for part in ("as set", "without the stress blend", "without the rise limit", "no guard"):
        assert part in shown
    told = json.loads(plimsoll("calibrate", "--bars", bars, "--markets", "BTC", "--explain", "--json").out)
    costs = {row["guard"]: row for row in told["guard"]["BTC"]}
    assert told["parameters"]["digest"] in shown
    assert costs["as set"]["worst_rise"] < costs["no guard"]["worst_rise"]


def test_calibrate_gives_scripts_the_same_set_on_stdout(plimsoll, bars, tmp_path):
    ended = plimsoll("calibrate", "--bars", bars, "--out", "parameters.json", "--json")
    assert ended.err == ""
    assert json.loads(ended.out) == json.loads((tmp_path / "parameters.json").read_text())


def test_calibrate_follows_its_settings_and_its_range(plimsoll, bars, tmp_path):
    (tmp_path / "desk.toml").write_text("level = 0.99\n[guard]\nnotice_hours = 12\n")
    plain = json.loads(plimsoll("calibrate", "--bars", bars, "--json").out)
    desk = json.loads(plimsoll("calibrate", "--bars", bars, "--settings", "desk.toml", "--json").out)
    assert plain["provenance"]["settings"] != desk["provenance"]["settings"]
    assert desk["evidence"][0]["residual_quantile"] < plain["evidence"][0]["residual_quantile"]
    short = json.loads(
        plimsoll("calibrate", "--bars", bars, "--to", "2020-03-15", "--markets", "eth", "--json").out
    )
    assert short["effective"] == 1_584_230_400_000
    assert {side["market"] for side in short["evidence"]} == {"ETH"}


DESK = {
    "name": "desk",
    "collateral": [{"asset": "USD", "amount": "2500"}],
    "positions": [
        {"instrument": "BTC-PERP", "quantity": "2", "entry_price": "5100"},
        {"instrument": "ETH-PERP", "quantity": "-30", "entry_price": "250"},
    ],
}


@pytest.fixture
def desk(plimsoll, bars, tmp_path):
    """Write an account and parameters for it; return the options that name them."""
    assert plimsoll("calibrate", "--bars", bars, "--out", "parameters.json", "--quiet").status == 0
    (tmp_path / "desk.json").write_text(json.dumps(DESK))
    return ("margin", "--parameters", "parameters.json", "--account", "desk.json")


def test_margin_is_explained_in_parts_that_add_up(plimsoll, desk):
    told = json.loads(plimsoll(*desk, "--json").out)
    assert sum(part["amount"] for part in told["parts"]) == told["maintenance"]
    shown = plimsoll(*desk).out
    assert f"{told['maintenance'] / 1e6:,.2f}" in shown
    assert "hedges between underlyings" in shown
    assert "BTC falls" in shown
    assert re.search("ETH (rises|falls) [0-9.]+%", shown)
    assert told["digest"] in shown
    assert max(map(len, shown.splitlines())) <= 100


def test_marks_given_replace_those_of_the_parameters(plimsoll, desk):
    calm, crashed = (
        json.loads(plimsoll(*desk, *marks, "--json").out) for marks in ((), ("--mark", "BTC=1500"))
    )
    assert crashed["equity"] < calm["equity"]
    assert crashed["verdict"] == "liquidated"
    assert "is liquidated" in plimsoll(*desk, "--mark", "BTC=1500").out


@pytest.mark.parametrize(
    ("mark", "words"),
    [
        ("BTC=nan", "cannot read the mark"),
        ("BTC", "cannot read the mark"),
        ("BTC=-4", "cannot read the mark"),
        ("BTX=4000", "holds nothing that BTX prices"),
    ],
)
def test_marks_that_price_nothing_are_refused(plimsoll, desk, mark, words):
    ended = plimsoll(*desk, "--mark", mark)
    assert (ended.status, ended.out) == (2, "")
    assert words in ended.err


def test_parameters_that_were_changed_by_hand_are_refused(plimsoll, desk, tmp_path):
    path = tmp_path / "parameters.json"
    document = json.loads(path.read_text())
    document["method"]["markets"][0]["long"]["maintenance"] *= 0.5
    path.write_text(json.dumps(document))
    ended = plimsoll(*desk)
    assert ended.status == 2
    assert "parameters.json: the parameters do not match their digest" in ended.err


REPLAY = ("replay", "--scenario", "black-thursday-2020", "--accounts", "60", "--policy", "static", "--policy")


def test_a_replay_leaves_a_whole_folder_and_can_be_repeated_from_it(plimsoll, tmp_path):
    first = plimsoll(*REPLAY, "plimsoll", "--out", "runs/one", "--json")
    assert (first.status, first.err) == (0, "")
    assert left(tmp_path) == {
        f"runs/one/{name}"
        for name in (
            "report.html",
            "summary.json",
            "settings.json",
            "run.json",
            "journals/static.journal",
            "journals/plimsoll.journal",
        )
    }
    settings = (tmp_path / "runs/one/settings.json").read_bytes()
    assert msgspec.json.decode(settings, type=ReplaySettings).population.accounts == 60
    record = json.loads((tmp_path / "runs/one/run.json").read_text())
    words = record["command"].split()
    assert words[0] == "plimsoll"
    again = plimsoll(*words[1:], "--out", "runs/two")
    assert again.status == 0
    assert "report: runs/two/report.html" in again.out
    repeated = json.loads((tmp_path / "runs/two/run.json").read_text())
    assert repeated["results"] == record["results"]
    for name in ("static", "plimsoll"):
        journals = [(tmp_path / f"runs/{run}/journals/{name}.journal").read_bytes() for run in ("one", "two")]
        assert journals[0] == journals[1]


def test_a_replay_of_own_bars_takes_what_is_older_as_history(plimsoll, bars, tmp_path):
    words = ("replay", "--bars", bars, "--from", "2020-04-07", "--accounts", "50", "--policy", "plimsoll")
    ended = plimsoll(*words, "--json")
    assert (ended.status, ended.err) == (0, "")
    assert json.loads(ended.out)["markets"] == ["BTC", "ETH"]
    assert (tmp_path / "runs/bars/report.html").exists()


def test_a_market_listed_after_the_start_is_replayed_as_a_young_one(plimsoll, bars, tmp_path):
    first = 1_586_217_600_000  # 7 April 2020, where the replay begins
    lines = bars.read_text().splitlines()
    young = [line for line in lines[1:] if line.startswith("BTC") or int(line.split(",")[1]) >= first]
    bars.write_text("\n".join([lines[0], *young]) + "\n")
    words = ("replay", "--bars", bars, "--from", "2020-04-07", "--accounts", "50", "--policy", "plimsoll")
    ended = plimsoll(*words, "--json")
    assert (ended.status, ended.err) == (0, "")
    assert json.loads(ended.out)["markets"] == ["BTC", "ETH"]


def test_an_earlier_run_is_replaced_and_nothing_else_is(plimsoll, tmp_path):
    assert plimsoll(*REPLAY, "dynamic", "--out", "out", "--quiet").status == 0
    (tmp_path / "out" / "notes.txt").write_text("mine")
    ended = plimsoll(*REPLAY, "plimsoll", "--out", "out", "--quiet")
    assert (ended.status, ended.out, ended.err) == (0, "", "")
    assert (tmp_path / "out" / "notes.txt").read_text() == "mine"
    assert {name for name in left(tmp_path) if "journals" in name} == {
        "out/journals/static.journal",
        "out/journals/plimsoll.journal",
    }
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("mine")
    refused = plimsoll(*REPLAY, "plimsoll", "--out", "other")
    assert refused.status == 2
    assert "[file-exists]" in refused.err
    assert left(tmp_path / "other") == {"thesis.txt"}


def spoil_nan(path: Path) -> None:
    altered(path, 7, cell(5, "NaN"))


def spoil_negative(path: Path) -> None:
    altered(path, 9, cell(4, "-3"))


def spoil_order(path: Path) -> None:
    lines = path.read_text().splitlines()
    lines[5], lines[6] = lines[6], lines[5]
    path.write_text("\n".join(lines) + "\n")


def spoil_duplicate(path: Path) -> None:
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:6], lines[5], *lines[6:]]) + "\n")


def spoil_column(path: Path) -> None:
    path.write_text(
        path.read_text().replace("symbol,ts,open,high,low,close", "symbol,ts,open,high,low,last", 1)
    )


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (spoil_nan, ("[bad-price]", "row 7")),
        (spoil_negative, ("[bad-price]", "row 9")),
        (spoil_order, ("[unsorted-times]", "row 6")),
        (spoil_duplicate, ("[duplicate-times]", "row 6")),
        (spoil_column, ("[missing-column]", "close")),
    ],
)
@pytest.mark.parametrize("command", ["calibrate --out p.json", "replay --from 2020-04-01 --accounts 20"])
def test_bad_bars_are_refused_by_file_and_row(plimsoll, bars, tmp_path, spoil, words, command):
    spoil(bars)
    ended = plimsoll(*command.split(), "--bars", bars)
    assert ended.status == 2
    errors = [line for line in ended.err.splitlines() if line.startswith("error: ")]
    assert errors == ended.err.splitlines()
    assert len(errors) == 1
    assert all(word in errors[0] for word in (*words, "bars.csv"))
    assert left(tmp_path) == {"bars.csv"}


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("replay", "--scenario, --bars: either"),
        ("replay --scenario black-friday", "[unknown-scenario]. Try black-thursday-2020"),
        ("replay --scenario ftx-2022 --policy wishful", "[unknown-policy]. Choose among static"),
        ("replay --scenario ftx-2022 --markets DOGE", "[unknown-market]. Choose among BTC"),
        ("replay --scenario ftx-2022 --from 2022-11-08", "--from: a scenario has its own period"),
        ("replay --scenario ftx-2022 --accounts 0", "[bad-setting]"),
        ("replay --scenario ftx-2022 --accounts many", "Invalid value for '--accounts'"),
        ("replay --scenario ftx-2022 --seed -1", "[bad-setting]"),
        ("replay --bars none.parquet", "none.parquet: no such file [missing-file]"),
        ("replay --bars bars.csv", "[too-little-history]. Begin later with --from"),
        ("replay --bars bars.csv --from 2020-01-03", "[too-little-history]"),
        ("replay --bars bars.csv --from yesterday", "--from: cannot read the date 'yesterday'"),
        ("replay --bars bars.csv --from 2031-01-01", "[empty-range]"),
        ("calibrate", "Missing option '--bars'. See `plimsoll calibrate --help`."),
        ("calibrate --bars bars.csv --markets BTC,BTC", "--markets: cannot read the list"),
        ("calibrate --bars bars.csv --markets DOGE", "[unknown-market]"),
        ("calibrate --bars bars.csv --to 2020-01-05", "[too-little-history]"),
        ("calibrate --bars bars.csv --settings none.toml", "none.toml: cannot be read"),
        ("calibrate --bars bars.csv --settings odd.toml", "unknown field `levle` [bad-setting]"),
        ("calibrate --bars bars.csv --settings wild.toml", "wild.toml $.guard.stress_weight: expected"),
        ("calibrate --bars bars.csv --settings torn.json", "torn.json: is not valid JSON"),
        ("calibrate --bars bars.csv --out bars.csv/p.json", "cannot be written"),
        ("margin --parameters none.json --account none.json", "none.json: cannot be read"),
        ("margin --parameters odd.json --account odd.json", "odd.json: object missing required field"),
        ("fetch --exchange binance --markets BTC/USDT --from soon", "--from: cannot read the date"),
        ("reply", "No such command 'reply'. Did you mean 'replay'. See `plimsoll --help`."),
        ("replay --scenaro x", "See `plimsoll replay --help`."),
    ],
)
def test_bad_requests_end_in_one_line_and_leave_nothing(plimsoll, bars, tmp_path, command, words):
    (tmp_path / "odd.toml").write_text("levle = 0.99\n")
    (tmp_path / "wild.toml").write_text("[guard]\nstress_weight = nan\n")
    (tmp_path / "torn.json").write_text('{"level": 0.9')
    (tmp_path / "odd.json").write_text("{}")
    before = left(tmp_path)
    ended = plimsoll(*command.split())
    assert ended.status == 2
    assert ended.out == ""
    lines = [line for line in ended.err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    assert words in lines[0]
    assert "Traceback" not in ended.err
    assert left(tmp_path) == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a device without room")
def test_output_that_cannot_be_written_ends_in_one_line():
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    with Path("/dev/full").open("w") as full:
        run = subprocess.run(
            [*PROGRAM, "scenarios"],
            env=environment,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert run.returncode == 2
    assert run.stderr == "error: output: no space left on device\n"


@pytest.mark.skipif(os.name != "posix", reason="signals are sent to a process of its own")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_replay_leaves_nothing(tmp_path, number, status):
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    words = [*PROGRAM, "replay", "--scenario", "luna-2022", "--accounts", "20000"]
    with subprocess.Popen(
        words, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("static")
        process.send_signal(number)
        _, err = process.communicate()
    assert process.returncode == status
    assert "Traceback" not in err
    assert left(tmp_path) == set()
