"""Which cost curves do an operator's settings publish, one by one or out of a calibrated set?"""

from pathlib import Path

from msgspec import structs

from plimsoll.calibration.liquidity import market_liquidity
from plimsoll.domain.market_liquidity import MarketLiquidity
from plimsoll.errors import Code, PlimsollError
from plimsoll.feeds.documents import read_parameters
from plimsoll.service.settings import ServiceSettings

__all__ = ["published_curves"]


def published_curves(settings: ServiceSettings) -> tuple[MarketLiquidity, ...]:
    """Give the curves of listed markets; one that is given comes before the one in the set.

    Whether size is charged by them is a matter of the service's own calibration settings.

    Raises
    ------
    PlimsollError   `UNKNOWN_MARKET` where one is given of a market that is not listed, `BAD_SETTING` for
                    a set without curves, and what reading it raises.
    """
    given = settings.external.curves
    for market in given:
        if market not in settings.external.markets:
            raise PlimsollError(
                Code.UNKNOWN_MARKET,
                f"a cost curve of {market}, which is not listed",
                where="external.curves",
                remedy=f"Choose among {', '.join(settings.external.markets)}.",
            )
    curves = {
        market: market_liquidity(market, curve, settings.calibration) for market, curve in given.items()
    }
    for entry in _fitted(settings.external.curves_from):
        if entry.market in settings.external.markets:
            own = market_liquidity(entry.market, entry.curves[0], settings.calibration)
            own = structs.replace(own, options=entry.options, evidence=entry.evidence)
            curves.setdefault(entry.market, own)
    return tuple(curves.values())


def _fitted(name: str) -> tuple[MarketLiquidity, ...]:
    """Take the curves of a set, where one is named."""
    if not name:
        return ()
    if not (found := read_parameters(Path(name)).liquidity):
        raise PlimsollError(
            Code.BAD_SETTING,
            "the parameter set holds no cost curve",
            where=f"external.curves_from {name}",
            remedy="Give a set that `plimsoll calibrate --books` wrote.",
        )
    return found
