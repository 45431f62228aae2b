"""Where does a test get books of orders and trades: drawn, with known properties?"""

import numpy as np

from plimsoll.domain.liquidity import OrderBooks, Trades

__all__ = ["drawn_books", "drawn_trades"]


def drawn_books(count: int, *, seed: int = 1, levels: int = 12, growth: float = 0.4) -> OrderBooks:
    """Draw books around a wandering mid, deeper away from it, the two sides unlike."""
    generator = np.random.default_rng(seed)
    mid = 3_000.0 * np.exp(np.cumsum(2e-4 * generator.standard_normal(count)))
    steps = np.arange(1, levels + 1)
    away = 1e-4 * steps * (1.0 + 0.1 * generator.random((count, levels)))
    depth = np.exp(0.3 * generator.standard_normal((count, levels))) * steps**growth

    def side(sign: float, scale: float) -> np.ndarray:
        return np.stack([mid[:, None] * (1.0 + sign * away), scale * depth], axis=2)

    times = 1_765_400_000_000 + np.cumsum(generator.integers(200, 900, count))
    return OrderBooks(times, side(-1.0, 2.0), side(1.0, 1.3))


def drawn_trades(count: int, *, impact: float, seed: int = 1) -> Trades:
    """Draw trades whose net volume per ten seconds moves the price by the square root, and little noise."""
    generator = np.random.default_rng(seed)
    volume = generator.lognormal(10.0, 1.0, count) * generator.choice([-1.0, 1.0], count, p=[0.4, 0.6])
    hourly = np.abs(volume).mean() * 360.0
    moves = np.sign(volume) * np.sqrt(np.abs(volume) / hourly)
    scale = np.sqrt(np.mean(moves**2) * 360.0) * impact
    price = 3_000.0 * np.exp(np.cumsum(2e-4 * moves / scale * impact))
    times = 1_765_400_000_000 + 10_000 * np.arange(count) + generator.integers(0, 10_000, count)
    return Trades(times, price, np.abs(volume) / price, np.sign(volume))
