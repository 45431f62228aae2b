"""How does a cost curve read, with what it was fitted to?"""

from msgspec import UnsetType
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from plimsoll.domain.cost_curve import CostCurve
from plimsoll.domain.market_liquidity import CurveEvidence, MarketLiquidity
from plimsoll.report import figures

__all__ = ["curve_line", "show_curves"]

_BASIS_POINTS = 1e4


def curve_line(entry: MarketLiquidity) -> Text:
    """Say in a line what the curve in force rests on, and whether size is charged by it."""
    charged = "charged for size" if entry.charged else "size is not charged"
    if not isinstance(entry.closing, UnsetType):
        charged += f", and for closing time at {figures.share(entry.closing.participation)} of volume"
    evidence = entry.evidence
    if isinstance(evidence, UnsetType):
        return Text(f"cost curve of {entry.market}: given, not fitted; {charged}")
    return Text(
        f"cost curve of {entry.market}: {figures.count(evidence.books)} books, sizes to "
        f"{figures.money(evidence.largest)}, error to {figures.share(evidence.error)}; {charged}"
    )


def show_curves(liquidity: tuple[MarketLiquidity, ...], console: Console) -> None:
    """Print for each fitted curve: what was recorded, size by size, and where the fit ends."""
    for entry in liquidity:
        if isinstance(entry.evidence, UnsetType):
            continue
        curve, evidence = entry.curves[0], entry.evidence
        console.print()
        console.print(Text(f"How the cost curve of {entry.market} was fitted", style="bold"))
        console.print(Text(_recorded(curve, evidence)))
        console.print(_walks(curve, evidence))
        for line in _limits(curve, evidence):
            console.print(Text(line))


def _recorded(curve: CostCurve, evidence: CurveEvidence) -> str:
    if evidence.flow == "trades":
        source = f"{figures.count(evidence.trades)} trades"
    else:
        source = "the bars, no trades given"
    return (
        f"{figures.count(evidence.books)} books, {figures.moment(evidence.first)} to "
        f"{figures.moment(evidence.last)}\n"
        f"volume {figures.money(curve.volume)} and volatility {figures.share(curve.volatility)} per hour, "
        f"from {source}"
    )


def _walks(curve: CostCurve, evidence: CurveEvidence) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    heads = ("size", "books that fill it", "walked", "fitted", "error", "stressed")
    for head in (*heads, ""):
        table.add_column(head, justify="right" if head else "left")
    for each in evidence.sizes:
        known = each.walked is not None and each.walked > 0.0
        table.add_row(
            figures.money(each.size),
            figures.share(each.covered),
            _points(each.walked) if each.walked is not None else "",
            _points(each.fitted),
            f"{each.fitted / each.walked - 1.0:+.1%}" if known and each.walked else "",
            _points(curve.cost(each.size)),
            "" if each.used else "extrapolated",
        )
    return table


def _points(cost: float) -> str:
    return f"{_BASIS_POINTS * cost:.2f} bp"


def _limits(curve: CostCurve, evidence: CurveEvidence) -> tuple[str, ...]:
    refill = "none counted on" if curve.half_life is None else f"half within {curve.half_life:.3g} s"
    measured = evidence.measured_impact
    shown = "" if measured is None else f"; these trades show {measured:.2f}"
    return (
        (
            f"levels reach {_points(evidence.reach)} from the mid; sizes beyond "
            f"{figures.money(evidence.largest)} are extrapolated"
        ),
        f"charges count on {figures.share(curve.stressed_depth)} of this depth; refill: {refill}",
        f"the root law takes Y = {curve.impact:.2f}{shown}; it decides where it is dearer",
    )
