"""What do readers learn of markets, parameters, announced rises, stress and fragility?"""

import math
from typing import Annotated

import numpy as np
from msgspec import Meta, Struct

from plimsoll.clearing.statuses import Status
from plimsoll.domain.bars import HOUR
from plimsoll.domain.instruments import Option
from plimsoll.domain.parameters import (
    CrossMargin,
    JointScenarios,
    MarketParameters,
    ParameterSet,
    SideEvidence,
    StaticTiers,
)
from plimsoll.engine.book import FIRST_TRADER, FUND
from plimsoll.service.branching import Branching
from plimsoll.service.endpoints import Asked, Cursor
from plimsoll.service.moments import market_prices, open_notional
from plimsoll.service.stress import StressResult
from plimsoll.service.threads import apart
from plimsoll.service.view import Happened, Moment, View, in_force, without_scenarios

__all__ = [
    "Announcement",
    "EvidenceQuery",
    "HappenedPage",
    "JournalPosition",
    "Market",
    "Overview",
    "SeriesQuery",
    "announced",
    "announcements",
    "branching_ratios",
    "evidence",
    "happened_page",
    "journal_position",
    "markets",
    "markets_of",
    "overview",
    "overview_of",
    "parameter_history",
    "parameters",
    "scenario_tables",
    "series",
    "stress_results",
]


class Market(Struct, frozen=True, kw_only=True):
    """One market now. Money is in quote quanta, rates are shares of notional, long then short.

    Attributes
    ----------
    price : float            Mark; 0 before the first tick.
    move : float             Relative to the oldest price in the charts within a day.
    long_open, short_open : int   Notional that traders hold, in options nothing: boards have those.
    maintenance, initial, target : tuple [2]
    binding : tuple [2]      What holds the rate: ``model``, ``floor``, ``rise-limit`` or ``fall-limit``.
    branching : float or None
    price_age, spread : float or None   Of a price that the service hears itself: seconds since it was fresh,
                             and how far its sources were apart lately, as a share of it.
    raised : float           Factor that doubt about the price puts on initial margin with the next tick; 1
                             without.
    """

    market: str
    price: float
    move: float
    long_open: int
    short_open: int
    maintenance: tuple[float, float]
    initial: tuple[float, float]
    target: tuple[float, float]
    binding: tuple[str, str]
    branching: float | None
    price_age: float | None
    spread: float | None
    raised: float


class Overview(Struct, frozen=True, kw_only=True):
    """The venue at a glance. Money is in quote quanta.

    Attributes
    ----------
    sequence, time : int    Journal record and time of the event.
    feed : str
    parameters : int        Version in force; 0 before the first.
    statuses : dict         Accounts by status.
    equity, maintenance : int   Of all traders.
    open_notional : int
    fund : int
    announced : int         Rises on the notice board.
    """

    sequence: int
    time: int
    feed: str
    title: str
    narrative: str
    replayed: bool
    parameters: int
    digest: str
    accounts: int
    statuses: dict[str, int]
    equity: int
    maintenance: int
    open_notional: int
    fund: int
    announced: int
    highest_branching: float | None
    insight_time: int


class Announcement(Struct, frozen=True, kw_only=True):
    """A rise on the notice board.

    Attributes
    ----------
    market, side : str
    maintenance : float   Rate now.
    heading_to : float    Where it is going under the speed limit.
    initial : float       What new risk pays already.
    per_hour : float      Largest relative rise of maintenance in an hour.
    hours : float         Until it is there at that speed, if the market stays as it is.
    arrives : int         The same as a time, milliseconds UTC.
    """

    market: str
    side: str
    maintenance: float
    heading_to: float
    initial: float
    per_hour: float
    hours: float
    arrives: int


class EvidenceQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of which market; empty for all."""

    market: Annotated[str, Meta(max_length=40)] = ""


class SeriesQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Points of the charts after a time, thinned to at most so many."""

    after: Annotated[int, Meta(ge=0, le=2**53)] = 0
    points: Annotated[int, Meta(ge=2, le=5_000)] = 600


class HappenedPage(Struct, frozen=True, kw_only=True):
    """Calls, liquidations, closures and allocations, newest first.

    Attributes
    ----------
    before : int   Give this as `before` for the next page; 0 where there is none.
    """

    entries: tuple[Happened, ...]
    before: int


class JournalPosition(Struct, frozen=True, kw_only=True):
    """How far the journal has come.

    Attributes
    ----------
    waiting : int   Instructions that are not in it yet.
    """

    sequence: int
    time: int
    waiting: int


async def overview(asked: Asked) -> Overview:
    """Give the venue at a glance."""
    return await apart(overview_of, asked)


def overview_of(asked: Asked) -> Overview:
    """Add the venue up."""
    view, described = asked.desk.view, asked.desk.described
    book, parameters = view.state.book, view.state.parameters
    counts = np.bincount(book.status[FIRST_TRADER:], minlength=len(Status))
    insight = view.insight
    return Overview(
        sequence=view.sequence,
        time=view.state.time,
        feed=asked.desk.engine.feed,
        title=described.title,
        narrative=described.narrative,
        replayed=described.replayed,
        parameters=0 if parameters is None else parameters.version,
        digest="" if parameters is None else parameters.digest,
        accounts=len(book.names) - FIRST_TRADER,
        statuses={status.name: int(counts[status]) for status in Status},
        equity=int(np.nansum(view.margins.equity[FIRST_TRADER:])),
        maintenance=int(np.nansum(view.margins.maintenance)),
        open_notional=open_notional(view),
        fund=int(book.cash[FUND]),
        announced=len(announcements(view, asked.desk.settings.calibration.guard.rise_per_hour)),
        highest_branching=insight.branching[0].ratio if insight and insight.branching else None,
        insight_time=insight.time if insight else 0,
    )


async def markets(asked: Asked) -> tuple[Market, ...]:
    """List the markets."""
    return await apart(markets_of, asked)


def markets_of(asked: Asked) -> tuple[Market, ...]:
    """Describe every market."""
    view = asked.desk.view
    before = _day_ago(asked.desk.engine.moments.listed(), view.state.time)
    rates, sides = _rates(view), _evidence(view)
    ratios = {each.market: each.ratio for each in view.insight.branching} if view.insight else {}
    doubts = asked.desk.live.doubts() if asked.desk.live is not None else {}
    linear = [not isinstance(listing.instrument, Option) for listing in view.state.listings]
    unit = np.where(linear, np.nan_to_num(view.state.unit), 0.0)
    long, short = (lots * unit for lots in view.open_lots)
    found = []
    for place, (market, price) in enumerate(market_prices(view).items()):
        columns = np.array([listing.underlying == market for listing in view.state.listings])
        rate, doubt = rates.get(market), doubts.get(market)
        pair = (sides.get((market, "long")), sides.get((market, "short")))
        old = before.prices[place] if before is not None else 0.0
        found.append(
            Market(
                market=market,
                price=price,
                move=price / old - 1.0 if old > 0.0 else 0.0,
                long_open=int(long[columns].sum()),
                short_open=int(short[columns].sum()),
                maintenance=(rate.long.maintenance, rate.short.maintenance) if rate else (0.0, 0.0),
                initial=(rate.long.initial, rate.short.initial) if rate else (0.0, 0.0),
                target=_pair([each.target if each else 0.0 for each in pair]),
                binding=(pair[0].binding if pair[0] else "", pair[1].binding if pair[1] else ""),
                branching=ratios.get(market),
                price_age=doubt.age if doubt else None,
                spread=doubt.spread if doubt else None,
                raised=doubt.multiplier if doubt else 1.0,
            )
        )
    return tuple(found)


async def parameters(asked: Asked) -> ParameterSet:
    """Give the parameter set in force, without its joint scenarios."""
    return without_scenarios(in_force(asked.desk.view))


async def scenario_tables(asked: Asked) -> tuple[JointScenarios, ...]:
    """Give the joint scenarios: those in force, then any that are announced."""
    method = in_force(asked.desk.view).method
    return method.dependence if isinstance(method, CrossMargin) else ()


async def parameter_history(asked: Asked) -> tuple[ParameterSet, ...]:
    """List sets with versions below the cursor, newest first, without their joint scenarios."""
    query: Cursor = asked.query
    limit = min(query.limit, asked.desk.settings.limits.page)
    return tuple(each for each in reversed(asked.desk.view.history) if each.version < query.before)[:limit]


async def evidence(asked: Asked) -> tuple[SideEvidence, ...]:
    """Say where each side's rate comes from."""
    wanted = asked.query.market
    return tuple(e for e in in_force(asked.desk.view).evidence if wanted in {"", e.market})


async def announced(asked: Asked) -> tuple[Announcement, ...]:
    """Give the notice board."""
    return announcements(asked.desk.view, asked.desk.settings.calibration.guard.rise_per_hour)


def announcements(view: View, per_hour: float | None) -> tuple[Announcement, ...]:
    r"""List the sides whose maintenance is below its target, the longest way first.

    .. math:: hours = \ln(target / M) / \ln(1 + u)
    """
    rates = _rates(view)
    if per_hour is None:
        return ()
    found = []
    for side in () if view.state.parameters is None else view.state.parameters.evidence:
        if side.maintenance < side.target and side.market in rates:
            hours = math.log(side.target / side.maintenance) / math.log1p(per_hour)
            charged = rates[side.market].long if side.side == "long" else rates[side.market].short
            found.append(
                Announcement(
                    market=side.market,
                    side=side.side,
                    maintenance=side.maintenance,
                    heading_to=side.target,
                    initial=charged.initial,
                    per_hour=per_hour,
                    hours=hours,
                    arrives=side.last + round(hours * HOUR),
                )
            )
    return tuple(sorted(found, key=lambda each: -each.hours))


async def branching_ratios(asked: Asked) -> tuple[Branching, ...]:
    """Give the branching ratio of each market, the most fragile first."""
    insight = asked.desk.view.insight
    return insight.branching if insight else ()


async def stress_results(asked: Asked) -> tuple[StressResult, ...]:
    """Give the library's stresses on the positions that are open, the costliest first."""
    insight = asked.desk.view.insight
    return insight.stresses if insight else ()


async def happened_page(asked: Asked) -> HappenedPage:
    """List what happened to accounts."""
    query: Cursor = asked.query
    limit = min(query.limit, asked.desk.settings.limits.page)
    entries = [each for each in asked.desk.engine.happened.listed() if each.number < query.before]
    page = tuple(reversed(entries[-limit:]))
    more = len(entries) > limit
    return HappenedPage(entries=page, before=page[-1].number if more else 0)


async def series(asked: Asked) -> tuple[Moment, ...]:
    """Give points of the charts, the newest among them."""
    query: SeriesQuery = asked.query
    kept = [moment for moment in asked.desk.engine.moments.listed() if moment.time > query.after]
    step = max(1, math.ceil(len(kept) / query.points))
    return tuple(kept[::-1][::step][::-1])


async def journal_position(asked: Asked) -> JournalPosition:
    """Say how far the journal has come."""
    view = asked.desk.view
    return JournalPosition(sequence=view.sequence, time=view.state.time, waiting=asked.desk.engine.waiting)


def _rates(view: View) -> dict[str, MarketParameters]:
    found = view.state.parameters
    if found is None or isinstance(found.method, StaticTiers):
        return {}
    return {market.market: market for market in found.method.markets}


def _evidence(view: View) -> dict[tuple[str, str], SideEvidence]:
    found = view.state.parameters
    return {} if found is None else {(each.market, each.side): each for each in found.evidence}


def _pair(values: list[float]) -> tuple[float, float]:
    return values[0], values[1]


_DAY = 24 * HOUR


def _day_ago(moments: list[Moment], now: int) -> Moment | None:
    return next((moment for moment in moments if moment.time >= now - _DAY), None)
