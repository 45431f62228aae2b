"""How well does the fitted cost to close agree with walking the real book, now and in the next minute?

Reads the books and trades of PLIMSOLL_DATA; prints the table of `docs/theory/cost-to-close.md`.
"""

import os
import sys
from pathlib import Path

import numpy as np

from plimsoll.domain.liquidity import LiquiditySettings, OrderBooks, Trades
from plimsoll.estimators.cost_curve import fit_cost_curve
from plimsoll.estimators.flow import begin_flow, estimate_flow, update_flow
from plimsoll.estimators.liquidity import begin_liquidity, estimate_liquidity, update_liquidity
from plimsoll.feeds.recordings import read_books, read_trades
from plimsoll.kernels.order_book import book_measures, walked_costs
from plimsoll.types import Matrix, Vector

__all__ = ["forecast", "main", "real_books", "real_trades"]

SIZES = LiquiditySettings().sizes[:7]
MEMORIES = (15.0, 60.0, 300.0)
AHEAD_SECONDS = 60.0
EVERY = 20
"""Books between two fits."""


_BOOKS = "l2/hyperliquid_eth_l2_20lvl_2025-12-10.parquet"
_TRADES = "l2/hyperliquid_eth_trades_2025-12-10.parquet"


def real_books(folder: Path) -> OrderBooks:
    """Read a quarter of an hour of one market's book, twenty levels."""
    return read_books(folder / _BOOKS, LiquiditySettings().stuck_seconds)


def real_trades(folder: Path) -> Trades:
    """Read the trades of the same time."""
    return read_trades(folder / _TRADES)


def dearer(books: OrderBooks, sizes: Vector) -> Matrix:
    """Walk the dearer side of each book for each size."""
    mid = book_measures(books.bids, books.asks, np.array([0.01]))[0]
    costs: Matrix = np.maximum(walked_costs(books.bids, mid, sizes), walked_costs(books.asks, mid, sizes))
    return costs


def forecast(books: OrderBooks, memory: float, volatility: float, volume: float) -> Matrix:
    """Fit as books come, and set each fit against the next minute's mean walk: relative errors [F, G]."""
    settings = LiquiditySettings(memory_seconds=memory)
    walked, errors = dearer(books, np.array(SIZES)), []
    state = begin_liquidity(settings)
    for first in range(0, len(books) - EVERY, EVERY):
        state = update_liquidity(state, settings, books.rows(slice(first, first + EVERY)))
        now = books.times[first + EVERY - 1]
        later = (books.times > now) & (books.times <= now + 1000.0 * AHEAD_SECONDS)
        if now - books.times[0] < 1000.0 * AHEAD_SECONDS or now + 1000.0 * AHEAD_SECONDS > books.times[-1]:
            continue
        curve = fit_cost_curve(
            estimate_liquidity(state, settings), settings, volatility=volatility, volume=volume
        )
        fitted = np.array([curve.walk(size) for size in SIZES])
        errors.append(fitted / np.nanmean(walked[later], axis=0) - 1.0)
    return np.array(errors)


def main() -> None:
    """Print the tables."""
    folder = os.environ.get("PLIMSOLL_DATA")
    if folder is None:
        sys.exit("cost_to_close: set PLIMSOLL_DATA to the folder of market data")
    books, settings = real_books(Path(folder)), LiquiditySettings()
    flow = estimate_flow(update_flow(begin_flow(), settings, real_trades(Path(folder))), settings)
    found = estimate_liquidity(update_liquidity(begin_liquidity(settings), settings, books), settings)
    curve = fit_cost_curve(found, settings, volatility=flow.volatility, volume=flow.volume)
    print(f"{len(books)} books, spread {1e4 * found.spread:.2f} bp, half-life {found.half_life:.2f} s")
    print(f"levels reach {1e4 * found.reach:.1f} bp, Y {flow.impact:.2f} over {flow.windows} windows")
    print(f"fit: h {1e4 * curve.half_spread:.3f} bp, s {1e4 * curve.slope:.2f} bp at {curve.reference:,.0f}, "
          f"beta {curve.exponent:.2f}")  # fmt: skip
    print(f"{'size':>10}{'walked':>9}{'fitted':>9}{'error':>8}{'stressed':>10}{'root law':>10}   bp")
    for size, cost in zip(SIZES, found.cost, strict=False):
        fitted, thin = curve.walk(size), curve.walk(size, curve.stressed_depth)
        print(f"{size:>10,.0f}{1e4 * cost:>9.3f}{1e4 * fitted:>9.3f}{fitted / cost - 1.0:>+8.1%}"
              f"{1e4 * thin:>10.3f}{1e4 * curve.rooted(size):>10.3f}")  # fmt: skip
    print(f"\nfitted over the mean walk of the next {AHEAD_SECONDS:.0f} s, less 1")
    print(f"{'memory':>10}{'mean':>9}{'mean size of error':>20}{'worst':>9}{'fits':>6}")
    for memory in MEMORIES:
        errors = forecast(books, memory, flow.volatility, flow.volume)
        print(f"{memory:>8.0f} s{errors.mean():>+9.1%}{np.abs(errors).mean():>20.1%}"
              f"{np.abs(errors).max():>9.1%}{len(errors):>6}")  # fmt: skip


if __name__ == "__main__":
    main()
