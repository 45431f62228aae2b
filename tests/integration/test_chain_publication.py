"""Does a set come to hold on a real node, once, signed by a quorum, and does verify agree with it?"""

import itertools
import json
import math
from dataclasses import replace

import msgspec
import pytest

from plimsoll.chain import verification
from plimsoll.chain.connection import Connection, read_key
from plimsoll.chain.hashing import address_of
from plimsoll.chain.mirror import mirrored
from plimsoll.chain.option_terms import listing_of
from plimsoll.chain.projection import digest_of, evidence_of, market_name
from plimsoll.chain.publisher import Outcome
from plimsoll.chain.standing import standing
from plimsoll.chain.twin.rates import ONE
from plimsoll.chain.verification import verify
from plimsoll.cli import application
from plimsoll.errors import Code, PlimsollError
from tests.support.evm import ARTEFACTS
from tests.support.protocols import BEGIN, E6, EXPIRY, KEYS, Protocol, parameter_set
from tools.anvil import ANVIL, running
from tools.protocol_gas import SNAPSHOT, measured

pytestmark = pytest.mark.skipif(not ANVIL.is_file(), reason="anvil is not installed: run make setup")


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    with running(BEGIN) as rpc:
        yield Protocol(rpc, tmp_path_factory.mktemp("chain"))


def test_a_set_is_published_by_whoever_completes_the_quorum_and_only_once(chain):
    chain.wait(3_600)
    now = chain.deployer.block()[1]
    parameters = parameter_set(2, 0.0515, now)
    contract = chain.deployment.bound(chain.deployer, "parameters")
    nonce = contract.read("nonce")
    stranger = chain.publish("trader", parameters)
    assert (stranger.outcome, stranger.signers) == (Outcome.WAITING, ())
    first = chain.publish("one", parameters)
    again = chain.publish("one", parameters)
    assert first.outcome is again.outcome is Outcome.WAITING
    assert first.signers == again.signers == (chain.lines["one"].sender,)
    other = parameter_set(2, 0.0516, now)
    with pytest.raises(PlimsollError) as error:
        chain.publish("two", other)
    assert error.value.code is Code.BAD_SETTING, "a reporter signs only what its own set says"
    done = chain.publish("two", parameters)
    assert done.outcome is Outcome.ACCEPTED
    assert len(done.signers) == 2
    assert contract.read("digest") == digest_of(parameters)
    assert contract.read("evidence") == evidence_of(parameters)
    late = chain.publish("three", parameters)
    assert (late.outcome, late.gas) == (Outcome.IN_FORCE, 0)
    assert contract.read("nonce") == nonce + 1


def test_what_holds_on_chain_is_never_below_the_set(chain):
    _, long, short = chain.deployment.bound(chain.deployer, "parameters").read("stored", market_name("BTC"))
    assert long[1] / ONE >= 0.0515
    assert short[1] / ONE >= 0.0515 * 0.9
    assert all(later >= earlier for side in (long, short) for earlier, later in itertools.pairwise(side))


def test_a_set_that_moves_too_fast_is_refused_with_the_contracts_reason(chain):
    chain.wait(60)
    fast = parameter_set(3, 0.08, chain.deployer.block()[1])
    chain.publish("one", fast)
    with pytest.raises(PlimsollError, match="parameters: rises too fast") as error:
        chain.publish("two", fast)
    assert error.value.code is Code.CHAIN_REFUSED


def test_verify_holds_contract_twin_and_engine_alike(chain):
    trader = chain.lines["trader"]
    chain.quote.send("mint", trader.sender, 1_000 * E6)
    chain.ether.send("mint", trader.sender, 10**18)
    house = chain.deployment.bound(trader, "house")
    house.send("deposit", 999 * E6)
    house.send("deposit_collateral", 0, 10**18)
    chain.tick(BTC=49_000.5, ETH=2_401.25)
    found = verify(chain.deployer, chain.deployment)
    assert found.agrees
    assert found.balance == 999 * E6
    (account,) = found.accounts
    assert account.figures[0].contract == 999 * E6 + 2_401_250_000 * 85 // 100
    now = standing(chain.deployer, chain.deployment)
    assert (now.accounts, now.listing) == (1, ())


def test_nobody_may_list_anything_once_deployment_is_done(chain):
    """Not the deployer either: the engine's only master is the desk, and the desk obeys the quorum."""
    deployer, zero = chain.deployer, "0x" + "00" * 20
    for part in ("oracle", "parameters", "desk", "requirements", "house"):
        assert chain.deployment.bound(deployer, part).read("lister") == zero
        with pytest.raises(PlimsollError, match="not the lister"):
            chain.deployment.bound(deployer, part).send("close_listing")
    engine, desk = (chain.deployment.bound(deployer, part) for part in ("engine", "desk"))
    assert engine.read("GOVERNOR") == engine.read("PUBLISHER") == desk.address
    for name, arguments in (("list_board", (0, 1, [])), ("set_range", (0, 60_000)), ("resume", ())):
        with pytest.raises(PlimsollError, match="engine: not the governor"):
            engine.send(name, *arguments)
    assert engine.read("spread", 0) == math.ceil(0.05123456789012 * 10**6), "the rate in force"
    assert engine.read("spread", 1) == 0, "a market without options is not open"


def test_verify_reprices_options_off_chain_and_finds_the_contract_on_the_safe_side(chain):
    """A written call, a bought put and their hedge; packed rows first, then rows too old to count."""
    chain.options(
        ("BTC-PERP", f"{EXPIRY}-52000-C", f"{EXPIRY}-47000-P"),
        chain.quotes(BTC_10JAN26_52000_C=0.65, BTC_10JAN26_47000_P=0.7),
    )
    makers = {name: chain.lines[name] for name in ("one", "two")}
    for line in makers.values():
        chain.quote.send("mint", line.sender, 10**6 * E6)
        chain.deployment.bound(line, "house").send("deposit", 10**6 * E6)
    trades = ((1, -5_000, 0.9), (2, 3_000, 0.8), (0, 1_500, 49.0), (1 << 13, 900, 2.4))
    for instrument, lots, dollars in trades:
        chain.trade("one", "two", instrument, lots, dollars)
    for wait in (0, 5_000, 20_000):
        chain.wait(wait)
        found = verify(chain.deployer, chain.deployment)
        assert found.agrees
        checked = {check.account: {f.name: f for f in check.figures} for check in found.accounts}
        for line in makers.values():
            for figure in checked[line.sender].values():
                assert figure.contract == figure.twin
                assert figure.engine > 0
                assert 0 < figure.bound < E6 // 1_000, "the bound means something: a thousandth of a dollar"
        assert checked[makers["one"].sender]["maintenance"].contract > 10 * E6


def test_verify_holds_while_one_side_of_an_expired_option_is_settled_and_the_other_is_not(chain):
    house = chain.deployment.bound(chain.lines["three"], "house")
    chain.wait(listing_of(f"{EXPIRY}-52000-C", "BTC").expiry - chain.deployer.block()[1])
    chain.tick(BTC=56_000, ETH=2_400)
    house.send("fix_settlement", 1)
    house.send("settle", chain.lines["two"].sender, 1)
    found = verify(chain.deployer, chain.deployment)
    assert found.agrees
    assert found.unsettled == -5_000 * 4 * E6, "the writer of five bitcoin is still to pay 4,000 on each"
    house.send("settle", chain.lines["one"].sender, 1)
    found = verify(chain.deployer, chain.deployment)
    assert (found.agrees, found.unsettled) == (True, 0)


def test_verify_sees_an_account_that_is_margined_for_a_hundredth_of_a_dollar_too_little(chain, monkeypatch):
    whole = mirrored

    def less(connection, deployment):
        mirror = whole(connection, deployment)
        exact = [each._replace(maintenance=max(each.maintenance - 10_000, 0)) for each in mirror.exact]
        said = dict(zip((holding.account for holding in mirror.holdings), exact, strict=True))
        monkeypatch.setattr(mirror.margin, "assess_exactly", lambda _block, who, *_: said[who])
        return replace(mirror, exact=tuple(exact))

    monkeypatch.setattr(verification, "mirrored", less)
    found = verify(chain.deployer, chain.deployment)
    wrong = [figure.name for check in found.accounts for figure in check.figures if not figure.agrees]
    assert wrong == ["maintenance"] * 2, "contract and twin are alike, and both are wrong"
    assert not found.agrees


def test_commands_answer_and_never_show_a_key(chain, monkeypatch, capsys, tmp_path):
    key = tmp_path / "trader.key"
    key.write_text(KEYS["trader"].hex())
    parameters = tmp_path / "parameters.json"
    parameters.write_bytes(msgspec.json.encode(parameter_set(4, 0.0516, chain.deployer.block()[1])))
    (tmp_path / "plimsoll").mkdir()
    (tmp_path / "plimsoll" / "contracts").symlink_to(ARTEFACTS)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    common = ["--rpc", chain.rpc, "--deployment", str(chain.folder / "deployment.json")]
    publication = ["--parameters", str(parameters), "--key-file", str(key), "--proposals", str(tmp_path)]
    said = ""
    for words in (["status", *common], ["verify", *common, "--json"], ["publish", *common, *publication]):
        monkeypatch.setattr("sys.argv", ["plimsoll", "chain", *words])
        assert application._status() == 0, capsys.readouterr().err
        said += capsys.readouterr().out
    assert "waiting for signatures" in said
    assert KEYS["trader"].hex() not in said
    key.write_text("a secret that is no key")
    with pytest.raises(PlimsollError) as error:
        read_key(key)
    assert error.value.code is Code.BAD_KEY
    assert "secret" not in str(error.value)


SLACK = 0.01
"""Share by which gas may differ: zero bytes in signatures and addresses are cheaper than others."""
MOST_PER_MARKET, MOST_PER_OBSERVATION, MOST_PER_ROW = 60_000, 30_000, 20_000
"""Promised: an observation of one feed, beyond the transaction's own 21,000, or all in for each of five."""


def test_gas_is_what_the_snapshot_says_and_within_what_is_promised():
    kept = json.loads(SNAPSHOT.read_text(encoding="utf-8"))
    with running(BEGIN) as rpc:
        found = measured(rpc)
    assert found.keys() == kept.keys()
    for name, gas in found.items():
        assert math.isclose(gas, kept[name], rel_tol=SLACK), f"{name}: run python -m tools.protocol_gas"
    assert found["update, each further market"] <= MOST_PER_MARKET
    assert found["publication through the desk, per row of 104, 3 signatures, total"] <= MOST_PER_ROW
    assert found["observe, 1 feeds, beyond the transaction's own"] <= MOST_PER_OBSERVATION
    assert found["observe_many, 1 feeds, per market of 5, all in"] <= MOST_PER_OBSERVATION


def test_a_node_that_does_not_answer_is_named(monkeypatch):
    monkeypatch.setattr("plimsoll.chain.connection._FIRST_WAIT", 0.0)
    with pytest.raises(PlimsollError) as error:
        Connection("http://127.0.0.1:1")
    assert error.value.code is Code.CHAIN_FAILED


def test_the_keys_of_this_test_belong_to_different_people():
    assert len({address_of(key) for key in KEYS.values()}) == len(KEYS)
