"""How is a source listened to for as long as the service runs, through silence and lost connections?"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any

from msgspec import Meta, Struct

from plimsoll.domain.observations import Fault, Refusal
from plimsoll.feeds.gates import Gate, GateSettings
from plimsoll.feeds.sources import Source
from plimsoll.feeds.waiting import Waiting

__all__ = ["LiveSettings", "run_source"]

Seconds = Annotated[float, Meta(gt=0.0, le=86_400.0)]
_DOUBLINGS = 30
"""Doublings after which a pause is at its longest, whatever the settings are."""


class LiveSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long a source may be silent, and how it is called again.

    Attributes
    ----------
    silent_seconds : seconds   Without any message for so long, the connection counts as dead.
    first_pause : seconds      Before the first attempt to connect again; doubled after each that fails.
    longest_pause : seconds    At most.
    """

    silent_seconds: Seconds = 30.0
    first_pause: Seconds = 0.5
    longest_pause: Seconds = 60.0


async def run_source(
    source: Source,
    waiting: Waiting,
    *,
    gate: GateSettings,
    live: LiveSettings,
    clock: Callable[[], int],
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> None:
    """Listen, check and pass on until cancelled, or until a finite source ends.

    The gate's memory outlives a connection: what an exchange repeats after a reconnection is a duplicate.

    Parameters
    ----------
    clock : callable   Milliseconds UTC.

    Raises
    ------
    PlimsollError   What no new attempt would change: an unknown market, a missing library.
    """
    gates, failures = Gate(gate), 0
    while True:
        fault, what = Fault.DISCONNECTED, "the connection ended"
        stream = source.listen()
        try:
            async for message in _while_alive(stream, live.silent_seconds):
                failures = 0
                _pass_on(source, message, clock(), gates, waiting)
            if source.finite:
                return
        except TimeoutError:
            fault, what = Fault.SILENT, f"nothing came for {live.silent_seconds:g} s"
        except OSError as error:
            what = str(error) or type(error).__name__
        waiting.note([Refusal(source.name, None, clock(), fault, what)])
        await sleep(min(live.longest_pause, live.first_pause * 2.0 ** min(failures, _DOUBLINGS)))
        failures += 1


async def _while_alive(stream: AsyncIterator[Any], seconds: float) -> AsyncIterator[Any]:
    """Give messages; raises `TimeoutError` where none comes in time, and leaves the connection then."""
    try:
        while True:
            try:
                async with asyncio.timeout(seconds):  # `wait_for` may swallow a cancellation in Python 3.11
                    message = await anext(stream)
            except StopAsyncIteration:
                return
            yield message
    finally:
        closing = getattr(stream, "aclose", None)
        if closing is not None:
            await closing()


def _pass_on(source: Source, message: Any, received: int, gate: Gate, waiting: Waiting) -> None:
    for said in source.read(message, received):
        if isinstance(said, Refusal):
            waiting.note([said])
            continue
        admitted = gate.admit(said)
        waiting.note(admitted.refusals)
        if admitted.observation is not None:
            waiting.put(admitted.observation)
