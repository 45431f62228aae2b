"""Where does a test get books of orders and trades: drawn, with known properties?"""

import numpy as np
import polars as pl

from plimsoll.domain.liquidity import OrderBooks, Trades

__all__ = ["book_frame", "drawn_books", "drawn_trades", "trade_frame"]

_START = 1_765_400_000_000


def drawn_books(
    count: int, *, seed: int = 1, levels: int = 12, growth: float = 0.4, start: int = _START
) -> OrderBooks:
    """Draw books around a wandering mid, deeper away from it, the two sides unlike."""
    generator = np.random.default_rng(seed)
    mid = 3_000.0 * np.exp(np.cumsum(2e-4 * generator.standard_normal(count)))
    steps = np.arange(1, levels + 1)
    away = 1e-4 * steps * (1.0 + 0.1 * generator.random((count, levels)))
    depth = np.exp(0.3 * generator.standard_normal((count, levels))) * steps**growth

    def side(sign: float, scale: float) -> np.ndarray:
        return np.stack([mid[:, None] * (1.0 + sign * away), scale * depth], axis=2)

    times = start + np.cumsum(generator.integers(200, 900, count))
    return OrderBooks(times, side(-1.0, 2.0), side(1.0, 1.3))


def drawn_trades(count: int, *, impact: float, seed: int = 1, start: int = _START) -> Trades:
    """Draw trades whose net volume per ten seconds moves the price by the square root, and little noise."""
    generator = np.random.default_rng(seed)
    volume = generator.lognormal(10.0, 1.0, count) * generator.choice([-1.0, 1.0], count, p=[0.4, 0.6])
    hourly = np.abs(volume).mean() * 360.0
    moves = np.sign(volume) * np.sqrt(np.abs(volume) / hourly)
    scale = np.sqrt(np.mean(moves**2) * 360.0) * impact
    price = 3_000.0 * np.exp(np.cumsum(2e-4 * moves / scale * impact))
    times = start + 10_000 * np.arange(count) + generator.integers(0, 10_000, count)
    return Trades(times, price, np.abs(volume) / price, np.sign(volume))


def book_frame(books: OrderBooks) -> pl.DataFrame:
    """Lay books out as a recorder writes them."""
    columns: dict[str, np.ndarray] = {"ts": books.times}
    for level in range(books.bids.shape[1]):
        for name, side in (("bid", books.bids), ("ask", books.asks)):
            columns[f"{name}_price_{level}"] = side[:, level, 0]
            columns[f"{name}_size_{level}"] = side[:, level, 1]
    return pl.DataFrame(columns)


def trade_frame(trades: Trades) -> pl.DataFrame:
    """Lay trades out as a recorder writes them, numbered from 1."""
    return pl.DataFrame(
        {
            "ts": trades.times,
            "price": trades.price,
            "size": trades.size,
            "side": np.where(trades.sign > 0.0, "buy", "sell"),
            "trade_id": [str(number) for number in range(1, len(trades) + 1)],
        }
    )
