"""How are many markets walked under many policies, in several processes, and again after an interruption?"""

import multiprocessing
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from plimsoll.backtest.ledger import read_walk, walk_digest, walk_path, write_walk
from plimsoll.backtest.realised import bars_of_horizon
from plimsoll.backtest.walk import Target, Walk, judge
from plimsoll.calibration.policies import RatePolicy
from plimsoll.calibration.series import rate_series
from plimsoll.domain.bars import Bars
from plimsoll.errors import Code, PlimsollError

__all__ = ["Progressing", "walk_forward", "walk_one"]

Progressing: TypeAlias = Callable[[str, int, int], None]
"""Called with a stage's name, what is done of it, and how much there is to do."""

_STAGE = "walking forward"


def walk_one(bars: Bars, name: str, policy: RatePolicy, target: Target) -> Walk:
    """Walk one market under one policy, which the walk then goes by the name of.

    Parameters
    ----------
    bars : Bars [T, 1]

    Raises
    ------
    PlimsollError   `TOO_LITTLE_HISTORY` where the policy never gave a rate, `BAD_SETTING` where the
                    horizon is not a whole number of bars.
    """
    (market,) = bars.markets
    bars_of_horizon(target.horizon, bars.length)
    series = rate_series(bars, policy, horizon_hours=target.horizon_hours, level=target.level)
    if not len(series.times):
        raise PlimsollError(
            Code.TOO_LITTLE_HISTORY,
            f"{len(bars)} bars of {market} are too few for a first rate of {name}",
            where="backtest",
            remedy="Give older bars, or leave this policy or market out.",
        )
    return judge(bars, market, name, target, series)


def walk_forward(
    bars: Bars,
    policies: Mapping[str, RatePolicy],
    target: Target,
    folder: Path,
    progress: Progressing,
    *,
    workers: int,
) -> dict[tuple[str, str], Walk]:
    """Walk every market under every policy, each result kept in `folder` as soon as it is there.

    A result that is there already, of the same bars, settings and source, is read instead of made.

    Parameters
    ----------
    policies : mapping   From the name that walks and files go by to the policy.
    workers : int        Processes; 1 stays in this one.

    Returns
    -------
    dict   From market and policy to the walk, markets in the order of the bars.
    """
    tasks = [
        _Task(bars.alone(market), name, policy, target, folder)
        for market in bars.markets
        for name, policy in policies.items()
    ]
    walks = {task.key: walk for task in tasks if (walk := read_walk(task.path, task.digest)) is not None}
    progress(_STAGE, len(walks), len(tasks))
    for walk in _made([task for task in tasks if task.key not in walks], workers):
        walks[walk.market, walk.policy] = walk
        progress(_STAGE, len(walks), len(tasks))
    return {task.key: walks[task.key] for task in tasks}


@dataclass(frozen=True, slots=True)
class _Task:
    """One walk to be made, as a worker is told of it."""

    bars: Bars
    name: str
    policy: RatePolicy
    target: Target
    folder: Path

    @property
    def key(self) -> tuple[str, str]:
        return self.bars.markets[0], self.name

    @property
    def path(self) -> Path:
        return walk_path(self.folder, *self.key)

    @property
    def digest(self) -> str:
        return walk_digest(self.bars, self.policy, self.target)

    def done(self) -> Walk:
        """Walk, and keep the result before it is told."""
        walk = walk_one(self.bars, self.name, self.policy, self.target)
        write_walk(self.path, walk, self.digest)
        return walk


def _made(tasks: list[_Task], workers: int) -> Iterator[Walk]:
    """Yield each walk as it is done."""
    if workers <= 1 or len(tasks) <= 1:
        for task in tasks:
            yield task.done()
        return
    # A fresh interpreter per worker: a fork would copy the locks of numba's and polars' threads.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(tasks)), mp_context=context) as pool:
        futures = [pool.submit(task.done) for task in tasks]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            for future in futures:
                future.cancel()
