"""How does the requirement of one account read, from its parts to the evidence?"""

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from plimsoll.domain.money import units
from plimsoll.margin.explain import Explanation, PositionLine, WorstScenario
from plimsoll.report import figures
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
        _heading("Maintenance, part by part", console)
        console.print(_parts(explanation))
    if explanation.positions:
        _heading("Holdings", console)
        console.print(_positions(explanation))
    if explanation.worst is not None:
        _heading("Worst scenario", console)
        console.print(_scenario(explanation.worst, explanation.positions))
    if explanation.evidence:
        _heading("Evidence behind the rates", console)
        console.print(evidence_table(explanation.evidence))
    console.print()
    console.print(f"parameters: version {explanation.parameters}, {explanation.method}")
    console.print(f"digest: sha256:{explanation.digest}")


def _heading(text: str, console: Console) -> None:
    console.print()
    console.print(Text(text, style="bold"))


def _levels(explanation: Explanation) -> Table:
    """Set equity against each level; what is left is free, what is missing is negative."""
    table = _table("", "required", "equity over it")
    for name, required in (
        ("initial, to take new risk", explanation.initial),
        ("call, to be left alone", explanation.call),
        ("maintenance, not to be liquidated", explanation.maintenance),
    ):
        free = explanation.equity - required
        table.add_row(name, _exact(required), Text(_exact(free), style="red" if free < 0 else ""))
    table.add_section()
    table.add_row("equity", _exact(explanation.equity), "")
    return table


def _parts(explanation: Explanation) -> Table:
    table = Table(box=box.SIMPLE, pad_edge=False, show_edge=False, show_header=False, show_footer=False)
    table.add_column()
    table.add_column(justify="right")
    for part in explanation.parts:
        table.add_row(part.name, _exact(part.amount))
    table.add_section()
    table.add_row("maintenance", Text(_exact(explanation.maintenance), style="bold"))
    return table


def _positions(explanation: Explanation) -> Table:
    table = _table("", "quantity", "mark", "value", "profit", "rate", "needs alone")
    for line in explanation.positions:
        table.add_row(
            line.instrument,
            f"{line.quantity:f}",
            figures.price(line.mark),
            _exact(line.notional),
            _exact(line.profit),
            figures.share(line.rate),
            _exact(line.alone),
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
    return Text(f"{named}{moves}. The account loses {_exact(worst.loss)}.")


def _net(market: str, positions: tuple[PositionLine, ...]) -> int:
    return sum(line.notional for line in positions if line.instrument.partition("-")[0] == market)


def _exact(quanta: int) -> str:
    """Write an amount to the cent; parts are added up by eye."""
    amount = units(quanta)
    written = f"${abs(amount):,.2f}"
    return f"-{written}" if amount < 0 and written != "$0.00" else written


def _table(*headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="left" if place == 0 else "right")
    return table
