"""Who owns the state of a running venue, and in what order does everything happen to it?

One thread. It takes what waits in a bounded queue, writes it to the journal in one commit, applies it in
order, recalibrates on every bar, and then shows the result to readers. Only then does a writer hear of it.
"""

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from time import perf_counter

from msgspec.structs import replace

from plimsoll.domain.events import Effect, Event, Published
from plimsoll.domain.parameters import ParameterSet
from plimsoll.engine.state import State
from plimsoll.errors import Code, PlimsollError
from plimsoll.service.bar_builder import BarBuilder
from plimsoll.service.insight import Insight, insight_into
from plimsoll.service.instructions import Instruction
from plimsoll.service.ledger import Ledger
from plimsoll.service.metrics import Metrics
from plimsoll.service.moments import moment_of
from plimsoll.service.records import Answer, KeptBar, Records
from plimsoll.service.settings import EngineSettings, StoreSettings
from plimsoll.service.touched import Touched
from plimsoll.service.view import Happened, Moment, View, Window, without_scenarios
from plimsoll.sim.publishing import Publisher
from plimsoll.store.durable import Store

__all__ = ["EngineRoom"]

_LOG = logging.getLogger("plimsoll.service")
_WRITER = "venue"
_KEPT_SETS = 500
"""Parameter sets of the past that the API shows; all of them are in the journal."""
_IDLE = 0.2
"""Seconds after which the thread looks whether it is to stop."""


class EngineRoom:
    """The engine's thread, its queue, and what readers see.

    Parameters
    ----------
    settings : EngineSettings
    keeping : StoreSettings
    store : Store
    records : Records
    publisher : Publisher        Knows the history, and nothing of what the records hold yet.
    markets : tuple [M]          Of the publisher, in its order.
    builder : BarBuilder or None Makes bars of ticks that come without one.

    Attributes
    ----------
    calibrated : ParameterSet or None   The last that calibration has published since the start, as it was.
    ended : bool         The thread has ended of an error that nobody foresaw; only a restart helps.
    """

    def __init__(
        self,
        settings: EngineSettings,
        keeping: StoreSettings,
        store: Store,
        records: Records,
        *,
        publisher: Publisher,
        markets: tuple[str, ...],
        builder: BarBuilder | None,
    ) -> None:
        self._settings = settings
        self._records = records
        self._publisher = publisher
        self._markets = markets
        self._builder = builder
        self._ledger = Ledger(store, records, keeping, self._seen)
        self._queue: queue.Queue[Instruction] = queue.Queue(settings.queue)
        self._stopping = threading.Event()
        self._left = False
        self.ended = False
        self._thread = threading.Thread(target=self._work, name="engine", daemon=True)
        self._touched = Touched()
        self._history: list[ParameterSet] = []
        self._insight: Insight | None = None
        self._fresh: list[Happened] = []
        self._unsaved: list[Happened] = []
        self._finished: list[KeptBar] = []
        self._number = 0
        self.calibrated: ParameterSet | None = None
        self._view: View | None = None
        self._showing = threading.Lock()
        self._changed: Callable[[], None] = _nobody
        self.feed = "starting"
        self.metrics = Metrics()
        self.happened: Window[Happened] = Window(settings.kept_effects)
        self.moments: Window[Moment] = Window(settings.kept_moments)

    @property
    def view(self) -> View:
        """The venue after the last batch; raises `NOT_READY` before the first."""
        view = self._view
        if view is None or self.ended:
            raise PlimsollError(
                Code.NOT_READY,
                "the engine has ended" if self.ended else "the venue is being opened or rebuilt",
                where="service",
                remedy="Ask /v1/ready, and again in some seconds.",
            )
        return view

    @property
    def waiting(self) -> int:
        """Instructions in the queue."""
        return self._queue.qsize()

    def on_change(self, changed: Callable[[], None]) -> None:
        """Have a function called, in the engine's thread, after every batch; it must return at once."""
        self._changed = changed

    def resume(self) -> State:
        """Rebuild state, calibration and charts from what is kept; give the state, empty where nothing is."""
        applied = self._ledger.resume()
        state = self._ledger.state
        self._records.drop_bars_ending_after(state.ticked)
        self._keep_finished()
        due: ParameterSet | None = None
        for bar in self._records.bars():
            self._publisher.absorb(bar.bars(self._markets))
            due = self._publisher.published(bar.time + bar.length) or due
            self._note_published(due)
        if due is not None and (state.parameters is None or due.effective > state.parameters.effective):
            self._put_into_force(due)
        elif due is not None:
            self.calibrated = due
        self.happened.extend(self._records.happened(self._settings.kept_effects))
        self.moments.extend(self._records.moments(self._settings.kept_moments))
        self._number = max((each.number for each in self.happened.listed()), default=0)
        state = self._ledger.state
        _LOG.info("resumed", extra={"sequence": self._ledger.sequence, "replayed": applied})
        return state

    def open(self, events: Sequence[Event]) -> None:
        """Write the events that a venue begins with, all of them or none; before `start`."""
        self._carry_out([Instruction(event, _WRITER) for event in events])

    def start(self) -> None:
        """Show what is there, and begin to take instructions."""
        self._show()
        self._thread.start()

    def submit(self, order: Instruction) -> "Future[Answer]":
        """Put an instruction in the queue; raises `OVERLOADED` where it is full, `NOT_READY` at the end."""
        if self._stopping.is_set() or self.ended:
            raise _ending()
        try:
            self._queue.put_nowait(order)
        except queue.Full:
            self.metrics.refused_full += 1
            raise PlimsollError(
                Code.OVERLOADED,
                f"{self._settings.queue} instructions are waiting",
                where="engine",
                remedy="Wait a second and send it again with the same key.",
            ) from None
        if self._left:  # the thread may have looked for the last time just before
            self._turn_away()
        return order.done

    def stop(self) -> None:
        """Work off the queue, take a snapshot, and end."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        self._ledger.settle(ending=True)
        self._write_happened(())
        _LOG.info("stopped", extra={"sequence": self._ledger.sequence})

    def look_closer(self) -> None:
        """Compute the insight of the present view and show it, in a venue that stands still too.

        For a thread of its own.
        """
        view = self.view
        if self._insight is not None and self._insight.sequence == view.sequence:
            return
        found = insight_into(view.state, view.sequence)
        with self._showing:
            self._insight = found
            self._view = self.view.with_insight(found)
        self._changed()

    def _work(self) -> None:
        """Work until told to stop; an error that nobody foresaw ends the thread, and all are told so."""
        batch: list[Instruction] = []
        in_order = False
        try:
            while not (self._stopping.is_set() and self._queue.empty()):
                batch = self._batch()
                if batch:
                    self._try(batch)
            in_order = True
        finally:
            self.ended, self._left = not in_order, True
            if self.ended:
                _LOG.critical("the engine has ended", exc_info=True)
            for order in batch:
                if not order.done.done():
                    order.done.set_exception(_unknown_end())
            self._turn_away()

    def _turn_away(self) -> None:
        """Tell whoever still waits in the queue that nothing of it is carried out."""
        while True:
            try:
                order = self._queue.get_nowait()
            except queue.Empty:
                return
            if order.done.set_running_or_notify_cancel():
                order.done.set_exception(_ending())

    def _batch(self) -> list[Instruction]:
        """Wait for an instruction and take all that wait with it, up to the batch's size.

        Whoever asked may have gone meanwhile. What it asked for is then left undone where nobody had taken
        it yet; once taken it can no longer be called off, and is carried out with nobody to hear of it.
        """
        try:
            batch = [self._queue.get(timeout=_IDLE)]
        except queue.Empty:
            return []
        while len(batch) < self._settings.batch:
            try:
                batch.append(self._queue.get_nowait())
            except queue.Empty:
                break
        return [order for order in batch if order.done.set_running_or_notify_cancel()]

    def _try(self, batch: list[Instruction]) -> None:
        """Carry out a batch; where the store fails, nothing of it is acknowledged."""
        try:
            answers = self._carry_out(batch)
        except PlimsollError as error:
            _LOG.error("batch failed", extra={"code": error.code, "what": str(error)})
            self.metrics.failed_batches += 1
            for order in batch:
                order.done.set_exception(error)
            return
        for order, answer in zip(batch, answers, strict=True):
            if answer.refusal is not None:
                order.done.set_exception(answer.refusal.raised())
            else:
                order.done.set_result(answer)

    def _carry_out(self, batch: list[Instruction]) -> list[Answer]:
        kept = [order.bar for order in batch if order.bar is not None]
        if kept:
            self._records.keep_bars(kept)
        answers = self._ledger.write(batch)
        kept += self._keep_finished()
        for bar in kept:
            self._learn(bar)
        self._show()
        self.metrics.after_batch(batch, perf_counter())
        if kept:
            self._note_moment(self._view)
        self._ledger.settle(ending=False)
        return answers

    def _keep_finished(self) -> list[KeptBar]:
        """Write down the bars that ticks have finished since the last call; what fails waits for the next."""
        if self._finished:
            self._records.keep_bars(self._finished)
        finished, self._finished = self._finished, []
        return finished

    def _learn(self, bar: KeptBar) -> None:
        """Show a bar to calibration, and put into force what is due then."""
        self._publisher.absorb(bar.bars(self._markets))
        due = self._publisher.published(bar.time + bar.length)
        if due is not None and self._ledger.state.sequence > 0:
            self._put_into_force(due)

    def _put_into_force(self, due: ParameterSet) -> None:
        """Publish what calibration proposes, numbered after whatever was published in between."""
        state = self._ledger.state
        known = 0 if state.parameters is None else state.parameters.version
        if due.version <= known:
            due = replace(due, version=known + 1).sealed()
        self.calibrated = due
        self._ledger.write([Instruction(Published(state.time, due), _WRITER)])

    def _seen(self, sequence: int, event: Event, effects: tuple[Effect, ...]) -> None:
        """Take note of an event that was applied, after a restart too."""
        bar = None if self._builder is None else self._builder.finished(event)
        if bar is not None:
            self._finished.append(bar)
        if isinstance(event, Published):
            self._note_published(event.parameters)
        for effect in effects:
            self._number += 1
            self._fresh.append(Happened(self._number, sequence, effect))

    def _note_published(self, parameters: ParameterSet | None) -> None:
        known = {each.version for each in self._history}
        if parameters is not None and parameters.version not in known:
            self._history = [*self._history, without_scenarios(parameters)][-_KEPT_SETS:]

    def _show(self) -> None:
        """Replace the view."""
        state = self._ledger.state
        margins = self._touched.margins(state)
        with self._showing:
            self._view = View(
                state=state,
                sequence=self._ledger.sequence,
                margins=margins,
                markets=self._markets,
                history=tuple(self._history),
                insight=self._insight,
                feed=self.feed,
            )
        self.happened.extend(self._fresh)
        self._unsaved.extend(self._fresh)
        self._fresh = []
        self._changed()

    def _note_moment(self, view: View | None) -> None:
        if view is not None and view.state.parameters is not None:
            moment = moment_of(view, self._unsaved)
            self.moments.extend([moment])
            self._write_happened((moment,))

    def _write_happened(self, moments: Sequence[Moment]) -> None:
        self._records.keep_happened(self._unsaved, moments)
        self._unsaved = []


def _ending() -> PlimsollError:
    return PlimsollError(
        Code.NOT_READY,
        "the service is stopping, or its engine has ended",
        where="service",
        remedy="Send it again with the same key once the service has been started again.",
    )


def _unknown_end() -> PlimsollError:
    """Tell a writer whose write was under way when the engine ended."""
    return PlimsollError(
        Code.NOT_READY,
        "the engine ended while this was carried out; it may be in the journal",
        where="service",
        remedy="Send it again with the same key once the service has been started again.",
    )


def _nobody() -> None:
    """Tell nobody."""
