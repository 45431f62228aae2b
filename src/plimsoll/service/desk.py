"""What do all endpoints share?"""

import time
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct

from plimsoll.errors import Code, PlimsollError
from plimsoll.service.live_feed import LiveFeed
from plimsoll.service.records import Audited, Records
from plimsoll.service.room import EngineRoom
from plimsoll.service.settings import ServiceSettings
from plimsoll.service.tokens import Tokens
from plimsoll.service.view import View

__all__ = ["Described", "Desk"]


class Described(Struct, frozen=True, kw_only=True):
    """What the venue is, for people.

    Attributes
    ----------
    title, narrative : str   Of what is replayed, or of the venue.
    replayed : bool
    """

    title: str
    narrative: str
    replayed: bool


@dataclass
class Desk:
    """The running parts of a service.

    Attributes
    ----------
    settings : ServiceSettings
    tokens : Tokens
    records : Records
    described : Described
    program : str               Name and version.
    room : EngineRoom or None   None until the venue is opened or rebuilt.
    live : LiveFeed or None     Where the service listens to sources itself.
    failure : str               Why it never will be; empty while all is well.
    """

    settings: ServiceSettings
    tokens: Tokens
    records: Records
    described: Described
    program: str
    room: EngineRoom | None = None
    live: LiveFeed | None = None
    failure: str = ""
    began: float = field(default_factory=time.time)

    @property
    def engine(self) -> EngineRoom:
        """The engine's room; raises `NOT_READY` before there is one."""
        if self.room is None:
            raise PlimsollError(
                Code.NOT_READY,
                self.failure or "the venue is being opened or rebuilt",
                where="service",
                remedy="Ask /v1/ready, and again in some seconds.",
            )
        return self.room

    @property
    def view(self) -> View:
        """The venue after the last batch."""
        return self.engine.view

    def audit(self, **entry: Any) -> None:
        """Write down that a write was asked for."""
        self.records.audit([Audited(wall=time.time_ns() // 1_000_000, **entry)])
