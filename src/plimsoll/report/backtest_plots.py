"""Which charts does a backtest's page draw, and from which series?"""

import numpy as np

from plimsoll.backtest.standing import Standing
from plimsoll.backtest.trial import DAY, Trial
from plimsoll.backtest.walk import SIDES, Walk
from plimsoll.domain.bars import HOUR
from plimsoll.report import figures
from plimsoll.report.plots import Columns, Dot, Trace, scatter_plot, time_plot
from plimsoll.types import Times, Vector

__all__ = ["cost_plot", "crash_plots", "rate_plots", "sampling_note"]

_MOST_POINTS = 420
"""Points of a line: about one per two pixels."""
_STEPS = (HOUR, 4 * HOUR, 12 * HOUR, DAY, 7 * DAY, 14 * DAY, 28 * DAY)
_MOST_MARKETS = 12
"""Markets that are drawn; all are in the tables."""


def cost_plot(trial: Trial) -> str:
    """Draw what policies cost at equal coverage against how far their rates swing."""
    dots = []
    for slot, standing in enumerate(trial.standings):
        for league in trial.leagues:
            for assessment in league.assessments:
                if assessment.policy == standing.policy:
                    cost = float(np.mean([side.matched_mean for side in assessment.sides]))
                    spread = float(np.mean([side.cost.spread for side in assessment.sides]))
                    dots.append(Dot(cost, spread, slot % 8, f"{standing.policy}, {assessment.market}"))
        dots.append(_mean_dot(standing, slot % 8))
    return scatter_plot(
        dots,
        "Mean requirement at equal coverage, and spread of the rate in time",
        "mean requirement at equal coverage (large: mean over markets, small: each market)",
        "p99 / p1 of the rate",
        written_up=lambda value: f"{value:g}",
    )


def _mean_dot(standing: Standing, slot: int) -> Dot:
    return Dot(standing.matched_mean, standing.spread, slot, standing.policy, large=True)


def sampling_note(trial: Trial) -> str:
    """Say what a point of the rate plots stands for."""
    step = _step(_times(trial))
    return (
        f"Grey: the largest excursion of windows that began within {figures.span(step)}. Lines: the smallest "
        "rate asked in that time. A column above a line is a breach or close to one."
    )


def rate_plots(trial: Trial) -> str:
    """Draw, per market and side, the rates of the policies over the excursions that followed."""
    step = _step(_times(trial))
    drawn = []
    for league in trial.leagues[:_MOST_MARKETS]:
        walks = [trial.walks[league.market, policy] for policy in trial.plan.policies]
        for side, name in enumerate(SIDES):
            drawn.append(_rate_plot(walks, side, f"{league.market}, {name}", step))
    return "".join(drawn)


def _rate_plot(walks: list[Walk], side: int, title: str, step: int) -> str:
    times = walks[0].series.times
    buckets, starts = np.unique(times // step, return_index=True)
    worst = np.maximum.reduceat(walks[0].excursions[:, side], starts)
    traces = [
        Trace(walk.policy, slot % 8, np.minimum.reduceat(walk.series.rates[:, side], starts))
        for slot, walk in enumerate(walks)
    ]
    return time_plot(buckets * step, traces, Columns("worst excursion that followed", worst), title)


def crash_plots(trial: Trial) -> str:
    """Draw the two days hour by hour: breaches of all markets, and rates of the leading market."""
    drawn = []
    for side in SIDES:
        hours = {policy: trial.crash[policy, side] for policy in trial.plan.policies}
        reference = hours[trial.plan.reference]
        times = np.array([hour.start for hour in reference], dtype=np.int64)
        if not len(times):
            continue
        worst = Columns("worst excursion of any market", _column([hour.worst for hour in reference]))
        rates = [
            Trace(policy, slot % 8, _column([hour.rate for hour in found]))
            for slot, (policy, found) in enumerate(hours.items())
        ]
        drawn.append(time_plot(times, rates, worst, f"Mean rate and worst move, {side}"))
        shares = [
            Trace(policy, slot % 8, _column([1.0 - hour.breaches / hour.windows for hour in found]))
            for slot, (policy, found) in enumerate(hours.items())
        ]
        drawn.append(time_plot(times, shares, None, f"Share of windows covered, {side}"))
    return "".join(drawn)


def _column(values: list[float]) -> Vector:
    return np.array(values, dtype=np.float64)


def _times(trial: Trial) -> Times:
    return np.concatenate([walk.series.times[[0, -1]] for walk in trial.walks.values()])


def _step(times: Times) -> int:
    span = int(times.max() - times.min())
    return next((step for step in _STEPS if span / step <= _MOST_POINTS), _STEPS[-1])
