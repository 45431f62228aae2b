"""Does the client speak of every endpoint in the API's own form, and does the how-to's program run?"""

import ast
import asyncio
import inspect
import re
import tomllib
from pathlib import Path
from types import CodeType
from typing import Any

import httpx
import msgspec
from msgspec import structs

from plimsoll.errors import Code, PlimsollError
from plimsoll.feeds.reports import SignedReport
from plimsoll.service.client import Client
from plimsoll.service.settings import ServiceSettings
from plimsoll.service.table import ENDPOINTS
from plimsoll.service.tokens import Scope, issue
from tests.support.services import external_settings, running

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "run-beside-a-matching-engine.md"
FOR_MACHINES = {("GET", "/v1/health"), ("GET", "/v1/ready"), ("GET", "/v1/metrics")}
"""Asked by orchestrators and Prometheus, not by programs."""
FIGURES = {"BTC-PERP": 1.0}
GIVEN = {
    "name": "desk",
    "account": "desk",
    "bidder": "desk",
    "market": "BTC",
    "instrument": "BTC-PERP",
    "trades": {"BTC-PERP": "1"},
    "legs": {"desk": "1"},
    "amount": 1,
    "price": 1.0,
    "share": 0.5,
    "forward": 1.0,
    "future": True,
    "time": 1,
    "reports": [SignedReport(f"0x{0:040}", "BTC", "1", "0", 1, f"0x{0:0130}")],
    "key": "key",
}
"""What methods are called with; a mapping of figures for all others that have to be told something."""
BY_METHOD = {"list_board": {"volume": 1.0, "impact": 1.0}}
OPTIONAL = {"marks", "volume", "impact", "depth", "forwards", "volatility", "future"}


def calls():
    """Call every method of the client with every argument; give what it asked the service for."""
    asked = []

    def note(request):
        asked.append(request)
        return httpx.Response(503, json={"code": "not-ready", "message": "", "where": "", "remedy": ""})

    async def call():
        async with Client("http://venue", "token", httpx.MockTransport(note)) as client:
            for name, method in inspect.getmembers(client, inspect.iscoroutinefunction):
                if not name.startswith("_"):
                    given = GIVEN | BY_METHOD.get(name, {})
                    wanted = [
                        each.name
                        for each in inspect.signature(method).parameters.values()
                        if each.default is each.empty or each.name in OPTIONAL
                    ]
                    try:
                        await method(**{each: given.get(each, FIGURES) for each in wanted})
                    except PlimsollError as error:
                        assert error.code is Code.NOT_READY  # noqa: PT017 what the transport answers

    asyncio.run(call())
    return asked


def endpoint_of(request):
    path = re.sub(r"^/v1/accounts/desk", "/v1/accounts/{account}", request.url.path)
    return next(each for each in ENDPOINTS if (each.method, each.path) == (request.method, path))


def test_the_client_speaks_of_every_endpoint():
    spoken = {(each.method, each.path) for each in map(endpoint_of, calls())}
    assert spoken == {(each.method, each.path) for each in ENDPOINTS} - FOR_MACHINES


def test_what_the_client_sends_is_what_the_endpoint_takes_and_all_of_it():
    for request in calls():
        endpoint = endpoint_of(request)
        msgspec.convert(dict(request.url.params), endpoint.query, strict=False)
        assert ("idempotency-key" in request.headers) == endpoint.writes
        if endpoint.body is not None:
            body = msgspec.json.decode(request.content)
            msgspec.convert(body, endpoint.body)
            assert set(body) == {field.name for field in structs.fields(endpoint.body)}, endpoint.path


def blocks(language):
    return re.findall(
        rf"^```{language}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )


def test_the_first_program_of_the_page_runs_against_its_settings(tmp_path):
    told = tomllib.loads(blocks("toml")[0])
    del told["external"]["history"]  # a file of the reader's; without one the packaged history is used
    settings = msgspec.convert(told, ServiceSettings)
    settings = structs.replace(settings, store=external_settings(tmp_path).store)
    with running(settings) as (service, client):
        token, kept = issue("matching engine", (Scope.READ, Scope.TRADE, Scope.RISK), 1.0)
        service.desk.tokens.lend(kept)
        program = blocks("python")[0].replace("http://127.0.0.1:8750", str(client.base_url))
        code = compile(program, PAGE.name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        assert isinstance(code, CodeType)
        names: dict[str, Any] = {"token": token}
        asyncio.run(eval(code, names))  # noqa: S307 our own page
        assert names["margin"].explanation.initial > 0
