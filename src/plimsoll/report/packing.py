"""How do hundreds of series travel inside one page in few bytes?"""

import base64

import numpy as np
from msgspec import Struct

from plimsoll.types import Vector

__all__ = ["BYTES_PER_VALUE", "Packed", "Pool", "pack", "unpack"]

BYTES_PER_VALUE = 8 / 3
"""Two bytes, in base64."""

_STEPS = 65_534
_UNKNOWN = 65_535


class Packed(Struct, frozen=True):
    """A series in 16 bits per value: ``low + code / 65534 * (high - low)``; code 65535 is unknown.

    Attributes
    ----------
    low, high : float   Ends of the scale.
    codes : str         Little-endian unsigned 16-bit integers in base64; empty where every value is `low`.
    """

    low: float
    high: float
    codes: str


def pack(values: Vector) -> Packed:
    """Pack a series; NaN is unknown, and both ends of its range are kept exactly."""
    known = values[~np.isnan(values)]
    if len(known) == 0:
        return Packed(0.0, 0.0, _text(np.full(len(values), _UNKNOWN)))
    low, high = float(known.min()), float(known.max())
    if low == high and len(known) == len(values):
        return Packed(low, high, "")
    width = high - low if high > low else 1.0
    codes = np.where(np.isnan(values), _UNKNOWN, np.rint((values - low) / width * _STEPS))
    return Packed(low, high, _text(codes))


def unpack(packed: Packed, length: int) -> Vector:
    """Read a series of `length` values back, as the page does."""
    if not packed.codes:
        return np.full(length, packed.low)
    codes = np.frombuffer(base64.b64decode(packed.codes), dtype="<u2")
    values = packed.low + codes / _STEPS * (packed.high - packed.low)
    return np.where(codes == _UNKNOWN, np.nan, values)


class Pool:
    """Keeps each different series once: policies that share rates share their bytes."""

    def __init__(self) -> None:
        self._places: dict[Packed, int] = {}

    def place(self, values: Vector) -> int:
        """Put a series into the pool and say where it is."""
        return self._places.setdefault(pack(values), len(self._places))

    @property
    def contents(self) -> tuple[Packed, ...]:
        """Everything in the pool, in the order of its places."""
        return tuple(self._places)


def _text(codes: Vector) -> str:
    return base64.b64encode(codes.astype("<u2").tobytes()).decode("ascii")
