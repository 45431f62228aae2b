"""Do the journal commands check, write out and rebuild what a store or a run holds?"""

import json
import sys

import msgspec
import polars as pl
import pytest

from plimsoll.cli import application
from plimsoll.engine.runner import replayed
from plimsoll.engine.state import digest, snapshot
from plimsoll.store.database import Command
from plimsoll.store.journal import FileJournal
from plimsoll.store.location import open_store
from tests.support.stores import entries, events

COUNT = 24


@pytest.fixture
def called(monkeypatch, capsys):
    """Give the program's command line without the start of a process."""

    def call(*arguments, status=0):
        monkeypatch.setattr(sys, "argv", ["plimsoll", "journal", *map(str, arguments)])
        ended = application._status()
        said = capsys.readouterr()
        assert ended == status, said.err
        return said.err if status else said.out

    return call


@pytest.fixture
def store(location):
    """A store with a snapshot in its middle, whose writer goes on."""
    opened = open_store(location, writing=True)
    opened.append(entries(COUNT // 2))
    state = replayed(events(COUNT // 2))
    opened.save_snapshot(COUNT // 2, snapshot(state), digest(state))
    opened.append(entries(COUNT))
    yield opened
    opened.close()


def test_a_journal_is_verified_exported_and_replayed_while_it_is_written(called, store, location, tmp_path):
    last = store.last()
    document = json.loads(called("verify", location, "--json"))
    assert document == {"first": 1, "last": COUNT, "digest": last.digest, "snapshots": [COUNT // 2]}
    assert f"{COUNT}:{last.digest}" in called("verify", location)
    assert called("verify", location, "--contains", f"{COUNT}:{last.digest}", "--quiet") == ""
    wrong = called("verify", location, "--contains", f"{COUNT}:{'ab' * 32}", status=2)
    assert "does not pass through" in wrong
    document = json.loads(called("replay", location, "--json"))
    assert document["state"] == digest(replayed(events(COUNT)))
    assert (document["from"], document["to"], document["snapshots"]) == (0, COUNT, 1)
    assert document["refused"] == COUNT - replayed(events(COUNT)).sequence > 0


def test_an_export_holds_every_record_in_both_formats(called, store, location, tmp_path):
    called("export", location, "--out", tmp_path / "records.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "records.jsonl").read_text().splitlines()]
    assert [row["event"] for row in rows] == msgspec.json.decode(msgspec.json.encode(events(COUNT)))
    assert [row["key"] for row in rows] == [f"key-{number}" for number in range(COUNT)]
    called("export", location, "--out", tmp_path / "records.parquet", "--after", COUNT - 3)
    frame = pl.read_parquet(tmp_path / "records.parquet")
    assert frame["sequence"].to_list() == [COUNT - 2, COUNT - 1, COUNT]
    assert [json.loads(text) for text in frame["event"]] == [row["event"] for row in rows[-3:]]
    assert frame["digest"].to_list() == [row["digest"] for row in rows[-3:]]
    assert "known by the ending .xml" in called("export", location, "--out", tmp_path / "x.xml", status=2)
    assert sorted(path.name for path in tmp_path.glob("*records*")) == ["records.jsonl", "records.parquet"]


def test_a_journal_whose_old_records_are_dropped_is_still_checked_and_replayed(
    called, store, location, tmp_path
):
    assert store.drop_old(2) == COUNT // 2 - 2
    document = json.loads(called("verify", location, "--json"))
    assert (document["first"], document["last"]) == (COUNT // 2 - 1, COUNT)
    document = json.loads(called("replay", location, "--json"))
    assert (document["from"], document["state"]) == (COUNT // 2, digest(replayed(events(COUNT))))
    called("export", location, "--out", tmp_path / "records.jsonl")
    assert len((tmp_path / "records.jsonl").read_text().splitlines()) == COUNT // 2 + 2


def test_an_altered_record_or_snapshot_is_refused_in_one_line(called, store, location):
    alter = "UPDATE snapshot_parts SET state = :state WHERE part = 0"
    store._database.commit([Command(alter, {"state": b"another"})])
    assert f"the snapshot of record {COUNT // 2}" in called("verify", location, status=2)
    assert json.loads(called("replay", location, "--json"))["snapshots"] == 0
    store._database.commit([Command("UPDATE journal SET writer = 'x' WHERE sequence = 5", {})])
    for command in ("verify", "replay"):
        refusal = called(command, location, status=2)
        assert "record 5: it does not match its digest [broken-journal]" in refusal
        assert refusal.count("\n") == 1


def test_a_snapshot_of_another_state_than_the_records_lead_to_is_found(called, store, location):
    other = replayed(events(COUNT - 8))
    store.save_snapshot(COUNT - 1, snapshot(other), digest(other))
    assert f"record {COUNT - 1}: its snapshot is another state" in called("replay", location, status=2)


def test_the_file_of_a_run_is_read_like_a_store(called, tmp_path):
    path = tmp_path / "policy.journal"
    with FileJournal(path) as journal:
        for event in events(COUNT):
            journal.append(event)
    assert json.loads(called("verify", path, "--json"))["last"] == COUNT
    assert json.loads(called("replay", path, "--json"))["state"] == digest(replayed(events(COUNT)))
    path.write_bytes(path.read_bytes()[:-1])
    assert f"record {COUNT}" in called("verify", path, status=2)


def test_what_is_no_journal_is_refused_by_name(called, tmp_path):
    assert "no such store" in called("verify", tmp_path / "absent", status=2)
    (tmp_path / "prices.csv").write_text("symbol,ts\n" * 400)
    assert "not a whole store" in called("replay", tmp_path / "prices.csv", status=2)
    assert "no record number and digest" in called("verify", "x", "--contains", "7:beef", status=2)


def test_the_journal_may_be_named_in_the_environment(called, monkeypatch, tmp_path):
    store = open_store(tmp_path / "venue.sqlite", writing=True)
    store.append(entries(3))
    store.close()
    monkeypatch.setenv("PLIMSOLL_JOURNAL", str(tmp_path / "venue.sqlite"))
    assert "records 1 to 3" in called("verify")
