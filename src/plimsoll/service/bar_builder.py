"""How do ticks become bars that calibration can learn from?"""

from collections.abc import Collection

import numpy as np
from msgspec.structs import replace

from plimsoll.domain.events import Event, Ticked
from plimsoll.service.records import KeptBar
from plimsoll.types import Rows, Vector

__all__ = ["BarBuilder", "without"]


class BarBuilder:
    """Gathers ticks into bars on a grid of times; a bar is finished by the first tick after its end.

    It is shown ticks that came into force, once each; one that is older than the open bar is in none.

    Parameters
    ----------
    columns : Rows [M]   The listing whose mark is each market's price.
    length : int         Milliseconds.
    """

    def __init__(self, columns: Rows, length: int) -> None:
        self._columns = columns
        self._length = length
        self._began = 0
        self._open: Vector = np.zeros(0)
        self._high: Vector = np.zeros(0)
        self._low: Vector = np.zeros(0)
        self._close: Vector = np.zeros(0)

    def finished(self, event: Event) -> KeptBar | None:
        """Take one event; give the bar that it finishes, where it is a tick that does."""
        if not isinstance(event, Ticked) or len(event.marks) <= int(self._columns.max(initial=-1)):
            return None
        prices = np.array(event.marks)[self._columns]
        began = event.time - event.time % self._length
        if began < self._began:
            return None
        if began == self._began:
            self._high = np.maximum(self._high, prices)
            self._low = np.minimum(self._low, prices)
            self._close = prices
            return None
        bar = self._bar() if self._began > 0 else None
        self._began, self._open, self._high, self._low, self._close = began, prices, prices, prices, prices
        return bar

    def _bar(self) -> KeptBar:
        return KeptBar(
            time=self._began,
            length=self._length,
            open=tuple(self._open.tolist()),
            high=tuple(self._high.tolist()),
            low=tuple(self._low.tolist()),
            close=tuple(self._close.tolist()),
            volume=(None,) * len(self._close),
        )


def without(bar: KeptBar, columns: Collection[int]) -> KeptBar:
    """Leave out markets [M] whose price stood still because nobody told it: that is no calm to learn from."""

    def kept(prices: tuple[float | None, ...]) -> tuple[float | None, ...]:
        return tuple(None if column in columns else price for column, price in enumerate(prices))

    return replace(bar, open=kept(bar.open), high=kept(bar.high), low=kept(bar.low), close=kept(bar.close))
