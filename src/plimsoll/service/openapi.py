"""How does the table of endpoints read as an OpenAPI 3.1 document?"""

import re
from typing import Any

import msgspec
from msgspec import Struct

from plimsoll.service.endpoints import Endpoint, Nothing

__all__ = ["ErrorBody", "document"]

_NAME_IN_PATH = re.compile(r"\{(\w+)\}")
_TEMPLATE = "#/components/schemas/{name}"
_ERRORS = {
    "400": "the request has not the form described here",
    "401": "no token, or one that is wrong or expired",
    "403": "the token has not the scope",
    "404": "there is nothing of that name",
    "409": "the idempotency key came with another request, or the event comes too late",
    "413": "the body is too large",
    "422": "the venue refuses it",
    "429": "too many requests",
    "503": "not ready, or too much is waiting",
}


class ErrorBody(Struct, frozen=True, kw_only=True):
    """What is wrong, where, and what to do about it; programs match on the code."""

    code: str
    message: str
    where: str
    remedy: str


def document(endpoints: tuple[Endpoint, ...], version: str) -> dict[str, Any]:
    """Describe the endpoints."""
    kinds: list[Any] = [ErrorBody]
    for endpoint in endpoints:
        kinds += [kind for kind in (endpoint.answer, endpoint.body, endpoint.query) if kind is not None]
    schemas, components = msgspec.json.schema_components(kinds, ref_template=_TEMPLATE)
    known = {id(kind): schema for kind, schema in zip(kinds, schemas, strict=True)}
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, known, components)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Plimsoll",
            "version": version,
            "summary": "Margin of a derivatives venue: parameters, accounts, explanations, fills.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(endpoint: Endpoint, known: dict[int, Any], components: dict[str, Any]) -> dict[str, Any]:
    form = "text/plain" if endpoint.answer is str else "application/json"
    operation: dict[str, Any] = {
        "operationId": endpoint.handle.__name__,
        "summary": endpoint.summary,
        "parameters": _parameters(endpoint, components),
        "responses": {
            "200": {
                "description": "the answer",
                "content": {form: {"schema": known[id(endpoint.answer)]}},
            },
            **{
                status: {
                    "description": reason,
                    "content": {"application/json": {"schema": known[id(ErrorBody)]}},
                }
                for status, reason in _ERRORS.items()
            },
        },
    }
    if endpoint.scope is not None:
        operation["security"] = [{"token": []}]
        operation["description"] = f"Needs a token with the scope `{endpoint.scope}`."
    if endpoint.body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": known[id(endpoint.body)]}},
        }
    return operation


def _parameters(endpoint: Endpoint, components: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in _NAME_IN_PATH.findall(endpoint.path)
    ]
    if endpoint.query is not Nothing:
        fields = components[endpoint.query.__name__]
        found += [
            {"name": name, "in": "query", "required": name in fields.get("required", ()), "schema": schema}
            for name, schema in fields["properties"].items()
        ]
    if endpoint.writes:
        found.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": True,
                "description": "The same key with the same request is carried out once.",
                "schema": {"type": "string", "pattern": "^[!-~]{1,120}$"},
            }
        )
    return found
