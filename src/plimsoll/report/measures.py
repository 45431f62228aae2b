"""Which figures compare the policies, how is each written, and which way is better?"""

from collections.abc import Callable, Sequence
from enum import Enum

from msgspec import Struct

from plimsoll.report import figures
from plimsoll.sim.outcome import PolicySummary

__all__ = ["MEASURES", "Better", "Measure", "best_policies", "is_broken", "shown_measures"]


class Better(Enum):
    """Which end of a measure a venue would choose.

    `NEITHER` where that depends on the other measures; `ZERO` where anything else breaks a promise.
    """

    LOWER = "lower"
    HIGHER = "higher"
    NEITHER = "neither"
    ZERO = "zero"


class Measure(Struct, frozen=True, kw_only=True):
    """One row of the comparison.

    Attributes
    ----------
    group : str     Heading that it stands under.
    label : str     Name, as short as a table needs.
    meaning : str   What exactly is measured, in one sentence.
    value : callable from PolicySummary to float
    written : callable from float to str
    better : Better
    optional : bool   Left out where it is 0 for every policy: a layer that the settings do not have.
    """

    group: str
    label: str
    meaning: str
    value: Callable[[PolicySummary], float]
    written: Callable[[float], str]
    better: Better
    optional: bool = False


MEASURES = (
    Measure(
        group="What was asked for",
        label="mean maintenance held",
        meaning="Maintenance margin required, over gross open notional; mean over the replay.",
        value=lambda summary: summary.mean_margin,
        written=figures.share,
        better=Better.LOWER,
    ),
    Measure(
        group="What was asked for",
        label="mean initial required",
        meaning="Initial margin required, over gross open notional; mean over the replay.",
        value=lambda summary: summary.mean_initial,
        written=figures.share,
        better=Better.LOWER,
    ),
    Measure(
        group="What was asked for",
        label="notional admitted",
        meaning="Gross notional that initial margin let the accounts open at the start.",
        value=lambda summary: summary.admitted,
        written=figures.money,
        better=Better.HIGHER,
    ),
    Measure(
        group="What was asked for",
        label="worst 24 h rise of a rate",
        meaning="Largest relative rise of any market's maintenance rate, on either side, within 24 hours.",
        value=lambda summary: summary.worst_rise,
        written=figures.share,
        better=Better.NEITHER,
    ),
    Measure(
        group="Who was hit",
        label="accounts called",
        meaning="Accounts that were asked for more collateral at least once.",
        value=lambda summary: summary.called,
        written=figures.count,
        better=Better.LOWER,
    ),
    Measure(
        group="Who was hit",
        label="accounts liquidated",
        meaning="Accounts that were liquidated, in part or in full.",
        value=lambda summary: summary.liquidated,
        written=figures.count,
        better=Better.LOWER,
    ),
    Measure(
        group="Who was hit",
        label="- by a rise alone",
        meaning="Of these: a rise of the parameters alone did it. Must be zero where notice is given.",
        value=lambda summary: summary.liquidated_by_rise,
        written=figures.count,
        better=Better.ZERO,
    ),
    Measure(
        group="Who was hit",
        label="- sooner because of a rise",
        meaning="Of these: neither the price nor the rise of the parameters would have done it alone.",
        value=lambda summary: summary.liquidated_with_rise,
        written=figures.count,
        better=Better.NEITHER,
    ),
    Measure(
        group="What it cost",
        label="sold by force",
        meaning="Notional of all forced trades.",
        value=lambda summary: summary.liquidated_notional,
        written=figures.money,
        better=Better.LOWER,
    ),
    Measure(
        group="What it cost",
        label="taken by bidders",
        meaning="Notional that bidders took over in auctions.",
        value=lambda summary: summary.auctioned,
        written=figures.money,
        better=Better.NEITHER,
        optional=True,
    ),
    Measure(
        group="What it cost",
        label="taken by the backstop",
        meaning="Notional that the backstop took over.",
        value=lambda summary: summary.taken_over,
        written=figures.money,
        better=Better.NEITHER,
        optional=True,
    ),
    Measure(
        group="What it cost",
        label="deepest push on a price",
        meaning="Deepest fall of any price below its undisturbed path that forced selling caused.",
        value=lambda summary: summary.deepest_impact,
        written=figures.share,
        better=Better.LOWER,
    ),
    Measure(
        group="What it cost",
        label="highest branching ratio",
        meaning=(
            "Forced selling over the depth that must take it, in the worst market and move, twice a day at "
            "normal depth; at 1 a fall feeds itself."
        ),
        value=lambda summary: summary.branching,
        written=lambda value: f"{value:.2f}",
        better=Better.LOWER,
    ),
    Measure(
        group="What it cost",
        label="bad debt",
        meaning="What closed accounts owed beyond what they had.",
        value=lambda summary: summary.bad_debt,
        written=figures.money,
        better=Better.LOWER,
    ),
    Measure(
        group="What it cost",
        label="- paid by the fund",
        meaning="Part of the bad debt that the insurance fund paid.",
        value=lambda summary: summary.fund_paid,
        written=figures.money,
        better=Better.NEITHER,
    ),
    Measure(
        group="What it cost",
        label="- paid by winners",
        meaning="Part of the bad debt that was taken from accounts in profit.",
        value=lambda summary: summary.allocated,
        written=figures.money,
        better=Better.NEITHER,
    ),
    Measure(
        group="What it cost",
        label="- paid by nobody",
        meaning="Part of the bad debt that nobody could pay: the venue owes it.",
        value=lambda summary: summary.uncovered,
        written=figures.money,
        better=Better.NEITHER,
    ),
)


def shown_measures(summaries: Sequence[PolicySummary]) -> tuple[Measure, ...]:
    """Leave out the rows of layers that took nothing under any policy."""
    return tuple(
        measure
        for measure in MEASURES
        if not measure.optional or any(measure.value(summary) != 0.0 for summary in summaries)
    )


def best_policies(measure: Measure, summaries: Sequence[PolicySummary]) -> frozenset[str]:
    """Name the policies to emphasise in a row: none where all read the same or no end is better."""
    if measure.better not in {Better.LOWER, Better.HIGHER}:
        return frozenset()
    written = {measure.written(measure.value(summary)) for summary in summaries}
    if len(written) < 2:
        return frozenset()
    choose = min if measure.better is Better.LOWER else max
    best = measure.written(choose(measure.value(summary) for summary in summaries))
    return frozenset(
        summary.policy for summary in summaries if measure.written(measure.value(summary)) == best
    )


def is_broken(measure: Measure, summary: PolicySummary) -> bool:
    """Say whether a measure that must be zero is not."""
    return measure.better is Better.ZERO and measure.value(summary) != 0
