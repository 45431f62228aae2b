"""Which figures of a cascade are compared, over which runs, and with which real day?"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from plimsoll.report import figures
from plimsoll.sim.cascade_outcome import CascadeFacts
from plimsoll.sim.seeds import Cascades
from plimsoll.types import Vector

__all__ = ["MEASURES", "CascadeMeasure", "spread_of", "values_of", "written"]

_TOO_FEW = 2


@dataclass(frozen=True, slots=True)
class CascadeMeasure:
    """One row of the comparison.

    Attributes
    ----------
    key, label, meaning : str
    take : callable   The figure of one run; None where it has none.
    write : callable  How it reads.
    wanted : tuple or None   Range that the real day is known to lie in; for the venue's constants alone.
    """

    key: str
    label: str
    meaning: str
    take: Callable[[CascadeFacts], float | None]
    write: Callable[[float], str]
    wanted: tuple[float, float] | None = None


def _seconds(value: float) -> str:
    return f"{value:.0f} s"


def _ratio(value: float) -> str:
    return f"{value:.2f}"


MEASURES = (
    CascadeMeasure(
        "admitted",
        "notional let in",
        "Of positions, before the shock.",
        lambda facts: facts.admitted,
        figures.money,
    ),
    CascadeMeasure(
        "margin",
        "mean maintenance before",
        "Maintenance required over that notional.",
        lambda facts: facts.mean_margin,
        figures.share,
    ),
    CascadeMeasure(
        "branching",
        "branching ratio before",
        "Largest of any market, at normal depth; at 1 a cascade feeds itself.",
        lambda facts: facts.branching,
        _ratio,
    ),
    CascadeMeasure(
        "liquidated",
        "accounts liquidated",
        "Taken in hand at least once.",
        lambda facts: float(facts.liquidated),
        figures.count,
    ),
    CascadeMeasure(
        "forced",
        "closed by force",
        "Notional sold in the book, auctioned, taken over by the backstop or closed against winners.",
        lambda facts: facts.forced,
        figures.money,
    ),
    CascadeMeasure(
        "allocation",
        "of it, against winners",
        "Share that was closed against winners, who had not asked for it.",
        lambda facts: facts.allocation_share,
        figures.share,
        (0.28, 0.48),
    ),
    CascadeMeasure(
        "delay",
        "first allocation after",
        "Seconds from the first forced trade to the first that a winner was asked.",
        lambda facts: None if facts.allocation_delay is None else float(facts.allocation_delay),
        _seconds,
        (30.0, 120.0),
    ),
    CascadeMeasure(
        "peak",
        "worst minute",
        "Largest share of what was closed by force within a minute by the clock.",
        lambda facts: facts.peak_minute_share if facts.forced > 0.0 else None,
        figures.share,
        (0.3, 0.6),
    ),
    CascadeMeasure(
        "debt",
        "bad debt",
        "What accounts owed beyond what they had.",
        lambda facts: facts.bad_debt,
        figures.money,
    ),
    CascadeMeasure(
        "debt-share",
        "bad debt over closed by force",
        "The same over the notional closed by force.",
        lambda facts: facts.bad_debt_share if facts.forced > 0.0 else None,
        figures.share,
        (0.002, 0.008),
    ),
    CascadeMeasure(
        "depth",
        "depth lost",
        "Of all markets' normal depth, at the worst second.",
        lambda facts: facts.depth_lost,
        figures.share,
        (0.9, 1.0),
    ),
    CascadeMeasure(
        "fall",
        "deepest fall",
        "Of the market that fell furthest, from the opening.",
        lambda facts: -facts.deepest_fall,
        figures.share,
    ),
    CascadeMeasure(
        "push",
        "deepest push",
        "Furthest that a price was below value outside the venue.",
        lambda facts: facts.deepest_push,
        figures.share,
    ),
)


def values_of(cascades: Cascades, policy: str, measure: CascadeMeasure) -> Vector:
    """Take a figure of every run of a policy; NaN where a run has none."""
    found = [measure.take(run.facts) for run in cascades.of(policy)]
    return np.array([np.nan if value is None else value for value in found])


def spread_of(values: Vector) -> tuple[float, float]:
    """Give the mean and the standard deviation over seeds of the known values; NaN where there are none."""
    known = values[np.isfinite(values)]
    if len(known) == 0:
        return float("nan"), float("nan")
    return float(known.mean()), float(known.std(ddof=1)) if len(known) >= _TOO_FEW else 0.0


def written(values: Vector, measure: CascadeMeasure) -> str:
    """Write mean and standard deviation over seeds; how many runs had a figure, where not all did."""
    known = int(np.isfinite(values).sum())
    if known == 0:
        return "none"
    mean, deviation = spread_of(values)
    some = f" ({known} of {len(values)})" if known < len(values) else ""
    return f"{measure.write(mean)} ± {measure.write(deviation)}{some}"
