"""What is an endpoint, and what does its handler get to see of a request?"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

from msgspec import Meta, Struct

from plimsoll.service.desk import Desk
from plimsoll.service.tokens import Scope

__all__ = ["Asked", "Cursor", "Endpoint", "Nothing", "Offset"]


class Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    """No query."""


class Offset(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which part of a list: `limit` entries after the first `offset`."""

    offset: Annotated[int, Meta(ge=0, le=100_000_000)] = 0
    limit: Annotated[int, Meta(ge=1, le=10_000)] = 100


class Cursor(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which part of a list that grows: `limit` entries before entry number `before`, newest first."""

    before: Annotated[int, Meta(ge=0, le=2**62)] = 2**62
    limit: Annotated[int, Meta(ge=1, le=10_000)] = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that was authenticated, is within the limits and has the right form.

    Attributes
    ----------
    desk : Desk
    path : dict     Values in the path.
    query, body : Struct   Of the endpoint's types.
    identity : str  Of the token; empty where none is needed.
    key : str       Idempotency key of a write.
    """

    desk: Desk
    path: dict[str, str]
    query: Any
    body: Any
    identity: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One line of the API.

    Attributes
    ----------
    method, path : str
    scope : Scope or None   None answers without a token.
    summary : str
    handle : callable
    answer : type           What it returns; `str` is plain text.
    query, body : type
    writes : bool           Goes through the journal: needs an idempotency key, and is audited.
    """

    method: str
    path: str
    scope: Scope | None
    summary: str
    handle: Callable[[Asked], Awaitable[Any]]
    answer: Any
    query: type = Nothing
    body: type | None = None
    writes: bool = False
