"""How many requests may one client make?"""

import time
from collections import OrderedDict
from collections.abc import Callable

from plimsoll.errors import Code, PlimsollError

__all__ = ["RateLimit"]

_CLIENTS = 10_000
"""Clients remembered; one that has been silent longest is forgotten first and finds its bucket full again."""


class RateLimit:
    """A bucket per client: it holds `burst` requests and fills at `per_second`.

    Parameters
    ----------
    per_second : float
    burst : int
    clock : callable   Seconds, never going back.
    """

    def __init__(self, per_second: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._burst = float(burst)
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str) -> None:
        """Count one request; raises `TOO_MANY_REQUESTS` with the time to wait where none is left."""
        now = self._clock()
        left, seen = self._buckets.pop(client, (self._burst, now))
        left = min(self._burst, left + (now - seen) * self._per_second)
        self._buckets[client] = (max(left - 1.0, 0.0) if left >= 1.0 else left, now)
        if len(self._buckets) > _CLIENTS:
            self._buckets.popitem(last=False)
        if left < 1.0:
            raise PlimsollError(
                Code.TOO_MANY_REQUESTS,
                f"more than {self._per_second:g} requests a second",
                where="service",
                remedy=f"Wait {(1.0 - left) / self._per_second:.3f} s.",
            )
