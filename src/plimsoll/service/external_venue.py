"""What does a venue begin with whose ticks, accounts and fills come through the API?"""

import logging
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from plimsoll.domain.bars import Bars
from plimsoll.domain.events import Event, Funded, Listed, Published
from plimsoll.domain.instruments import Listing
from plimsoll.domain.money import QUANTA_PER_UNIT
from plimsoll.domain.parameters import ParameterSet, Provenance
from plimsoll.engine.options import has_expired
from plimsoll.errors import Code, PlimsollError
from plimsoll.feeds.bars import read_bars
from plimsoll.scenarios.library import daily_history
from plimsoll.service.bar_builder import BarBuilder
from plimsoll.service.boards import board_listings
from plimsoll.service.curves import published_curves
from plimsoll.service.settings import ServiceSettings
from plimsoll.sim.curves import WithLiquidity
from plimsoll.sim.policies import REFERENCE, policy
from plimsoll.sim.population import list_instruments
from plimsoll.sim.publishing import Publisher, publisher
from plimsoll.types import Rows

__all__ = ["ExternalVenue", "external_venue", "opening_events", "refuse_expired", "warn_of_boards"]

_LOG = logging.getLogger("plimsoll.service")
_PROGRAM = "plimsoll serve"
_SECOND = 1000


@dataclass(frozen=True, slots=True)
class ExternalVenue:
    """What an external venue needs.

    Attributes
    ----------
    markets : tuple [M]
    listings : tuple [I]
    publisher : Publisher    Knows the history.
    builder : BarBuilder
    """

    markets: tuple[str, ...]
    listings: tuple[Listing, ...]
    publisher: Publisher
    builder: BarBuilder


def external_venue(settings: ServiceSettings) -> ExternalVenue:
    """Calibrate on the history and list the instruments."""
    markets = settings.external.markets
    history = _history(settings)
    prices = np.array([_last(history, market) for market in markets])
    linear = list_instruments(markets, prices)
    lots = {listing.underlying: listing.lot for listing in linear}
    listings = linear + board_listings(settings.external.boards, lots)
    provenance = Provenance(
        program=_PROGRAM, settings="", inputs=(settings.external.history or "packaged daily history",)
    )
    rates = publisher(policy(REFERENCE, settings.calibration), history, provenance)
    return ExternalVenue(
        markets=markets,
        listings=listings,
        publisher=WithLiquidity(rates, published_curves(settings)),
        builder=BarBuilder(_columns(listings, markets), settings.external.bar_seconds * _SECOND),
    )


def opening_events(venue: ExternalVenue, settings: ServiceSettings) -> list[Event]:
    """Give the events that the venue opens with."""
    now = time.time_ns() // 1_000_000
    fund = round(settings.external.fund * QUANTA_PER_UNIT)
    makers = round(settings.external.makers * QUANTA_PER_UNIT)
    first: ParameterSet | None = venue.publisher.published(now)
    events: list[Event] = [Listed(now, venue.listings, settings.clearing), Funded(now, fund, makers)]
    return [*events, Published(now, first)] if first is not None else events


def refuse_expired(venue: ExternalVenue, first: list[Event]) -> None:
    """Raise `EXPIRED_INSTRUMENT` where a venue would open with what has expired."""
    over = np.flatnonzero(has_expired(venue.listings, first[0].time))
    if len(over) > 0:
        raise PlimsollError(
            Code.EXPIRED_INSTRUMENT,
            "it has expired already",
            where=f"external.boards, {venue.listings[over[0]].name}",
            remedy="Take the board out, or name a later day.",
        )


def warn_of_boards(venue: ExternalVenue, listed: tuple[Listing, ...]) -> None:
    """Say which options of the settings a venue that is open already does not list."""
    known = {listing.name for listing in listed}
    for listing in venue.listings:
        if listing.name not in known:
            _LOG.warning(
                "not listed: settings name what a venue opens with, POST /v1/boards what comes later",
                extra={"instrument": listing.name},
            )


def _history(settings: ServiceSettings) -> Bars:
    markets = settings.external.markets
    if settings.external.history:
        return read_bars(Path(settings.external.history), markets=markets).aligned(markets)
    return daily_history(time.time_ns() // 1_000_000).aligned(markets)


def _last(history: Bars, market: str) -> float:
    closes = history.close[:, history.column(market)]
    known = closes[~np.isnan(closes)]
    if len(known) == 0:
        raise PlimsollError(
            Code.MISSING_PRICE,
            f"the history has no price of {market}",
            where="external.markets",
            remedy="Give bars of it with external.history, or leave the market out.",
        )
    return float(known[-1])


def _columns(listings: tuple[Listing, ...], markets: tuple[str, ...]) -> Rows:
    names = [listing.underlying for listing in listings]
    return np.array([names.index(market) for market in markets], dtype=np.intp)
