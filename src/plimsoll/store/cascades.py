"""How are simulated cascades written as tables?"""

import io

import msgspec
import polars as pl

from plimsoll.sim.seeds import Cascades, CascadeTrace

__all__ = ["facts_bytes", "traces_bytes"]


def facts_bytes(cascades: Cascades) -> bytes:
    """Write one row per run, a column per figure, as Parquet."""
    rows = [
        msgspec.structs.asdict(run.facts) | {"allocation_delay": run.facts.allocation_delay}
        for run in cascades.runs
    ]
    return _parquet(pl.DataFrame(rows, infer_schema_length=None))


def traces_bytes(cascades: Cascades) -> bytes:
    """Write one row per run and ten seconds, as Parquet: policy, seed, then the fields of `CascadeTrace`."""
    names = CascadeTrace.__dataclass_fields__
    frames = [
        pl.DataFrame({name: getattr(run.trace, name) for name in names}).select(
            pl.lit(run.facts.policy).alias("policy"), pl.lit(run.facts.seed).alias("seed"), pl.all()
        )
        for run in cascades.runs
    ]
    return _parquet(pl.concat(frames))


def _parquet(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()
