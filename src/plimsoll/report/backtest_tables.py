"""Which tables does a backtest's page hold, and what does each say?"""

import math
from html import escape

from plimsoll.backtest.assessment import Assessment, SideAssessment
from plimsoll.backtest.league import SCORES, Duel, MarketLeague
from plimsoll.backtest.standing import FEWEST_IN_YEAR, SIGNIFICANCE
from plimsoll.backtest.trial import Trial
from plimsoll.backtest.walk import SIDES
from plimsoll.report import figures
from plimsoll.report.standing_measures import p_value, points

__all__ = ["crash_table", "duel_tables", "shock_table", "test_tables", "year_tables"]

_HEAT = (0.5, 1.1, 1.6, 2.0)
"""Multiples of the promised share at which a cell grows warmer; two is the bound of a year at 99.5 %."""

_TESTS = (
    "Kupiec",
    "binomial",
    "Christoffersen independence",
    "Christoffersen conditional coverage",
    "time until first failure",
    "dynamic quantile",
    "Acerbi-Szekely Z1",
    "Acerbi-Szekely Z2",
    "McNeil-Frey exceedance residuals",
)


def year_tables(trial: Trial) -> str:
    """Show, for each policy, the share of breaches of every market-side in every year."""
    return "".join(
        f'<details class="wide"{" open" if policy == trial.plan.reference else ""}>'
        f"<summary>{escape(policy)}</summary>{_year_table(trial, policy)}</details>"
        for policy in trial.plan.policies
    )


def _year_table(trial: Trial, policy: str) -> str:
    found = _assessments(trial, policy)
    years = sorted({year.year for a in found for side in a.sides for year in side.years})
    heads = "".join(f'<th scope="col">{year}</th>' for year in years)
    rows = "".join(
        f'<tr><th scope="row">{escape(a.market)} {side.side}</th>{_year_cells(side, years, trial)}</tr>'
        for a in found
        for side in a.sides
    )
    return (
        f'<div class="scroll"><table class="figures years"><thead><tr><th scope="col">Market-side</th>{heads}'
        f"</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _year_cells(side: SideAssessment, years: list[int], trial: Trial) -> str:
    known = {year.year: year for year in side.years}
    cells = []
    for number in years:
        year = known.get(number)
        if year is None:
            cells.append("<td></td>")
            continue
        heat = 1 + sum(year.share > bound * trial.plan.target.share for bound in _HEAT)
        few = " few" if year.windows < FEWEST_IN_YEAR else ""
        told = f"{figures.count(year.breaches)} of {figures.count(year.windows)} windows"
        cells.append(f'<td class="heat-{heat}{few}" title="{told}">{100.0 * year.share:.2f}%</td>')
    return "".join(cells)


def test_tables(trial: Trial) -> str:
    """Show every test of every market-side, with its sample size and p-value, a table per policy."""
    return "".join(
        f'<details class="wide"{" open" if policy == trial.plan.reference else ""}>'
        f"<summary>{escape(policy)}</summary>{_test_table(_assessments(trial, policy))}</details>"
        for policy in trial.plan.policies
    )


def _test_table(found: list[Assessment]) -> str:
    names = (
        "Market-side",
        "windows",
        "breaches",
        "covered",
        "per phase",
        *_TESTS,
        "monitor",
        "Basel zone",
    )
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    rows = "".join(
        f'<tr><th scope="row">{escape(a.market)} {side.side}</th>{_test_cells(side)}</tr>'
        for a in found
        for side in a.sides
    )
    bases = sorted({test.basis for a in found for side in a.sides for test in side.tests})
    return (
        f'<div class="scroll"><table class="figures tall"><thead><tr>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
        f'<p class="aside">Median p-value over {found[0].phases} phases; point at one for its statistic, the '
        f"smallest p-value and the pooled one. From: {escape('; '.join(bases))}.</p>"
    )


def _test_cells(side: SideAssessment) -> str:
    sizes = {test.observations for test in side.tests}
    counts = (figures.count(side.windows), figures.count(side.breaches), points(side.covered))
    cells = [f"<td>{written}</td>" for written in (*counts, figures.count(min(sizes)))]
    for name in _TESTS:
        test = side.test(name)
        if test is None:
            cells.append("<td>n/a</td>")
            continue
        statistics = ", ".join(f"{verdict.statistic:.3g}" for verdict in test.phases)
        told = (
            f"statistic {statistics}; n {test.observations}; smallest p {p_value(test.smallest)}; "
            f"pooled p {p_value(test.pooled)}; {test.basis}"
        )
        cells.append(f"<td{_rejected(test.median)} title='{escape(told)}'>{p_value(test.median)}</td>")
    cells.append(f"<td{_rejected(side.anytime)}>{p_value(side.anytime)}</td><td>{side.zone}</td>")
    return "".join(cells)


def _rejected(value: float) -> str:
    return ' class="rejected"' if value <= SIGNIFICANCE else ""


def duel_tables(trial: Trial) -> str:
    """Show the Diebold-Mariano tests against the reference, and the confidence sets."""
    if len(trial.plan.policies) < 2:
        return '<p class="aside">One policy alone has nothing to be compared with.</p>'
    return "".join(_duel_table(trial, score) for score in SCORES)


def _duel_table(trial: Trial, score: str) -> str:
    others = [policy for policy in trial.plan.policies if policy != trial.plan.reference]
    heads = "".join(f'<th scope="col">{escape(policy)}</th>' for policy in others)
    rows = "".join(
        f'<tr><th scope="row">{escape(league.market)}</th>'
        + "".join(_duel_cell(league, score, policy) for policy in others)
        + f'<td class="word">{escape(_included(league, score))}</td></tr>'
        for league in trial.leagues
    )
    reference = escape(trial.plan.reference)
    unit = "difference" if score == "fissler-ziegel" else "relative difference"
    return (
        f"<h3>{score}: {unit} to {reference} (p)</h3>"
        f'<div class="scroll"><table class="figures"><thead><tr><th scope="col">Market</th>{heads}'
        f'<th scope="col">in the 90 % confidence set</th></tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _duel_cell(league: MarketLeague, score: str, policy: str) -> str:
    duel = next(d for d in league.duels if (d.score, d.policy) == (score, policy))
    return f'<td{_told(duel)} title="n {duel.contest.observations}">{_relative(duel)}</td>'


def _told(duel: Duel) -> str:
    if duel.contest.p_value > SIGNIFICANCE:
        return ""
    return ' class="missed"' if duel.relative > 0.0 else ' class="kept"'


def _relative(duel: Duel) -> str:
    size = f"{duel.relative:+.3f}" if duel.score == "fissler-ziegel" else f"{100.0 * duel.relative:+.1f}%"
    return f"{size} ({p_value(duel.contest.p_value)})"


def _included(league: MarketLeague, score: str) -> str:
    found = league.sets.get(score)
    return "not made: too few days" if found is None else ", ".join(found.included)


def shock_table(trial: Trial) -> str:
    """Show how each policy answers a day of fivefold volatility."""
    if not trial.shocks:
        return ""
    rows = "".join(
        f'<tr><th scope="row">{escape(policy)}</th><td>{figures.share(response.overshoot)}</td>'
        f"<td>{response.hours_to_peak:.0f} h</td><td>{_hours(response.half_life)}</td></tr>"
        for policy, response in trial.shocks.items()
    )
    return (
        '<div><figure class="plot"><figcaption>Answer to a day of fivefold volatility <span>in a drawn '
        "market; the same path otherwise</span></figcaption></figure>"
        '<table class="figures"><thead><tr><th scope="col">Policy</th><th scope="col">overshoot</th>'
        '<th scope="col">peak after</th><th scope="col">half-life</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _hours(hours: float) -> str:
    return f"{hours:.0f} h" if math.isfinite(hours) else "not in the sample"


def crash_table(trial: Trial) -> str:
    """Show, hour by hour, the worst moves and the breaches of every policy, both sides together."""
    down, up = (trial.crash[trial.plan.reference, side] for side in SIDES)
    heads = "".join(f'<th scope="col">{escape(policy)}</th>' for policy in trial.plan.policies)
    rows = "".join(
        f'<tr><th scope="row">{figures.moment(fall.start)}</th><td>{figures.count(2 * fall.windows)}</td>'
        f"<td>{figures.share(fall.worst)}</td><td>{figures.share(rise.worst)}</td>"
        + "".join(_crash_cell(trial, policy, place) for policy in trial.plan.policies)
        + "</tr>"
        for place, (fall, rise) in enumerate(zip(down, up, strict=True))
    )
    return (
        f'<p class="aside">{escape(_crash_words(trial))}</p>'
        '<details class="wide" open><summary>Breaches by the hour, and the mean rate asked of longs</summary>'
        '<div class="scroll"><table class="figures tall"><thead><tr><th scope="col">Windows that begin</th>'
        '<th scope="col">windows, both sides</th><th scope="col">worst fall</th>'
        f'<th scope="col">worst rise</th>{heads}</tr>'
        f"</thead><tbody>{rows}</tbody></table></div></details>"
    )


def _crash_cell(trial: Trial, policy: str, place: int) -> str:
    fall, rise = (trial.crash[policy, side][place] for side in SIDES)
    breaches = fall.breaches + rise.breaches
    mark = ' class="rejected"' if breaches else ""
    return f"<td{mark}>{figures.count(breaches)} <span>({figures.share(fall.rate)})</span></td>"


def _crash_words(trial: Trial) -> str:
    parts = []
    for policy in trial.plan.policies:
        hours = [hour for side in SIDES for hour in trial.crash[policy, side]]
        windows, breaches = sum(h.windows for h in hours), sum(h.breaches for h in hours)
        parts.append(f"{policy} {figures.count(breaches)} of {figures.count(windows)}")
    return f"Breaches in these two days, both sides: {', '.join(parts)}."


def _assessments(trial: Trial, policy: str) -> list[Assessment]:
    return [a for league in trial.leagues for a in league.assessments if a.policy == policy]
