"""Can a slow, silent or talkative client of the stream hold up the engine or the other clients?"""

import json
from contextlib import contextmanager

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from plimsoll.service.stream import PROTOCOL, Changed, Missed
from plimsoll.service.tokens import Scope
from tests.support.services import external_settings, running, tokens_of

PATIENCE = 30.0
BUFFER = 2


@pytest.fixture(scope="module")
def venue(tmp_path_factory):
    settings = external_settings(tmp_path_factory.mktemp("venue"))
    fast = msgspec.structs.replace(settings.limits, stream_interval=0.02, stream_seconds=1.0)
    with running(msgspec.structs.replace(settings, limits=fast)) as (service, client):
        yield service, client, tokens_of(service)


@contextmanager
def streaming(client, token, **more):
    address = f"ws://{client.base_url.host}:{client.base_url.port}/v1/stream"
    headers = {"authorization": f"Bearer {token}"} if token else {}
    with connect(address, additional_headers=headers, max_size=None, close_timeout=1, **more) as socket:
        yield socket


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
    with streaming(client, tokens[Scope.READ]) as socket:
        first = msgspec.json.decode(socket.recv(PATIENCE), type=Changed)
        moved(service, client, tokens, 1)
        later = msgspec.json.decode(socket.recv(PATIENCE), type=Changed | Missed)
        assert isinstance(later, Changed)
        assert later.overview.sequence > first.overview.sequence


def test_a_browser_may_offer_its_token_as_a_subprotocol(venue):
    _, client, tokens = venue
    offered = [PROTOCOL, f"bearer.{tokens[Scope.READ]}"]
    with streaming(client, "", subprotocols=offered) as socket:
        assert socket.subprotocol == PROTOCOL
        assert json.loads(socket.recv(PATIENCE))["kind"] == "changed"


@pytest.mark.parametrize("scope", [None, Scope.TRADE])
def test_a_client_without_the_scope_is_turned_away(venue, scope):
    _, client, tokens = venue
    with pytest.raises(Exception, match="403"), streaming(client, tokens.get(scope, "")):
        pytest.fail("it was let in")


def test_a_client_that_takes_nothing_is_told_or_dropped_and_holds_nobody_up(venue):
    service, client, tokens = venue
    small = {"max_queue": 1}
    with (
        streaming(client, tokens[Scope.READ], **small) as silent,
        streaming(client, tokens[Scope.READ]) as other,
    ):
        other.recv(PATIENCE)
        before = service.desk.engine.metrics.ticks
        moved(service, client, tokens, 30)
        assert service.desk.engine.metrics.ticks == before + 30
        heard = msgspec.json.decode(other.recv(PATIENCE), type=Changed | Missed)
        assert isinstance(heard, Changed | Missed)
        assert silent.recv(PATIENCE)


def talk(socket):
    while True:
        socket.send("and another thing")


def test_a_client_that_talks_too_much_is_disconnected(venue):
    _, client, tokens = venue
    with streaming(client, tokens[Scope.READ]) as socket, pytest.raises(ConnectionClosed):
        talk(socket)
