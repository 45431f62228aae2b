"""How do the facts of a simulated crash spread over seeds, and on how many does a policy miss its bounds?

Reads the folders that `plimsoll simulate --out` left, one policy or several in each and none twice, and
prints three tables: each known fact of 10 October 2025 under the venue's constants, where they were run; the
bounds of the guarded policies for every policy; and on how many seeds one left less bad debt than another.
Means carry the 95 % interval of a bootstrap over seeds. Draws the bad debt of every run to the file named by
the first argument; all others are folders.
"""

import sys
from pathlib import Path

import numpy as np
import polars as pl

from plimsoll.report import figures
from plimsoll.report.cascade_measures import MEASURES
from plimsoll.report.plot_frame import Slot, document
from plimsoll.report.row_plots import Dots, draw_dots
from plimsoll.types import Vector

FACTS = {
    "allocation": "allocation_share",
    "delay": "allocation_delay",
    "peak": "peak_minute_share",
    "debt-share": "bad_debt_share",
    "depth": "depth_lost",
}
"""Measures with a known range, and the column each stands in."""

LARGEST_DEBT, LARGEST_ALLOCATION = 0.001, 0.05
"""What a guarded policy is to stay below: bad debt, and what is closed against winners, over all closed."""

BOUND_COLUMNS = (
    "policy",
    "seeds",
    "maintenance",
    "initial",
    "let in",
    "closed by force",
    "bad debt over it",
    "median",
    "largest",
    "seeds above 0.1 %",
    "against winners",
    "seeds above 5 %",
)

DRAWS = 10_000
COLOURS: dict[str, Slot] = {
    "static": 0,
    "static-guarded": 4,
    "static-matched": 1,
    "static-shrunk": 7,
    "plimsoll-unguarded": 6,
    "plimsoll-matched": 5,
    "plimsoll": 3,
}
STYLE = """svg{background:#fff}text{fill:#59626b;font:11px sans-serif}.gridline{stroke:#eceeef}
.chosen{fill:#f0f3f5}.dot{fill:var(--c);fill-opacity:.55}.line{stroke:var(--c);stroke-width:2}
.slot-0{--c:#d55e00}.slot-4{--c:#e69f00}.slot-1{--c:#cc79a7}.slot-6{--c:#882255}.slot-5{--c:#56b4e9}
.slot-3{--c:#0072b2}.slot-7{--c:#444b52}"""


def interval(values: Vector) -> tuple[float, float]:
    """Give the 95 % interval of the mean, by drawing seeds anew."""
    drawn = np.random.default_rng(1).choice(values, (DRAWS, len(values))).mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def print_facts(frame: pl.DataFrame) -> None:
    """Print the distribution of each known fact over the seeds of the constants."""
    constants = frame.filter(pl.col("policy") == "static")
    if constants.is_empty():
        return
    print("| fact | known | mean ± deviation | 95 % of the mean | least | median | largest | in range |")
    print("|---|---|---|---|---|---|---|---|")
    for measure in MEASURES:
        if measure.wanted is None:
            continue
        values = constants[FACTS[measure.key]].to_numpy().astype(np.float64)
        low, high = measure.wanted
        write = measure.write
        around = " to ".join(map(write, interval(values)))
        within = int(((values >= low) & (values <= high)).sum())
        cells = (
            measure.label,
            f"{write(low)} to {write(high)}",
            f"{write(values.mean())} ± {write(values.std(ddof=1))}",
            around,
            *(write(float(np.quantile(values, at))) for at in (0.0, 0.5, 1.0)),
            f"{within} of {len(values)}",
        )
        print(f"| {' | '.join(cells)} |")


def print_bounds(frame: pl.DataFrame) -> None:
    """Print margin, exposure and bounds of every policy that was run."""
    print(f"\n| {' | '.join(BOUND_COLUMNS)} |\n{'|---' * len(BOUND_COLUMNS)}|")
    for name in _known(frame):
        rows = frame.filter(pl.col("policy") == name)
        debt, queue = rows["bad_debt_share"].to_numpy(), rows["allocation_share"].to_numpy()
        around = " to ".join(f"{100 * end:.3f}" for end in interval(debt))
        cells = (
            f"`{name}`",
            str(len(rows)),
            figures.share(_mean(rows, "mean_margin")),
            figures.share(_mean(rows, "mean_initial")),
            figures.money(_mean(rows, "admitted")),
            figures.money(_mean(rows, "forced")),
            f"{100 * debt.mean():.3f} % ({around})",
            f"{100 * np.median(debt):.4f} %",
            f"{100 * debt.max():.3f} %",
            str(int((debt >= LARGEST_DEBT).sum())),
            figures.share(queue.mean()),
            str(int((queue >= LARGEST_ALLOCATION).sum())),
        )
        print(f"| {' | '.join(cells)} |")


def print_pairs(frame: pl.DataFrame) -> None:
    """Say for every two policies on how many of the seeds that both ran the first left less bad debt."""
    names = _known(frame)
    wide = frame.pivot(on="policy", index="seed", values="bad_debt")
    heads = " | ".join(f"`{name}`" for name in names)
    print(f"\n| less bad debt than | {heads} |\n{'|---' * (len(names) + 1)}|")
    for first in names:
        cells = []
        for other in names:
            both = wide.select(a=first, b=other).drop_nulls()
            cells.append("" if first == other else f"{int((both['a'] < both['b']).sum())} of {len(both)}")
        print(f"| `{first}` | {' | '.join(cells)} |")


def _known(frame: pl.DataFrame) -> list[str]:
    return [name for name in COLOURS if name in frame["policy"]]


def _mean(rows: pl.DataFrame, column: str) -> float:
    return float(rows[column].to_numpy().mean())


def main() -> None:
    """Read, print and draw."""
    target, folders = Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]]
    frame = pl.concat([pl.read_parquet(folder / "facts.parquet") for folder in folders])
    print_facts(frame)
    print_bounds(frame)
    print_pairs(frame)
    rows = [
        Dots(name, COLOURS[name], frame.filter(pl.col("policy") == name)["bad_debt_share"].to_numpy())
        for name in _known(frame)
    ]
    drawing = draw_dots(rows, figures.share, (0.0, LARGEST_DEBT))
    target.write_text(
        document("Bad debt over closed by force, a dot a seed", drawing, STYLE), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
