"""Does a PostgreSQL whose files were torn or altered lose only what was not acknowledged, or say so?

The server is stopped at once, as by a loss of power, and its folder copied; each test damages a copy and lets
the server recover from it. Where the log itself has lost its end the server cannot know, and starts: then the
journal is whole by itself, and the position that was noted elsewhere is what tells.
"""

import json
import os
import random
import signal
import subprocess
import tempfile
import threading
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from plimsoll.engine.runner import replayed
from plimsoll.engine.state import digest
from plimsoll.errors import Code, PlimsollError
from plimsoll.store.database import Command
from plimsoll.store.location import open_store
from plimsoll.store.records import Entry, Position
from plimsoll.store.recovery import recover
from tests.support.commands import run_plimsoll
from tests.support.stores import entries, events, running_postgres

COUNT, GROUP = 30, 3
PAGE = 8192
"""Bytes of its log and tables that PostgreSQL reads and writes at a time: part of a page is none to it."""
SEED = 11


@dataclass(frozen=True)
class Stopped:
    """A server's folder as a loss of power left it, where each group ends in its log, and in the journal."""

    folder: Path
    log: str
    ends: tuple[int, ...]
    positions: tuple[Position, ...]
    table: str

    def before(self, place):
        """Count the records of groups that the log holds entirely before this byte."""
        return GROUP * sum(end <= place for end in self.ends)


@contextmanager
def new_folder():
    """Give a folder that whoever runs the server may enter."""
    with tempfile.TemporaryDirectory(prefix="plimsoll-postgres-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def stop_at_once(folder):
    """Let the server end as it stands: it writes nothing more, and takes its lock away last."""
    lock = folder / "data" / "postmaster.pid"
    os.kill(int(lock.read_text().split()[0]), signal.SIGQUIT)
    while lock.exists():
        threading.Event().wait(0.01)


def written(url):
    """Append group after group, and note where each ends once it is acknowledged."""
    log, ends, positions = "", [], []
    with closing(open_store(url, writing=True)) as store:
        store._database.commit([Command("CHECKPOINT", {})])  # what follows is in the log alone
        for start in range(0, COUNT, GROUP):
            store.append(entries(COUNT)[start : start + GROUP])
            ((log, place),) = store._database.query(
                "SELECT * FROM pg_walfile_name_offset(pg_current_wal_flush_lsn())"
            )
            ends.append(int(place))
            positions.append(store.last())
        ((table,),) = store._database.query("SELECT pg_relation_filepath('journal')")
    return log, tuple(ends), tuple(positions), table


@pytest.fixture(scope="module")
def stopped():
    with new_folder() as folder:
        with running_postgres(folder) as url:
            log, ends, positions, table = written(url)
            stop_at_once(folder)
        assert list(ends) == sorted(set(ends))
        yield Stopped(folder, log, ends, positions, table)


@contextmanager
def recovered(source, name, damage):
    """Damage a file of a copy, start the server on it, and give the store's address."""
    with new_folder() as folder:
        subprocess.run(["cp", "-a", source / "data", folder / "data"], check=True)
        path = folder / "data" / name
        before = path.read_bytes()
        after = damage(before)
        assert after != before
        path.write_bytes(after)  # in place, so that owner and mode stay
        with running_postgres(folder) as url:
            yield url


def sound_records(url):
    """Hold what is there to the events that were sent, send all again, and return how many were there."""
    with closing(open_store(url, writing=True)) as store:
        there = store.last().sequence
        assert [Entry(r.event, r.key, r.writer) for r in store.read()] == entries(there)
        assert digest(recover(store).state) == digest(replayed(events(there)))
        receipts = store.append(entries(COUNT))
        assert [receipt.sequence for receipt in receipts] == list(range(1, COUNT + 1))
        assert [receipt.repeated for receipt in receipts] == [n < there for n in range(COUNT)]
        return there


def garbage(blob, place):
    return blob[:place] + random.Random(SEED).randbytes(len(blob) - place)


def cut(blob, place):
    return blob[:place]


def flip(blob, place):
    return blob[:place] + bytes([blob[place] ^ 4]) + blob[place + 1 :]


def page_after(place):
    return -(-place // PAGE) * PAGE


@pytest.mark.parametrize(("tear", "reach"), [(garbage, int), (cut, page_after)], ids=["garbage", "nothing"])
def test_whatever_follows_the_last_flushed_record_every_acknowledged_one_is_there(stopped, tear, reach):
    end = reach(stopped.ends[-1])
    with recovered(stopped.folder, f"pg_wal/{stopped.log}", lambda blob: tear(blob, end)) as url:
        assert sound_records(url) == COUNT


@pytest.mark.parametrize(("damage", "group"), [(garbage, 1), (flip, 5), (cut, 8)])
def test_a_log_that_lost_acknowledged_records_leaves_whole_groups_and_a_noted_position_tells(
    stopped, damage, group, monkeypatch, capsys
):
    place = (stopped.ends[group] + stopped.ends[group + 1]) // 2
    expected = stopped.before(place if damage is not cut else page_after(place) - PAGE)
    assert 0 < expected < COUNT
    with recovered(stopped.folder, f"pg_wal/{stopped.log}", lambda blob: damage(blob, place)) as url:
        kept, lost = stopped.positions[expected // GROUP - 1], stopped.positions[-1]
        whole = verified(monkeypatch, capsys, url)
        assert whole == {"first": 1, "last": expected, "digest": kept.digest, "snapshots": []}
        assert verified(monkeypatch, capsys, url, "--contains", noted(kept)) == whole
        refused = run_plimsoll(monkeypatch, capsys, "journal", "verify", url, "--contains", noted(lost))
        assert refused.status != 0
        assert f"does not pass through {noted(lost)} [{Code.BROKEN_JOURNAL}]" in refused.err
        assert sound_records(url) == expected


def noted(position):
    return f"{position.sequence}:{position.digest}"


def verified(monkeypatch, capsys, url, *words):
    ended = run_plimsoll(monkeypatch, capsys, "journal", "verify", url, "--json", *words)
    assert (ended.status, ended.err) == (0, "")
    return json.loads(ended.out)


@pytest.fixture(scope="module")
def closed(stopped):
    """Let a server recover and end in order, so that all records are in its tables."""
    with new_folder() as folder:
        subprocess.run(["cp", "-a", stopped.folder / "data", folder / "data"], check=True)
        with running_postgres(folder):
            pass
        yield folder


@pytest.mark.parametrize(
    "damage",
    [lambda blob: blob.replace(b"key-17", b"key-71"), lambda blob: blob[: len(blob) - PAGE]],
    ids=["altered", "cut"],
)
def test_a_table_that_was_altered_or_cut_is_refused(stopped, closed, damage):
    with recovered(closed, stopped.table, damage) as url:
        with pytest.raises(PlimsollError, match="damaged") as refused:
            sound_records(url)
        assert refused.value.code is Code.BROKEN_JOURNAL
