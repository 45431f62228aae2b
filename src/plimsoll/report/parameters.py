"""How does a parameter set read, with the evidence behind each rate?"""

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from plimsoll.domain.parameters import (
    CrossMargin,
    JointScenarios,
    MarketParameters,
    ParameterSet,
    SideEvidence,
    SideParameters,
    StaticTiers,
)
from plimsoll.report import figures
from plimsoll.report.cost_curves import curve_line

__all__ = ["evidence_table", "show_parameters"]

_BINDING = {
    "model": "the target",
    "floor": "the long-run floor",
    "rise-limit": "the speed limit",
    "fall-limit": "the slow fall",
}


def show_parameters(parameters: ParameterSet, console: Console) -> None:
    """Print the rates of every market and side, then what each rests on."""
    console.print(
        Text.assemble(
            (f"Parameters, version {parameters.version}", "bold"),
            f"  in force from {figures.moment(parameters.effective)}",
        )
    )
    console.print(_rates(parameters))
    if parameters.evidence:
        console.print()
        console.print(Text("Evidence: what each maintenance rate was made from", style="bold"))
        console.print(evidence_table(parameters.evidence))
        console.print(_forecasters(parameters.evidence))
    for joint in _implied_tables(parameters):
        console.print(_implied(joint))
    for entry in parameters.liquidity:
        console.print(curve_line(entry))
    console.print()
    console.print(f"digest: sha256:{parameters.digest}")


def _forecasters(evidence: tuple[SideEvidence, ...]) -> Text:
    """Say what forecast the volatility of which markets."""
    markets: dict[str, list[str]] = {}
    for side in evidence:
        known = markets.setdefault(side.forecaster, [])
        if side.market not in known:
            known.append(side.market)
    said = "; ".join(f"{forecaster} for {', '.join(names)}" for forecaster, names in markets.items())
    return Text(f"volatility forecast by {said}")


def _implied_tables(parameters: ParameterSet) -> tuple[JointScenarios, ...]:
    method = parameters.method
    return tuple(t for t in method.dependence if t.volatility) if isinstance(method, CrossMargin) else ()


def _implied(joint: JointScenarios) -> Text:
    """Say how many rows know how implied volatility moved, and whose index stands behind which market."""
    parts = [
        f"{market} {count} observed, the rest after {source}'s relation to spot"
        for market, count, source in zip(joint.markets, joint.observed, joint.implied, strict=True)
    ]
    return Text(f"joint rows with implied volatility: {len(joint.rows)}; {'; '.join(parts)}")


def _rates(parameters: ParameterSet) -> Table:
    if isinstance(parameters.method, StaticTiers):
        table = _table("", "up to", "maintenance", "initial")
        for tier in parameters.method.tiers:
            table.add_row(
                "",
                figures.money(tier.up_to),
                figures.share(tier.maintenance),
                figures.share(tier.initial),
            )
        return table
    table = _table("", "", "price", "maintenance", "call", "initial", "hedge credit")
    for market in parameters.method.markets:
        for name, side in (("long", market.long), ("short", market.short)):
            table.add_row(*_side_row(market, name, side))
    return table


def _side_row(market: MarketParameters, name: str, side: SideParameters) -> tuple[str, ...]:
    first = name == "long"
    return (
        market.market if first else "",
        name,
        figures.price(market.price) if first else "",
        *(figures.share(rate) for rate in (side.maintenance, side.call, side.initial, side.credit)),
    )


def evidence_table(evidence: tuple[SideEvidence, ...]) -> Table:
    """Set out, side by side, the stages that each maintenance rate went through."""
    table = _table(
        "", "", "windows", "vol, 1 h", "quantile", "model", "stressed", "long run", "target", "held by"
    )
    for side in evidence:
        borrowed = f", from {side.borrowed_from}" if side.borrowed_from else ""
        table.add_row(
            side.market,
            side.side,
            figures.count(side.windows),
            figures.share(side.volatility),
            f"{side.residual_quantile:.2f} sd",
            *(figures.share(rate) for rate in (side.model, side.stressed, side.long_run, side.target)),
            _BINDING.get(side.binding, side.binding) + borrowed,
        )
    return table


def _table(*headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="left" if place < 2 or heading == "held by" else "right")
    return table
