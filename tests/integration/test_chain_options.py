"""Do listings and quotes of options come to hold on a real node, once, signed by a quorum?"""

import json
from datetime import timedelta

import msgspec
import pytest

from plimsoll.chain.option_publisher import BoardPlan, list_options, publish_options
from plimsoll.chain.publisher import Outcome
from plimsoll.chain.standing import standing
from plimsoll.cli import application
from plimsoll.domain.quotes import market_of
from plimsoll.errors import Code, PlimsollError
from tests.support.evm import ARTEFACTS
from tests.support.protocols import BEGIN, EXPIRY, KEYS, Protocol, parameter_set
from tools.anvil import ANVIL, running

pytestmark = pytest.mark.skipif(not ANVIL.is_file(), reason="anvil is not installed: run make setup")

NAMES = ("BTC-PERP", f"{EXPIRY}-52000-C", f"{EXPIRY}-47000-P")
BOARD = BoardPlan(market="BTC", instruments=NAMES)
VOLATILITIES = {"BTC_10JAN26_52000_C": 0.65, "BTC_10JAN26_47000_P": 0.7}


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    with running(BEGIN) as rpc:
        yield Protocol(rpc, tmp_path_factory.mktemp("chain"))


def listed(chain, name, plan=BOARD):
    return list_options(chain.lines[name], chain.deployment, plan, [KEYS[name]], chain.folder / "shared")


def published(chain, name, quotes):
    quoted, keys = market_of(quotes, "quotes"), [KEYS[name]]
    line, folder = chain.lines[name], chain.folder / "shared"
    return publish_options(line, chain.deployment, ("BTC", 0), quoted, keys, folder)


def refused(act, *arguments):
    with pytest.raises(PlimsollError) as error:
        act(*arguments)
    return error.value.code


def test_a_board_is_listed_by_whoever_completes_the_quorum_and_only_once(chain):
    assert refused(published, chain, "one", chain.quotes(**VOLATILITIES)) is Code.BAD_SETTING, (
        "nothing listed"
    )
    wrong = msgspec.structs.replace(BOARD, instruments=("ETH-PERP",))
    assert refused(listed, chain, "one", wrong) is Code.UNKNOWN_INSTRUMENT
    assert listed(chain, "trader").signers == ()
    first, again = listed(chain, "one"), listed(chain, "one")
    assert first.outcome is again.outcome is Outcome.WAITING
    assert first.signers == again.signers == (chain.lines["one"].sender,)
    other = msgspec.structs.replace(BOARD, instruments=NAMES[:2])
    assert refused(listed, chain, "two", other) is Code.BAD_SETTING, "a reporter signs only its own terms"
    done = listed(chain, "two")
    assert (done.outcome, done.instruments, len(done.signers)) == (Outcome.ACCEPTED, 3, 2)
    late = listed(chain, "three")
    assert (late.outcome, late.gas) == (Outcome.IN_FORCE, 0)
    assert [board.state for board in standing(chain.deployer, chain.deployment).boards] == ["not published"]


def test_quotes_are_published_by_whoever_completes_the_quorum_and_only_once(chain):
    quotes = chain.quotes(**VOLATILITIES)
    assert refused(published, chain, "one", chain.quotes(BTC_10JAN26_52000_C=0.65)) is Code.MISSING_VOLATILITY
    assert published(chain, "one", quotes).outcome is Outcome.WAITING
    other = msgspec.structs.replace(quotes, volatilities=dict.fromkeys(quotes.volatilities, 0.66))
    assert refused(published, chain, "two", other) is Code.BAD_SETTING, "a reporter signs only its own quotes"
    done = published(chain, "two", quotes)
    assert (done.outcome, len(done.signers)) == (Outcome.ACCEPTED, 2)
    assert published(chain, "three", quotes).outcome is Outcome.IN_FORCE
    past = msgspec.structs.replace(quotes, time=quotes.time - timedelta(seconds=30))
    assert refused(published, chain, "three", past) is Code.BAD_SETTING, "the board holds later ones"
    engine = chain.deployment.bound(chain.deployer, "engine")
    for row in range(len(NAMES)):
        engine.send("challenge", 0, 0, row)
    (board,) = standing(chain.deployer, chain.deployment).boards
    assert (board.instruments, board.state) == (3, "rows count"), "no challenge refutes a row"


def test_quotes_that_move_too_fast_are_refused_with_the_contracts_reason(chain):
    chain.wait(60)
    fast = chain.quotes(BTC_10JAN26_52000_C=0.9, BTC_10JAN26_47000_P=0.7)
    published(chain, "one", fast)
    with pytest.raises(PlimsollError, match="desk: volatility rises too fast") as error:
        published(chain, "two", fast)
    assert error.value.code is Code.CHAIN_REFUSED


def test_rows_follow_the_range_when_the_rates_have_left_it(chain):
    for version, maintenance in ((2, 0.0532), (3, 0.0552)):
        chain.wait(4 * 3_600)
        parameters = parameter_set(version, maintenance, chain.deployer.block()[1])
        for name in ("one", "two"):
            chain.publish(name, parameters)
    engine = chain.deployment.bound(chain.deployer, "engine")
    before = engine.read("spread", 0)
    quotes = chain.quotes(**VOLATILITIES)
    assert published(chain, "one", quotes).outcome is Outcome.WAITING
    assert published(chain, "two", quotes).outcome is Outcome.ACCEPTED
    assert engine.read("spread", 0) == 55_200 > before
    engine.send("challenge", 0, 0, 1)
    assert standing(chain.deployer, chain.deployment).boards[0].state == "rows count"


def test_an_expired_row_keeps_its_forward_within_the_bounds_while_others_go_on(chain):
    """What expired is no longer quoted; the desk closes its forward in on spot, and so do the quotes."""
    chain.wait(10 * 86_400)
    quotes = chain.quotes()
    assert published(chain, "one", quotes).outcome is Outcome.WAITING
    assert published(chain, "two", quotes).outcome is Outcome.ACCEPTED


def test_the_commands_list_publish_and_show_a_board(chain, monkeypatch, capsys, tmp_path):
    paths = {name: tmp_path / f"{name}.key" for name in ("one", "two")}
    for name, path in paths.items():
        path.write_text(KEYS[name].hex())
    (tmp_path / "plimsoll").mkdir()
    (tmp_path / "plimsoll" / "contracts").symlink_to(ARTEFACTS)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "board.toml").write_text('market = "BTC"\nboard = 1\ninstruments = ["BTC-30JAN26-50000-C"]\n')
    spot, moment = chain.quotes().prices["BTC"], chain.quotes().time.isoformat()
    document = {
        "time": moment,
        "prices": {"BTC": spot, "BTC-30JAN26": spot * 1.002},
        "volatilities": {"BTC-30JAN26-50000-C": 0.6},
    }
    (tmp_path / "quotes.json").write_text(json.dumps(document))
    common = ["--rpc", chain.rpc, "--deployment", str(chain.folder / "deployment.json")]
    keys = ["--key-file", str(paths["one"]), "--reporter", str(paths["two"]), "--proposals", str(tmp_path)]
    said = []
    for words in (
        ["list-options", *common, *keys, "--board", str(tmp_path / "board.toml")],
        [
            "publish-options",
            *common,
            *keys,
            "--quotes",
            str(tmp_path / "quotes.json"),
            "--market",
            "BTC",
            "--board",
            "1",
        ],
        ["status", *common],
    ):
        monkeypatch.setattr("sys.argv", ["plimsoll", "chain", *words])
        assert application._status() == 0, capsys.readouterr().err
        said.append(capsys.readouterr().out)
    assert all("BTC, board 1, 1 instruments: accepted, 2 of 2 signatures" in out for out in said[:2])
    assert "BTC, board 1: 1 instruments" in said[2]
    assert "rows count" in said[2]
    assert not any(key.hex() in out for key in KEYS.values() for out in said)
