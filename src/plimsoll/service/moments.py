"""Which figures of a view go into the charts?"""

from collections.abc import Iterable

import numpy as np

from plimsoll.clearing.statuses import Status
from plimsoll.domain.events import Liquidated
from plimsoll.domain.money import QUANTA_PER_UNIT
from plimsoll.domain.parameters import MarketParameters, ParameterSet, StaticTiers
from plimsoll.engine.book import FIRST_TRADER, FUND
from plimsoll.service.view import Happened, Moment, View

__all__ = ["market_prices", "moment_of", "open_notional"]


def moment_of(view: View, happened: Iterable[Happened]) -> Moment:
    """Write down one moment.

    Parameters
    ----------
    view : View           With parameters in force.
    happened : iterable   Effects since the moment before.
    """
    book = view.state.book
    status = np.bincount(book.status[FIRST_TRADER:], minlength=len(Status))
    rates = _rates(view)
    ratio = {entry.market: entry.ratio for entry in view.insight.branching} if view.insight else {}
    return Moment(
        time=view.state.time,
        prices=tuple(market_prices(view).values()),
        maintenance=tuple((each.long.maintenance, each.short.maintenance) for each in rates),
        initial=tuple((each.long.initial, each.short.initial) for each in rates),
        target=_targets(view.state.parameters, view.markets),
        branching=tuple(ratio.get(market, 0.0) for market in view.markets),
        called=int(status[Status.CALLED]),
        liquidating=int(status.sum() - status[[Status.HEALTHY, Status.CALLED, Status.CLOSED]].sum()),
        closed=int(status[Status.CLOSED]),
        fund=int(book.cash[FUND]),
        margin=int(np.nansum(view.margins.maintenance)),
        equity=int(np.nansum(view.margins.equity[FIRST_TRADER:])),
        open_notional=open_notional(view),
        liquidated=round(sum(_notional(view, each) for each in happened)),
    )


def market_prices(view: View) -> dict[str, float]:
    """Give the mark of each market, that of its first listing; 0 where it has none yet."""
    marks: dict[str, float] = {}
    for listing, mark in zip(view.state.listings, view.state.market.marks.tolist(), strict=True):
        marks.setdefault(listing.underlying, mark)
    return {market: _known(marks.get(market, 0.0)) for market in view.markets}


def _known(mark: float) -> float:
    return max(0.0, mark)


def _rates(view: View) -> list[MarketParameters]:
    parameters = view.state.parameters
    if parameters is None or isinstance(parameters.method, StaticTiers):
        return []
    by_name = {each.market: each for each in parameters.method.markets}
    return [by_name[market] for market in view.markets]


def _targets(parameters: ParameterSet | None, markets: tuple[str, ...]) -> tuple[tuple[float, float], ...]:
    evidence = () if parameters is None else parameters.evidence
    known = {(each.market, each.side): each.target for each in evidence}
    return tuple((known.get((m, "long"), 0.0), known.get((m, "short"), 0.0)) for m in markets)


def open_notional(view: View) -> int:
    """Add up what traders hold, gross, in quanta."""
    long, short = view.open_lots
    return int((long + short) @ np.nan_to_num(view.state.unit))


def _notional(view: View, happened: Happened) -> float:
    effect = happened.effect
    if not isinstance(effect, Liquidated):
        return 0.0
    lots = {listing.name: listing.lot for listing in view.state.listings}
    return abs(sum(effect.lots)) * lots[effect.instrument] * effect.price * QUANTA_PER_UNIT
