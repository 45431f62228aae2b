"""How does an operator, or an orchestrator, see that the service is well?"""

import time
from typing import Any

from msgspec import Struct

from plimsoll.errors import Code, PlimsollError
from plimsoll.service.endpoints import Asked
from plimsoll.service.live_feed import LiveFeed

__all__ = ["Alive", "InstrumentLine", "Ready", "alive", "instruments", "metrics", "ready"]


class Alive(Struct, frozen=True, kw_only=True):
    """The process answers, and its engine has not ended of an error."""

    status: str
    program: str


class Ready(Struct, frozen=True, kw_only=True):
    """The venue answers.

    Attributes
    ----------
    sequence : int   Last journal record in the view.
    feed : str       ``running``, or why it is not.
    """

    status: str
    sequence: int
    feed: str


class InstrumentLine(Struct, frozen=True, kw_only=True):
    """An instrument that is listed; `lot` is in base units."""

    name: str
    market: str
    lot: float
    mark: float | None


async def alive(asked: Asked) -> Alive:
    """Say that the process answers; raises `NOT_READY` once nothing but a restart helps."""
    room = asked.desk.room
    if room is not None and room.ended:
        raise PlimsollError(
            Code.NOT_READY,
            "the engine has ended of an error",
            where="service",
            remedy="Start the service again; the log tells the error.",
        )
    return Alive(status="alive", program=asked.desk.program)


async def ready(asked: Asked) -> Ready:
    """Say whether the venue is open: an error until then, and after the engine has ended."""
    return Ready(status="ready", sequence=asked.desk.view.sequence, feed=asked.desk.engine.feed)


async def instruments(asked: Asked) -> tuple[InstrumentLine, ...]:
    """List what is traded and held."""
    state = asked.desk.view.state
    return tuple(
        InstrumentLine(
            name=listing.name,
            market=listing.underlying,
            lot=listing.lot,
            mark=mark if mark > 0.0 else None,
        )
        for listing, mark in zip(state.listings, state.market.marks.tolist(), strict=True)
    )


async def metrics(asked: Asked) -> str:
    """Write the metrics for Prometheus."""
    engine, view = asked.desk.engine, asked.desk.view
    gauges: dict[str, Any] = {
        "journal_sequence": view.sequence,
        "venue_time_seconds": view.state.time / 1000.0,
        "queue_waiting": engine.waiting,
        "accounts": len(view.margins.equity),
        "up_seconds": time.time() - asked.desk.began,
        "parameters_version": view.state.parameters.version if view.state.parameters else 0,
    }
    gauges |= _heard(asked.desk.live)
    for entry in view.insight.branching if view.insight else ():
        gauges[f'branching_ratio{{market="{entry.market}"}}'] = entry.ratio
    return engine.metrics.text(gauges)


def _heard(live: LiveFeed | None) -> dict[str, float]:
    """Say what came from sources, what was not believed, and how old prices are."""
    if live is None:
        return {}
    said: dict[str, float] = {"sources_refused_events": live.refused_events}
    for line in live.lines():
        said[f'source_heard{{source="{line.name}"}}'] = float(line.state == "heard")
        said[f'source_believed{{source="{line.name}"}}'] = line.believed
        for fault, count in sorted(line.refused.items()):
            said[f'source_refused{{source="{line.name}",fault="{fault}"}}'] = count
    for market, doubt in live.doubts().items():
        said[f'price_age_seconds{{market="{market}"}}'] = doubt.age
        said[f'price_spread{{market="{market}"}}'] = doubt.spread
        said[f'price_multiplier{{market="{market}"}}'] = doubt.multiplier
    for agreed in live.reporters.lines() if live.reporters is not None else ():
        said[f'reports_share{{market="{agreed.market}"}}'] = agreed.share
        said[f'reports_quorum{{market="{agreed.market}"}}'] = float(agreed.has_quorum)
    return said
