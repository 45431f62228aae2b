"""How does a backtest read on a terminal?"""

from itertools import groupby

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from plimsoll.backtest.assessment import Assessment
from plimsoll.backtest.standing import PROMISES, SIGNIFICANCE
from plimsoll.backtest.trial import Trial
from plimsoll.report import figures
from plimsoll.report.standing_measures import STANDING_MEASURES, best_standings, p_value, points

__all__ = ["show_trial"]


def show_trial(trial: Trial, console: Console) -> None:
    """Print how the policies stand, the reference market by market, the duels, and the promises."""
    target = trial.plan.target
    console.print(
        Text(
            f"{target.horizon_hours:g} h adverse excursion, {100.0 * target.level:g} % per side, "
            f"{len(trial.leagues)} markets",
            style="bold",
        )
    )
    console.print(_standing_table(trial))
    console.print()
    console.print(Text(f"{trial.plan.reference}, market by market", style="bold"))
    console.print(_market_table(trial))
    if len(trial.plan.policies) > 1:
        console.print()
        console.print(Text(f"Against {trial.plan.reference}: who scores better", style="bold"))
        console.print(_duel_table(trial))
    console.print()
    console.print(_promise_table(trial))


def _table(first: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", show_edge=False)
    table.add_column(first)
    return table


def _standing_table(trial: Trial) -> Table:
    table = _table("")
    for standing in trial.standings:
        table.add_column(standing.policy, justify="right")
    for group, measures in groupby(STANDING_MEASURES, key=lambda measure: measure.group):
        table.add_row(Text(group, style="dim"))
        for measure in measures:
            best = best_standings(measure, trial.standings)
            cells = [
                Text(
                    measure.written(measure.value(standing)),
                    style="bold green" if standing.policy in best else "",
                )
                for standing in trial.standings
            ]
            table.add_row(Text(f"  {measure.label}"), *cells)
    return table


def _market_table(trial: Trial) -> Table:
    table = _table("")
    for name in ("windows", "covered", "Kupiec", "indep.", "cond.", "monitor", "mean", "p99/p1", "24 h rise"):
        table.add_column(name, justify="right")
    for league in trial.leagues:
        for assessment in league.assessments:
            if assessment.policy == trial.plan.reference:
                _add_sides(table, assessment)
    return table


def _add_sides(table: Table, assessment: Assessment) -> None:
    for side in assessment.sides:
        tested = [
            side.test(name)
            for name in ("Kupiec", "Christoffersen independence", "Christoffersen conditional coverage")
        ]
        table.add_row(
            f"{assessment.market} {side.side}",
            figures.count(side.windows),
            points(side.covered),
            *(_p_cell(test.median) if test else Text("n/a") for test in tested),
            _p_cell(side.anytime),
            figures.share(side.cost.mean),
            f"{side.cost.spread:.2f}",
            figures.share(side.cost.worst_rise),
        )


def _p_cell(value: float) -> Text:
    return Text(p_value(value), style="bold red" if value <= SIGNIFICANCE else "")


def _duel_table(trial: Trial) -> Table:
    table = _table("policy")
    for score in ("pinball", "Fissler-Ziegel", "QLIKE"):
        table.add_column(score, justify="right")
    for policy in trial.plan.policies:
        if policy != trial.plan.reference:
            scores = ("pinball", "fissler-ziegel", "qlike")
            table.add_row(policy, *(_duel_cell(trial, policy, score) for score in scores))
    table.caption = "mean difference (Fissler-Ziegel: absolute); markets where it is worse / better at 5 %"
    table.caption_justify = "left"
    return table


def _duel_cell(trial: Trial, policy: str, score: str) -> str:
    wanted = (policy, score)
    duels = [d for league in trial.leagues for d in league.duels if (d.policy, d.score) == wanted]
    sure = [duel for duel in duels if duel.contest.p_value <= SIGNIFICANCE]
    worse = sum(duel.relative > 0.0 for duel in sure)
    mean = sum(duel.relative for duel in duels) / len(duels)
    written = f"{mean:+.3f}" if score == "fissler-ziegel" else f"{100.0 * mean:+.1f}%"
    return f"{written}  {worse} / {len(sure) - worse} of {len(duels)}"


def _promise_table(trial: Trial) -> Table:
    table = _table("Promise")
    table.add_column("bound")
    for standing in trial.standings:
        table.add_column(standing.policy, justify="right")
    for promise in PROMISES:
        cells = [
            Text(_promised(promise.name, value), style="" if promise.kept(value) else "bold red")
            for value in (promise.value(standing) for standing in trial.standings)
        ]
        table.add_row(promise.name, promise.bound, *cells)
    return table


def _promised(name: str, value: float) -> str:
    return f"{value:.2f}" if name.startswith("p99") else figures.share(value)
