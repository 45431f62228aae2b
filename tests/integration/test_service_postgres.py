"""Does a service on PostgreSQL come back, killed or stopped, to the state that its journal says?"""

import asyncio
from contextlib import suppress

from msgspec.structs import replace

from plimsoll.engine.machine import begin, step
from plimsoll.engine.state import digest
from plimsoll.errors import PlimsollError
from plimsoll.service.client import Client
from plimsoll.service.settings import StoreSettings
from plimsoll.service.tokens import FILE, Scope, Tokens, issue
from plimsoll.store.location import open_store
from plimsoll.store.recovery import recover
from tests.support.services import external_settings, serving
from tests.support.stores import new_location

DEPOSITS = 60
"""More than a snapshot's worth of records (40), so that a start takes a snapshot and the records after it."""


def replayed_from_the_beginning(location):
    """Apply every record of the journal to nothing, and give the digest and the last record's number."""
    store, state, last = open_store(location, writing=False), begin(), 0
    for record in store.read():
        with suppress(PlimsollError):
            state, _ = step(state, record.event)
        last = record.position.sequence
    assert digest(recover(store).state) == digest(state)
    store.close()
    return digest(state), last


async def pay(served, token, life):
    async with Client(served.address, token) as venue:
        if life == 0:
            await venue.open_account("saver", amount=0, key="open")
        answers = [
            await venue.deposit("saver", amount=1 + number, key=f"{life}-{number}")
            for number in range(DEPOSITS)
        ]
        again = await venue.deposit("saver", amount=DEPOSITS, key=f"{life}-{DEPOSITS - 1}")
        assert again == answers[-1]
        return answers[-1].sequence, (await venue.account("saver")).line.equity


def test_a_killed_and_a_stopped_service_come_back_to_the_same_digest(tmp_path, postgres):
    location = new_location("postgresql", tmp_path, postgres)
    folder = tmp_path / "store"
    folder.mkdir()
    store = StoreSettings(folder=str(folder), postgres=location, snapshot_events=40)
    settings = replace(external_settings(folder), store=store)
    token, kept = issue("desk", (Scope.READ, Scope.TRADE), 1.0)
    Tokens(folder / FILE).keep(kept)
    paid = DEPOSITS * (DEPOSITS + 1) // 2
    before, last = "", 0
    for life in range(2):
        with serving(settings, tmp_path) as served:
            last, equity = asyncio.run(pay(served, token, life))
            assert equity == (life + 1) * paid
            if life == 0:
                served.kill()
            else:
                status, said = served.stop()
                assert status == 0, said
                assert location not in said
        before, sequence = replayed_from_the_beginning(location)
        assert sequence == last
    with serving(settings, tmp_path) as served:
        assert asyncio.run(equity_of(served, token)) == 2 * paid
        served.stop()
    after, sequence = replayed_from_the_beginning(location)
    assert (after, sequence) == (before, last)
    assert not (folder / "venue" / "journal.sqlite").exists()


async def equity_of(served, token):
    async with Client(served.address, token) as venue:
        return (await venue.account("saver")).line.equity
