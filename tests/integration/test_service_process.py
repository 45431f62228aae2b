"""Does the service keep what it acknowledged when it is killed, and end in order when it is asked to?"""

import asyncio
import os
import random

import msgspec
import pytest

from plimsoll.cli.token import run as token_command
from plimsoll.errors import Code, PlimsollError
from plimsoll.service.client import Client
from plimsoll.service.configuration import PREFIX, read_settings
from plimsoll.service.tokens import FILE, Scope, Tokens, issue
from tests.support.commands import run_plimsoll
from tests.support.services import external_settings, serving

KILLS = 2
WRITERS = 4
SEED = 20


def token_for(folder, *scopes):
    presented, token = issue("load", scopes, 1.0)
    Tokens(folder / FILE).keep(token)
    return presented


async def load(address, token, life, acknowledged, stop):
    """Deposit from several writers until the service is gone; note what it acknowledged."""

    async def writer(number):
        async with Client(address, token) as venue:
            for count in range(10_000):
                key = f"life-{life}-{number}-{count}"
                try:
                    answer = await venue.deposit("saver", amount=1 + count % 7, key=key)
                except PlimsollError as error:
                    assert error.code is Code.NOT_READY, error  # noqa: PT017 several errors would be wrong
                    return
                acknowledged[key] = (1 + count % 7, answer.sequence)
                if len(acknowledged) >= stop:
                    return

    await asyncio.gather(*(writer(number) for number in range(WRITERS)))


def test_what_was_acknowledged_is_there_once_after_kills(tmp_path):
    generator = random.Random(SEED)
    settings = external_settings(tmp_path / "store")
    (tmp_path / "store").mkdir()
    token = token_for(tmp_path / "store", Scope.READ, Scope.TRADE)
    acknowledged: dict[str, tuple[int, int]] = {}
    for life in range(KILLS):
        with serving(settings, tmp_path) as served:
            asyncio.run(_lived(served, token, life, acknowledged, generator.randrange(40, 120)))
    with serving(settings, tmp_path) as served:
        asyncio.run(_checked(served.address, token, acknowledged))
    sequences = [sequence for _, sequence in acknowledged.values()]
    assert len(set(sequences)) == len(sequences) > KILLS * WRITERS


async def _lived(served, token, life, acknowledged, more):
    if life == 0:
        async with Client(served.address, token) as venue:
            await venue.open_account("saver", amount=0, key="open")
    target = len(acknowledged) + more
    loading = asyncio.create_task(load(served.address, token, life, acknowledged, 10 * target))
    while len(acknowledged) < target:
        await asyncio.sleep(0.005)
    await asyncio.to_thread(served.kill)
    await loading


async def _checked(address, token, acknowledged):
    """Send every acknowledged write again: each is known, and the account holds no more than before."""
    async with Client(address, token) as venue:
        before = await venue.account("saver")
        for key, (amount, sequence) in acknowledged.items():
            assert (await venue.deposit("saver", amount=amount, key=key)).sequence == sequence
        after = await venue.account("saver")
        assert after.account == before.account
        unanswered = after.line.equity - sum(amount for amount, _ in acknowledged.values())
        assert 0 <= unanswered <= 7 * WRITERS * KILLS


def test_sigterm_ends_in_order_and_says_so(tmp_path):
    with serving(external_settings(tmp_path / "store"), tmp_path) as served:
        status, said = served.stop()
    assert status == 0, said
    assert "stopped" in said
    assert served.token not in said


def test_a_token_made_by_the_command_is_seen_and_its_revocation_too(tmp_path, capsys):
    tokens = Tokens(tmp_path / FILE)
    token_command(data=tmp_path, scope=["read"], label="desk", days=1.0)
    presented = capsys.readouterr().out.strip()
    known = tokens.admitted(presented, Scope.READ)
    assert presented.split("_")[2] not in (tmp_path / FILE).read_text()
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0
    token_command(data=tmp_path, revoke=known.identity)
    with pytest.raises(PlimsollError, match="unauthenticated"):
        tokens.admitted(presented, Scope.READ)


def test_a_token_goes_where_the_environment_puts_the_service(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv(f"{PREFIX}STORE__FOLDER", str(tmp_path))
    assert read_settings(None, os.environ).store.folder == str(tmp_path)
    presented = run_plimsoll(monkeypatch, capsys, "token", "--scope", "read").out.strip()
    assert Tokens(tmp_path / FILE).admitted(presented, Scope.READ).scopes == (Scope.READ,)


def test_the_address_of_a_service_on_all_interfaces_can_be_opened(tmp_path):
    settings = external_settings(tmp_path / "store")
    everywhere = msgspec.structs.replace(settings.listen, host="0.0.0.0", plain_behind_proxy=True)  # noqa: S104
    (tmp_path / "store").mkdir()
    with serving(msgspec.structs.replace(settings, listen=everywhere), tmp_path) as served:
        assert served.address.startswith("http://127.0.0.1:")
