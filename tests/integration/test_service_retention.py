"""Does a ledger that drops old records go on from what it kept as if nothing had been dropped?"""

import pytest

from plimsoll.domain.events import Deposited, Listed, Opened
from plimsoll.domain.settings import ClearingRules
from plimsoll.engine.state import digest
from plimsoll.service.instructions import Instruction
from plimsoll.service.ledger import Ledger
from plimsoll.service.records import Records
from plimsoll.service.settings import StoreSettings
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
