"""Is nothing lost where several reporters begin, replace and sign proposals in one folder at once?"""

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from plimsoll.chain.hashing import address_of
from plimsoll.chain.proposal import Proposal
from plimsoll.errors import Code, PlimsollError

KEYS = [bytes([number]) * 32 for number in (1, 2, 3)]
MEMBERS = tuple(map(address_of, KEYS))
READ = {"domain": b"\x07" * 32, "members": MEMBERS}
CONTRACT: Any = SimpleNamespace(
    connection=SimpleNamespace(chain_id=1), address="0x" + "22" * 20, read=READ.__getitem__
)
FIRST, SECOND, THIRD = ({"rates": [number]} for number in (1, 2, 3))


@pytest.fixture
def proposed(tmp_path):
    """Open the shared folder as another reporter does, and read what is under way."""

    def opened():
        proposal = Proposal(tmp_path, CONTRACT, "9")
        proposal.content()
        return proposal

    return opened


@pytest.mark.parametrize("past", [None, THIRD], ids=["over nothing", "over one whose time has passed"])
def test_of_two_that_begin_at_once_the_second_is_refused_and_the_first_keeps_its_signatures(proposed, past):
    if past:
        proposed().begin(past)
    one, two = proposed(), proposed()
    one.begin(FIRST)
    one.sign(b"first", KEYS[0])
    with pytest.raises(PlimsollError, match="another reporter began") as error:
        two.begin(SECOND)
    assert error.value.code is Code.BAD_SETTING
    late = proposed()
    assert late.content() == FIRST
    assert list(late.signatures(b"first")) == [MEMBERS[0]]


def test_two_that_begin_the_same_at_once_sign_the_same(proposed):
    one, two = proposed(), proposed()
    one.begin(FIRST)
    one.sign(b"first", KEYS[0])
    two.begin({"rates": (1,)})
    two.sign(b"first", KEYS[1])
    assert set(two.signatures(b"first")) == set(MEMBERS[:2])


def test_many_that_begin_at_once_leave_one_that_all_but_its_author_were_told_of(proposed):
    def begin(number):
        try:
            proposals[number].begin({"rates": number})
        except PlimsollError:
            return None
        return number

    proposals = [proposed() for _ in range(16)]
    with ThreadPoolExecutor(max_workers=16) as pool:
        begun = [number for number in pool.map(begin, range(16)) if number is not None]
    assert len(begun) == 1
    assert proposed().content() == {"rates": begun[0]}


def test_a_proposal_that_follows_leaves_the_former_behind_and_counts_none_of_its_signatures(
    proposed, tmp_path
):
    for number in range(12):
        proposal = proposed()
        proposal.begin({"rates": number})
        assert proposal.signatures(b"%d" % number) == {}
        proposal.sign(b"%d" % number, KEYS[2])
        assert list(proposal.signatures(b"%d" % number)) == [MEMBERS[2]]
    assert proposed().content() == {"rates": 11}
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 2, "one to sign, one signature"


def test_a_file_that_is_no_proposal_is_named(proposed, tmp_path):
    proposed().begin(FIRST)
    (path,) = tmp_path.rglob("proposal-*.json")
    path.write_text("{}")
    with pytest.raises(PlimsollError) as error:
        proposed()
    assert error.value.code is Code.UNREADABLE_FILE
    assert error.value.where == str(path)
