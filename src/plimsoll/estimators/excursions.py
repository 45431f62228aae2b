"""What adverse excursions have been seen, in money and in standard deviations, as of now?"""

from dataclasses import dataclass

import numpy as np

from plimsoll.domain.bars import HOUR, Bars
from plimsoll.domain.settings import CalibrationSettings
from plimsoll.estimators.scale import Volatility
from plimsoll.kernels.excursion import FIELDS, SLOT_FIELDS, absorb_windows
from plimsoll.types import Matrix, Times

__all__ = ["ExcursionState", "WindowLog", "begin_excursions", "update_excursions"]


class WindowLog:
    """An append-only log of matured windows that many states share.

    Every column lies in one piece of memory, since quantiles are taken column by column.

    A state reads the first `count` rows and never sees later ones. Appending to the newest state extends the
    log in place; appending to an older one copies it first, so that states behave as values.
    """

    def __init__(self, moments: Times, windows: Matrix, frontier: int) -> None:
        self._moments = moments
        self._windows = windows
        self._frontier = frontier

    def first(self, count: int) -> tuple[Times, Matrix]:
        """Return moments [count] and windows [count, M, FIELDS]."""
        return self._moments[:count], self._windows[:count]

    def appended(self, count: int, moments: Times, windows: Matrix) -> "WindowLog":
        """Return a log whose first rows are `count` of this one and then the new ones."""
        if len(moments) == 0:
            return self
        if count != self._frontier or count + len(moments) > len(self._moments):
            return self._copied(count, 2 * (count + len(moments))).appended(count, moments, windows)
        self._frontier = count + len(moments)
        self._moments[count : self._frontier] = moments
        self._windows[count : self._frontier] = windows
        return self

    def _copied(self, count: int, capacity: int) -> "WindowLog":
        moments = np.zeros(capacity, dtype=np.int64)
        windows = np.full((*self._windows.shape[1:], capacity), np.nan).transpose(2, 0, 1)
        moments[:count] = self._moments[:count]
        windows[:count] = self._windows[:count]
        return WindowLog(moments, windows, count)


@dataclass(frozen=True, slots=True)
class ExcursionState:
    """Windows that are still open, and all that have matured.

    Attributes
    ----------
    spans : Times [K, 2]       Start and end of each open window; an end of 0 marks a free slot.
    slots : Matrix [K, M, 6]   Start price, volatility and scale at the start, lowest and highest price since,
                               and milliseconds without a bar.
    log : WindowLog
    count : int                Rows of the log that belong to this state.
    """

    spans: Times
    slots: Matrix
    log: WindowLog
    count: int

    @property
    def matured(self) -> tuple[Times, Matrix]:
        """Start of each matured window [W] and its figures [W, M, FIELDS] (`kernels.excursion`)."""
        return self.log.first(self.count)


def begin_excursions(markets: int) -> ExcursionState:
    """Start with no window."""
    return ExcursionState(
        np.zeros((0, 2), dtype=np.int64),
        np.zeros((0, markets, SLOT_FIELDS)),
        WindowLog(np.zeros(0, dtype=np.int64), np.zeros((0, markets, FIELDS)), 0),
        0,
    )


def update_excursions(
    state: ExcursionState,
    settings: CalibrationSettings,
    bars: Bars,
    missing: Matrix,
    volatility: Volatility,
) -> ExcursionState:
    """Absorb T bars: a window opens every hour (or bar, where that is longer) and lasts the horizon.

    Parameters
    ----------
    missing : Matrix [T, M]       From `returns.join`.
    volatility : Volatility       After each bar, from `update_volatility`.
    """
    stride = max(HOUR, bars.length)
    horizon = round(settings.horizon_hours * HOUR)
    spans, slots = _with_room(state, max(horizon, bars.length) // stride + 2)
    rows = len(bars) + len(spans)
    moments = np.zeros(rows, dtype=np.int64)
    matured = np.full((rows, len(bars.markets), FIELDS), np.nan)
    filled = absorb_windows(
        bars.times,
        bars.length,
        bars.low,
        bars.high,
        bars.close,
        missing,
        volatility.volatility,
        volatility.scale,
        stride,
        horizon,
        spans,
        slots,
        moments,
        matured,
    )
    log = state.log.appended(state.count, moments[:filled], matured[:filled])
    return ExcursionState(spans, slots, log, state.count + filled)


def _with_room(state: ExcursionState, windows: int) -> tuple[Times, Matrix]:
    """Copy the open windows into at least `windows` slots more than are taken."""
    taken = int(np.count_nonzero(state.spans[:, 1]))
    room = max(windows + taken, len(state.spans))
    spans = np.zeros((room, 2), dtype=np.int64)
    slots = np.full((room, *state.slots.shape[1:]), np.nan)
    spans[: len(state.spans)] = state.spans
    slots[: len(state.spans)] = state.slots
    return spans, slots
