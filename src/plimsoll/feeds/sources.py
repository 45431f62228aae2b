"""What is a source of observations: how is it listened to, and what does each of its messages say?"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

from plimsoll.domain.observations import Fault, Observation, Refusal

__all__ = ["Said", "Source", "levels", "number", "refuse", "whole"]

Said: TypeAlias = Observation | Refusal

_LARGEST_WHOLE = 2**63


class Source(Protocol):
    """One source. Listening and reading are apart, so that what is read can be tested on any bytes.

    Attributes
    ----------
    name : str       What observations and refusals call it.
    finite : bool    Whether the end of `listen` is the end, and no lost connection.
    """

    @property
    def name(self) -> str:
        """What observations and refusals call it."""

    @property
    def finite(self) -> bool:
        """Whether the end of `listen` is the end of all, and no lost connection."""

    def listen(self) -> AsyncIterator[Any]:
        """Connect, and give messages as they come, until the connection ends.

        Raises `OSError` where connecting again may help, and `PlimsollError` where it will not.
        """

    def read(self, message: Any, received: int) -> Sequence[Said]:
        """Say what a message means. Whatever it is, the answer is values: never an exception.

        Parameters
        ----------
        received : int   Milliseconds UTC by this machine.
        """


def refuse(source: str, market: str | None, received: int, fault: Fault, what: str) -> tuple[Refusal]:
    """Refuse one message."""
    return (Refusal(source, market, received, fault, what),)


def number(fields: Mapping[str, Any], name: str) -> float | None:
    """Read a finite number, written as one or as text; None where there is none."""
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        read = float(value)
    except (ValueError, OverflowError):
        return None
    return read if abs(read) < float("inf") else None


def whole(fields: Mapping[str, Any], name: str) -> int | None:
    """Read a whole number of at most 63 bits, written as one or as text; None where there is none."""
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    try:
        read = int(value)
    except ValueError:
        return None
    return read if abs(read) < _LARGEST_WHOLE else None


def levels(value: Any, most: int) -> tuple[tuple[float, float], ...]:
    """Read the best `most` pairs of price and size; empty where any of them is none."""
    read = []
    for level in value[:most] if isinstance(value, list) else ():
        if not isinstance(level, list) or len(level) < len(("price", "size")):
            return ()
        pair = {"price": level[0], "size": level[1]}
        price, size = number(pair, "price"), number(pair, "size")
        if price is None or size is None:
            return ()
        read.append((price, size))
    return tuple(read)
