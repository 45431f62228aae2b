"""Does a store on a full disk refuse what has no room, keep what it has, and go on once there is room?"""

import random
import resource
import tempfile
from contextlib import contextmanager
from pathlib import Path

from plimsoll.domain.events import Opened
from plimsoll.errors import Code, PlimsollError
from plimsoll.store.location import open_store
from plimsoll.store.records import Entry
from tests.support.stores import running_postgres

MEBIBYTE = 1 << 20


def large(number):
    """Make an event of about a mebibyte that does not compress."""
    name = random.Random(number).randbytes(MEBIBYTE // 2).hex()
    return Entry(Opened(number, (name,), (0,)), f"large-{number}")


@contextmanager
def files_at_most(size):
    """Let no file of this process and its children grow further: to whoever writes, a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def written_until_full(store):
    """Append large events one by one until the store refuses one; return how many it acknowledged."""
    for number in range(40):
        try:
            store.append([large(number)])
        except PlimsollError as refusal:
            if refusal.code is not Code.STORE_FAILED:
                raise
            return number
    raise AssertionError("the disk was never full")


def check_after_full(store, acknowledged):
    """Every acknowledged event is there, and the one that found no room can be sent again."""
    assert acknowledged > 0
    assert store.last().sequence in (acknowledged, acknowledged + 1)
    receipts = store.append([large(number) for number in range(acknowledged + 1)])
    assert [receipt.sequence for receipt in receipts] == list(range(1, acknowledged + 2))
    assert all(receipt.repeated for receipt in receipts[:-1])
    assert [record.event for record in store.read()] == [large(n).event for n in range(acknowledged + 1)]
    store.close()


def test_sqlite_on_a_full_disk_loses_nothing_and_goes_on(tmp_path):
    store = open_store(tmp_path / "venue.sqlite", writing=True)
    with files_at_most(3 * MEBIBYTE):
        acknowledged = written_until_full(store)
    check_after_full(store, acknowledged)


def test_postgresql_on_a_full_disk_loses_nothing_and_goes_on_after_a_restart():
    """Its log's files are 16 MiB each, so its tables are what finds no room first."""
    with tempfile.TemporaryDirectory(prefix="plimsoll-postgres-", ignore_cleanup_errors=True) as name:
        with files_at_most(18 * MEBIBYTE), running_postgres(Path(name)) as url:
            store = open_store(url, writing=True)
            acknowledged = written_until_full(store)
            store.close()
        with running_postgres(Path(name)) as url:
            check_after_full(open_store(url, writing=True), acknowledged)
