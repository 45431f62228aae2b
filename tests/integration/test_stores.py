"""Does every kind of store keep what it acknowledged: once, in order, checked, and back to the same state?"""

import hashlib
import struct
from pathlib import Path

import msgspec
import pytest

from plimsoll.domain.events import Funded
from plimsoll.engine.runner import replayed
from plimsoll.engine.state import digest, snapshot
from plimsoll.errors import Code, PlimsollError
from plimsoll.store.database import Command
from plimsoll.store.location import open_store
from plimsoll.store.postgres import PostgresDatabase
from plimsoll.store.records import GENESIS, Entry, Position, Receipt
from plimsoll.store.recovery import recover
from plimsoll.store.sqlite import SqliteDatabase
from tests.support.stores import entries, events

COUNT = 60
"""Beyond the opening, with refusals, trades and ticks among them."""


@pytest.fixture
def store(location):
    opened = open_store(location, writing=True)
    yield opened
    opened.close()


def database(location):
    if location.startswith("postgresql"):
        return PostgresDatabase(location, writing=True)
    return SqliteDatabase(Path(location), writing=True)


def refused(code, call):
    with pytest.raises(PlimsollError) as refusal:
        call()
    assert refusal.value.code is code
    return refusal.value


def kept(store):
    """Save what the journal leads to, as a venue does from time to time."""
    recovered = recover(store)
    state = snapshot(recovered.state)
    store.save_snapshot(recovered.position.sequence, state, digest(recovered.state))
    return state


def test_a_new_store_begins_at_the_genesis(store):
    assert store.last() == store.base() == GENESIS
    assert list(store.read()) == []
    assert store.latest_snapshot() is None


def test_what_was_written_together_or_apart_is_read_in_order(store):
    written = entries(COUNT)
    assert store.append(written[:1]) == (Receipt(1, repeated=False),)
    assert store.append([]) == ()
    receipts = store.append(written[1:])
    assert [receipt.sequence for receipt in receipts] == list(range(2, COUNT + 1))
    records = list(store.read())
    assert [Entry(record.event, record.key, record.writer) for record in records] == written
    assert records[-1].position == store.last()
    assert [record.sequence for record in store.read(after=COUNT - 2)] == [COUNT - 1, COUNT]


def test_more_records_than_a_page_or_a_statement_holds_are_read_in_order(store):
    many = [Entry(Funded(number, number, 0), f"k{number}") for number in range(1_300)]
    store.append(many)
    assert [record.event.fund for record in store.read()] == list(range(1_300))
    assert [receipt.repeated for receipt in store.append(many)] == [True] * 1_300


def test_a_key_seen_before_gives_the_first_sequence_and_writes_nothing(store):
    first, second, other = (Entry(Funded(time, time, 0), key) for time, key in ((1, "a"), (2, "b"), (3, "a")))
    assert store.append([first, second, other]) == (
        Receipt(1, repeated=False),
        Receipt(2, repeated=False),
        Receipt(1, repeated=True),
    )
    assert store.append([other, Entry(Funded(4, 4, 0))]) == (
        Receipt(1, repeated=True),
        Receipt(3, repeated=False),
    )
    assert [record.event.fund for record in store.read()] == [1, 2, 4]


def test_entries_without_a_key_are_written_each_time(store):
    same = Entry(Funded(1, 1, 0))
    store.append([same, same])
    assert len(list(store.read())) == 2


def test_each_digest_is_that_of_the_definition(store):
    """The definition on the page of the journal's format, in other words than the program's."""
    store.append([*entries(COUNT), Entry(Funded(1, 1, 0))])
    before = hashlib.sha256(b"plimsoll-journal-2").digest()
    for number, record in enumerate(store.read(), start=1):
        parts = [(record.key or "").encode(), record.writer.encode(), msgspec.msgpack.encode(record.event)]
        message = before + struct.pack(">Q", number)
        message += b"".join(struct.pack(">I", len(part)) + part for part in parts)
        before = hashlib.sha256(message).digest()
        assert record.digest == before.hex()
    assert store.last() == Position(COUNT + 1, before.hex())


def test_what_was_written_is_there_when_the_store_is_opened_again(store, location):
    store.append(entries(COUNT))
    last = store.last()
    store.close()
    again = open_store(location, writing=True)
    assert again.last() == last
    assert again.append(entries(COUNT + 1))[-2:] == (
        Receipt(COUNT, repeated=True),
        Receipt(COUNT + 1, repeated=False),
    )
    again.close()


def test_a_second_writer_is_refused_and_a_reader_is_not(store, location, monkeypatch):
    monkeypatch.setattr("plimsoll.store.postgres._TAKEOVER", 50)
    store.append(entries(3))
    refused(Code.STORE_IN_USE, lambda: open_store(location, writing=True))
    reader = open_store(location, writing=False)
    assert [record.sequence for record in reader.read()] == [1, 2, 3]
    store.append(entries(5))
    assert reader.last().sequence == 5
    refused(Code.STORE_FAILED, lambda: reader.append(entries(6)))
    assert store.last().sequence == 5
    reader.close()


def test_a_reader_of_no_store_is_refused(location):
    missing = refused(Code.MISSING_FILE, lambda: open_store(location, writing=False))
    assert "no such store" in str(missing)


def test_the_state_is_rebuilt_to_the_digest_of_a_run_that_never_stopped(store):
    never_stopped = digest(replayed(events(COUNT)))
    written = entries(COUNT)
    for start, end in ((0, 7), (7, 8), (8, 31), (31, COUNT)):
        store.append(written[start:end])
        kept(store)
        assert recover(store).replayed == 0
    recovered = recover(store)
    assert digest(recovered.state) == never_stopped
    assert recovered.position == store.last()


def test_the_events_of_these_tests_are_partly_refused_and_partly_not():
    taken = replayed(events(COUNT)).sequence
    assert COUNT / 2 < taken < COUNT


@pytest.mark.parametrize("margin", [0, 3, 1_000])
def test_dropping_what_is_old_leaves_state_margin_and_chain(store, margin, monkeypatch):
    monkeypatch.setattr("plimsoll.store.durable._DROPPED", 4)
    store.append(entries(20))
    kept(store)
    store.append(entries(30))
    kept(store)
    store.append(entries(COUNT))
    last, base = store.last(), max(0, 30 - margin)
    assert store.drop_old(margin) == base
    assert store.base().sequence == base
    assert [record.sequence for record in store.read(after=base)] == list(range(base + 1, COUNT + 1))
    assert store.last() == last
    assert digest(recover(store).state) == digest(replayed(events(COUNT)))
    assert store.drop_old(margin) == 0
    if base:
        refused(Code.EMPTY_RANGE, lambda: list(store.read()))
    assert [receipt.repeated for receipt in store.append(entries(COUNT)[base:])] == [True] * (COUNT - base)


def test_without_a_snapshot_nothing_is_dropped(store):
    store.append(entries(20))
    assert store.drop_old(0) == 0
    assert store.base() == GENESIS


def test_a_snapshot_of_several_parts_comes_back_whole(store, monkeypatch):
    monkeypatch.setattr("plimsoll.store.durable._PART", 100)
    store.append(entries(COUNT))
    state = kept(store)
    found = store.latest_snapshot()
    assert len(state) > 1_000
    assert (found.sequence, found.state) == (COUNT, state)


def test_a_snapshot_that_does_not_match_its_digest_or_has_no_record_is_refused(store):
    store.append(entries(3))
    refused(Code.BROKEN_JOURNAL, lambda: store.save_snapshot(3, b"state", "00" * 32))
    state = snapshot(replayed(events(3)))
    refused(Code.EMPTY_RANGE, lambda: store.save_snapshot(4, state, digest(replayed(events(3)))))


FORGERIES = {
    "an event altered": "UPDATE journal SET event = :blob WHERE sequence = 9",
    "a digest altered": "UPDATE journal SET digest = :blob WHERE sequence = 9",
    "a key altered": "UPDATE journal SET key = 'other' WHERE sequence = 9",
    "a key removed": "UPDATE journal SET key = NULL WHERE sequence = 9",
    "a writer altered": "UPDATE journal SET writer = 'other' WHERE sequence = 9",
    "a record removed": "DELETE FROM journal WHERE sequence = 9",
    "two records merged": "UPDATE journal SET sequence = 9 WHERE sequence = 10",
}


@pytest.mark.parametrize("forgery", sorted(FORGERIES))
def test_a_record_altered_behind_its_back_is_found_by_number(store, location, forgery):
    store.append(entries(20))
    store.close()
    behind, sql = database(location), FORGERIES[forgery]
    if "merged" in forgery:
        behind.commit([Command("DELETE FROM journal WHERE sequence = 9", {})])
    behind.commit([Command(sql, {"blob": b"\x80"} if ":blob" in sql else {})])
    behind.close()
    again = open_store(location, writing=False)
    found = refused(Code.BROKEN_JOURNAL, lambda: list(again.read()))
    assert found.where.endswith("record 9")
    refused(Code.BROKEN_JOURNAL, lambda: recover(again))
    again.close()
