"""What is known of the implied volatility of several markets, and since when?"""

from dataclasses import dataclass, replace

from plimsoll.types import Matrix, Times

__all__ = ["ImpliedHistory"]


@dataclass(frozen=True, slots=True)
class ImpliedHistory:
    """The course of each market's 30-day implied volatility index.

    Attributes
    ----------
    markets : tuple [M]
    times : Times [N]     When a value became known, milliseconds UTC, strictly increasing.
    index : Matrix [N, M]   Per square root of a year (0.6 is 60 %); NaN where a market has no value.
    """

    markets: tuple[str, ...]
    times: Times
    index: Matrix

    def until(self, moment: int) -> "ImpliedHistory":
        """Keep what was known at a moment, milliseconds UTC."""
        known = self.times <= moment
        return replace(self, times=self.times[known], index=self.index[known])
