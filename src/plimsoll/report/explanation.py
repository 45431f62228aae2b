"""How does the requirement of one account read, from its parts to the evidence?"""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from plimsoll.margin.explain import Explanation, PositionLine, WorstScenario
from plimsoll.report import figures
from plimsoll.report.ledger import exact, heading, levels_table, parts_table, table_of
from plimsoll.report.parameters import evidence_table

__all__ = ["show_explanation"]

_VERDICTS = {
    "initial met": ("meets initial margin: it may take new risk or withdraw", "green"),
    "no new risk": ("meets its calls but not initial margin: it may only reduce risk", "yellow"),
    "called": ("is called: below the call level, still above maintenance", "yellow"),
    "liquidated": ("is liquidated: below maintenance", "bold red"),
}


def show_explanation(explanation: Explanation, console: Console) -> None:
    """Print what an account has and needs, why, and what that rests on."""
    verdict, style = _VERDICTS[explanation.verdict]
    console.print(Text.assemble((explanation.account, "bold"), " ", (verdict, style)))
    console.print()
    console.print(_levels(explanation))
    if explanation.parts:
        heading("Maintenance, part by part", console)
        console.print(parts_table(explanation.parts, "maintenance", explanation.maintenance))
    if explanation.positions:
        heading("Holdings", console)
        console.print(_positions(explanation))
    if explanation.worst is not None:
        heading("Worst scenario", console)
        console.print(_scenario(explanation.worst, explanation.positions))
    if explanation.evidence:
        heading("Evidence behind the rates", console)
        console.print(evidence_table(explanation.evidence))
    console.print()
    console.print(f"parameters: version {explanation.parameters}, {explanation.method}")
    console.print(f"digest: sha256:{explanation.digest}")


def _levels(explanation: Explanation) -> Table:
    return levels_table(
        explanation.equity,
        (
            ("initial, to take new risk", explanation.initial),
            ("call, to be left alone", explanation.call),
            ("maintenance, not to be liquidated", explanation.maintenance),
        ),
    )


def _positions(explanation: Explanation) -> Table:
    table = table_of("", "quantity", "mark", "value", "profit", "rate", "needs alone")
    for line in explanation.positions:
        table.add_row(
            line.instrument,
            f"{line.quantity:f}",
            figures.price(line.mark),
            exact(line.notional),
            exact(line.profit),
            figures.share(line.rate),
            exact(line.alone),
        )
    return table


def _scenario(worst: WorstScenario, positions: tuple[PositionLine, ...]) -> Text:
    """Turn losses per unit held into the moves that cause them: a long loses when its market falls."""
    moves = ", ".join(
        f"{market} {'falls' if (move > 0) == (_net(market, positions) > 0) else 'rises'} "
        f"{figures.share(abs(move))}"
        for market, move in worst.moves.items()
    )
    named = "" if len(worst.moves) < 2 else f"{worst.name}: "
    return Text(f"{named}{moves}. The account loses {exact(worst.loss)}.")


def _net(market: str, positions: tuple[PositionLine, ...]) -> int:
    return sum(line.notional for line in positions if line.instrument.partition("-")[0] == market)
