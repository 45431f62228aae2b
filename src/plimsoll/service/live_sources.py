"""Which source do the settings name, and what of it, and of the reporters, counts in a mark?"""

from plimsoll.domain.instruments import Listing
from plimsoll.domain.markets import market_name
from plimsoll.feeds.chainlink import ChainlinkSource, Proxy
from plimsoll.feeds.exchange_stream import open_exchange_source
from plimsoll.feeds.hermes import HermesSource
from plimsoll.feeds.lines import SocketLines
from plimsoll.feeds.renamed import Renamed
from plimsoll.feeds.sources import Source
from plimsoll.feeds.ticks import TickSettings
from plimsoll.service.curves import published_curves
from plimsoll.service.settings import REPORTERS, ServiceSettings, SourceSettings

__all__ = ["open_source", "tick_settings"]

_NO_LONGER = 0.001
"""Seconds. It is made anew for every tick; where there is none now, that of the tick before is no price."""


def open_source(name: str, settings: SourceSettings) -> Source:
    """Make the source; raises `BAD_SETTING`, `MISSING_EXTRA`."""
    address, called = settings.address, settings.markets
    match settings.kind:
        case "exchange":
            source = open_exchange_source(address, tuple(called.values()))
            return Renamed(name, source, {market_name(symbol): market for market, symbol in called.items()})
        case "pyth":
            feeds = {feed.lower().removeprefix("0x"): market for market, feed in called.items()}
            return HermesSource(name, address, feeds)
        case "chainlink":
            proxies = [Proxy(market, contract, settings.decimals) for market, contract in called.items()]
            return ChainlinkSource(name, address, proxies, settings.every_seconds)
        case "lines":
            host, _, port = address.rpartition(":")
            lines = SocketLines(name, host.strip("[]"), int(port))
            return Renamed(name, lines, {theirs: market for market, theirs in called.items()})


def tick_settings(settings: ServiceSettings, listings: tuple[Listing, ...]) -> TickSettings:
    """Say how the sources of these settings become ticks of these listings [I]."""
    weights = {name: source.weight for name, source in settings.sources.items()}
    ages = {name: source.longest_age for name, source in settings.sources.items()}
    if settings.reports is not None:
        weights[REPORTERS] = settings.reports.weight_in_mark
        ages[REPORTERS] = _NO_LONGER
    return TickSettings(
        markets=tuple(listing.underlying for listing in listings),
        weights=weights,
        longest_ages=ages,
        assumed_volume=(settings.prices.assumed_volume,) * len(listings),
        assumed_impact=settings.prices.assumed_impact,
        curves={entry.market: entry.curves[0] for entry in published_curves(settings)},
    )
