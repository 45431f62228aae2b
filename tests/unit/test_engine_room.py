"""Does the engine's thread outlive its writers, and do its writers outlive the engine?"""

import asyncio
import threading
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest

from plimsoll.domain.events import Deposited, Listed, Opened, Ticked
from plimsoll.domain.settings import ClearingRules
from plimsoll.errors import Code, PlimsollError
from plimsoll.service.bar_builder import BarBuilder
from plimsoll.service.endpoints import Asked
from plimsoll.service.insight import look_until
from plimsoll.service.instructions import Instruction
from plimsoll.service.operations import alive
from plimsoll.service.records import Records
from plimsoll.service.room import EngineRoom
from plimsoll.service.settings import EngineSettings, StoreSettings
from plimsoll.sim.publishing import Fixed
from plimsoll.store.location import open_store
from tests.support.venues import LISTINGS, MARKETS, MARKS, parameter_set, per_position

UNFORESEEN = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
BAR = 60_000
PATIENCE = 60.0
"""Seconds that a busy machine is given for one instruction."""


class Gate:
    """A store whose commits can be held up, or made to fail as nobody foresaw."""

    def __init__(self, store):
        self._store = store
        self.open, self.reached = threading.Event(), threading.Event()
        self.open.set()
        self.broken = False

    def __getattr__(self, name):
        return getattr(self._store, name)

    def append(self, entries):
        self.reached.set()
        assert self.open.wait(PATIENCE)
        if self.broken:
            raise ZeroDivisionError
        return self._store.append(entries)


@contextmanager
def venue(folder, *, crash=False):
    store, records = open_store(folder / "journal.sqlite", writing=True), Records(folder / "desk.sqlite")
    gate: Any = Gate(store)
    publisher = Fixed(parameter_set(per_position()))
    builder = BarBuilder(np.arange(len(MARKETS)), BAR)
    room = EngineRoom(
        EngineSettings(),
        StoreSettings(),
        gate,
        records,
        publisher=publisher,
        markets=MARKETS,
        builder=builder,
    )
    if room.resume().sequence == 0:
        room.open([Listed(1, LISTINGS, ClearingRules()), Opened(1, ("alpha",), (100,))])
    room.start()
    gate.reached.clear()
    try:
        yield room, gate
    finally:
        gate.open.set()
        if crash:
            room._ledger = Mock()  # takes no snapshot
        room.stop()
        records.close()
        store.close()


def deposit(amount):
    return Instruction(Deposited(0, ("alpha",), (amount,)), "desk")


def tick(time, factor):
    quiet = (1e9,) * len(LISTINGS)
    return Instruction(Ticked(time, tuple((MARKS * factor).tolist()), quiet, (0.01,) * len(LISTINGS)), "desk")


def cash(room):
    return int(room.view.state.book.cash[-1])


def test_a_writer_that_goes_while_its_write_is_carried_out_leaves_the_engine_at_work(tmp_path):
    async def leave(room, gate):
        gate.open.clear()
        waiting = asyncio.wrap_future(room.submit(deposit(5)))
        assert await asyncio.to_thread(gate.reached.wait, PATIENCE)
        waiting.cancel()
        gate.open.set()

    with venue(tmp_path) as (room, gate):
        asyncio.run(leave(room, gate))
        room.submit(deposit(7)).result(PATIENCE)
        assert cash(room) == 112  # what was taken is carried out, whoever is there to hear of it


def test_what_nobody_waits_for_before_it_is_taken_is_left_undone(tmp_path):
    with venue(tmp_path) as (room, gate):
        gate.open.clear()
        first = room.submit(deposit(1))
        assert gate.reached.wait(PATIENCE)
        assert room.submit(deposit(5)).cancel()
        last = room.submit(deposit(2))
        gate.open.set()
        assert first.result(PATIENCE).sequence + 1 == last.result(PATIENCE).sequence
        assert cash(room) == 103


@UNFORESEEN
def test_after_an_error_nobody_foresaw_no_writer_waits_for_ever(tmp_path, caplog):
    with venue(tmp_path) as (room, gate):
        gate.open.clear()
        taken = room.submit(deposit(1))
        assert gate.reached.wait(PATIENCE)
        waiting = [room.submit(deposit(amount)) for amount in (2, 3)]
        gate.broken = True
        gate.open.set()
        for done in (taken, *waiting):
            with pytest.raises(PlimsollError) as told:
                done.result(PATIENCE)
            assert told.value.code is Code.NOT_READY
        with pytest.raises(PlimsollError) as told:
            room.submit(deposit(4)).result(PATIENCE)
        assert told.value.code is Code.NOT_READY
        assert room.ended
        assert "ZeroDivisionError" in caplog.text


def test_health_tells_of_an_engine_that_has_ended():
    async def asked(room):
        desk: Any = SimpleNamespace(program="plimsoll", room=room)
        return await alive(Asked(desk, {}, None, None, "", ""))

    assert asyncio.run(asked(SimpleNamespace(ended=False))).status == "alive"
    with pytest.raises(PlimsollError) as told:
        asyncio.run(asked(SimpleNamespace(ended=True)))
    assert told.value.code is Code.NOT_READY


def test_a_look_that_is_refused_is_logged_and_the_next_is_taken(caplog):
    ending, looks = threading.Event(), iter((False, True))

    def look():
        if next(looks):
            ending.set()
        raise PlimsollError(Code.NOT_READY, "not now", where="here", remedy="Wait.")

    look_until(ending, 0.001, look)
    assert caplog.text.count("no insight") == 2


def test_a_look_that_fails_as_nobody_foresaw_is_in_the_log(caplog):
    def look():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        look_until(threading.Event(), 0.001, look)
    assert "insight has ended" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_a_bar_that_was_open_at_a_crash_is_finished_with_all_its_ticks(tmp_path):
    with venue(tmp_path, crash=True) as (room, _):
        for place, factor in enumerate((1.0, 1.5, 1.1)):
            room.submit(tick(10 * BAR + place, factor)).result(PATIENCE)
    with venue(tmp_path) as (room, _):
        room.submit(tick(10 * BAR + 9, 0.9)).result(PATIENCE)
        room.submit(tick(11 * BAR, 1.0)).result(PATIENCE)
        (bar,) = room._records.bars()
    paid = (bar.open[0], bar.high[0], bar.low[0], bar.close[0])
    assert paid == tuple(MARKS[0] * factor for factor in (1.0, 1.5, 0.9, 0.9))


def test_a_venue_that_stands_still_shows_what_was_looked_at(tmp_path):
    with venue(tmp_path) as (room, _):
        still = room.view
        assert still.insight is None
        told = Mock()
        room.on_change(told)
        room.look_closer()
        shown = room.view
        assert shown.sequence == shown.insight.sequence == still.sequence
        assert shown.margins is still.margins
        assert still.insight is None, "a view that a reader holds does not change"
        told.assert_called_once()
