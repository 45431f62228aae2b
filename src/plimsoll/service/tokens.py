"""Who may ask for what, until when, and how is a bearer token kept so that a thief of the file has none?

A token is ``plimsoll_IDENTITY_SECRET``. The file holds the SHA-256 of the secret, which is 256 random bits:
no slow hash is needed against guessing. Tokens are made and revoked by `plimsoll token`; a running service
sees the change with the next request.
"""

import fcntl
import hashlib
import hmac
import logging
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from tempfile import NamedTemporaryFile

import msgspec
from msgspec import Struct

from plimsoll.errors import Code, PlimsollError

__all__ = ["FILE", "Scope", "Token", "Tokens", "issue"]

_LOG = logging.getLogger("plimsoll.service")

FILE = "tokens.json"
_PREFIX = "plimsoll"
_PARTS = 3
_IDENTITY_BYTES = 6
_SECRET_BYTES = 32
_LONGEST = 200
"""Characters of a token that are looked at at all."""
_DAY = 86_400_000
_NEVER = (0, 0, 0)


class Scope(StrEnum):
    """What a token allows; none includes another."""

    READ = "read"
    TRADE = "trade"
    REPORT = "report"
    RISK = "risk"
    ADMIN = "admin"


class Token(Struct, frozen=True, kw_only=True):
    """What is kept of a token.

    Attributes
    ----------
    identity : str     Names it in logs and in the audit.
    label : str        For people.
    digest : str       SHA-256 of the secret (hex).
    scopes : tuple of Scope
    expires : int      Milliseconds UTC.
    """

    identity: str
    label: str
    digest: str
    scopes: tuple[Scope, ...]
    expires: int


def issue(label: str, scopes: tuple[Scope, ...], days: float) -> tuple[str, Token]:
    """Make a token: what its bearer is given, once, and what is kept."""
    identity, secret = secrets.token_hex(_IDENTITY_BYTES), secrets.token_hex(_SECRET_BYTES)
    kept = Token(
        identity=identity,
        label=label,
        digest=_digest(secret),
        scopes=scopes,
        expires=_now() + round(days * _DAY),
    )
    return f"{_PREFIX}_{identity}_{secret}", kept


class Tokens:
    """The tokens of a file, and those that live as long as this process.

    Parameters
    ----------
    path : Path   The file; it need not be there.

    Raises
    ------
    PlimsollError   `UNREADABLE_FILE` where it is no list of tokens.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int, int] = _NEVER
        self._kept: dict[str, Token] = {}
        self._passing: dict[str, Token] = {}
        self._refresh()

    def listed(self) -> tuple[Token, ...]:
        """Give the tokens of the file."""
        self._refresh()
        return tuple(self._kept.values())

    def lend(self, token: Token) -> None:
        """Accept a token until the process ends; it is written nowhere."""
        self._passing[token.identity] = token

    def keep(self, token: Token) -> None:
        """Write a token into the file."""
        with self._alone():
            self._refresh()
            self._write({**self._kept, token.identity: token})

    def revoke(self, identity: str) -> None:
        """Remove a token from the file; raises `NOT_FOUND` where it is not there."""
        with self._alone():
            self._refresh()
            if identity not in self._kept:
                raise PlimsollError(
                    Code.NOT_FOUND,
                    f"no token {identity}",
                    where=str(self._path),
                    remedy="`plimsoll token` lists them.",
                )
            self._write({name: token for name, token in self._kept.items() if name != identity})

    def admitted(self, presented: str, scope: Scope) -> Token:
        """Check a token for a scope.

        Raises
        ------
        PlimsollError   `UNAUTHENTICATED` where it is missing, wrong or expired, `WRONG_SCOPE` where it does
                        not allow this, `NOT_READY` where the file cannot be read: the log says why.
        """
        token = self._known(presented)
        if token is None:
            raise _unauthenticated("no token, or one that is not known")
        if token.expires <= _now():
            raise _unauthenticated(f"token {token.identity} has expired")
        if scope not in token.scopes:
            raise PlimsollError(
                Code.WRONG_SCOPE,
                f"token {token.identity} does not have the scope {scope}",
                where="Authorization",
                remedy=f"Ask for a token with the scope {scope}.",
            )
        return token

    def _known(self, presented: str) -> Token | None:
        parts = presented[:_LONGEST].split("_")
        if len(parts) != _PARTS or parts[0] != _PREFIX:
            return None
        token = self._passing.get(parts[1]) or self._from_file(parts[1])
        if token is None or not hmac.compare_digest(token.digest, _digest(parts[2])):
            return None
        return token

    def _from_file(self, identity: str) -> Token | None:
        """Look a token up; a stranger is not told where the file is, nor what is wrong with it."""
        try:
            self._refresh()
        except PlimsollError as error:
            _LOG.error("tokens cannot be read", extra={"what": str(error)})
            raise PlimsollError(
                Code.NOT_READY,
                "tokens cannot be checked at present",
                where="Authorization",
                remedy="Ask the operator, whose log says why; then send it again.",
            ) from error
        return self._kept.get(identity)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep every other process and thread from changing the file meanwhile."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path.with_name(f"{self._path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _refresh(self) -> None:
        """Read the file again where it has changed."""
        try:
            about = self._path.stat()
            stamp = about.st_ino, about.st_mtime_ns, about.st_size
            if stamp != self._stamp:
                kept = msgspec.json.decode(self._path.read_bytes(), type=tuple[Token, ...])
                self._kept, self._stamp = {token.identity: token for token in kept}, stamp
        except FileNotFoundError:
            self._kept, self._stamp = {}, _NEVER
        except (OSError, msgspec.DecodeError) as error:
            raise PlimsollError(
                Code.UNREADABLE_FILE,
                "the tokens cannot be read",
                where=str(self._path),
                remedy="Restore the file from a copy, or remove it and issue new tokens.",
            ) from error

    def _write(self, tokens: dict[str, Token]) -> None:
        """Replace the file in one step; only its owner may read it."""
        content = msgspec.json.format(msgspec.json.encode(list(tokens.values())), indent=2)
        with NamedTemporaryFile(dir=self._path.parent, prefix=f"{self._path.name}.", delete=False) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).replace(self._path)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _now() -> int:
    return time.time_ns() // 1_000_000


def _unauthenticated(what: str) -> PlimsollError:
    return PlimsollError(
        Code.UNAUTHENTICATED,
        what,
        where="Authorization",
        remedy="Send `Authorization: Bearer TOKEN`; `plimsoll token --scope NAME` makes one.",
    )
