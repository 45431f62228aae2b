"""How are the daily prices that come with Plimsoll written to a file of bars, to try commands on?

Run: python examples/write_history.py prices.csv 2024-01-01
"""

import sys
from datetime import UTC, datetime
from pathlib import Path

from plimsoll.scenarios.library import daily_history


def main(path: Path, before: str) -> None:
    """Write BTC and ETH from August 2017 up to a date, in the format of docs/reference/bar-files.md."""
    moment = datetime.fromisoformat(before).replace(tzinfo=UTC)
    bars = daily_history(round(moment.timestamp() * 1000))
    lines = ["symbol,ts,open,high,low,close"]
    for column, market in enumerate(bars.markets):
        prices = zip(bars.open, bars.high, bars.low, bars.close, strict=True)
        for time, row in zip(bars.times, prices, strict=True):
            lines.append(",".join([market, str(time), *(f"{price[column]:.8g}" for price in row)]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{path}: {len(bars)} days of {' and '.join(bars.markets)}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python examples/write_history.py FILE DAY, such as prices.csv 2024-01-01")
    main(Path(sys.argv[1]), sys.argv[2])
