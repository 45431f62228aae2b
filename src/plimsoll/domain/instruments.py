"""What can be held or traded, what is it called, and how large is one lot of it?"""

import math
import re
from datetime import UTC, datetime
from typing import Literal, TypeAlias

import msgspec

from plimsoll.errors import Code, PlimsollError

__all__ = ["Future", "Instrument", "Listing", "Option", "Perpetual", "Spot", "lot_for", "parse_instrument"]


class Spot(msgspec.Struct, frozen=True, tag="spot", forbid_unknown_fields=True):
    """An asset held outright: collateral, worth its price. Named after the asset: ``BTC``, ``USDT``."""

    underlying: str

    @property
    def name(self) -> str:
        """What a venue calls it."""
        return self.underlying


class Perpetual(msgspec.Struct, frozen=True, tag="perpetual", forbid_unknown_fields=True):
    """A linear perpetual swap, settled in quote currency: ``BTC-PERP``."""

    underlying: str

    @property
    def name(self) -> str:
        """What a venue calls it."""
        return f"{self.underlying}-PERP"


class Future(msgspec.Struct, frozen=True, tag="future", forbid_unknown_fields=True):
    """A linear dated future, settled in quote currency: ``BTC-27MAR26``. `expiry` is milliseconds UTC."""

    underlying: str
    expiry: int

    @property
    def name(self) -> str:
        """What a venue calls it."""
        return f"{self.underlying}-{_day(self.expiry)}"


class Option(msgspec.Struct, frozen=True, tag="option", forbid_unknown_fields=True):
    """A European option on the forward: ``BTC-27MAR26-90000-P``. `expiry` is milliseconds UTC."""

    underlying: str
    expiry: int
    strike: float
    right: Literal["C", "P"]

    @property
    def name(self) -> str:
        """What a venue calls it."""
        return f"{self.underlying}-{_day(self.expiry)}-{self.strike:g}-{self.right}"


Instrument: TypeAlias = Spot | Perpetual | Future | Option


class Listing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An instrument as a venue lists it.

    Attributes
    ----------
    instrument : Instrument
    lot : float   Base units in one lot, a power of ten; every position is a whole number of lots.
    """

    instrument: Instrument
    lot: float

    @property
    def name(self) -> str:
        """What a venue calls it."""
        return self.instrument.name

    @property
    def underlying(self) -> str:
        """The market whose price it follows."""
        return self.instrument.underlying


_LARGEST_LOT_VALUE = 0.01
"""A lot is worth at most a cent: rounding to whole lots then never matters to an account."""

_EXPIRY_HOUR = 8
"""Dated contracts of this field expire at 08:00 UTC (Deribit, Derive, OKX)."""

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")

_NAME = re.compile(
    r"(?P<underlying>[A-Z0-9]+)"
    r"(-(?P<perpetual>PERP)|-(?P<expiry>\d{1,2}[A-Z]{3}\d{2})(-(?P<strike>\d+(\.\d+)?)-(?P<right>[CP]))?)?"
)


def lot_for(price: float) -> float:
    """Choose the lot of a new listing from its price: the largest power of ten worth at most a cent."""
    return 10.0 ** math.floor(math.log10(_LARGEST_LOT_VALUE / price))


def parse_instrument(name: str, where: str = "instrument") -> Instrument:
    """Read an instrument from its name.

    Raises
    ------
    PlimsollError   `UNKNOWN_INSTRUMENT` where the name follows none of the four forms.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        raise _unknown(name, where)
    underlying = match["underlying"]
    if match["perpetual"]:
        return Perpetual(underlying)
    if match["expiry"] is None:
        return Spot(underlying)
    expiry = _expiry(match["expiry"], name, where)
    if match["strike"] is None:
        return Future(underlying, expiry)
    strike = float(match["strike"])
    if strike <= 0.0:
        raise _unknown(name, where)
    return Option(underlying, expiry, strike, "C" if match["right"] == "C" else "P")


def _day(expiry: int) -> str:
    moment = datetime.fromtimestamp(expiry / 1000, tz=UTC)
    return f"{moment.day}{_MONTHS[moment.month - 1]}{moment.year % 100:02}"


def _expiry(text: str, name: str, where: str) -> int:
    day, month, year = int(text[:-5]), text[-5:-2], 2000 + int(text[-2:])
    try:
        moment = datetime(year, _MONTHS.index(month) + 1, day, _EXPIRY_HOUR, tzinfo=UTC)
    except ValueError as error:
        raise _unknown(name, where) from error
    return int(moment.timestamp() * 1000)


def _unknown(name: str, where: str) -> PlimsollError:
    return PlimsollError(
        Code.UNKNOWN_INSTRUMENT,
        f"cannot read instrument name {name!r}",
        where=where,
        remedy="Write BTC, BTC-PERP, BTC-27MAR26 or BTC-27MAR26-90000-P.",
    )
