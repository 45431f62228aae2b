"""Where does a test get a file of bars that calibration and replay can use?"""

from pathlib import Path

import numpy as np

__all__ = ["FIRST", "HOUR", "write_bars"]

FIRST = 1_577_836_800_000
"""1 January 2020, 00:00 UTC."""
HOUR = 3_600_000


def write_bars(path: Path, *, hours: int = 2_400, markets: tuple[str, ...] = ("BTC", "ETH")) -> Path:
    """Write hourly bars as CSV; volatile by turns, different in every market, the same at every call."""
    generator = np.random.default_rng(11)
    times = FIRST + HOUR * np.arange(hours)
    lines = ["symbol,ts,open,high,low,close,volume"]
    for place, market in enumerate(markets):
        scale = (0.004 + 0.003 * place) * (1.0 + 0.8 * np.sin(np.arange(hours) / 60.0))
        close = 5_000.0 / (1 + 20 * place) * np.exp(np.cumsum(scale * generator.standard_t(4, hours)))
        opened = np.concatenate(([close[0]], close[:-1]))
        high = np.maximum(opened, close) * (1 + scale * generator.exponential(0.5, hours))
        low = np.minimum(opened, close) * (1 - 0.4 * scale * generator.exponential(0.5, hours))
        volume = 100.0 + generator.exponential(50.0, hours)
        lines += [
            f"{market}USDT,{time},{row[0]:.6f},{row[1]:.6f},{row[2]:.6f},{row[3]:.6f},{row[4]:.3f}"
            for time, row in zip(
                times, np.column_stack([opened, high, low, close, volume]).tolist(), strict=True
            )
        ]
    path.write_text("\n".join(lines) + "\n")
    return path
