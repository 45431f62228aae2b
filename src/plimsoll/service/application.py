"""How does a request become an answer: who asks, how often, in what form, and what if something is wrong?"""

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from plimsoll.errors import Code, PlimsollError
from plimsoll.service.desk import Desk
from plimsoll.service.endpoints import Asked, Endpoint
from plimsoll.service.openapi import ErrorBody, document
from plimsoll.service.rates import RateLimit
from plimsoll.service.security import SecurityHeaders
from plimsoll.service.stream import Streams
from plimsoll.service.table import ENDPOINTS

__all__ = ["STATUS", "application"]

_LOG = logging.getLogger("plimsoll.service")
_KEY = re.compile(r"[!-~]{1,120}")

STATUS: dict[Code, int] = {
    Code.BAD_REQUEST: 400,
    Code.UNAUTHENTICATED: 401,
    Code.WRONG_SCOPE: 403,
    Code.NOT_FOUND: 404,
    Code.UNKNOWN_ACCOUNT: 404,
    Code.KEY_REUSED: 409,
    Code.OUT_OF_ORDER: 409,
    Code.TOO_LARGE: 413,
    Code.TOO_MANY_REQUESTS: 429,
    Code.OVERLOADED: 503,
    Code.NOT_READY: 503,
    Code.STORE_FAILED: 503,
    Code.STORE_IN_USE: 503,
}
"""HTTP status of an error; 422 for all others: the request was understood, and the venue refuses it."""

_REFUSED = 422


def application(desk: Desk, pages: Sequence[BaseRoute] = ()) -> Starlette:
    """Put the endpoints, the stream, the OpenAPI document and any pages together."""
    limits = desk.settings.limits
    rates = RateLimit(limits.requests_per_second, limits.burst)
    door = _Door(desk, rates)
    described = msgspec.json.encode(document(ENDPOINTS, desk.program.rpartition(" ")[2]))
    streams = Streams(desk, rates)

    async def openapi(_request: Request) -> Response:
        return Response(described, media_type="application/json")

    routes: list[BaseRoute] = [
        Route(each.path, door.endpoint(each), methods=[each.method], name=each.summary) for each in ENDPOINTS
    ]
    routes += [Route("/v1/openapi.json", openapi), WebSocketRoute("/v1/stream", streams.serve), *pages]
    return Starlette(
        routes=routes,
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=_hosts(desk), www_redirect=False),
            Middleware(SecurityHeaders),
        ],
        exception_handlers={HTTPException: _no_route},
    )


def _hosts(desk: Desk) -> list[str]:
    listen = desk.settings.listen
    return list(dict.fromkeys((*listen.allowed_hosts, listen.host)))


class _Door:
    """Lets requests in, one endpoint's worth of checks each."""

    def __init__(self, desk: Desk, rates: RateLimit) -> None:
        self._desk = desk
        self._rates = rates

    def endpoint(self, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
        """Give the function that answers an endpoint's requests."""

        async def answer(request: Request) -> Response:
            began = time.perf_counter()
            try:
                response = await self._answered(endpoint, request)
            except PlimsollError as error:
                response = _refusal(error)
            except ClientDisconnect:
                response = Response(status_code=499)
            self._count(endpoint, response.status_code, time.perf_counter() - began)
            return response

        return answer

    async def _answered(self, endpoint: Endpoint, request: Request) -> Response:
        identity = self._identity(endpoint, request)
        key = _key(request.headers) if endpoint.writes else ""
        asked = Asked(
            desk=self._desk,
            path=request.path_params,
            query=_query(endpoint, request),
            body=await self._body(endpoint, request),
            identity=identity,
            key=key,
        )
        if not endpoint.writes:
            return _answer(await endpoint.handle(asked))
        try:
            answer = await endpoint.handle(asked)
        except PlimsollError as error:
            await self._audit(request, asked, error.code, 0)
            raise
        await self._audit(request, asked, "written", answer.sequence)
        return _answer(answer)

    async def _audit(self, request: Request, asked: Asked, outcome: str, sequence: int) -> None:
        await asyncio.to_thread(
            self._desk.audit,
            token=asked.identity,
            request=f"{request.method} {request.url.path[:200]}",
            key=asked.key,
            outcome=outcome,
            sequence=sequence,
        )

    def _identity(self, endpoint: Endpoint, request: Request) -> str:
        """Admit the bearer of a token; a stranger's guesses are counted by address."""
        address = request.client.host if request.client else "unknown"
        if endpoint.scope is None:
            self._rates.take(address)
            return ""
        scheme, _, presented = request.headers.get("authorization", "").partition(" ")
        try:
            token = self._desk.tokens.admitted(
                presented.strip() if scheme.lower() == "bearer" else "", endpoint.scope
            )
        except PlimsollError:
            self._rates.take(address)
            raise
        self._rates.take(token.identity)
        return token.identity

    async def _body(self, endpoint: Endpoint, request: Request) -> Any:
        """Read the body up to the limit, and give it the endpoint's form."""
        most = self._desk.settings.limits.body_bytes
        content = bytearray()
        async for chunk in request.stream():
            content += chunk
            if len(content) > most:
                raise PlimsollError(
                    Code.TOO_LARGE,
                    f"the body has more than {most} bytes",
                    where="body",
                    remedy="Send less at a time.",
                )
        if endpoint.body is None:
            return None
        try:
            return msgspec.json.decode(bytes(content), type=endpoint.body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise _bad(str(error), "body") from error

    def _count(self, endpoint: Endpoint, status: int, seconds: float) -> None:
        if self._desk.room is not None:
            metrics = self._desk.room.metrics
            metrics.requests[f"{endpoint.method} {endpoint.path}", status] += 1
            metrics.request_time.add(seconds)


def _query(endpoint: Endpoint, request: Request) -> Any:
    given = dict(request.query_params.multi_items())
    if len(given) != len(request.query_params.multi_items()):
        raise _bad("a parameter is given twice", "query")
    try:
        return msgspec.convert(given, endpoint.query, strict=False)
    except msgspec.ValidationError as error:
        raise _bad(str(error), "query") from error


def _key(headers: Mapping[str, str]) -> str:
    key = headers.get("idempotency-key", "")
    if not _KEY.fullmatch(key):
        raise _bad("a write needs an Idempotency-Key of 1 to 120 visible characters", "Idempotency-Key")
    return key


def _bad(what: str, where: str) -> PlimsollError:
    what, _, field = what.partition(" - at ")
    place = f"{where} {field.strip('`')}" if field else where
    return PlimsollError(
        Code.BAD_REQUEST,
        what[:1].lower() + what[1:],
        where=place,
        remedy="GET /v1/openapi.json describes every request.",
    )


def _answer(answer: object) -> Response:
    if isinstance(answer, str):
        return Response(answer, media_type="text/plain; version=0.0.4")
    return Response(msgspec.json.encode(answer), media_type="application/json")


def _refusal(error: PlimsollError) -> Response:
    status = STATUS.get(error.code, _REFUSED)
    body = ErrorBody(code=error.code, message=error.what, where=error.where, remedy=error.remedy)
    headers = {"www-authenticate": "Bearer"} if error.code is Code.UNAUTHENTICATED else {}
    if error.code is Code.TOO_MANY_REQUESTS:
        headers["retry-after"] = "1"
    return Response(msgspec.json.encode(body), status, headers, media_type="application/json")


async def _no_route(request: Request, error: Exception) -> Response:
    """Answer for what is no endpoint, or not with this method, in the same form as other errors."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    body = ErrorBody(
        code=Code.NOT_FOUND,
        message=f"nothing answers {request.method} here",
        where=request.url.path[:200],
        remedy="GET /v1/openapi.json lists every endpoint.",
    )
    headers = dict(getattr(error, "headers", None) or {})
    return Response(msgspec.json.encode(body), status, headers, media_type="application/json")
