"""Is a write that is sent again carried out once, whatever comes between, and across restarts?"""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.domain.events import Deposited, Event, Listed, Opened
from plimsoll.domain.settings import ClearingRules
from plimsoll.engine.state import digest
from plimsoll.errors import Code
from plimsoll.service.instructions import Instruction
from plimsoll.service.ledger import Ledger
from plimsoll.service.records import Records
from plimsoll.service.settings import StoreSettings
from plimsoll.store.durable import Store
from plimsoll.store.location import open_store
from tests.support.venues import LISTINGS

ACCOUNTS = ("alpha", "beta")
KEEPING = StoreSettings(snapshot_events=4)
BEGIN: list[Event] = [Listed(1, LISTINGS, ClearingRules()), Opened(1, ACCOUNTS, (100, 70))]


def opened(folder: Path) -> tuple[Ledger, list[Records | Store]]:
    store = open_store(folder / "journal.sqlite", writing=True)
    records = Records(folder / "desk.sqlite")
    ledger = Ledger(store, records, KEEPING, lambda *_: None)
    ledger.resume()
    return ledger, [records, store]


def closed(ledger: Ledger, parts: list[Records | Store]) -> None:
    ledger.rest()
    for part in parts:
        part.close()


writes = st.builds(
    lambda account, amount: Deposited(0, (account,), (amount,)),
    st.sampled_from((*ACCOUNTS, "nobody")),
    st.integers(-30, 50),
)


@settings(max_examples=25)
@given(st.data())
def test_sending_again_changes_nothing_and_is_answered_alike(data):
    requests = data.draw(st.lists(writes, min_size=1, max_size=6))
    order = data.draw(st.lists(st.integers(0, len(requests) - 1), max_size=12))
    restarts = data.draw(st.sets(st.integers(0, 12)))
    with tempfile.TemporaryDirectory() as once, tempfile.TemporaryDirectory() as again:
        ledger, parts = opened(Path(once))
        ledger.write([Instruction(event, "venue") for event in BEGIN])
        firsts = [ledger.write([Instruction(r, "desk", f"key-{n}")])[0] for n, r in enumerate(requests)]
        expected = digest(ledger.state)
        closed(ledger, parts)

        ledger, parts = opened(Path(again))
        ledger.write([Instruction(event, "venue") for event in BEGIN])
        for number, request in enumerate(requests):
            ledger.write([Instruction(request, "desk", f"key-{number}")])
            ledger.settle(ending=False)
            for place, repeat in enumerate(order):
                if repeat <= number:
                    if place in restarts:
                        closed(ledger, parts)
                        ledger, parts = opened(Path(again))
                    (answer,) = ledger.write([Instruction(requests[repeat], "desk", f"key-{repeat}")])
                    first = firsts[repeat]
                    assert (answer.sequence, answer.effects) == (first.sequence, first.effects)
                    assert answer.refusal == first.refusal
                    assert answer.repeated
        assert digest(ledger.state) == expected
        closed(ledger, parts)


def test_a_key_of_another_request_is_refused_after_a_restart(tmp_path):
    ledger, parts = opened(tmp_path)
    ledger.write([Instruction(event, "venue") for event in BEGIN])
    ledger.write([Instruction(Deposited(0, ("alpha",), (5,)), "desk", "key")])
    closed(ledger, parts)
    ledger, parts = opened(tmp_path)
    (answer,) = ledger.write([Instruction(Deposited(0, ("alpha",), (6,)), "desk", "key")])
    assert answer.refusal is not None
    assert answer.refusal.code is Code.KEY_REUSED
    closed(ledger, parts)
