"""What is a set of price bars, and where may a return be taken?"""

from dataclasses import dataclass, replace

import numpy as np

from plimsoll.errors import Code, PlimsollError
from plimsoll.types import Flags, Matrix, Times

__all__ = ["HOUR", "MINUTE", "Bars"]

MINUTE = 60_000
HOUR = 60 * MINUTE


@dataclass(frozen=True, slots=True)
class Bars:
    """Open, high, low, close and volume of several markets on one common grid of times.

    Attributes
    ----------
    markets : tuple of str   Underlyings, such as ``BTC``; the M axis.
    length : int             Length of a bar, milliseconds.
    times : Times [T]        Opening time of each bar, milliseconds UTC, strictly increasing.
    open, high, low, close : Matrix [T, M]
        Prices in quote currency; NaN in all four where a market has no bar.
    volume : Matrix [T, M]   Base units traded; NaN where unknown.

    A missing bar is a missing row or a row of NaN; `contiguous` says where a return may be taken.
    """

    markets: tuple[str, ...]
    length: int
    times: Times
    open: Matrix
    high: Matrix
    low: Matrix
    close: Matrix
    volume: Matrix

    def __len__(self) -> int:
        return len(self.times)

    @property
    def ends(self) -> Times:
        """Closing time of each bar, milliseconds UTC: the moment from which it is known."""
        return self.times + self.length

    def contiguous(self) -> Flags:
        """Say for each bar and market whether the bar before it is its direct predecessor.

        Returns
        -------
        Flags [T, M]   False in the first row and after every gap: no return crosses one.
        """
        known = ~np.isnan(self.close)
        flags = np.zeros(known.shape, dtype=np.bool_)
        adjacent = np.diff(self.times) == self.length
        flags[1:] = known[1:] & known[:-1] & adjacent[:, None]
        return flags

    def between(self, first: int, last: int) -> "Bars":
        """Keep the bars that open at or after `first` and close at or before `last` (milliseconds UTC)."""
        return self._rows((self.times >= first) & (self.ends <= last))

    def column(self, market: str) -> int:
        """Find the M-axis index of a market; raises `UNKNOWN_MARKET` where it has no bars."""
        if market not in self.markets:
            raise PlimsollError(
                Code.UNKNOWN_MARKET,
                f"no bars of market {market}",
                where="bars",
                remedy=f"Choose among {', '.join(self.markets)}.",
            )
        return self.markets.index(market)

    def select(self, markets: tuple[str, ...]) -> "Bars":
        """Keep these markets, in this order; raises `UNKNOWN_MARKET` where one has no bars."""
        for market in markets:
            self.column(market)
        return self.aligned(markets)

    def alone(self, market: str) -> "Bars":
        """Keep one market and only the bars that it has; raises `UNKNOWN_MARKET` where it has none."""
        return self._rows(~np.isnan(self.close[:, self.column(market)])).select((market,))

    def aligned(self, markets: tuple[str, ...]) -> "Bars":
        """Give exactly these markets, in this order; one without bars is NaN throughout."""
        unknown = len(self.markets)
        columns = [self.markets.index(market) if market in self.markets else unknown for market in markets]

        def taken(prices: Matrix) -> Matrix:
            padded = np.column_stack([prices, np.full(len(prices), np.nan)])
            return padded.take(columns, axis=1)

        return replace(
            self,
            markets=markets,
            open=taken(self.open),
            high=taken(self.high),
            low=taken(self.low),
            close=taken(self.close),
            volume=taken(self.volume),
        )

    def _rows(self, keep: Flags) -> "Bars":
        return replace(
            self,
            times=self.times[keep],
            open=self.open[keep],
            high=self.high[keep],
            low=self.low[keep],
            close=self.close[keep],
            volume=self.volume[keep],
        )
