"""How much of the published curve's depth do the books of a market's sources still show?

Each source's books are measured anew with a short memory. What walking them costs, set against what the
curve says it costs in normal times, gives the share of depth that is left:

    cost(Q) = walk_d(Q) = d^-b (h + s (Q / Q0)^b)    so    d(Q) = ((h + s (Q / Q0)^b) / cost(Q))^(1 / b)

for every size up to the curve's reference; a size that the books no longer fill counts as the least share.
The median over sizes is a source's reading, the weighted median over sources that are fresh the market's.
It is never above 1, so quotes that nobody means speed nothing up, and never below the stressed share that
charges count on anyway. Where books were heard and none is fresh, it is that least share.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from msgspec import Struct, structs

from plimsoll.domain.cost_curve import CostCurve
from plimsoll.domain.liquidity import LiquiditySettings, OrderBooks
from plimsoll.domain.observations import Depth
from plimsoll.estimators.liquidity import (
    LiquidityEstimate,
    LiquidityState,
    begin_liquidity,
    estimate_liquidity,
    update_liquidity,
)
from plimsoll.estimators.oracle_median import weighted_median

__all__ = ["BooksHeard", "DepthReading", "depth_left"]

PRESENT = LiquiditySettings(memory_seconds=10.0)
"""A book that empties shows within seconds; one that flickers does not count for all."""


class DepthReading(Struct, frozen=True, kw_only=True):
    """What one source's books of one market say.

    Attributes
    ----------
    share : float     Of the published curve's depth that is left, within its bounds.
    found : float     The same before bounds.
    sizes : tuple     Quote, that were walked.
    cost, normal : tuple   Of walking each now (NaN where the books do not fill it), and by the curve.
    last : int        When the last book came, milliseconds UTC.
    refused : int     Books left out: crossed, out of order, doubled or stuck.
    """

    share: float
    found: float
    sizes: tuple[float, ...]
    cost: tuple[float, ...]
    normal: tuple[float, ...]
    last: int
    refused: int


@dataclass(frozen=True, slots=True)
class _Heard:
    state: LiquidityState
    latest: Depth | None
    last: int


class BooksHeard:
    """The books of one market, by source.

    Parameters
    ----------
    curve : CostCurve   Published.
    weights : mapping   Of each source.
    """

    def __init__(self, curve: CostCurve, weights: Mapping[str, int]) -> None:
        self._curve = curve
        self._weights = weights
        sizes = tuple(size for size in PRESENT.sizes if size <= curve.reference) or (curve.reference,)
        self._settings = structs.replace(PRESENT, sizes=sizes)
        self._heard: dict[str, _Heard] = {}

    def take(self, book: Depth) -> None:
        """Keep a book; of those that come between two readings the newest counts."""
        before = self._heard.get(book.source)
        state = begin_liquidity(self._settings) if before is None else before.state
        self._heard[book.source] = _Heard(state, book, book.received)

    def readings(self) -> dict[str, DepthReading]:
        """Measure what is new, and say what each source's books show."""
        for source, heard in self._heard.items():
            if heard.latest is not None:
                state = update_liquidity(heard.state, self._settings, _books(heard.latest))
                self._heard[source] = replace(heard, state=state, latest=None)
        return {source: self._reading(heard) for source, heard in self._heard.items()}

    def share(self, now: int, longest_ages: Mapping[str, float]) -> float | None:
        """Give what is left of depth; None where no book was ever heard.

        Parameters
        ----------
        longest_ages : mapping   Seconds, by source: a book that came longer ago, or has not changed for 30
                                 seconds, is not asked.
        """
        if not self._heard:
            return None
        fresh = {
            source: reading.share
            for source, reading in self.readings().items()
            if now - reading.last <= longest_ages[source] * 1000.0 and not self._stuck(source, now)
        }
        if not fresh:
            return self._curve.stressed_depth
        return weighted_median(list(fresh.values()), [self._weights[source] for source in fresh])

    def _stuck(self, source: str, now: int) -> bool:
        return now - self._heard[source].state.changed > self._settings.stuck_seconds * 1000.0

    def _reading(self, heard: _Heard) -> DepthReading:
        estimate = estimate_liquidity(heard.state, self._settings)
        cost = _covered(estimate, self._settings)
        normal = tuple(self._curve.walk(size) for size in self._settings.sizes)
        found = depth_left(self._curve, self._settings.sizes, cost)
        return DepthReading(
            share=min(max(found, self._curve.stressed_depth), 1.0),
            found=found,
            sizes=self._settings.sizes,
            cost=cost,
            normal=normal,
            last=heard.last,
            refused=estimate.crossed + estimate.disordered + estimate.doubled + estimate.stuck,
        )


def depth_left(curve: CostCurve, sizes: tuple[float, ...], cost: tuple[float, ...]) -> float:
    """Find the share of depth at which the curve's walk costs as much, the median over sizes.

    Parameters
    ----------
    cost : tuple   Of walking each size; NaN where the books do not fill it, which counts as nothing left.
    """
    shares = [
        (curve.walk(size) / paid) ** (1.0 / curve.exponent) if paid > 0.0 else 0.0
        for size, paid in zip(sizes, cost, strict=True)
    ]
    return float(np.median(shares))


def _covered(estimate: LiquidityEstimate, settings: LiquiditySettings) -> tuple[float, ...]:
    enough = (estimate.coverage >= settings.least_coverage) & np.isfinite(estimate.cost)
    return tuple(np.where(enough, estimate.cost, np.nan).tolist())


def _books(book: Depth) -> OrderBooks:
    """Put one book into columns, both sides as long as the longer one."""
    levels = max(len(book.bids), len(book.asks))
    bids, asks = np.full((1, levels, 2), np.nan), np.full((1, levels, 2), np.nan)
    bids[0, : len(book.bids)], asks[0, : len(book.asks)] = book.bids, book.asks
    return OrderBooks(np.array([book.received]), bids, asks)
