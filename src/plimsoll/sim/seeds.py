"""How are many cascades run side by side, and what is kept of each?"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context

import numpy as np
from msgspec import Struct

from plimsoll.domain.bars import Bars
from plimsoll.engine.runner import DigestJournal, Runner
from plimsoll.errors import Code, PlimsollError
from plimsoll.scenarios.library import daily_history, scenario
from plimsoll.sim.cascade import draw_cast, run_cascade
from plimsoll.sim.cascade_outcome import CascadeFacts, CascadeSeries
from plimsoll.sim.cascade_policies import CASCADE_POLICIES, cascade_parameters, exposure_of
from plimsoll.sim.cascade_settings import CascadeSettings
from plimsoll.sim.shock import Anchor, anchor
from plimsoll.types import Vector

__all__ = [
    "CascadeRun",
    "CascadeTrace",
    "Cascades",
    "simulate",
]

TRACE_SECONDS = 10
"""Seconds that one point of a trace stands for."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class CascadeTrace:
    """The course of one run, one point per ten seconds. Money is in units of quote currency.

    Attributes
    ----------
    seconds : Vector [K]
    price, value : Vector [K]   Mean over markets of the price, and of value outside, over its start.
    worst : Vector [K]          Lowest price of any market over its start.
    depth : Vector [K]          Depth of all markets over normal, the least within the ten seconds.
    sold, taken_over, deleveraged : Vector [K]   Notional per second.
    fund, bad_debt : Vector [K]
    branching : Vector [K]      Largest branching ratio of any market when it was last measured.
    """

    seconds: Vector
    price: Vector
    value: Vector
    worst: Vector
    depth: Vector
    sold: Vector
    taken_over: Vector
    deleveraged: Vector
    fund: Vector
    bad_debt: Vector
    branching: Vector


@dataclass(frozen=True, slots=True)
class CascadeRun:
    """One run: its figures and its course."""

    facts: CascadeFacts
    trace: CascadeTrace


@dataclass(frozen=True, slots=True)
class Cascades:
    """All runs of a simulation, by policy in the order asked for and then by seed.

    Attributes
    ----------
    scenario, title, narrative, source : str
    markets : tuple [M]
    settings : CascadeSettings
    runs : tuple of CascadeRun
    first : dict of str to CascadeSeries   The first seed of each policy, second by second.
    """

    scenario: str
    title: str
    narrative: str
    source: str
    markets: tuple[str, ...]
    settings: CascadeSettings
    runs: tuple[CascadeRun, ...]
    first: dict[str, CascadeSeries]

    def of(self, name: str) -> tuple[CascadeRun, ...]:
        """Take the runs of one policy."""
        return tuple(run for run in self.runs if run.facts.policy == name)


class _Task(Struct, frozen=True):
    scenario: str
    settings: CascadeSettings
    policy: str
    seed: int
    whole: bool


def simulate(
    name: str, settings: CascadeSettings, *, workers: int | None = None, progress: Progress | None = None
) -> Cascades:
    """Run every policy on every seed.

    A run depends on its seed and settings alone, so the result is the same whatever the number of workers.

    Parameters
    ----------
    name : str       A crash of the library.
    workers : int    Processes; one per core where None, none beside this one at 1.

    Raises
    ------
    PlimsollError   `UNKNOWN_SCENARIO`, `UNKNOWN_POLICY`, and what calibration raises.
    """
    entry = scenario(name)
    known = anchor(name)
    _check_policies(settings.policies)
    tasks = [
        _Task(name, settings, chosen, settings.seed + offset, offset == 0)
        for chosen in settings.policies
        for offset in range(settings.seeds)
    ]
    done: dict[int, tuple[CascadeFacts, CascadeTrace, CascadeSeries | None]] = {}
    for place, result in _results(tasks, workers or os.cpu_count() or 1):
        done[place] = result
        if progress is not None:
            progress("simulating", len(done), len(tasks))
    first = {
        task.policy: series for place, task in enumerate(tasks) if (series := done[place][2]) is not None
    }
    return Cascades(
        scenario=name,
        title=entry.title,
        narrative=entry.summary,
        source=entry.source,
        markets=known.markets,
        settings=settings,
        runs=tuple(CascadeRun(done[place][0], done[place][1]) for place in range(len(tasks))),
        first=first,
    )


def _check_policies(names: tuple[str, ...]) -> None:
    unknown = [name for name in names if name not in CASCADE_POLICIES]
    if unknown or not names or len(set(names)) < len(names):
        raise PlimsollError(
            Code.UNKNOWN_POLICY,
            f"no policy {unknown[0]}" if unknown else "policies are missing or given twice",
            where="policy",
            remedy=f"Choose among {', '.join(CASCADE_POLICIES)}, each once.",
        )


_Result = tuple[CascadeFacts, CascadeTrace, CascadeSeries | None]


def _results(tasks: list[_Task], workers: int) -> Iterator[tuple[int, _Result]]:
    if workers == 1 or len(tasks) == 1:
        yield from ((place, _run(task)) for place, task in enumerate(tasks))
        return
    with ProcessPoolExecutor(min(workers, len(tasks)), mp_context=get_context("spawn")) as pool:
        waiting = {pool.submit(_run, task): place for place, task in enumerate(tasks)}
        try:
            for future in as_completed(waiting):
                yield waiting[future], future.result()
        finally:
            for future in waiting:
                future.cancel()


def _run(task: _Task) -> _Result:
    known, history = _known(task.scenario)
    cast = draw_cast(known, task.settings, task.seed)
    facts, series = run_cascade(
        task.policy,
        cascade_parameters(task.policy, cast, task.settings, history),
        cast,
        task.settings,
        Runner(DigestJournal()),
        exposure=exposure_of(task.policy),
    )
    return facts, _trace(series), series if task.whole else None


@cache
def _known(name: str) -> tuple[Anchor, Bars]:
    return anchor(name), daily_history(scenario(name).first)


def _trace(series: CascadeSeries) -> CascadeTrace:
    """Keep one point per ten seconds: extremes of price and depth, means of flows."""
    start = series.price[0]
    size = TRACE_SECONDS
    count = (len(series.price) - 1) // size

    def buckets(column: Vector) -> np.ndarray:
        return column[1 : 1 + count * size].reshape(count, size)

    depth = series.depth.sum(axis=1) / series.depth[0].sum()
    ends = np.arange(1, count + 1) * size
    measured = np.searchsorted(series.measured, ends, side="right") - 1
    return CascadeTrace(
        seconds=ends.astype(np.float64),
        price=(series.price[ends] / start).mean(axis=1),
        value=(series.value[ends] / start).mean(axis=1),
        worst=buckets((series.price / start).min(axis=1)).min(axis=1),
        depth=buckets(depth).min(axis=1),
        sold=buckets(series.sold.sum(axis=1)).mean(axis=1),
        taken_over=buckets(series.taken_over).mean(axis=1),
        deleveraged=buckets(series.deleveraged).mean(axis=1),
        fund=series.fund[ends],
        bad_debt=series.bad_debt[ends],
        branching=series.branching.max(axis=1)[measured],
    )
