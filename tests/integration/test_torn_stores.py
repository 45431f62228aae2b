"""Does a store whose files were cut short or altered give back whole groups, or refuse, and nothing else?"""

import shutil
import sqlite3
from contextlib import closing

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from plimsoll.engine.runner import replayed
from plimsoll.engine.state import digest
from plimsoll.errors import Code, PlimsollError
from plimsoll.store.location import open_store
from plimsoll.store.records import Entry
from plimsoll.store.recovery import recover
from tests.support.stores import entries, events

COUNT = 30
DIGESTS = [digest(replayed(events(count))) for count in range(COUNT + 1)]


@pytest.fixture(scope="module")
def torn(tmp_path_factory):
    """Write groups of events and copy the files as a power cut would leave them: nothing is checkpointed."""
    folder = tmp_path_factory.mktemp("torn")
    store = open_store(folder / "venue.sqlite", writing=True)
    written = entries(COUNT)
    for start in range(0, COUNT, 3):
        store.append(written[start : start + 3])
    kept = folder / "kept"
    kept.mkdir()
    for name in ("venue.sqlite", "venue.sqlite-wal"):
        shutil.copy(folder / name, kept / name)
    store.close()
    closed = folder / "closed"
    closed.mkdir()
    shutil.copy(folder / "venue.sqlite", closed / "venue.sqlite")
    return folder


def left_over(source, name, damage, folder):
    """Damage a copy of one file and return how many records are there, or the code of the refusal."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(source, folder)
    path = folder / name
    path.write_bytes(damage(path.read_bytes()))
    try:
        with closing(open_store(folder / "venue.sqlite", writing=True)) as store:
            return sound_records(store)
    except PlimsollError as refusal:
        return refusal.code


def sound_records(store):
    """Hold what is there to the events that were written, and write the rest again."""
    assert [Entry(r.event, r.key, r.writer) for r in store.read()] == entries(store.last().sequence)
    recovered = recover(store)
    assert digest(recovered.state) == DIGESTS[recovered.position.sequence]
    again = store.append(entries(COUNT))
    assert [receipt.sequence for receipt in again] == list(range(1, COUNT + 1))
    return recovered.position.sequence


TORN = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
REFUSED = {Code.BROKEN_JOURNAL, Code.STORE_FAILED}


@TORN
@given(share=st.floats(0.0, 1.0))
@example(share=1.0)
@example(share=0.0)
def test_a_log_cut_short_anywhere_leaves_whole_groups(torn, tmp_path, share):
    left = left_over(
        torn / "kept", "venue.sqlite-wal", lambda blob: blob[: int(share * len(blob))], tmp_path / "cut"
    )
    assert left == COUNT if share == 1.0 else left in range(0, COUNT, 3)


def test_an_index_that_disagrees_with_its_table_is_refused_before_a_key_can_come_twice(torn, tmp_path):
    folder = shutil.copytree(torn / "closed", tmp_path / "disagreeing")
    with closing(sqlite3.connect(folder / "venue.sqlite")) as database:
        (root,) = database.execute(
            "SELECT rootpage FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'journal'"
        ).fetchone()
        (size,) = database.execute("PRAGMA page_size").fetchone()
    key = max(entry.key for entry in entries(COUNT) if entry.key is not None)
    blob = bytearray((folder / "venue.sqlite").read_bytes())
    page = slice((root - 1) * size, root * size)
    assert key.encode() in blob[page]
    blob[page] = bytes(blob[page]).replace(key.encode(), b"~" * len(key), 1)
    (folder / "venue.sqlite").write_bytes(blob)
    with pytest.raises(PlimsollError, match="whole store"):
        open_store(folder / "venue.sqlite", writing=True)


@TORN
@given(place=st.integers(0, 10**9), bit=st.integers(0, 7))
def test_a_bit_flipped_in_the_log_leaves_whole_groups(torn, tmp_path, place, bit):
    left = left_over(torn / "kept", "venue.sqlite-wal", flip(place, bit), tmp_path / "flipped")
    assert left in range(0, COUNT + 1, 3)


@TORN
@given(share=st.floats(0.0, 1.0, exclude_max=True))
def test_a_database_cut_short_anywhere_is_refused_or_empty(torn, tmp_path, share):
    left = left_over(
        torn / "closed", "venue.sqlite", lambda blob: blob[: int(share * len(blob))], tmp_path / "cut"
    )
    assert left in {*REFUSED, 0}


@TORN
@given(place=st.integers(0, 10**9), bit=st.integers(0, 7))
def test_a_bit_flipped_in_the_database_is_refused_or_harmless(torn, tmp_path, place, bit):
    left = left_over(torn / "closed", "venue.sqlite", flip(place, bit), tmp_path / "flipped")
    assert left in {*REFUSED, *range(COUNT + 1)}


def flip(place, bit):
    def damage(blob):
        flipped = bytearray(blob)
        flipped[place % len(blob)] ^= 1 << bit
        return bytes(flipped)

    return damage
