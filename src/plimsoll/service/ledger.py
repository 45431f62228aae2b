"""How does an event get into the journal, then into the state, and how does its writer hear of it twice?"""

import hashlib
import logging
from collections.abc import Callable, Sequence

import msgspec
from msgspec import structs

from plimsoll.domain.events import Effect, Event, Ticked, Traded
from plimsoll.engine.machine import begin, step
from plimsoll.engine.state import State, restore
from plimsoll.errors import Code, PlimsollError
from plimsoll.service.instructions import Instruction, ToldTick
from plimsoll.service.records import Answer, Records, Refusal
from plimsoll.service.settings import StoreSettings
from plimsoll.service.snapshots import Snapshots
from plimsoll.store.durable import Store
from plimsoll.store.records import Entry, Receipt

__all__ = ["Ledger", "fingerprint"]

_LOG = logging.getLogger("plimsoll.service")

Seen = Callable[[int, Event, tuple[Effect, ...]], None]
"""Called with the record, the event and its effects after every event that was applied."""

_REMEMBERED = 10_000
"""Answers to keyed writes held in memory; older ones are read from the records."""

_PENDING = 1_000
"""Answers that may wait to be written down: after a crash they are derived again from the journal."""


class Ledger:
    """The state, the journal it follows from, and the answers given; belongs to the engine's thread.

    Parameters
    ----------
    store : Store
    records : Records
    keeping : StoreSettings When a snapshot is due, and what is kept before it.
    seen : callable         Told of every event applied after `resume`.
    """

    def __init__(self, store: Store, records: Records, keeping: StoreSettings, seen: Seen) -> None:
        self._store = store
        self._records = records
        self._snapshots = Snapshots(store, records, keeping)
        self._seen = seen
        self._answers: dict[int, Answer] = {}
        self._unwritten: list[Answer] = []
        self.state: State = begin()
        self.sequence = 0

    def resume(self) -> int:
        """Rebuild the state from the newest snapshot and the records after it; give how many these were."""
        kept = self._store.latest_snapshot()
        if kept is not None:
            self.state, self.sequence = restore(kept.state), kept.sequence
            self._snapshots.resumed(kept.sequence)
        return self._catch_up()

    def write(self, batch: Sequence[Instruction]) -> list[Answer]:
        """Write instructions down, then apply them in order.

        A tick that tells only what moved is put over what all before it left, so it has a commit of its own;
        what comes together beside such ticks has one commit.

        Raises
        ------
        PlimsollError   What the store raises; it is not known then which were written, and the state follows
                        the journal again before anything else is written.
        """
        answers: list[Answer] = []
        together: list[tuple[Instruction, Event]] = []
        for order in batch:
            if isinstance(order.event, ToldTick):
                answers += self._written(together)
                together = []
                answers.append(self._told(order, order.event))
            else:
                together.append((order, order.event))
        return answers + self._written(together)

    def settle(self, *, ending: bool) -> None:
        """Write answers down, and begin a snapshot where one is due; at the end, wait for the last."""
        due = self._snapshots.is_due(self.sequence)
        if self._unwritten and (ending or due or len(self._unwritten) >= _PENDING):
            self._records.keep_answers(self._unwritten)
            self._unwritten = []
        if ending:
            self._snapshots.take(self.sequence, self.state)
        elif due:
            self._snapshots.begin(self.sequence, self.state)

    def rest(self) -> None:
        """Wait until a snapshot under way is kept."""
        self._snapshots.wait()

    def _told(self, order: Instruction, told: ToldTick) -> Answer:
        """Put a tick over the state and write it; one that cannot be is refused and not written."""
        self._follow()
        if order.key is not None and (first := self._store.sequence_of(order.key)) is not None:
            return self._repeated(told.request, self.state.time, first)
        try:
            event = told.over(self.state)
        except PlimsollError as error:
            return Answer(0, self.state.time, (), Refusal.of(error), "")
        return self._written([(order, event)])[0]

    def _written(self, asked: Sequence[tuple[Instruction, Event]]) -> list[Answer]:
        """Write events down in one commit, then apply them."""
        self._follow()
        events = self._dated([event for _, event in asked])
        entries = [
            Entry(event, order.key, order.writer) for event, (order, _) in zip(events, asked, strict=True)
        ]
        receipts = self._store.append(entries)
        return [
            self._answered(order, event, receipt)
            for (order, _), event, receipt in zip(asked, events, receipts, strict=True)
        ]

    def _follow(self) -> None:
        """Apply what the journal holds beyond the state, where a commit failed halfway."""
        if self._store.last().sequence != self.sequence:
            self._catch_up()

    def _catch_up(self) -> int:
        """Apply what the journal holds beyond the state; what was refused is refused again."""
        count = 0
        for record in self._store.read(after=self.sequence):
            answer = self._apply(record.sequence, record.event)
            if record.key is not None:
                self._remember(answer)
            count += 1
        return count

    def _dated(self, asked: Sequence[Event]) -> list[Event]:
        """Set the times that are left to the engine: not before the event before."""
        time, events = self.state.time, []
        for event in asked:
            dated = event if event.time > 0 else structs.replace(event, time=time)
            time = max(time, dated.time)
            events.append(dated)
        return events

    def _answered(self, order: Instruction, event: Event, receipt: Receipt) -> Answer:
        if receipt.repeated:
            return self._repeated(fingerprint(event), event.time, receipt.sequence)
        answer = self._apply(receipt.sequence, event)
        if order.key is not None:
            self._remember(answer)
        return answer

    def _apply(self, sequence: int, event: Event) -> Answer:
        self.sequence = sequence
        refusal: Refusal | None = None
        effects: tuple[Effect, ...] = ()
        try:
            self.state, effects = step(self.state, event)
        except PlimsollError as error:
            refusal = Refusal.of(error)
        else:
            self._seen(sequence, event, effects)
        return Answer(sequence, event.time, effects, refusal, fingerprint(event))

    def _remember(self, answer: Answer) -> None:
        self._answers[answer.sequence] = answer
        self._unwritten.append(answer)
        if len(self._answers) > _REMEMBERED:
            self._answers.pop(next(iter(self._answers)))

    def _repeated(self, asked: str, time: int, sequence: int) -> Answer:
        """Give the answer of the first time, if it is the same request."""
        known = self._answers.get(sequence) or self._records.answer(sequence)
        if known is None or known.fingerprint != asked:
            refused = Refusal(
                Code.KEY_REUSED,
                f"this key came with another request, which is record {sequence}",
                "Idempotency-Key",
                "Use a new key for every write; repeat a key only with the same request.",
            )
            return Answer(sequence, time, (), refused, "")
        return structs.replace(known, repeated=True)


def fingerprint(event: Event) -> str:
    """Name what was asked for, whatever time the engine set, and whatever was listed or told meanwhile."""
    if isinstance(event, Ticked) and event.request:
        return event.request
    if isinstance(event, Traded):
        event = _narrow(event)
    return hashlib.sha256(msgspec.msgpack.encode(structs.replace(event, time=0))).hexdigest()


def _narrow(event: Traded) -> Traded:
    """Leave out the last columns that nothing of a trade is in."""
    used = [place + 1 for place, price in enumerate(event.prices) if price == price]  # not NaN
    width = max(used, default=0)
    return structs.replace(
        event, prices=event.prices[:width], lots=tuple(legs[:width] for legs in event.lots)
    )
