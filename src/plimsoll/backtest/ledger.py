"""Where is each walk kept, so that a run that was killed goes on where it stopped?"""

import hashlib
import os
import tempfile
from functools import cache
from importlib import resources
from pathlib import Path

import msgspec
import numpy as np
import polars as pl

from plimsoll.backtest.walk import Target, Walk
from plimsoll.calibration.policies import RatePolicy
from plimsoll.domain.bars import Bars
from plimsoll.domain.rates import RateSeries
from plimsoll.errors import Code, PlimsollError

__all__ = ["read_walk", "walk_digest", "walk_path", "write_walk"]

_KEY = "plimsoll"
"""Entry of the Parquet file's own metadata that holds the digest and what the columns leave out."""

_COLUMNS = (
    "time",
    "rate_long",
    "rate_short",
    "shortfall_long",
    "shortfall_short",
    "variance",
    "excursion_long",
    "excursion_short",
    "realised_variance",
)


class _Label(msgspec.Struct, frozen=True, kw_only=True):
    """What a file is of."""

    digest: str
    market: str
    policy: str
    target: Target
    length: int


def walk_path(folder: Path, market: str, policy: str) -> Path:
    """Return the place of a walk: ``BTC.fhs-har.parquet``, with no separator of paths in it."""
    return folder / f"{market.replace('/', '-')}.{policy}.parquet"


def walk_digest(bars: Bars, policy: RatePolicy, target: Target) -> str:
    """Digest what a walk depends on: bars, the policy's settings, target, and the program's own source."""
    digest = hashlib.sha256(_source_digest().encode())
    digest.update(msgspec.json.encode((bars.markets, bars.length, policy, target)))
    for part in (bars.times, bars.open, bars.high, bars.low, bars.close, bars.volume):
        digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()


def write_walk(path: Path, walk: Walk, digest: str) -> None:
    """Write a walk under another name, then move it to its place in one step."""
    series = walk.series
    arrays = (
        series.times,
        *series.rates.T,
        *series.shortfall.T,
        series.variance,
        *walk.excursions.T,
        walk.realised,
    )
    label = _Label(
        digest=digest, market=walk.market, policy=walk.policy, target=walk.target, length=walk.length
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        os.close(descriptor)
        unfinished = Path(name)
        frame = pl.DataFrame(dict(zip(_COLUMNS, arrays, strict=True)))
        frame.write_parquet(unfinished, metadata={_KEY: msgspec.json.encode(label).decode()})
        unfinished.chmod(0o644)
        unfinished.replace(path)
    except OSError as error:
        raise PlimsollError(
            Code.UNREADABLE_FILE,
            f"cannot be written: {(error.strerror or str(error)).lower()}",
            where=str(path),
            remedy="Choose a folder with room and permission to write.",
        ) from error


def read_walk(path: Path, digest: str) -> Walk | None:
    """Read a walk; None where there is none, it is broken, or it was made from something else."""
    if not path.exists():
        return None
    try:
        label = msgspec.json.decode(pl.read_parquet_metadata(path)[_KEY], type=_Label)
        frame = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError, KeyError, msgspec.MsgspecError):
        return None
    if label.digest != digest or tuple(frame.columns) != _COLUMNS:
        return None
    column = {name: frame[name].to_numpy() for name in _COLUMNS}
    series = RateSeries(
        column["time"].astype(np.int64),
        np.column_stack([column["rate_long"], column["rate_short"]]),
        np.column_stack([column["shortfall_long"], column["shortfall_short"]]),
        column["variance"].copy(),
    )
    excursions = np.column_stack([column["excursion_long"], column["excursion_short"]])
    realised = column["realised_variance"].copy()
    return Walk(label.market, label.policy, label.target, label.length, series, excursions, realised)


@cache
def _source_digest() -> str:
    """Digest the program's own modules: after a change of a method no old walk is taken for a new one."""
    digest = hashlib.sha256()
    for room in ("kernels", "domain", "estimators", "calibration", "backtest"):
        for module in sorted(
            (entry for entry in resources.files(f"plimsoll.{room}").iterdir() if entry.name.endswith(".py")),
            key=lambda entry: entry.name,
        ):
            digest.update(module.read_bytes())
    return digest.hexdigest()
