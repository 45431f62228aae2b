"""What does each bar of one market show, before any model looks at it?"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from plimsoll.domain.bars import HOUR, Bars
from plimsoll.estimators.returns import LastClose, join
from plimsoll.kernels.bar_variance import (
    across_gap,
    garman_klass,
    parkinson,
    rogers_satchell,
    squared_return,
    yang_zhang,
)
from plimsoll.types import Flags, Matrix, Times, Vector

__all__ = ["Observed", "Reading", "observe", "variance_samples"]

Reading = Literal["squared-return", "parkinson", "garman-klass", "rogers-satchell", "yang-zhang"]
"""Ways to read the variance of a bar."""


@dataclass(frozen=True, slots=True)
class Observed:
    """T bars of one market.

    Attributes
    ----------
    ends : Times [T]         Closing times, milliseconds UTC.
    hours : float            Length of a bar.
    contiguous : Flags [T]   Whether the bar before is the direct predecessor.
    returns : Vector [T]     Log close on close; NaN after a gap and where there is no bar.
    upper, lower, body : Vector [T]   Log of high, low and close over the open; NaN where there is no bar.
    volume : Vector [T]      Base units; NaN where unknown.
    crossed : Vector [T]     Log of the open over the last known close, after a gap; NaN elsewhere.
    waited : Vector [T]      Hours from that close to the end of that bar; NaN elsewhere.
    missing : Vector [T]     Milliseconds without a bar before each bar; NaN where there is none, and before
                             the first.
    regressors : Matrix [T, E]   Whatever else was known when the bar closed; E is usually 0.
    """

    ends: Times
    hours: float
    contiguous: Flags
    returns: Vector
    upper: Vector
    lower: Vector
    body: Vector
    volume: Vector
    crossed: Vector
    waited: Vector
    missing: Vector
    regressors: Matrix

    def rows(self, first: int, last: int) -> "Observed":
        """Keep rows first to last - 1."""
        kept = slice(first, last)
        return Observed(
            self.ends[kept], self.hours, self.contiguous[kept], self.returns[kept], self.upper[kept],
            self.lower[kept], self.body[kept], self.volume[kept], self.crossed[kept], self.waited[kept],
            self.missing[kept], self.regressors[kept],
        )  # fmt: skip


def observe(
    last: LastClose, bars: Bars, regressors: Matrix | None = None
) -> tuple[tuple[Observed, ...], LastClose]:
    """Read T bars of M markets, the first against the close of the piece before.

    Returns
    -------
    tuple [M] of Observed, and where this piece stops.
    """
    joined, after = join(last, bars)
    opened = np.log(bars.open)
    upper, lower, body = (np.log(prices) - opened for prices in (bars.high, bars.low, bars.close))
    extra = np.zeros((len(bars), 0)) if regressors is None else regressors
    ends, hours = bars.ends, bars.length / HOUR

    def column(table: Matrix, m: int) -> Vector:
        return np.ascontiguousarray(table[:, m])

    seen = tuple(
        Observed(
            ends,
            hours,
            np.ascontiguousarray(joined.contiguous[:, m]),
            column(joined.returns, m),
            column(upper, m),
            column(lower, m),
            column(body, m),
            column(bars.volume, m),
            column(joined.crossed, m),
            column(joined.waited, m),
            column(joined.missing, m),
            extra,
        )
        for m in range(len(bars.markets))
    )
    return seen, after


def variance_samples(observed: Observed, reading: Reading) -> Vector:
    """Read the variance of each bar.

    Returns
    -------
    Vector [T]   Squared log return over the bar; NaN where there is no bar, and for squared returns also
                 before anything is known. After a gap the move across it counts (`kernels.bar_variance`).
    """
    waited = observed.waited / observed.hours
    if reading == "squared-return":
        return squared_return(observed.returns, observed.crossed, observed.body, waited)
    return across_gap(_alone(observed, reading), observed.crossed, waited)


def _alone(observed: Observed, reading: Reading) -> Vector:
    """Read the variance of each bar from the bar alone, in another way than by its return."""
    if reading == "parkinson":
        return parkinson(observed.upper, observed.lower)
    if reading == "garman-klass":
        return garman_klass(observed.upper, observed.lower, observed.body)
    if reading == "rogers-satchell":
        return rogers_satchell(observed.upper, observed.lower, observed.body)
    gap = np.where(np.isnan(observed.returns), 0.0, observed.returns - observed.body)
    return yang_zhang(gap, observed.upper, observed.lower, observed.body)
