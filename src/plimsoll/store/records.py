"""What is one line of a venue's journal, and how does each line vouch for all before it?

A record's digest is the SHA-256 of the digest before it, the record's sequence number (eight bytes,
big-endian), its key, its writer and its event, each of the three led by its length (four bytes, big-endian).
Whoever knows the last digest can therefore tell whether any earlier byte was changed, left out or put in.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec import Struct

from plimsoll.domain.events import Event
from plimsoll.errors import Code, PlimsollError

__all__ = [
    "GENESIS",
    "Entry",
    "Kept",
    "Position",
    "Receipt",
    "Record",
    "Snapshot",
    "chained",
    "decode_event",
    "encode_event",
    "link",
]

_NAME = re.compile(r"[\x21-\x7e]{1,200}")
"""What a key or a writer may be: any database stores these, and no log line breaks over one."""

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Event)


class Entry(Struct, frozen=True):
    """What is to be written down.

    Attributes
    ----------
    event : Event
    key : str or None   The client's idempotency key, unique within the journal; None where the writer never
                        sends again.
    writer : str        Who asked for it: a token's or a feed's name, never a secret.

    Raises
    ------
    PlimsollError   `BAD_ENTRY` where a key or a writer is not 1 to 200 visible ASCII characters.
    """

    event: Event
    key: str | None = None
    writer: str = "venue"

    def __post_init__(self) -> None:
        for field, name in (("key", self.key), ("writer", self.writer)):
            if name is not None and not _NAME.fullmatch(name):
                raise PlimsollError(
                    Code.BAD_ENTRY,
                    f"{name[:200]!r} is not 1 to 200 visible ASCII characters",
                    where=f"{field} of a journal entry",
                    remedy="Send a UUID or a name without spaces.",
                )


class Receipt(Struct, frozen=True):
    """Where an entry stands.

    Attributes
    ----------
    sequence : int    The record's number; the first is 1.
    repeated : bool   Its key was known already: nothing was written, and nothing is to be done again.
    """

    sequence: int
    repeated: bool


class Position(Struct, frozen=True):
    """A place in the journal: the number of a record and the digest that vouches for all up to it (hex)."""

    sequence: int
    digest: str

    def then(self, key: str | None, writer: str, event: bytes) -> "Position":
        """Give the position after one more record."""
        return Position(self.sequence + 1, link(self, key, writer, event))


GENESIS = Position(0, hashlib.sha256(b"plimsoll-journal-2").hexdigest())
"""Before the first record."""


class Record(Struct, frozen=True):
    """What was written down, and checked against the chain when it was read."""

    sequence: int
    key: str | None
    writer: str
    event: Event
    digest: str

    @property
    def position(self) -> Position:
        """The place of this record."""
        return Position(self.sequence, self.digest)


class Snapshot(Struct, frozen=True):
    """The state after a record.

    Attributes
    ----------
    sequence : int   Of the last record that the state includes.
    state : bytes    `engine.state.snapshot`.
    digest : str     SHA-256 of these bytes, which is `engine.state.digest` (hex).
    chain : str      Digest of that record (hex).
    """

    sequence: int
    state: bytes
    digest: str
    chain: str


class Kept(Struct, frozen=True):
    """A snapshot by its record and digest, and whether it matches that digest and the journal."""

    sequence: int
    digest: str
    sound: bool


def chained(events: Iterable[Event], writer: str) -> Iterator[Record]:
    """Number events from 1 on and chain them, as if they were all that a journal ever held."""
    position = GENESIS
    for event in events:
        position = position.then(None, writer, encode_event(event, f"record {position.sequence + 1}"))
        yield Record(position.sequence, None, writer, event, position.digest)


def link(before: Position, key: str | None, writer: str, event: bytes) -> str:
    """Compute the digest of the record after `before` (hex); the module's first lines say over what."""
    chain = hashlib.sha256(bytes.fromhex(before.digest))
    chain.update((before.sequence + 1).to_bytes(8, "big"))
    for part in ((key or "").encode(), writer.encode(), event):
        chain.update(len(part).to_bytes(4, "big"))
        chain.update(part)
    return chain.hexdigest()


def encode_event(event: Event, where: str) -> bytes:
    """Write an event as MessagePack; raises `BAD_ENTRY` for what has no such form."""
    try:
        return _ENCODER.encode(event)
    except (TypeError, ValueError, OverflowError) as error:
        raise PlimsollError(
            Code.BAD_ENTRY,
            f"the event cannot be written down ({error})",
            where=where,
            remedy="Send whole numbers within 64 bits and text that is Unicode.",
        ) from None


def decode_event(blob: bytes, where: str) -> Any:
    """Read an event back; raises `BROKEN_JOURNAL` for what is none."""
    try:
        return _DECODER.decode(blob)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise PlimsollError(
            Code.BROKEN_JOURNAL,
            f"the record is whole, but no event that is known here ({error})",
            where=where,
            remedy="Read it with the version that wrote it.",
        ) from None
