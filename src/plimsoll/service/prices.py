"""Who tells the service prices, and how do signed reports get in?"""

from plimsoll.errors import Code, PlimsollError
from plimsoll.service.endpoints import Asked
from plimsoll.service.live_feed import SourceLine
from plimsoll.service.reporters import AgreedLine, Reports, ReportsAnswer
from plimsoll.service.threads import apart

__all__ = ["report", "reports", "sources"]


async def sources(asked: Asked) -> tuple[SourceLine, ...]:
    """Say how each source of prices does; none where ticks come through the API or are replayed."""
    return asked.desk.live.lines() if asked.desk.live is not None else ()


async def reports(asked: Asked) -> tuple[AgreedLine, ...]:
    """Say what reporters agree on, by market; none where the venue has no reporters."""
    live = asked.desk.live
    return live.reporters.lines() if live is not None and live.reporters is not None else ()


async def report(asked: Asked) -> ReportsAnswer:
    """Take signed reports."""
    live, body = asked.desk.live, asked.body
    if live is None or live.reporters is None:
        raise PlimsollError(
            Code.BAD_REQUEST,
            "this venue has no reporters",
            where="service",
            remedy="Name them in the room `reports` of its settings.",
        )
    given: Reports = body
    return await apart(live.reporters.take, given.reports)
