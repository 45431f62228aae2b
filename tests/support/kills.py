"""What is left of a store after its writer was killed many times at random moments?

``python -m tests.support.kills LOCATION KILLS SEED`` is a program of one thread, which forks each writer.
It prints what it saw as JSON, and ends with a failed assertion where a promise was broken.
"""

import json
import os
import random
import select
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from plimsoll.engine.machine import begin, step
from plimsoll.engine.state import State, digest, snapshot
from plimsoll.errors import PlimsollError
from plimsoll.store.durable import Store
from plimsoll.store.location import open_store
from plimsoll.store.recovery import recover
from tests.support.stores import entries, events

__all__ = ["main"]

MOST = 30_000
"""Events that a run of 200 kills cannot exhaust."""
SNAPSHOT_EVERY = 40
MARGIN = 25
LONGEST_WAIT = 0.004
"""Seconds from an acknowledgement to the kill at most: some commits, so that kills fall at every stage."""


def taken(state: State, event) -> State:
    try:
        return step(state, event)[0]
    except PlimsollError:
        return state


def write_on(location: str, acknowledged: int, pipe: int, seed: int) -> None:
    """Open the store and send events in groups from the first unacknowledged one on, until killed."""
    generator = random.Random(seed)
    store = open_store(location, writing=True)
    recovered = recover(store)
    state, reached = recovered.state, recovered.position.sequence
    snapped = reached
    while acknowledged < MOST:
        size = generator.choice((1, 1, 2, 3, 8, 40))
        receipts = store.append(ENTRIES[acknowledged : acknowledged + size])
        os.write(pipe, receipts[-1].sequence.to_bytes(4, "big"))
        for receipt in receipts:
            assert receipt.repeated == (receipt.sequence <= reached)
            if not receipt.repeated:
                state = taken(state, ENTRIES[receipt.sequence - 1].event)
        acknowledged = receipts[-1].sequence
        reached = max(reached, acknowledged)
        if reached == acknowledged and reached - snapped >= SNAPSHOT_EVERY:
            store.save_snapshot(reached, snapshot(state), digest(state))
            store.drop_old(MARGIN)
            snapped = reached


def killed_once(location: str, acknowledged: int, generator: random.Random) -> int:
    """Let a writer run for some acknowledgements and a moment more, kill it, and return the last one."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        write_on(location, acknowledged, writing, generator.getrandbits(32))
        os._exit(1)
    os.close(writing)
    heard = b""
    for _ in range(generator.choice((0, 1, 1, 3, 10))):
        select.select([reading], [], [], 10.0)
        heard += os.read(reading, 4)
    select.select([], [], [], generator.uniform(0.0, LONGEST_WAIT))
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL, "the writer ended before it was killed; see its error above"
    while more := os.read(reading, 4096):
        heard += more
    os.close(reading)
    sent = [int.from_bytes(heard[place : place + 4], "big") for place in range(0, len(heard) // 4 * 4, 4)]
    return max([acknowledged, *sent])


@dataclass
class Seen:
    """What the kills met."""

    kills: int = 0
    acknowledged: int = 0
    unacknowledged: int = 0
    """Kills after which a group was there that had not been acknowledged yet."""
    dropped: int = 0
    from_snapshot: int = 0


def check(store: Store, acknowledged: int, digests: Sequence[str], seen: Seen) -> None:
    """Hold the store to its promises: all acknowledged, none twice, the digest of an uninterrupted run."""
    base, last = store.base().sequence, store.last().sequence
    assert last >= acknowledged, f"{acknowledged - last} acknowledged events are gone"
    records = list(store.read(after=base))
    assert [record.key for record in records] == [f"key-{number}" for number in range(base, last)]
    recovered = recover(store)
    assert digest(recovered.state) == digests[last]
    seen.unacknowledged += last > acknowledged
    seen.dropped = base
    seen.from_snapshot += recovered.replayed < last


def main(location: str, kills: int, seed: int) -> None:
    """Kill so many writers in turn, and look at the store after each."""
    generator = random.Random(seed)
    digests: list[str] = []
    states = accumulate(EVENTS, taken, initial=begin())
    seen = Seen()
    while seen.kills < kills:
        seen.acknowledged = killed_once(location, seen.acknowledged, generator)
        seen.kills += 1
        store = open_store(location, writing=True)
        while len(digests) <= store.last().sequence:
            digests.append(digest(next(states)))
        check(store, seen.acknowledged, digests, seen)
        store.close()
    sys.stdout.write(json.dumps(seen.__dict__) + "\n")


if __name__ == "__main__":
    EVENTS, ENTRIES = events(MOST), entries(MOST)
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
