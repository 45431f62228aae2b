"""Which scenarios are there, and what bars does each give?"""

import difflib
from dataclasses import replace

import numpy as np

from plimsoll.domain.bars import HOUR, MINUTE, Bars
from plimsoll.errors import Code, PlimsollError
from plimsoll.scenarios.bridge import bridge
from plimsoll.scenarios.history import bars_of, crashes, daily_history, milliseconds, relative_volume
from plimsoll.scenarios.hypothetical import draw, hypotheses
from plimsoll.scenarios.packaged import read_figures
from plimsoll.scenarios.scenario import Kind, Scenario, ScenarioPath

__all__ = ["daily_history", "hourly", "path", "scenario", "scenarios"]


def scenarios() -> tuple[Scenario, ...]:
    """List the library: the crashes that happened, in the order of time, then the hypothetical stresses."""
    return tuple(_historical()) + tuple(_hypothetical())


def scenario(name: str) -> Scenario:
    """Find a scenario by name; raises `UNKNOWN_SCENARIO` with the names that come nearest."""
    known = {entry.name: entry for entry in scenarios()}
    if name in known:
        return known[name]
    nearest = difflib.get_close_matches(name, known, n=3, cutoff=0.4) or list(known)
    raise PlimsollError(
        Code.UNKNOWN_SCENARIO,
        f"no scenario {name}",
        where="scenario",
        remedy=f"Try {', '.join(nearest)}; `plimsoll scenarios` lists all.",
    )


def hourly(name: str) -> Bars:
    """Give the hours of a crash that happened: high, low and close as known, opens and volumes as assumed.

    An hour opens at the close before it (see `bars_of`); its volume is relative, 1 in the median hour of the
    scenario (see `relative_volume`). A hypothetical stress has no hours and raises `UNKNOWN_SCENARIO`.
    """
    entry = scenario(name)
    if entry.kind is not Kind.HISTORICAL:
        raise PlimsollError(
            Code.UNKNOWN_SCENARIO,
            f"{name} did not happen and has no hourly figures",
            where="scenario",
            remedy=f"Draw its path, or choose among {', '.join(crashes()[1])}.",
        )
    bars = bars_of(read_figures(name), entry.first, HOUR)
    return replace(bars, volume=relative_volume(bars))


def path(name: str, *, length: int, seed: int) -> ScenarioPath:
    """Draw the bars of a scenario and the depth of the books beside them.

    Parameters
    ----------
    name : str     A scenario of the library.
    length : int   Bar length, milliseconds: whole minutes that divide an hour (`5 * MINUTE`).
    seed : int     Not negative. The same seed draws the same path.

    Returns
    -------
    ScenarioPath   Of a crash, every hour keeps its known high, low and close, and depth is normal throughout,
                   for no figure of it is known. Volumes are relative to a normal hour.
    """
    if scenario(name).kind is Kind.HYPOTHETICAL:
        return draw(name, length, seed)
    bars = bridge(hourly(name), length, seed)
    return ScenarioPath(bars, np.ones(len(bars)))


def _historical() -> list[Scenario]:
    source, known = crashes()
    found = []
    for name, crash in known.items():
        figures, first = read_figures(name), milliseconds(crash.first)
        found.append(
            Scenario(
                name=name,
                title=crash.title,
                summary=_one_line(crash.summary),
                kind=Kind.HISTORICAL,
                source=source,
                markets=figures.markets,
                first=first,
                last=first + HOUR * (int(figures.offsets[-1]) + 1),
            )
        )
    return found


def _hypothetical() -> list[Scenario]:
    shared = hypotheses()
    return [
        Scenario(
            name=name,
            title=stress.title,
            summary=_one_line(stress.summary),
            kind=Kind.HYPOTHETICAL,
            source=shared.source,
            markets=stress.markets,
            first=shared.first,
            last=shared.first + stress.minutes * MINUTE,
        )
        for name, stress in shared.stresses.items()
    ]


def _one_line(text: str) -> str:
    return " ".join(text.split())
