"""What are the options of a venue worth at a tick, and what are they margined from?"""

from collections import defaultdict

import numpy as np

from plimsoll.domain.instruments import Future, Listing, Option, Perpetual, Spot
from plimsoll.domain.market import ExpiryQuote, OptionQuote, UnderlyingQuote
from plimsoll.domain.market import Market as Quoted
from plimsoll.domain.parameters import ParameterSet
from plimsoll.engine.market import Market
from plimsoll.errors import Code, PlimsollError
from plimsoll.kernels.black76 import option_price
from plimsoll.margin import MarginModel, OptionMargin, margin_model
from plimsoll.margin.option_book import LEAST_VALUE
from plimsoll.types import Flags, Vector

__all__ = ["check_forwards", "has_expired", "lists_options", "model_at", "option_values", "quoted"]

_YEAR = 365 * 86_400_000


def lists_options(listings: tuple[Listing, ...]) -> bool:
    """Say whether any listing is an option."""
    return any(isinstance(listing.instrument, Option) for listing in listings)


def has_expired(listings: tuple[Listing, ...], time: int) -> Flags:
    """Say which listings are dated contracts at or past their expiry: Flags [I]."""
    dated = [one.instrument for one in listings]
    return np.array(
        [isinstance(one, Option | Future) and one.expiry <= time for one in dated], dtype=np.bool_
    )


def option_values(listings: tuple[Listing, ...], forwards: Vector, volatility: Vector, time: int) -> Vector:
    """Value options by Black-76 at their forward and volatility, discounted by nothing; others at the mark.

    Raises
    ------
    PlimsollError   `MISSING_VOLATILITY` where a live option has none, `BAD_PRICE` where two listings of one
                    expiry state different forwards.
    """
    check_forwards(listings, forwards)
    marks = forwards.copy()
    for i, listing in enumerate(listings):
        if isinstance(listing.instrument, Option):
            volatile = float(volatility[i])
            marks[i] = _value(listing.instrument, listing.name, float(forwards[i]), volatile, time)
    return marks


def check_forwards(listings: tuple[Listing, ...], forwards: Vector) -> None:
    """Raise `BAD_PRICE` where two listings of one expiry state different forwards."""
    stated: dict[tuple[str, int], float] = {}
    for listing, forward in zip(listings, forwards.tolist(), strict=True):
        one = listing.instrument
        if not isinstance(one, Option | Future):
            continue
        if stated.setdefault((one.underlying, one.expiry), forward) != forward:
            raise PlimsollError(
                Code.BAD_PRICE,
                f"a forward of {forward}, and another of {stated[one.underlying, one.expiry]} for its expiry",
                where=listing.name,
                remedy="Give all listings of one expiry the same forward.",
            )


def _value(one: Option, name: str, forward: float, volatility: float, time: int) -> float:
    live = one.expiry > time
    if live and not (np.isfinite(volatility) and volatility > 0.0):
        raise PlimsollError(
            Code.MISSING_VOLATILITY,
            f"its volatility is {volatility}",
            where=name,
            remedy="Give a finite volatility above zero with every tick.",
        )
    tau = (one.expiry - time) / _YEAR if live else 0.0
    value = option_price(forward, one.strike, tau, volatility if live else 0.0, one.right == "C")
    return max(float(value), LEAST_VALUE * forward)


def quoted(listings: tuple[Listing, ...], market: Market, time: int) -> Quoted:
    """Put the quotes behind a tick's marks together, as the portfolio engine reads them.

    Spot stands at its listing's mark, else at the perpetual's, else at the nearest forward.
    """
    spot: dict[str, float] = {}
    perpetual: dict[str, float] = {}
    expiries: dict[str, dict[int, float]] = defaultdict(dict)
    options = []
    for i, listing in enumerate(listings):
        one, price = listing.instrument, float(market.forwards[i])
        if isinstance(one, Spot):
            spot[one.underlying] = price
        elif isinstance(one, Perpetual):
            perpetual[one.underlying] = price
        elif one.expiry > time:
            expiries[one.underlying][one.expiry] = price
        if isinstance(one, Option) and one.expiry > time:
            options.append(OptionQuote(one, float(market.volatility[i])))
    names = tuple(dict.fromkeys(listing.underlying for listing in listings))
    return Quoted(
        time=time,
        underlyings=tuple(
            UnderlyingQuote(
                underlying=name,
                spot=spot.get(name, perpetual.get(name, _nearest(expiries[name]))),
                perpetual=perpetual.get(name),
                expiries=tuple(
                    ExpiryQuote(expiry=expiry, forward=forward)
                    for expiry, forward in sorted(expiries[name].items())
                ),
            )
            for name in names
        ),
        options=tuple(options),
    )


def _nearest(expiries: dict[int, float]) -> float:
    return expiries[min(expiries)] if expiries else float("nan")


def model_at(
    parameters: ParameterSet, listings: tuple[Listing, ...], market: Market, ticked: int
) -> MarginModel | None:
    """Build the margin model in force; with options that is at the last tick, and None before the first."""
    if not lists_options(listings):
        return margin_model(parameters.method, listings, parameters.liquidity)
    if np.isnan(market.marks).any():
        return None
    return OptionMargin(parameters, listings, market.marks, quoted(listings, market, ticked))
