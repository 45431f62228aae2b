"""How does a backtest become one HTML page that a risk committee can read offline?"""

import math
from collections.abc import Iterable
from html import escape
from string import Template

from plimsoll.backtest.standing import FEWEST_IN_YEAR, PROMISES
from plimsoll.backtest.trial import Trial
from plimsoll.report import figures
from plimsoll.report.backtest_plots import cost_plot, crash_plots, rate_plots, sampling_note
from plimsoll.report.backtest_tables import (
    crash_table,
    duel_tables,
    shock_table,
    test_tables,
    year_tables,
)
from plimsoll.report.comparison import Row, comparison
from plimsoll.report.page_parts import Page, asset, definitions, paragraphs
from plimsoll.report.standing_measures import STANDING_MEASURES, StandingMeasure, best_standings, points

__all__ = ["render_backtest"]

_METHOD = """\
At each moment of decision the policy sets a rate from bars that had closed by then, and no other. The
adverse excursion is the worst move against a position within the horizon that follows, not the move at
its end, for liquidation triggers on the path. A breach is an excursion beyond the rate.

All policies are judged on the same windows: those that every policy has a rate for and whose horizon is
complete. A window with a missing bar is left out, for what happened in it is not known.

Windows that begin every hour overlap. Coverage, scores and cost count all of them. Tests that suppose
independent observations are made on phases: windows that begin a whole horizon apart. The median p-value
over the phases is shown and judged at 0.05; twice that median is a valid p-value however the phases
depend on each other, so this judgement is the severer one. Where fewer than ten breaches are expected in
a phase, p-values are simulated.

The monitor bets against the promise after every window; its p-value holds whenever one looks, and pays
for the number of phases.

The mean at equal coverage multiplies a policy's rate by the one factor that would have given exactly the
promised coverage on these windows: it needs hindsight, and only serves to compare costs.

Diebold-Mariano tests compare mean scores with autocorrelation allowed for and Harvey's correction. The
confidence set (Hansen, Lunde and Nason) holds the best policy with 90 % confidence; it is drawn from
daily mean scores in blocks of ten days.
"""


def render_backtest(
    trial: Trial, *, source: str, inputs: Iterable[tuple[str, str]], program: str, command: str
) -> str:
    """Write a backtest as a self-contained page; it holds no script, and its own policy forbids requests.

    Parameters
    ----------
    source : str    Where the bars came from, in words.
    inputs : pairs  Name and digest of each input.
    program : str   Name and version of what made it.
    command : str   The command line that repeats the run.
    """
    target = trial.plan.target
    return Page(
        kind="backtest",
        title=f"Do {100.0 * target.level:g} % of {target.horizon_hours:g}-hour moves stay within the rate?",
        lead=_lead(trial),
        facts=_facts(trial, source),
        program=program,
        main=_main(trial, inputs, command),
        styles=("plots.css", "backtest.css"),
    ).written()


def _main(trial: Trial, inputs: Iterable[tuple[str, str]], command: str) -> str:
    target = trial.plan.target
    return Template(asset("backtest.html")).substitute(
        promises=_promises(trial),
        standing=_standing(trial),
        scatter=cost_plot(trial),
        shock=shock_table(trial),
        years=year_tables(trial),
        share=figures.share(target.share),
        fewest=figures.count(FEWEST_IN_YEAR),
        sampling=escape(sampling_note(trial)),
        rates=rate_plots(trial),
        day=figures.day(trial.day),
        crash_plots=crash_plots(trial),
        crash_table=crash_table(trial),
        tests=test_tables(trial),
        duels=duel_tables(trial),
        command=escape(command),
        inputs="".join(
            f"<tr><td>{escape(name)}</td><td><code>{escape(digest)}</code></td></tr>"
            for name, digest in inputs
        ),
        method=paragraphs(" ".join(part.split()) for part in _METHOD.split("\n\n")),
        measures=definitions((m.label.removeprefix("- "), m.meaning) for m in STANDING_MEASURES),
    )


def _lead(trial: Trial) -> str:
    """Say in one sentence how the reference did."""
    found = next(s for s in trial.standings if s.policy == trial.plan.reference)
    kept = [promise for promise in PROMISES if promise.kept(promise.value(found))]
    return (
        f"{found.policy} covered {points(found.covered)} over {found.market_sides} market-sides "
        f"({points(found.least_covered)} to {points(found.most_covered)}) at a mean requirement of "
        f"{figures.share(found.mean)}, and kept {len(kept)} of {len(PROMISES)} promises."
    )


def _facts(trial: Trial, source: str) -> Iterable[tuple[str, str]]:
    assessments = [a for league in trial.leagues for a in league.assessments]
    first, last = min(a.first for a in assessments), max(a.last for a in assessments)
    windows = sum(a.sides[0].windows for a in assessments if a.policy == trial.plan.reference)
    yield "Decisions", f"{figures.moment(first)} to {figures.moment(last)}"
    yield "Windows", f"{figures.count(windows)} per side, {trial.leagues[0].assessments[0].phases} phases"
    yield "Bars", figures.span(trial.length)
    yield "Markets", ", ".join(league.market for league in trial.leagues)
    yield "Policies", ", ".join(trial.plan.policies)
    yield "Prices", source


def _promises(trial: Trial) -> str:
    heads = "".join(f'<th scope="col">{escape(s.policy)}</th>' for s in trial.standings)
    rows = []
    for promise in PROMISES:
        cells = []
        for standing in trial.standings:
            value = promise.value(standing)
            if math.isnan(value):
                cells.append("<td>not judged</td>")
                continue
            kept = promise.kept(value)
            written = f"{value:.2f}" if promise.name.startswith("p99") else figures.share(value)
            mark = "kept" if kept else "missed"
            cells.append(f'<td class="{mark}" title="{mark}">{written} {"✓" if kept else "✗"}</td>')
        rows.append(
            f'<tr><th scope="row">{escape(promise.name)}</th><td class="word">{escape(promise.bound)}</td>'
            f"{''.join(cells)}</tr>"
        )
    return (
        f'<table class="figures"><thead><tr><th scope="col">Promise</th><th scope="col">bound</th>{heads}'
        f"</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )


def _standing(trial: Trial) -> str:
    policies = [(standing.policy, place % 8) for place, standing in enumerate(trial.standings)]
    return comparison("Measure", policies, [_row(measure, trial) for measure in STANDING_MEASURES])


def _row(measure: StandingMeasure, trial: Trial) -> Row:
    best = best_standings(measure, trial.standings)
    cells = [
        (measure.written(measure.value(standing)), "best" if standing.policy in best else "")
        for standing in trial.standings
    ]
    return Row(measure.label, measure.meaning, cells, measure.group)
