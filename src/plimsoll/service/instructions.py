"""What waits for the engine, and what does it answer?"""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from time import perf_counter

from plimsoll.domain.events import Event, Ticked
from plimsoll.engine.state import State
from plimsoll.service.records import Answer, KeptBar

__all__ = ["Instruction", "ToldTick"]


@dataclass(frozen=True, slots=True)
class ToldTick:
    """A tick that tells only what moved.

    Attributes
    ----------
    request : str     Digest of all that was sent, its time included: a repeated request is the same.
    over : callable   Puts it over the state that it finds when its turn comes, and so over every tick that
                      came before it; raises what is wrong with it.
    """

    request: str
    over: Callable[[State], Ticked]


@dataclass(frozen=True, slots=True)
class Instruction:
    """One event that somebody wants to happen.

    Attributes
    ----------
    event : Event or ToldTick   A time of 0 is set by the engine.
    writer : str          Who asks: a feed or the identity of a token.
    key : str or None     Idempotency key.
    bar : KeptBar or None What calibration is to learn with this tick.
    received : float      By `perf_counter`.
    done : Future         Of `Answer`.
    """

    event: Event | ToldTick
    writer: str
    key: str | None = None
    bar: KeptBar | None = None
    received: float = field(default_factory=perf_counter)
    done: "Future[Answer]" = field(default_factory=Future)
