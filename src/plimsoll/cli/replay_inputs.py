"""Which prices does a replay run on, and what was known before them?"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from plimsoll.domain.bars import Bars
from plimsoll.domain.markets import market_name
from plimsoll.errors import Code, PlimsollError
from plimsoll.feeds.bars import file_digest, read_bars
from plimsoll.report import figures
from plimsoll.scenarios.library import daily_history, path, scenario
from plimsoll.scenarios.scenario import ScenarioPath
from plimsoll.sim.replay import Origin

__all__ = ["ReplayInputs", "bars_inputs", "scenario_inputs"]


_MOST_NAMED = 5
"""Markets that a title names one by one."""


@dataclass(frozen=True, slots=True)
class ReplayInputs:
    """Everything that a replay takes from outside, and where it is from."""

    origin: Origin
    path: ScenarioPath
    history: Bars
    history_name: str


def scenario_inputs(name: str, markets: tuple[str, ...], *, step: int, seed: int) -> ReplayInputs:
    """Draw a scenario of the library in bars of `step` milliseconds; daily bars before it are the history."""
    entry = scenario(name)
    drawn = path(name, length=step, seed=seed)
    if markets:
        drawn = ScenarioPath(drawn.bars.select(_canonical(markets)), drawn.liquidity)
    history = daily_history(entry.first)
    return ReplayInputs(
        Origin(
            title=entry.title,
            narrative=entry.summary,
            source=entry.source,
            inputs=(
                f"{name} in bars of {figures.span(step)}, seed {seed} {_bars_digest(drawn.bars)}",
                f"daily history before it {_bars_digest(history)}",
            ),
        ),
        drawn,
        history,
        "daily history",
    )


def bars_inputs(
    file: Path, history: Path | None, markets: tuple[str, ...], *, first: int | None, last: int | None
) -> ReplayInputs:
    """Read bars from a file; older ones of the same file, or of `history`, are what calibration may know."""
    bars = read_bars(file, markets=markets, first=first, last=last)
    known = _history(history or file, bars)
    names = ", ".join(bars.markets) if len(bars.markets) <= _MOST_NAMED else f"{len(bars.markets)} markets"
    days = f"{figures.day(int(bars.times[0]))} to {figures.day(int(bars.ends[-1]) - 1)}"
    digests = [
        f"{source.name} sha256:{file_digest(source)}" for source in (file, history) if source is not None
    ]
    origin = Origin(
        title=f"{names}, {days}",
        narrative="",
        source=f"bars of {figures.span(bars.length)} from {file.name}",
        inputs=tuple(digests),
    )
    return ReplayInputs(origin, ScenarioPath(bars, np.ones(len(bars))), known, str(history or file))


def _history(file: Path, bars: Bars) -> Bars:
    """Read what came before; a market that was not there yet is left to be margined as a young one."""
    begins = int(bars.times[0])
    try:
        return read_bars(file, markets=bars.markets, last=begins)
    except PlimsollError as error:
        if error.code not in {Code.EMPTY_RANGE, Code.UNKNOWN_MARKET}:
            raise
    try:
        return _known(read_bars(file, last=begins), bars.markets)
    except PlimsollError as error:
        if error.code is not Code.EMPTY_RANGE:
            raise
        raise PlimsollError(
            Code.TOO_LITTLE_HISTORY,
            f"no bars of {', '.join(bars.markets)} from before {figures.moment(begins)} to calibrate on",
            where=str(file),
            remedy="Begin later with --from, or give older bars with --history.",
        ) from error


def _known(history: Bars, markets: tuple[str, ...]) -> Bars:
    return history.select(tuple(market for market in markets if market in history.markets))


def _canonical(markets: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(market_name(market) for market in markets)


def _bars_digest(bars: Bars) -> str:
    digest = hashlib.sha256(msgspec.json.encode((bars.markets, bars.length)))
    for values in (bars.times, bars.open, bars.high, bars.low, bars.close, bars.volume):
        digest.update(np.ascontiguousarray(values).tobytes())
    return f"sha256:{digest.hexdigest()}"
