"""Is a write that is sent again carried out once, whatever comes between, and across restarts?"""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.domain.events import Deposited, Event, Funded, Listed, Opened, Published, Ticked, Traded
from plimsoll.domain.money import QUANTA_PER_UNIT
from plimsoll.domain.settings import ClearingRules
from plimsoll.engine.state import digest
from plimsoll.errors import Code
from plimsoll.service.instructions import Instruction
from plimsoll.service.ledger import Ledger
from plimsoll.service.market_ticks import TickBody, told_tick
from plimsoll.service.records import Records
from plimsoll.service.settings import StoreSettings
from plimsoll.store.durable import Store
from plimsoll.store.location import open_store
from tests.support.venues import LISTINGS, MARKS, parameter_set, per_position

ACCOUNTS = ("alpha", "beta")
KEEPING = StoreSettings(snapshot_events=4)
CALM = (1e9,) * len(LISTINGS)
BEGIN: list[Event] = [
    Listed(1, LISTINGS, ClearingRules()),
    Opened(1, ACCOUNTS, (100 * QUANTA_PER_UNIT, 70 * QUANTA_PER_UNIT)),
    Funded(1, 10**15, 10**15),
    Published(1, parameter_set(per_position())),
    Ticked(1, tuple(MARKS.tolist()), CALM, (0.01,) * len(LISTINGS)),
]


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


def told(time, factors):
    """Make a tick of some of the listings, as the API does."""
    marks = {LISTINGS[place].name: float(MARKS[place] * factor) for place, factor in factors.items()}
    return told_tick(TickBody(time=time, marks=marks))


def filled(account, lots):
    rest = len(LISTINGS) - 1
    return Traded(0, (float(MARKS[0]), *[float("nan")] * rest), (account,), ((lots, *[0] * rest),))


payments = st.builds(
    lambda account, amount: Deposited(0, (account,), (amount,)),
    st.sampled_from((*ACCOUNTS, "nobody")),
    st.integers(-30, 50),
)
ticks = st.builds(
    told,
    st.integers(1, 5),
    st.dictionaries(st.sampled_from((0, 1, 2, 4)), st.sampled_from((0.97, 1.0, 1.02)), min_size=1),
)
fills = st.builds(filled, st.sampled_from((*ACCOUNTS, "nobody")), st.integers(-200, 200))
writes = payments | ticks | fills


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


@pytest.mark.parametrize(
    ("request_", "other"),
    [
        (Deposited(0, ("alpha",), (5,)), Deposited(0, ("alpha",), (6,))),
        (told(2, {0: 1.01}), told(2, {0: 1.02})),
        (told(2, {0: 1.01}), told(3, {0: 1.01})),
        (told(2, {0: 1.01}), told(2, {0: 1.01, 1: 1.0})),
        (filled("alpha", 1), filled("alpha", 2)),
        (filled("alpha", 1), told(2, {0: 1.01})),
    ],
)
def test_a_key_of_another_request_is_refused_after_a_restart(tmp_path, request_, other):
    ledger, parts = opened(tmp_path)
    ledger.write([Instruction(event, "venue") for event in BEGIN])
    ledger.write([Instruction(request_, "desk", "key")])
    closed(ledger, parts)
    ledger, parts = opened(tmp_path)
    (answer,) = ledger.write([Instruction(other, "desk", "key")])
    assert answer.refusal is not None
    assert answer.refusal.code is Code.KEY_REUSED
    closed(ledger, parts)
