"""Can a slow, silent or talkative client of the stream hold up the engine or the other clients?"""

import contextlib
import json
import socket
from contextlib import contextmanager

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from plimsoll.service import stream
from plimsoll.service.stream import PROTOCOL, Changed, Missed
from plimsoll.service.tokens import Scope, issue
from tests.support.services import external_settings, running, tokens_of

PATIENCE = 30.0
POLICY, TRY_LATER = 1008, 1013
SMALLEST = 2048
"""Bytes that the system keeps at either end for a client which does not read; it doubles them."""
MOST_ROUNDS = 100
"""Of twenty ticks each; a dozen fill what lies between the service and a client with so little room."""


@pytest.fixture(scope="module")
def venue(tmp_path_factory):
    settings = external_settings(tmp_path_factory.mktemp("venue"))
    fast = msgspec.structs.replace(settings.limits, stream_interval=0.02, stream_seconds=1.0)
    settings = msgspec.structs.replace(settings, limits=fast)
    with running(settings, send_buffer=SMALLEST) as (service, client):
        yield service, client, tokens_of(service)


@contextmanager
def streaming(client, token, **more):
    address = f"ws://{client.base_url.host}:{client.base_url.port}/v1/stream"
    headers = {"authorization": f"Bearer {token}"} if token else {}
    with connect(address, additional_headers=headers, max_size=None, close_timeout=1, **more) as heard:
        yield heard


def moved(service, client, tokens, count):
    """Send ticks until the engine has taken so many; each is answered."""
    state = service.desk.view.state
    marks = {market.market + "-PERP": market.price for market in state.parameters.method.markets}
    marks |= {name.removesuffix("-PERP"): price for name, price in marks.items()}
    for number in range(count):
        time = service.desk.view.state.time + 1
        body = {"time": time, "marks": {name: price * (1 + number % 3) for name, price in marks.items()}}
        headers = {"authorization": f"Bearer {tokens[Scope.RISK]}", "idempotency-key": f"tick-{time}"}
        answer = client.post("/v1/ticks", content=msgspec.json.encode(body), headers=headers)
        assert answer.status_code == 200, answer.text


def test_a_client_hears_of_a_change_in_the_documented_form(venue):
    service, client, tokens = venue
    with streaming(client, tokens[Scope.READ]) as heard:
        first = msgspec.json.decode(heard.recv(PATIENCE), type=Changed)
        moved(service, client, tokens, 1)
        later = msgspec.json.decode(heard.recv(PATIENCE), type=Changed | Missed)
        assert isinstance(later, Changed)
        assert later.overview.sequence > first.overview.sequence


def test_a_browser_may_offer_its_token_as_a_subprotocol(venue):
    _, client, tokens = venue
    offered = [PROTOCOL, f"bearer.{tokens[Scope.READ]}"]
    with streaming(client, "", subprotocols=offered) as heard:
        assert heard.subprotocol == PROTOCOL
        assert json.loads(heard.recv(PATIENCE))["kind"] == "changed"


@pytest.mark.parametrize("scope", [None, Scope.TRADE])
def test_a_client_without_the_scope_is_turned_away(venue, scope):
    _, client, tokens = venue
    with pytest.raises(Exception, match="403"), streaming(client, tokens.get(scope, "")):
        pytest.fail("it was let in")


def until_the_end(heard):
    """Give what came until the service ended the connection."""
    told = []
    with contextlib.suppress(ConnectionClosed):
        while True:
            told.append(json.loads(heard.recv(PATIENCE)))
    return told


def test_a_revoked_token_hears_nothing_more(venue):
    service, client, tokens = venue
    presented, token = issue("to be revoked", (Scope.READ,), 1.0)
    service.desk.tokens.keep(token)
    with streaming(client, presented) as heard:
        heard.recv(PATIENCE)
        service.desk.tokens.revoke(token.identity)
        sequence = service.desk.view.sequence
        moved(service, client, tokens, 1)
        assert all(each["overview"]["sequence"] <= sequence for each in until_the_end(heard))
        assert heard.close_code == POLICY


def test_guesses_at_a_token_are_counted(tmp_path):
    settings = external_settings(tmp_path)
    few = msgspec.structs.replace(settings.limits, requests_per_second=0.001, burst=2)
    with running(msgspec.structs.replace(settings, limits=few)) as (_, client):
        for _ in range(2):
            with pytest.raises(InvalidStatus), streaming(client, "plimsoll_a_b"):
                pytest.fail("it was let in")
        answer = client.get("/v1/overview", headers={"authorization": "Bearer plimsoll_a_b"})
        assert answer.json()["code"] == "too-many-requests"


def test_clients_are_sent_away_when_messages_can_no_longer_be_written(venue, caplog, monkeypatch):
    service, client, tokens = venue
    with streaming(client, tokens[Scope.READ]) as heard:
        heard.recv(PATIENCE)
        with monkeypatch.context() as broken:
            broken.setattr(stream, "overview_of", lambda _: 1 / 0)
            moved(service, client, tokens, 1)
            until_the_end(heard)
            assert heard.close_code == TRY_LATER
    assert "the stream has ended" in caplog.text
    with streaming(client, tokens[Scope.READ]) as heard:
        assert json.loads(heard.recv(PATIENCE))["kind"] == "changed"


def deaf(client, token):
    """Open the stream by hand, with room for next to nothing, and read only the answer to the handshake."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALLEST)
    raw.settimeout(PATIENCE)
    raw.connect((client.base_url.host, client.base_url.port))
    raw.sendall(
        f"GET /v1/stream HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\n"
        "upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\n"
        "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    assert raw.recv(12) == b"HTTP/1.1 101"
    return raw


def test_a_client_that_reads_nothing_is_dropped_and_holds_up_neither_the_engine_nor_the_others(venue, caplog):
    service, client, tokens = venue
    metrics = service.desk.engine.metrics
    with (
        contextlib.closing(deaf(client, tokens[Scope.READ])) as raw,
        streaming(client, tokens[Scope.READ]) as other,
    ):
        other.recv(PATIENCE)
        for _ in range(MOST_ROUNDS):
            before = metrics.ticks
            moved(service, client, tokens, 20)
            assert metrics.ticks == before + 20
            until_newest(other, service.desk.view.sequence)
            if "stream client too slow" in caplog.text:
                break
        assert "stream client too slow" in caplog.text
        assert metrics.dropped_messages > 0
        with contextlib.suppress(ConnectionError):
            while raw.recv(1 << 16):
                pass


def until_newest(other, sequence):
    """Read as a client does that keeps up, until it has heard of this record."""
    while True:
        heard = msgspec.json.decode(other.recv(PATIENCE), type=Changed | Missed)
        if isinstance(heard, Changed) and heard.overview.sequence >= sequence:
            return


def talk(heard):
    while True:
        heard.send("and another thing")


def test_a_client_that_talks_too_much_is_disconnected(venue):
    _, client, tokens = venue
    with streaming(client, tokens[Scope.READ]) as heard, pytest.raises(ConnectionClosed):
        talk(heard)
