"""Real option chains as smiles: one out-of-the-money option per strike, volatilities in fractions."""

from pathlib import Path

import numpy as np
import polars as pl

from plimsoll.domain.surface import Smile

__all__ = ["deribit_2024", "deribit_2026"]

PERCENT = 100.0


def deribit_2026(market_data: Path) -> dict[str, list[Smile]]:
    """Return the BTC smiles of every snapshot in January 2026; a volatility of 0 means that nobody quotes."""
    chain = pl.read_parquet(market_data / "options" / "deribit_btc_chain_2026-01.parquet").with_columns(
        pl.when(pl.col(name) > 0.0).then(pl.col(name) / PERCENT).otherwise(None).alias(name)
        for name in ("bid_iv", "ask_iv", "mark_iv")
    )
    snapshots: dict[str, list[Smile]] = {}
    for (snapshot,), part in sorted(chain.group_by("snapshot")):
        time = part["ts"].dt.epoch("ms").max()
        assert isinstance(time, int)
        snapshots[str(snapshot)] = [
            _smile(one, time, float(np.median(one["underlying_price"].to_numpy())))
            for _, one in sorted(part.group_by("expiry"))
        ]
    return snapshots


def deribit_2024(market_data: Path, currency: str, time: int) -> list[Smile]:
    """Return the smiles of 24 May 2024: only marks are known, and the index stands for the forward."""
    chain = (
        pl.read_parquet(market_data / "options" / "deribit_chain_2024-05-24_btc_eth.parquet")
        .filter(pl.col("currency").cast(pl.String) == currency)
        .with_columns(
            pl.col("mark_iv") / PERCENT,
            pl.lit(None, pl.Float64).alias("bid_iv"),
            pl.lit(None, pl.Float64).alias("ask_iv"),
        )
    )
    return [
        _smile(one, time, float(np.median(one["index_price"].to_numpy())))
        for _, one in sorted(chain.group_by("expiry"))
    ]


def _smile(chain: pl.DataFrame, time: int, forward: float) -> Smile:
    outside = (
        chain.filter((pl.col("option_type") == "call") == (pl.col("strike") >= forward))
        .unique("strike")
        .sort("strike")
    )
    bid, ask, mark = (
        outside[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
        for name in ("bid_iv", "ask_iv", "mark_iv")
    )
    expiry = outside["expiry"].dt.epoch("ms")[0]
    strikes = outside["strike"].cast(pl.Float64).to_numpy()
    return Smile(expiry, time, forward, strikes, bid, ask, mark)
