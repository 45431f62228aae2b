"""How does a backtest read on a terminal?"""

import math
from collections.abc import Iterator
from itertools import groupby

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from plimsoll.backtest.assessment import Assessment
from plimsoll.backtest.standing import PROMISES, SIGNIFICANCE, Standing
from plimsoll.backtest.trial import DAY, Trial
from plimsoll.backtest.walk import SIDES
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
    for part in _parts(trial.standings):
        console.print(_standing_table(part, trial.standings))
        console.print()
    console.print(Text(f"{trial.plan.reference}, market by market", style="bold"))
    console.print(_market_table(trial))
    if len(trial.plan.policies) > 1:
        console.print()
        console.print(Text(f"Against {trial.plan.reference}: who scores better", style="bold"))
        console.print(_duel_table(trial))
    if trial.plan.day is not None:
        console.print()
        console.print(Text(f"Breaches by the hour, {figures.day(trial.day)}, both sides", style="bold"))
        console.print(_crash_table(trial))
    for part in _parts(trial.standings):
        console.print()
        console.print(_promise_table(part))


_SIDE_BY_SIDE = 3
"""Policies that fit beside the longest labels on a hundred columns."""


def _parts(standings: tuple[Standing, ...]) -> Iterator[tuple[Standing, ...]]:
    """Split policies so that a table does not break its lines."""
    for first in range(0, len(standings), _SIDE_BY_SIDE):
        yield standings[first : first + _SIDE_BY_SIDE]


def _table(first: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", show_edge=False)
    table.add_column(first, no_wrap=True)
    return table


def _standing_table(part: tuple[Standing, ...], everyone: tuple[Standing, ...]) -> Table:
    table = _table("")
    for standing in part:
        table.add_column(standing.policy, justify="right")
    for group, measures in groupby(STANDING_MEASURES, key=lambda measure: measure.group):
        table.add_row(Text(group, style="dim"))
        for measure in measures:
            best = best_standings(measure, everyone)
            cells = [
                Text(
                    measure.written(measure.value(standing)),
                    style="bold green" if standing.policy in best else "",
                )
                for standing in part
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


def _crash_table(trial: Trial) -> Table:
    table = _table("hour, UTC")
    for name in ("windows", "worst fall", "worst rise", *trial.plan.policies):
        table.add_column(name, justify="right", overflow="fold")
    down, up = (trial.crash[trial.plan.reference, side] for side in SIDES)
    for place, (fall, rise) in enumerate(zip(down, up, strict=True)):
        if fall.start >= trial.day + DAY:
            break
        cells = [
            Text(figures.count(count), style="bold red" if count else "")
            for policy in trial.plan.policies
            for count in [sum(trial.crash[policy, side][place].breaches for side in SIDES)]
        ]
        table.add_row(
            figures.moment(fall.start).split(" ")[3],
            figures.count(2 * fall.windows),
            figures.share(fall.worst),
            figures.share(rise.worst),
            *cells,
        )
    return table


def _promise_table(part: tuple[Standing, ...]) -> Table:
    table = _table("Promise")
    table.add_column("bound", no_wrap=True)
    for standing in part:
        table.add_column(standing.policy, justify="right")
    for promise in PROMISES:
        cells = [
            Text(
                _promised(promise.name, value),
                style="" if promise.kept(value) or math.isnan(value) else "bold red",
            )
            for value in (promise.value(standing) for standing in part)
        ]
        table.add_row(promise.name, promise.bound, *cells)
    return table


def _promised(name: str, value: float) -> str:
    return f"{value:.2f}" if name.startswith("p99") else figures.share(value)
