"""Do implied volatility, funding, equities, sentiment or other coins improve the forecast of variance?

BTC by the hour, log-HAR+ with each regressor against itself without; QLIKE an hour and a day ahead on the
squared range, both sides scaled to the same mean, and the Diebold-Mariano statistic with Newey-West errors.
Reads ``$PLIMSOLL_DATA`` and takes half a minute; without the variable it says so and stops.
"""

import os
import sys
from pathlib import Path

import numpy as np
import polars as pl

from plimsoll.domain.bars import HOUR, Bars
from plimsoll.estimators.har import Har
from plimsoll.estimators.observed import observe
from plimsoll.estimators.regressors import as_known, log_implied_variance
from plimsoll.estimators.returns import nothing_heard
from plimsoll.estimators.volatility import parkinson_variance
from plimsoll.feeds.bars import read_bars
from plimsoll.types import Flags, Matrix, Times, Vector

__all__ = ["main"]

DAY = 24 * HOUR
NEXT_OPEN = 2 * DAY - 2 * HOUR
"""A daily figure of New York, dated at midnight UTC, is known when its session has closed: 22 h UTC."""
WARM = 4_380
LAGS = (48, 96)


def regressors(folder: Path, bars: Bars) -> dict[str, Vector]:
    """Read everything that was known at the end of each bar."""
    ends = bars.ends

    def series(
        path: str, time: str, value: str, where: tuple[str, str] | None = None
    ) -> tuple[Times, Vector]:
        table = pl.read_parquet(folder / path)
        if where is not None:
            table = table.filter(pl.col(where[0]) == where[1])
        table = table.select(time, pl.col(value).cast(pl.Float64)).drop_nulls().sort(time)
        return table[time].dt.epoch("ms").to_numpy(), table[value].to_numpy()

    macro = "macro/macro_daily_2017_2026.parquet"
    implied = as_known(ends, *series("iv/dvol_btc_1h_2021_2025.parquet", "ts", "dvol_close"), HOUR)
    funding_file = "deriv/funding_8h_binance_2021_2026.parquet"
    funding = as_known(ends, *series(funding_file, "ts", "funding_rate", ("symbol", "BTCUSDT")))
    vix = as_known(ends, *series(macro, "date", "value", ("series", "VIX")), NEXT_OPEN)
    times, equity = series(macro, "date", "value", ("series", "SPX"))
    moved = as_known(ends, times[1:], np.abs(np.diff(np.log(equity))), NEXT_OPEN)
    times, dollar = series(macro, "date", "value", ("series", "DXY"))
    dollar_moved = as_known(ends, times[1:], np.abs(np.diff(np.log(dollar))), NEXT_OPEN)
    fear = as_known(ends, *series("macro/fear_greed_2018_2026.parquet", "date", "value"), DAY)
    others = read_bars(folder / "spot_1h_binance.parquet", markets=("ETH", "BNB", "XRP", "LTC", "ADA"))
    wide = np.nanmean(parkinson_variance(others), axis=1)
    return {
        "implied volatility": log_implied_variance(implied / 100.0),
        "VIX": np.log(vix),
        "S&P 500, size of move": 100.0 * moved,
        "dollar, size of move": 100.0 * dollar_moved,
        "fear and greed": fear / 100.0,
        "funding": 1e4 * funding,
        "size of funding": 1e4 * np.abs(funding),
        "variance of other coins": as_known(ends, others.ends, np.log(np.maximum(wide, 1e-10))),
    }


def losses(bars: Bars, outside: Matrix) -> tuple[Vector, Vector]:
    """Score the forecasts with these regressors an hour and a day ahead: QLIKE, NaN where not judged."""
    (seen,), _ = observe(nothing_heard(1), bars, outside)
    forecaster = Har(regressors=outside.shape[1])
    _, path = forecaster.update(forecaster.begin(1.0), seen, 24)
    after = np.append(parkinson_variance(bars)[1:, 0], np.nan)
    day = np.full(len(after), np.nan)
    day[:-23] = np.lib.stride_tricks.sliding_window_view(after, 24).sum(axis=1)
    return scored(after, path[:, 0]), scored(day, path[:, 1])


def scored(realised: Vector, forecast: Vector) -> Vector:
    """Score by QLIKE, both sides scaled to a mean of one."""
    judged: Flags = (np.arange(len(realised)) > WARM) & (realised > 0.0) & ~np.isnan(forecast)
    ratio = np.full(len(realised), np.nan)
    ratio[judged] = realised[judged] / forecast[judged]
    ratio *= forecast[judged].mean() / realised[judged].mean()
    score: Vector = ratio - np.log(ratio) - 1.0
    return score


def diebold_mariano(differences: Vector, lags: int) -> float:
    """Divide the mean difference by its Newey-West standard error."""
    known = differences[~np.isnan(differences)]
    rest = known - known.mean()
    spread = (rest**2).mean() + 2.0 * sum(
        (1.0 - k / (lags + 1.0)) * (rest[k:] * rest[:-k]).mean() for k in range(1, lags + 1)
    )
    return float(known.mean() / np.sqrt(spread / len(known)))


def main() -> None:
    """Print a line per regressor."""
    folder = os.environ.get("PLIMSOLL_DATA")
    if not folder:
        print("set PLIMSOLL_DATA to a folder of market data to run this (CONTRIBUTING.md says which)")
        sys.exit(0)
    bars = read_bars(Path(folder) / "spot_1h_binance.parquet", markets=("BTC",))
    outside = regressors(Path(folder), bars)
    first = int(np.argmax(np.all([~np.isnan(values) for values in outside.values()], axis=0)))
    bars = bars.between(int(bars.times[first]), int(bars.ends[-1]))
    columns = {name: values[first:] for name, values in outside.items()}
    plain = losses(bars, np.zeros((len(bars), 0)))
    print(f"{len(bars)} hours of BTC; log-HAR+ alone: {np.nanmean(plain[0]):.4f} {np.nanmean(plain[1]):.4f}")
    print(f"{'':26}{'hour ahead':>12}{'DM':>7}{'day ahead':>12}{'DM':>7}")
    groups = {name: [values] for name, values in columns.items()} | {"all of them": list(columns.values())}
    for name, chosen in groups.items():
        found = losses(bars, np.column_stack(chosen))
        cells = "".join(
            f"{np.nanmean(new) / np.nanmean(old) - 1.0:>+12.2%}{diebold_mariano(new - old, lags):>+7.1f}"
            for new, old, lags in zip(found, plain, LAGS, strict=True)
        )
        print(f"{name:26}{cells}", flush=True)


if __name__ == "__main__":
    main()
