"""Does a venue go on while a snapshot of it is taken, and after one that failed?"""

import threading
from unittest.mock import patch

from plimsoll.domain.events import Deposited, Listed, Opened
from plimsoll.domain.settings import ClearingRules
from plimsoll.engine.state import digest
from plimsoll.errors import Code, PlimsollError
from plimsoll.service.insight import look_until
from plimsoll.service.instructions import Instruction
from plimsoll.service.ledger import Ledger
from plimsoll.service.records import Records
from plimsoll.service.settings import StoreSettings
from plimsoll.store.durable import Store
from plimsoll.store.location import open_store
from plimsoll.store.sqlite import SqliteDatabase
from tests.support.venues import LISTINGS

EVERY = 5
FULL = 2
"""`PRAGMA synchronous` of a connection whose commits survive the loss of power."""


def ledger_in(folder):
    store, records = open_store(folder / "journal.sqlite", writing=True), Records(folder / "desk.sqlite")
    ledger = Ledger(store, records, StoreSettings(snapshot_events=EVERY), lambda *_: None)
    ledger.resume()
    if ledger.sequence == 0:
        opening = (Listed(1, LISTINGS, ClearingRules()), Opened(1, ("a",), (9,)))
        ledger.write([Instruction(event, "test") for event in opening])
    return store, records, ledger


def pay_in(ledger, times):
    for _ in range(times):
        ledger.write([Instruction(Deposited(2, ("a",), (1,)), "test")])
        ledger.settle(ending=False)


def test_events_are_taken_while_a_snapshot_is_under_way(tmp_path):
    store, records, ledger = ledger_in(tmp_path)
    saving, go_on = threading.Event(), threading.Event()
    save = Store.save_snapshot

    def slowly(self, sequence, state, digest, *, hurry):
        saving.set()
        assert go_on.wait(60)
        save(self, sequence, state, digest, hurry=hurry)

    with patch.object(Store, "save_snapshot", slowly):
        pay_in(ledger, 3)
        assert saving.wait(60)
        pay_in(ledger, 2 * EVERY)
        assert (store.last().sequence, store.snapshots()) == (5 + 2 * EVERY, ())
        go_on.set()
        ledger.rest()
    assert [kept.sequence for kept in store.snapshots()] == [5]
    ledger.settle(ending=True)
    assert [kept.sequence for kept in store.snapshots()] == [5, 5 + 2 * EVERY]
    records.close()
    store.close()


def test_a_snapshot_that_fails_is_tried_again_when_the_next_is_due(tmp_path):
    store, records, ledger = ledger_in(tmp_path)
    failed = PlimsollError(Code.STORE_FAILED, "no room", where="disk", remedy="Make room.")
    with patch.object(Store, "save_snapshot", side_effect=failed) as tried:
        pay_in(ledger, 3)
        ledger.rest()
        pay_in(ledger, EVERY - 1)
        assert tried.call_count == 1
    pay_in(ledger, 1)
    ledger.settle(ending=True)
    assert [kept.sequence for kept in store.snapshots()] == [5 + EVERY]
    expected = digest(ledger.state)
    records.close()
    store.close()
    store, records, ledger = ledger_in(tmp_path)
    assert digest(ledger.state) == expected
    records.close()
    store.close()


def test_events_are_synced_at_once_after_a_snapshot_was_not(tmp_path):
    database = SqliteDatabase(tmp_path / "journal.sqlite", writing=True)
    store = Store(database)
    ledger = Ledger(
        store, Records(tmp_path / "desk.sqlite"), StoreSettings(snapshot_events=1), lambda *_: None
    )
    ledger.resume()
    ledger.write([Instruction(Listed(1, LISTINGS, ClearingRules()), "test")])
    assert not store.snapshots()
    ledger.settle(ending=True)
    assert len(store.snapshots()) == 1
    assert database.query("PRAGMA synchronous") == [(FULL,)]
    store.close()


def test_a_look_that_takes_long_is_followed_by_a_long_rest():
    rests: list[float | None] = []
    clock = [0.0]

    class Ending(threading.Event):
        def wait(self, timeout=None):
            rests.append(timeout)
            return len(rests) == 4

    def look():
        clock[0] += (0.0, 0.5, 2.0)[len(rests) - 1]

    with patch("plimsoll.service.insight.perf_counter", lambda: clock[0]):
        look_until(Ending(), 2.0, look)
    assert rests == [2.0, 2.0, 4.5, 18.0]
