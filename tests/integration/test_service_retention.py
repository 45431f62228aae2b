"""Does a ledger that drops old records go on from what it kept, and does nothing beside it grow for ever?"""

import pytest
from msgspec.structs import replace

from plimsoll.domain.events import Closed, Deposited, Listed, Opened
from plimsoll.domain.settings import ClearingRules
from plimsoll.engine.state import digest
from plimsoll.service.instructions import Instruction
from plimsoll.service.ledger import Ledger
from plimsoll.service.records import Answer, Audited, Keeping, KeptBar, Records
from plimsoll.service.settings import StoreSettings
from plimsoll.service.view import Happened, Moment
from plimsoll.store.location import open_store
from tests.support.venues import LISTINGS

WRITES = 23
LAST_SNAPSHOT = 25
"""One every fifth record: the listing, the opening and the writes are 25."""


def worked(folder, kept):
    """Write events one at a time; give the store's first record, the digest, and that after a restart."""
    base, digests = 0, []
    for deposits in (WRITES, 0):
        store, records = open_store(folder / "journal.sqlite", writing=True), Records(folder / "desk.sqlite")
        ledger = Ledger(store, records, StoreSettings(snapshot_events=5, kept_events=kept), lambda *_: None)
        ledger.resume()
        if deposits:
            ledger.write(
                [
                    Instruction(e, "test")
                    for e in (Listed(1, LISTINGS, ClearingRules()), Opened(1, ("a",), (9,)))
                ]
            )
        for number in range(deposits):
            ledger.write([Instruction(Deposited(2, ("a",), (number + 1,)), "test", f"key-{number}")])
            ledger.settle(ending=False)
            ledger.rest()
        digests.append(digest(ledger.state))
        base = store.base().sequence
        records.close()
        store.close()
    return base, digests


@pytest.mark.parametrize(("kept", "base"), [(None, 0), (3, LAST_SNAPSHOT - 3), (10, LAST_SNAPSHOT - 10)])
def test_what_is_dropped_is_never_needed(tmp_path, kept, base):
    (tmp_path / "all").mkdir()
    (tmp_path / "some").mkdir()
    _, whole = worked(tmp_path / "all", None)
    first, digests = worked(tmp_path / "some", kept)
    assert digests == whole
    assert whole[0] == whole[1]
    assert first == base


DAY = 86_400_000
IDENTITY = "0a1b2c"
ASKED = Audited(wall=0, token=IDENTITY, request="POST /v1/fills", key="k", outcome="written", sequence=1)


def filled(records, count):
    """Write so many entries into every table, a day apart where they have a time."""
    prices = (1.0,)
    days = [DAY * (number + 1) for number in range(count)]
    records.keep_bars(
        KeptBar(time=at, length=60_000, open=prices, high=prices, low=prices, close=prices, volume=prices)
        for at in days
    )
    records.keep_happened(
        [Happened(number + 1, number + 1, Closed(at, ("a",), (1,))) for number, at in enumerate(days)],
        [moment(at) for at in days],
    )
    records.keep_answers(Answer(number + 1, at, (), None, "") for number, at in enumerate(days))
    records.audit(replace(ASKED, wall=at) for at in days)


def moment(at):
    pairs = ((0.1, 0.1),)
    counts = dict.fromkeys(
        ("called", "liquidating", "closed", "fund", "margin", "equity", "open_notional", "liquidated"), 0
    )
    return Moment(
        time=at, prices=(1.0,), maintenance=pairs, initial=pairs, target=pairs, branching=(0.1,), **counts
    )


def test_what_is_kept_beside_the_journal_is_the_newest_and_no_more(tmp_path):
    keeping = Keeping(effects=7, moments=5, audit=3, bar_days=90)
    records = Records(tmp_path / "desk.sqlite", keeping)
    filled(records, 200)
    for _ in range(2):
        records.trim(200 * DAY, 150)
        assert [each.number for each in records.happened(1_000)] == list(range(194, 201))
        assert [each.time for each in records.moments(1_000)] == [DAY * day for day in range(196, 201)]
        assert [number for number, _ in records.audited(2**62, 1_000)] == [200, 199, 198]
        assert [bar.time // DAY for bar in records.bars()] == list(range(110, 201))
        assert records.answer(150) is None
        assert records.answer(151) is not None
    records.audit([ASKED])
    assert records.audited(2**62, 1)[0][0] == 201
    records.close()


def test_without_a_bound_nothing_is_dropped(tmp_path):
    records = Records(tmp_path / "desk.sqlite")
    filled(records, 20)
    records.trim(20 * DAY, 0)
    assert len(list(records.bars())) == len(records.happened(99)) == len(records.moments(99)) == 20
    assert len(records.audited(2**62, 99)) == 20
    assert all(records.answer(number + 1) for number in range(20))
    records.close()


def test_the_file_stops_growing_once_the_bound_is_reached(tmp_path):
    path = tmp_path / "desk.sqlite"
    records = Records(path, Keeping(effects=50, moments=50, audit=50, bar_days=90))
    sizes = []
    for _ in range(6):
        filled(records, 400)
        records.trim(400 * DAY, 400)
        sizes.append(path.stat().st_size)
    records.close()
    assert sizes[-1] <= sizes[1]
