"""Is every acknowledged event there, once, after kills of the writer, the server and their connection?"""

import json
import os
import random
import signal
import socket
import subprocess
import sys
from urllib.parse import parse_qs, urlsplit

import pytest

from plimsoll.engine.runner import replayed
from plimsoll.engine.state import digest
from plimsoll.errors import Code, PlimsollError
from plimsoll.store.location import open_store
from plimsoll.store.records import Entry
from plimsoll.store.recovery import recover
from tests.conventions.repository import ROOT
from tests.support.stores import entries, events, running_postgres
from tests.support.wires import Cutting

KILLS = int(os.environ.get("PLIMSOLL_KILLS", "20"))
"""Per store; CONTRIBUTING.md says when to run more."""

MANY = 100
"""With fewer kills, none of them may have come between a commit and its acknowledgement."""

COUNT = 30


def test_no_kill_loses_or_repeats_what_was_acknowledged(location):
    run = subprocess.run(
        [sys.executable, "-m", "tests.support.kills", location, str(KILLS), "7"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    seen = json.loads(run.stdout)
    assert seen["kills"] == KILLS
    assert seen["acknowledged"] > 2 * KILLS
    assert min(seen["from_snapshot"], seen["dropped"]) > 0
    assert seen["unacknowledged"] > 0 or KILLS < MANY


def sent(store, group):
    """Send until the store takes it, as a client does, and say how often it was refused."""
    for refusals in range(1_000):
        try:
            return store.append(group), refusals
        except PlimsollError as refusal:
            if refusal.code is not Code.STORE_FAILED:
                raise
    raise AssertionError("the store never came back")


def test_a_server_process_killed_behind_a_store_loses_nothing():
    with running_postgres() as url:
        store = open_store(url, writing=True)
        store.append(entries(20))
        ((backend,),) = store._database.query("SELECT pg_backend_pid()")
        os.kill(backend, signal.SIGKILL)  # the server then ends every session and replays its log
        receipts, refusals = sent(store, entries(COUNT))
        assert refusals > 0
        assert [receipt.sequence for receipt in receipts] == list(range(1, COUNT + 1))
        assert [receipt.repeated for receipt in receipts] == [True] * 20 + [False] * 10
        assert digest(recover(store).state) == digest(replayed(events(COUNT)))
        store.close()


@pytest.fixture
def cutting(postgres):
    def server():
        connected = socket.socket(socket.AF_UNIX)
        connected.connect(parse_qs(urlsplit(postgres).query)["host"][0] + "/.s.PGSQL.5432")
        return connected

    between = Cutting(server)
    yield between
    between.close()


@pytest.mark.parametrize("way", ["up", "down"])
def test_a_connection_cut_within_a_message_loses_and_repeats_nothing(cutting, way):
    generator = random.Random(3)
    store = open_store(
        f"postgresql://postgres@127.0.0.1:{cutting.port}/postgres?schema=cut_{way}", writing=True
    )
    written, cuts = entries(90), 0
    for start in range(0, len(written), 5):
        cutting.budget[way] = generator.randrange(LENGTHS[way])
        group = written[start : start + 5]
        try:
            receipts = store.append(group)
        except PlimsollError:
            cuts += 1
            cutting.budget[way] = 10**9
            receipts, _ = sent(store, group)
        assert [receipt.sequence for receipt in receipts] == list(range(start + 1, start + 6))
    cutting.budget[way] = 10**9
    assert cuts > len(written) // 5 // 4
    assert [Entry(r.event, r.key, r.writer) for r in store.read()] == written
    store.close()


LENGTHS = {"up": 2_500, "down": 400}
"""Bytes that an append of five events sends and receives, roughly; cuts fall anywhere within."""
