"""Which numbers is each instrument priced from, gathered into arrays?"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from plimsoll.domain.instruments import Instrument, Option, Perpetual, Spot
from plimsoll.domain.market import ExpiryQuote, Market, UnderlyingQuote
from plimsoll.errors import Code, PlimsollError
from plimsoll.kernels.repricing import CALL, LINEAR, PUT
from plimsoll.types import Rows, Vector

__all__ = ["Chain", "Slot", "build_chain"]

_DAY_MS = 86_400_000
_YEAR_DAYS = 365.0
"""The year that volatilities and rates are quoted per."""


@dataclass(frozen=True, slots=True)
class Slot:
    """What instruments are priced off together: an underlying's spot, perpetual, or one expiry.

    Attributes
    ----------
    underlying : int   Row of the market's underlyings.
    kind : str         ``spot``, ``perpetual``, ``future`` or ``option``.
    expiry : int       Milliseconds UTC; 0 where there is none.
    """

    underlying: int
    kind: str
    expiry: int

    @property
    def is_option(self) -> bool:
        """Say whether the instruments priced off it are options."""
        return self.kind == "option"


@dataclass(frozen=True, slots=True)
class Chain:
    r"""Instruments of a market, ready to be priced.

    Attributes
    ----------
    instruments : tuple [I]
    slots : tuple [E] of Slot
    underlyings : tuple [U] of str
    kind : int8 [I]; slot : Rows [I]; strike, volatility : Vector [I]   0 where it has none.
    forward, days, rate, discount : Vector [E]   Days to expiry; discount is :math:`e^{-r \tau}`, rates
        below 0 are 0.
    """

    instruments: tuple[Instrument, ...]
    slots: tuple[Slot, ...]
    underlyings: tuple[str, ...]
    kind: NDArray[np.int8]
    slot: Rows
    strike: Vector
    volatility: Vector
    forward: Vector
    days: Vector
    rate: Vector
    discount: Vector

    @property
    def tau(self) -> Vector:
        """Years of 365 days to expiry: Vector [E]."""
        years: Vector = self.days / _YEAR_DAYS
        return years

    @property
    def underlying(self) -> Rows:
        """Row of the underlying of each instrument: Rows [I]."""
        return np.array([slot.underlying for slot in self.slots], dtype=np.intp)[self.slot]


def build_chain(instruments: tuple[Instrument, ...], market: Market) -> Chain:
    """Look up what each instrument is priced from.

    Raises
    ------
    PlimsollError
        `UNKNOWN_INSTRUMENT` without its underlying or expiry, `EXPIRED_INSTRUMENT`, `BAD_PRICE`,
        `MISSING_PRICE`, `MISSING_VOLATILITY`, `BAD_SETTING` for a strike or a volatility that no option
        can have.
    """
    quotes = {quote.underlying: row for row, quote in enumerate(market.underlyings)}
    volatilities = {quote.option: quote.volatility for quote in market.options}
    slots: dict[Slot, int] = {}
    slot = np.zeros(len(instruments), dtype=np.intp)
    for i, instrument in enumerate(instruments):
        found = _slot(instrument, quotes, market.time)
        slot[i] = slots.setdefault(found, len(slots))
    terms = np.array([_terms(entry, market) for entry in slots], dtype=np.float64).reshape(-1, 3)
    forward, days, rate = np.ascontiguousarray(terms.T)
    return Chain(
        instruments=instruments,
        slots=tuple(slots),
        underlyings=tuple(quotes),
        kind=np.array([_kind(instrument) for instrument in instruments], dtype=np.int8),
        slot=slot,
        strike=np.array([_strike(instrument) for instrument in instruments], dtype=np.float64),
        volatility=np.array([_volatility(i, volatilities) for i in instruments], dtype=np.float64),
        forward=forward,
        days=days,
        rate=rate,
        discount=np.exp(-rate * days / _YEAR_DAYS),
    )


def _kind(instrument: Instrument) -> int:
    if not isinstance(instrument, Option):
        return LINEAR
    return CALL if instrument.right == "C" else PUT


def _slot(instrument: Instrument, quotes: dict[str, int], now: int) -> Slot:
    row = quotes.get(instrument.underlying)
    if row is None:
        raise PlimsollError(
            Code.UNKNOWN_INSTRUMENT,
            f"the market quotes no underlying {instrument.underlying}",
            where=instrument.name,
            remedy=f"Add its quote; the market knows {', '.join(quotes) or 'none'}.",
        )
    if isinstance(instrument, Spot):
        return Slot(row, "spot", 0)
    if isinstance(instrument, Perpetual):
        return Slot(row, "perpetual", 0)
    if instrument.expiry <= now:
        raise PlimsollError(
            Code.EXPIRED_INSTRUMENT,
            f"expired at {instrument.expiry} ms, and it is {now} ms",
            where=f"{instrument.name}.expiry",
            remedy="Settle it before the account is margined.",
        )
    return Slot(row, "option" if isinstance(instrument, Option) else "future", instrument.expiry)


def _terms(slot: Slot, market: Market) -> tuple[float, float, float]:
    """Give forward, days to expiry and rate."""
    quote = market.underlyings[slot.underlying]
    where = f"market.underlyings.{quote.underlying}"
    if slot.kind == "spot":
        return _checked(quote.spot, f"{where}.spot"), 0.0, 0.0
    if slot.kind == "perpetual":
        return _checked(quote.perpetual, f"{where}.perpetual"), 0.0, 0.0
    expiry = _expiry(slot, quote, where)
    days = (slot.expiry - market.time) / _DAY_MS
    if not math.isfinite(expiry.rate):
        raise PlimsollError(
            Code.BAD_PRICE,
            f"the rate is {expiry.rate}",
            where=f"{where}.{slot.expiry}.rate",
            remedy="Correct it.",
        )
    return _checked(expiry.forward, f"{where}.{slot.expiry}.forward"), days, max(expiry.rate, 0.0)


def _expiry(slot: Slot, quote: UnderlyingQuote, where: str) -> ExpiryQuote:
    for expiry in quote.expiries:
        if expiry.expiry == slot.expiry:
            return expiry
    raise PlimsollError(
        Code.UNKNOWN_INSTRUMENT,
        f"{quote.underlying} is quoted for no expiry at {slot.expiry} ms",
        where=f"{where}.expiries",
        remedy="Add the expiry's forward to the market.",
    )


def _checked(price: float | None, where: str) -> float:
    if price is None:
        raise PlimsollError(
            Code.MISSING_PRICE, "there is no price", where=where, remedy="Quote it, or close the position."
        )
    if not (math.isfinite(price) and price > 0.0):
        raise PlimsollError(
            Code.BAD_PRICE, f"the price is {price}", where=where, remedy="Give a finite price above zero."
        )
    return price


def _strike(instrument: Instrument) -> float:
    if not isinstance(instrument, Option):
        return 0.0
    if not (math.isfinite(instrument.strike) and instrument.strike > 0.0):
        raise PlimsollError(
            Code.BAD_STRIKE,
            f"the strike is {instrument.strike}",
            where=f"{instrument.name}.strike",
            remedy="Give a finite strike above zero.",
        )
    return instrument.strike


def _volatility(instrument: Instrument, volatilities: dict[Option, float]) -> float:
    if not isinstance(instrument, Option):
        return 0.0
    volatility = volatilities.get(instrument)
    if volatility is None:
        raise PlimsollError(
            Code.MISSING_VOLATILITY,
            "the market marks no volatility for it",
            where=instrument.name,
            remedy="Fit the surface for its expiry, or quote the option.",
        )
    if not (math.isfinite(volatility) and volatility >= 0.0):
        raise PlimsollError(
            Code.MISSING_VOLATILITY,
            f"its volatility is {volatility}",
            where=f"{instrument.name}.volatility",
            remedy="Give a finite volatility, not negative.",
        )
    return volatility
