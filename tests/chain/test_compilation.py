"""Are contracts compiled once per state of their sources, and does a change anywhere beneath them count?"""

import sys

import pytest

from plimsoll.chain import compilation
from plimsoll.chain.compilation import compile_contract, source_digest, sources
from plimsoll.errors import Code, PlimsollError
from tests.support.evm import Chain, RevertError

LIBRARY = """# pragma version ~=0.4.3
@internal
@pure
def _twice(x: uint256) -> uint256:
    return 2 * x
"""
DEPLOYABLE = """# pragma version ~=0.4.3
import doubling
event Doubled:
    who: indexed(address)
    result: uint256
@external
def twice(x: uint256) -> uint256:
    assert x > 0, "twice: nothing"
    result: uint256 = doubling._twice(x)
    log Doubled(who=msg.sender, result=result)
    return result
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "doubling.vy").write_text(LIBRARY, encoding="utf-8")
    (tmp_path / "Twice.vy").write_text(DEPLOYABLE, encoding="utf-8")
    return tmp_path


def test_a_second_call_reads_what_the_first_one_left(folder, monkeypatch):
    cache = folder / "cache"
    first = compile_contract("Twice", roots=(folder,), cache=cache)

    def refuse(*_):
        raise AssertionError("compiled again")

    monkeypatch.setattr(compilation, "_compiled", refuse)
    assert compile_contract("Twice", roots=(folder,), cache=cache) == first
    assert [path.suffix for path in cache.iterdir()] == [".json"], "no half-written file is left"


def test_a_change_in_a_library_beneath_a_contract_makes_a_new_digest(folder):
    before = source_digest("Twice", (folder,))
    assert [path.name for path in sources("Twice", (folder,))] == ["Twice.vy", "doubling.vy"]
    (folder / "doubling.vy").write_text(LIBRARY.replace("2 * x", "3 * x"), encoding="utf-8")
    assert source_digest("Twice", (folder,)) != before


def test_a_deployed_contract_answers_logs_and_says_why_it_reverts(folder):
    chain = Chain()
    contract = chain.deploy(compile_contract("Twice", roots=(folder,)))
    assert contract.call("twice", 21, sender="trader") == 42
    (event,) = contract.events()
    assert (event.name, event.fields["result"]) == ("Doubled", 42)
    with pytest.raises(RevertError, match=r"^twice: nothing$"):
        contract.call("twice", 0)
    with pytest.raises(RevertError, match=r"^$"):
        contract.call("twice", 2**255)


def test_a_source_that_is_not_there_is_named(folder):
    with pytest.raises(PlimsollError) as caught:
        compile_contract("Thrice", roots=(folder,))
    assert caught.value.code is Code.MISSING_FILE


def test_without_the_compiler_the_extra_is_named(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "vyper.compiler", None)
    with pytest.raises(PlimsollError) as caught:
        compile_contract("Twice", roots=(folder,))
    assert caught.value.code is Code.MISSING_EXTRA
    assert "plimsoll-margin[chain]" in caught.value.remedy
