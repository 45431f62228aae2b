"""Is a journal whole or refused, and does it lead back to the very state that it led to?"""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plimsoll.domain.events import Deposited, Funded, Listed, Opened, Published, Ticked, Traded
from plimsoll.domain.settings import ClearingRules
from plimsoll.engine.runner import Runner, replayed
from plimsoll.engine.state import digest, restore, snapshot
from plimsoll.errors import Code, PlimsollError
from plimsoll.store.journal import FileJournal, read_journal
from tests.support.venues import LISTINGS, MARKS, TIERS, cross_margin, parameter_set, per_position

COLUMNS = len(LISTINGS)
TAKEN = (3 * 10**9, -(15 * 10**8), 7, 0, 10**6)


def tick(time, factor):
    return Ticked(time, tuple((MARKS * factor).tolist()), (1e6,) * COLUMNS, (0.02,) * COLUMNS)


EVENTS = (
    Listed(1, LISTINGS, ClearingRules()),
    Opened(2, ("keeper", "reporter"), (2 * 10**12, 5 * 10**12)),
    Funded(3, 10**9, 10**13),
    tick(4, 1.0),
    Published(4, parameter_set(per_position())),
    Traded(5, tuple(MARKS.tolist()), ("keeper", "reporter"), (TAKEN, tuple(-2 * lots for lots in TAKEN))),
    Deposited(6, ("keeper",), (-(10**15),)),
    Deposited(7, ("nobody",), (5,)),
    Published(3_600_000, parameter_set(TIERS, 2)),
    tick(3_700_000, 1.31),
    Published(7_200_000, parameter_set(cross_margin(), 3)),
    tick(7_300_000, 0.4),
    tick(9_300_000, 0.6),
)
SETTLED = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


def written(path):
    with FileJournal(path) as journal:
        runner = Runner(journal)
        for event in EVENTS:
            try:
                runner.run(event)
            except PlimsollError:
                assert event == EVENTS[7]
    return runner.state, journal.digest()


def test_a_journal_read_back_leads_to_the_same_digest(tmp_path):
    state, name = written(tmp_path / "journal")
    assert tuple(read_journal(tmp_path / "journal")) == EVENTS
    assert digest(replayed(read_journal(tmp_path / "journal"))) == digest(state)
    assert written(tmp_path / "again")[1] == name
    assert (tmp_path / "again").read_bytes() == (tmp_path / "journal").read_bytes()


@pytest.mark.parametrize("place", range(len(EVENTS) + 1))
def test_resuming_from_a_snapshot_anywhere_gives_the_same_digest(place):
    kept = snapshot(replayed(EVENTS[:place]))
    assert snapshot(restore(kept)) == kept
    assert digest(replayed(EVENTS[place:], restore(kept))) == digest(replayed(EVENTS))


def test_the_journal_of_these_tests_holds_forced_selling():
    states = [replayed(EVENTS[:place]) for place in range(len(EVENTS) + 1)]
    sold = [not np.array_equal(a.book.lots, b.book.lots) for a, b in pairwise(states[6:])]
    assert sum(sold) >= 3


def test_another_event_or_another_order_gives_another_digest():
    swapped = (*EVENTS[:2], EVENTS[3], *EVENTS[4:])
    assert digest(replayed(swapped)) != digest(replayed(EVENTS))
    assert digest(replayed(EVENTS[:-1])) != digest(replayed(EVENTS))


def broken(path, record):
    with pytest.raises(PlimsollError) as refusal:
        list(read_journal(path))
    assert refusal.value.code is Code.BROKEN_JOURNAL
    assert refusal.value.where == f"{path}, record {record}"


def ends_of_records(path):
    """Find where each record ends, from the lengths alone; the first entry is the header's end."""
    blob, ends = path.read_bytes(), [len(b"plimsoll-journal-1\n")]
    while ends[-1] < len(blob):
        ends.append(ends[-1] + 8 + int.from_bytes(blob[ends[-1] : ends[-1] + 4], "little"))
    return ends


@SETTLED
@given(cut=st.integers(0, 10**6))
def test_a_torn_tail_is_found_at_its_record(tmp_path, cut):
    written(tmp_path / "whole")
    ends, blob = ends_of_records(tmp_path / "whole"), (tmp_path / "whole").read_bytes()
    cut %= len(blob)
    path = tmp_path / "torn"
    path.write_bytes(blob[:cut])
    if cut in ends:
        assert tuple(read_journal(path)) == EVENTS[: ends.index(cut)]
    else:
        broken(path, 0 if cut < ends[0] else sum(end <= cut for end in ends))


@SETTLED
@given(place=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_a_flipped_bit_is_found_at_its_record(tmp_path, place, bit):
    written(tmp_path / "whole")
    ends, blob = ends_of_records(tmp_path / "whole"), bytearray((tmp_path / "whole").read_bytes())
    place %= len(blob)
    blob[place] ^= 1 << bit
    path = tmp_path / "flipped"
    path.write_bytes(blob)
    broken(path, 0 if place < ends[0] else sum(end <= place for end in ends))


@pytest.mark.parametrize("tail", [b"\0", b"\0" * 8, b"\0" * 4096, b"\0\0\0", b"\5\0\0\0"])
def test_a_tail_of_zeroes_is_no_record(tmp_path, tail):
    written(tmp_path / "journal")
    path = tmp_path / "padded"
    path.write_bytes((tmp_path / "journal").read_bytes() + tail)
    broken(path, len(EVENTS) + 1)


def test_a_whole_record_that_is_no_event_is_refused_by_number(tmp_path):
    with FileJournal(tmp_path / "journal") as journal:
        journal.append(EVENTS[0])
        journal.append({"type": "levitated", "time": 5})  # type: ignore[arg-type]
    broken(tmp_path / "journal", 2)


def interrupted(path):
    with FileJournal(path) as journal:
        journal.append(EVENTS[0])
        raise RuntimeError("power")


def test_an_error_while_writing_leaves_no_file_and_keeps_the_old_one(tmp_path):
    written(tmp_path / "kept")
    before = (tmp_path / "kept").read_bytes()
    for name in ("fresh", "kept"):
        with pytest.raises(RuntimeError, match="power"):
            interrupted(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert (tmp_path / "kept").read_bytes() == before


def test_an_event_out_of_order_is_journaled_and_refused_again(tmp_path):
    with FileJournal(tmp_path / "journal") as journal:
        runner = Runner(journal)
        runner.run(EVENTS[0])
        runner.run(EVENTS[1])
        with pytest.raises(PlimsollError):
            runner.run(Opened(1, ("late",), (1,)))
    assert digest(replayed(read_journal(tmp_path / "journal"))) == digest(runner.state)
