"""What must a reader know about the method to judge a report?"""

__all__ = ["METHOD", "POLICIES"]

POLICIES = {
    "static": "Constant rates by size of position, as venues publish them today; each position by itself.",
    "static-matched": (
        "One constant rate for all markets and sizes, set with hindsight to the mean that the calibrated "
        "policy asked for: what a constant of like cost would have done, had anyone known it."
    ),
    "dynamic": (
        "Calibrated rates that follow the estimate up and down at once, without stress blend, speed limit or "
        "notice, as a venue that trusts its oracle does; each position by itself."
    ),
    "plimsoll": (
        "Calibrated rates under the guard: blended with stress, limited in speed, raised with notice; hedges "
        "netted over moments in which all markets moved together."
    ),
}
"""What each policy is, by name."""

METHOD = (
    (
        "Every policy margins the same accounts over the same undisturbed prices. Its own forced trades "
        "then move its own price, by the square root of their size over the market's volume, and the "
        "price recovers gradually: a policy that sells more does itself more harm."
    ),
    (
        "Calibrated rates cover a stated share of the adverse excursions over the liquidation horizon, "
        "long and short apart, from what was known at that moment and nothing later. A share of the worst "
        "known period is blended in at all times, and maintenance rises no faster than the speed limit. "
        "Initial margin covers every rise that maintenance can make within the notice: a rise alone "
        "liquidates nobody in that time."
    ),
    (
        "Below maintenance an account is sold down in slices bounded by the depth of the market, until it "
        "is healthy again. What a closed account owes beyond what it has is bad debt: the insurance fund "
        "pays first, then accounts in profit, in proportion; what is left the venue owes."
    ),
    (
        "The book of accounts is drawn from the seed, not observed. Amounts therefore compare policies; "
        "they do not forecast what any venue would lose."
    ),
)
"""Paragraphs on how a replay works and how far it may be believed."""
