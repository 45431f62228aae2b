"""How is a figure written so that a person reads it at a glance?"""

import math
from datetime import UTC, datetime

__all__ = ["count", "day", "moment", "money", "price", "share", "span"]

_SCALES = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))
_MISSING = "n/a"


def money(amount: float) -> str:
    """Write units of the quote currency with three significant digits: ``$12.4M``."""
    if not math.isfinite(amount):
        return _MISSING
    sign = "-" if amount < 0 else ""
    for scale, letter in _SCALES:
        if abs(amount) >= 0.9995 * scale:
            return f"{sign}${_three_digits(abs(amount) / scale)}{letter}"
    if 0 < abs(amount) < 0.995:
        return f"{sign}${abs(amount):.2g}"
    return f"{sign}${abs(amount):.0f}"


def share(part: float) -> str:
    """Write a share as a percentage with about three significant digits: ``4.72%``."""
    if not math.isfinite(part):
        return _MISSING
    percent = 100.0 * part
    if percent == 0:
        return "0%"
    if abs(percent) >= 99.95:
        return f"{percent:,.0f}%"
    return f"{percent:.1f}%" if abs(percent) >= 9.995 else f"{percent:.2f}%"


def count(number: float) -> str:
    """Write a number of things: ``10,000``."""
    return f"{number:,.0f}"


def price(quote: float) -> str:
    """Write a price with five significant digits at most, never in powers of ten: ``$7,912``."""
    if not math.isfinite(quote):
        return _MISSING
    if quote >= 1000:
        return f"${quote:,.0f}"
    decimals = max(0, 3 - math.floor(math.log10(quote))) if quote > 0 else 0
    return f"${quote:.{decimals}f}"


def moment(milliseconds: int) -> str:
    """Write a time: ``12 Mar 2020 10:45 UTC``."""
    when = datetime.fromtimestamp(milliseconds / 1000, tz=UTC)
    return f"{when.day} {when:%b %Y %H:%M} UTC"


def day(milliseconds: int) -> str:
    """Write a date: ``12 Mar 2020``."""
    when = datetime.fromtimestamp(milliseconds / 1000, tz=UTC)
    return f"{when.day} {when:%b %Y}"


def span(milliseconds: int) -> str:
    """Write a length of time in the largest unit that divides it: ``5 minutes``, ``73 hours``."""
    for unit, length in (("day", 86_400_000), ("hour", 3_600_000), ("minute", 60_000), ("second", 1000)):
        if milliseconds >= length and milliseconds % length == 0:
            number = milliseconds // length
            return f"{number:,} {unit}" if number == 1 else f"{number:,} {unit}s"
    return f"{milliseconds:,} ms"


def _three_digits(number: float) -> str:
    if number >= 99.95:
        return f"{number:.0f}"
    return f"{number:.1f}" if number >= 9.995 else f"{number:.2f}"
